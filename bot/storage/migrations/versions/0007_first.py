"""The first schema, as it was first released. It stays as it is: what changes later is a migration of its own.

Its number is that of the last of seven that were never released, so a database of theirs is at this one already.
"""

from alembic import op

revision = "0007"
down_revision = None

# SQLite numbers rows by itself only in a column of exactly this type
_TYPES = {
    "sqlite": {"ROW_ID": "INTEGER NOT NULL PRIMARY KEY", "ROW_REF": "INTEGER"},
    "postgresql": {"ROW_ID": "BIGSERIAL PRIMARY KEY", "ROW_REF": "BIGINT"},
}

_TABLES = """
CREATE TABLE asks (
    id ROW_ID, key VARCHAR(255) NOT NULL, org VARCHAR(64) NOT NULL, workspace VARCHAR(32) NOT NULL,
    channel VARCHAR(32) NOT NULL, thread_ts VARCHAR(32) NOT NULL, requester VARCHAR(32) NOT NULL,
    source VARCHAR(16) NOT NULL, subject JSON NOT NULL, state VARCHAR(16) NOT NULL, investigation_id ROW_REF,
    problem VARCHAR(32), created_at FLOAT NOT NULL, due_at FLOAT NOT NULL, owner VARCHAR(64),
    attempt INTEGER DEFAULT 0 NOT NULL,
    UNIQUE (key)
);
CREATE INDEX asks_due ON asks (state, due_at);

CREATE TABLE investigations (
    id ROW_ID, ref VARCHAR(16) NOT NULL, org VARCHAR(64) NOT NULL, subject_key VARCHAR(160) NOT NULL,
    run INTEGER NOT NULL, subject JSON NOT NULL, state VARCHAR(16) NOT NULL, version INTEGER DEFAULT 1 NOT NULL,
    requested_by VARCHAR(32) NOT NULL, created_at FLOAT NOT NULL, started_at FLOAT, deadline_at FLOAT,
    finished_at FLOAT, retry_at FLOAT, monitor_id BIGINT, before_ids JSON, datadog_id VARCHAR(64),
    adopted BOOLEAN NOT NULL, presumed BOOLEAN NOT NULL, url TEXT, title TEXT, status VARCHAR(64),
    verdict VARCHAR(16), conclusions JSON, failure JSON, due_at FLOAT NOT NULL, owner VARCHAR(64),
    attempt INTEGER DEFAULT 0 NOT NULL,
    UNIQUE (ref), UNIQUE (org, subject_key, run)
);
CREATE INDEX investigations_datadog ON investigations (org, datadog_id);
CREATE INDEX investigations_due ON investigations (state, due_at);

CREATE TABLE subscribers (
    id ROW_ID, investigation_id ROW_REF NOT NULL REFERENCES investigations (id), workspace VARCHAR(32) NOT NULL,
    channel VARCHAR(32) NOT NULL, thread_ts VARCHAR(32) NOT NULL, requester VARCHAR(32) NOT NULL,
    source VARCHAR(16) NOT NULL, created_at FLOAT NOT NULL,
    UNIQUE (investigation_id, workspace, channel, thread_ts)
);
CREATE INDEX subscribers_requester ON subscribers (workspace, requester);
CREATE INDEX subscribers_thread ON subscribers (workspace, channel, thread_ts);

CREATE TABLE deliveries (
    id ROW_ID, key VARCHAR(128) NOT NULL, kind VARCHAR(16) NOT NULL, lane VARCHAR(64) NOT NULL,
    subject_id ROW_REF NOT NULL, requester VARCHAR(32) NOT NULL, workspace VARCHAR(32) NOT NULL,
    channel VARCHAR(32) NOT NULL, thread_ts VARCHAR(32) NOT NULL, state VARCHAR(16) NOT NULL,
    wanted INTEGER NOT NULL, shown INTEGER NOT NULL, digest VARCHAR(64), ts VARCHAR(32), first_try_at FLOAT,
    problem VARCHAR(64), created_at FLOAT NOT NULL, due_at FLOAT NOT NULL, owner VARCHAR(64),
    attempt INTEGER DEFAULT 0 NOT NULL,
    UNIQUE (key)
);
CREATE INDEX deliveries_due ON deliveries (state, due_at);
CREATE INDEX deliveries_lane ON deliveries (lane);
CREATE INDEX deliveries_subject ON deliveries (kind, subject_id);

CREATE TABLE sightings (
    workspace VARCHAR(32) NOT NULL, channel VARCHAR(32) NOT NULL, ts VARCHAR(32) NOT NULL, alert JSON,
    run VARCHAR(64), seen_at FLOAT NOT NULL,
    PRIMARY KEY (workspace, channel, ts)
);
CREATE INDEX sightings_age ON sightings (seen_at);

CREATE TABLE poll_turns (
    org VARCHAR(64) NOT NULL PRIMARY KEY, next_at FLOAT NOT NULL, slow_at FLOAT NOT NULL
);

CREATE TABLE votes (
    investigation_id ROW_REF NOT NULL REFERENCES investigations (id), workspace VARCHAR(32) NOT NULL,
    voter VARCHAR(32) NOT NULL, helpful BOOLEAN NOT NULL, voted_at FLOAT NOT NULL,
    PRIMARY KEY (investigation_id, workspace, voter)
);

CREATE TABLE alert_notices (
    id ROW_ID, key VARCHAR(64) NOT NULL, org VARCHAR(64) NOT NULL, content JSON NOT NULL, state VARCHAR(16) NOT NULL,
    received_at FLOAT NOT NULL, due_at FLOAT NOT NULL, owner VARCHAR(64), attempt INTEGER DEFAULT 0 NOT NULL,
    UNIQUE (key)
);
CREATE INDEX alert_notices_age ON alert_notices (received_at);
CREATE INDEX alert_notices_due ON alert_notices (state, due_at);

CREATE TABLE alert_cycles (
    id ROW_ID, ref VARCHAR(16) NOT NULL, org VARCHAR(64) NOT NULL, identity VARCHAR(64) NOT NULL,
    generation INTEGER NOT NULL, content JSON NOT NULL, changed_at FLOAT NOT NULL, muted_until FLOAT,
    muted_by VARCHAR(32) NOT NULL, downtime_id VARCHAR(64) NOT NULL, unmuted_by VARCHAR(32) NOT NULL,
    UNIQUE (ref), UNIQUE (org, identity, generation)
);
CREATE INDEX alert_cycles_muted ON alert_cycles (muted_until);

CREATE TABLE alert_messages (
    id ROW_ID, workspace VARCHAR(32) NOT NULL, channel VARCHAR(32) NOT NULL, ts VARCHAR(32) NOT NULL,
    subject JSON NOT NULL, seen_at FLOAT NOT NULL,
    UNIQUE (workspace, channel, ts)
);

CREATE TABLE alert_starts (
    id ROW_ID, key VARCHAR(160) NOT NULL, org VARCHAR(64) NOT NULL, workspace VARCHAR(32) NOT NULL,
    channel VARCHAR(32) NOT NULL, thread_ts VARCHAR(32) NOT NULL, cycle_id ROW_REF, alert JSON NOT NULL,
    facts JSON NOT NULL, state VARCHAR(16) NOT NULL, decision VARCHAR(200) NOT NULL, created_at FLOAT NOT NULL,
    due_at FLOAT NOT NULL, owner VARCHAR(64), attempt INTEGER DEFAULT 0 NOT NULL,
    UNIQUE (key)
);
CREATE INDEX alert_starts_due ON alert_starts (state, due_at);

CREATE TABLE alert_mutes (
    id ROW_ID, key VARCHAR(96) NOT NULL, work VARCHAR(16) NOT NULL, cycle_id ROW_REF NOT NULL,
    org VARCHAR(64) NOT NULL, workspace VARCHAR(32) NOT NULL, channel VARCHAR(32) NOT NULL,
    thread_ts VARCHAR(32) NOT NULL, person VARCHAR(32) NOT NULL, person_name VARCHAR(80) NOT NULL,
    monitor_id BIGINT NOT NULL, until FLOAT, state VARCHAR(16) NOT NULL, created_at FLOAT NOT NULL,
    due_at FLOAT NOT NULL, owner VARCHAR(64), attempt INTEGER DEFAULT 0 NOT NULL,
    UNIQUE (key)
);
CREATE INDEX alert_mutes_cycle ON alert_mutes (cycle_id);
CREATE INDEX alert_mutes_due ON alert_mutes (state, due_at);

CREATE TABLE cases (
    id ROW_ID, org VARCHAR(64) NOT NULL, case_id VARCHAR(64) NOT NULL, key VARCHAR(64) NOT NULL, shown JSON NOT NULL,
    modified_at FLOAT, version INTEGER NOT NULL, gone BOOLEAN NOT NULL, seen_at FLOAT NOT NULL,
    UNIQUE (org, case_id)
);
CREATE INDEX cases_key ON cases (org, key);

CREATE TABLE case_places (
    id ROW_ID, case_row ROW_REF NOT NULL REFERENCES cases (id), workspace VARCHAR(32) NOT NULL,
    channel VARCHAR(32) NOT NULL, thread_ts VARCHAR(32) NOT NULL, requester VARCHAR(32) NOT NULL,
    touched_at FLOAT NOT NULL,
    UNIQUE (case_row, workspace, channel, thread_ts)
);
CREATE INDEX case_places_thread ON case_places (workspace, channel, thread_ts);

CREATE TABLE case_acts (
    id ROW_ID, key VARCHAR(255) NOT NULL, case_row ROW_REF NOT NULL REFERENCES cases (id),
    workspace VARCHAR(32) NOT NULL, channel VARCHAR(32) NOT NULL, thread_ts VARCHAR(32) NOT NULL,
    person VARCHAR(32) NOT NULL, kind VARCHAR(16) NOT NULL, value TEXT NOT NULL, said TEXT NOT NULL,
    state VARCHAR(16) NOT NULL, problem JSON, begun_at FLOAT, done_at FLOAT, created_at FLOAT NOT NULL,
    due_at FLOAT NOT NULL, owner VARCHAR(64), attempt INTEGER NOT NULL,
    UNIQUE (key)
);
CREATE INDEX case_acts_case ON case_acts (case_row);
CREATE INDEX case_acts_due ON case_acts (state, due_at);
CREATE INDEX case_acts_person ON case_acts (workspace, person);

CREATE TABLE case_orders (
    id ROW_ID, key VARCHAR(64) NOT NULL, ref VARCHAR(16) NOT NULL, org VARCHAR(64) NOT NULL,
    workspace VARCHAR(32) NOT NULL, channel VARCHAR(32) NOT NULL, thread_ts VARCHAR(32) NOT NULL,
    requester VARCHAR(32) NOT NULL, source JSON NOT NULL, wanted JSON, state VARCHAR(16) NOT NULL,
    told BOOLEAN NOT NULL, view_id VARCHAR(64), assignee_id VARCHAR(64), case_row ROW_REF,
    comment VARCHAR(16) NOT NULL, notes JSON NOT NULL, problem JSON, retry_at FLOAT, begun_at FLOAT,
    created_at FLOAT NOT NULL, due_at FLOAT NOT NULL, owner VARCHAR(64), attempt INTEGER NOT NULL,
    UNIQUE (key), UNIQUE (ref)
);
CREATE INDEX case_orders_due ON case_orders (state, due_at);
CREATE INDEX case_orders_thread ON case_orders (workspace, channel, thread_ts);

CREATE TABLE insight_drafts (
    key VARCHAR(64) NOT NULL PRIMARY KEY, workspace VARCHAR(32) NOT NULL, person VARCHAR(32) NOT NULL,
    version INTEGER NOT NULL, content TEXT NOT NULL, used_at FLOAT NOT NULL
);
CREATE INDEX insight_drafts_age ON insight_drafts (used_at);

CREATE TABLE insight_submits (
    id ROW_ID, key VARCHAR(96) NOT NULL, ref VARCHAR(16) NOT NULL, draft_key VARCHAR(64) NOT NULL,
    view_id VARCHAR(64) NOT NULL, work VARCHAR(16) NOT NULL, org VARCHAR(64) NOT NULL,
    workspace VARCHAR(32) NOT NULL, channel VARCHAR(32) NOT NULL, thread_ts VARCHAR(32) NOT NULL,
    person VARCHAR(32) NOT NULL, case_id VARCHAR(64) NOT NULL, case_key VARCHAR(64) NOT NULL, outcome JSON NOT NULL,
    comment TEXT NOT NULL, comment_state VARCHAR(16) NOT NULL, comment_sent_at FLOAT, comment_problem JSON,
    state VARCHAR(16) NOT NULL, created_at FLOAT NOT NULL, due_at FLOAT NOT NULL, owner VARCHAR(64),
    attempt INTEGER DEFAULT 0 NOT NULL,
    UNIQUE (key), UNIQUE (ref)
);
CREATE INDEX insight_submits_due ON insight_submits (state, due_at);

CREATE TABLE installations (
    id ROW_ID, home VARCHAR(32) NOT NULL, team_id VARCHAR(32), enterprise_id VARCHAR(32),
    is_enterprise_install BOOLEAN NOT NULL, app_id VARCHAR(32) NOT NULL, bot_token TEXT NOT NULL, refresh_token TEXT,
    expires_at FLOAT, generation INTEGER NOT NULL, scopes TEXT NOT NULL, bot_user_id VARCHAR(32) NOT NULL,
    bot_id VARCHAR(32) NOT NULL, installer VARCHAR(32) NOT NULL, installed_at FLOAT NOT NULL, welcomed_at FLOAT,
    refresh_owner VARCHAR(64), refresh_until FLOAT, problem VARCHAR(64), problem_at FLOAT,
    UNIQUE (home)
);

CREATE TABLE workspaces (
    team_id VARCHAR(32) NOT NULL PRIMARY KEY, enterprise_id VARCHAR(32) NOT NULL, learnt_at FLOAT NOT NULL
);
CREATE INDEX workspaces_enterprise ON workspaces (enterprise_id);

CREATE TABLE oauth_states (
    state VARCHAR(64) NOT NULL PRIMARY KEY, browser VARCHAR(64) NOT NULL, expires_at FLOAT NOT NULL
);
CREATE INDEX oauth_states_expires ON oauth_states (expires_at);

CREATE TABLE departures (
    id ROW_ID, key VARCHAR(96) NOT NULL, kind VARCHAR(32) NOT NULL, team_id VARCHAR(32), enterprise_id VARCHAR(32),
    is_enterprise_install BOOLEAN NOT NULL, happened_at FLOAT NOT NULL,
    UNIQUE (key)
);

CREATE TABLE orgs (
    id VARCHAR(64) NOT NULL PRIMARY KEY, workspace VARCHAR(32) NOT NULL, name VARCHAR(80) NOT NULL,
    name_key VARCHAR(80), site VARCHAR(64) NOT NULL, subdomain VARCHAR(64) NOT NULL, api_key TEXT, app_key TEXT,
    api_key_end VARCHAR(4) NOT NULL, app_key_end VARCHAR(4) NOT NULL, org_uuid VARCHAR(64),
    owner VARCHAR(200) NOT NULL, lacking JSON NOT NULL, version INTEGER NOT NULL, connected_by VARCHAR(32) NOT NULL,
    connected_at FLOAT NOT NULL,
    UNIQUE (workspace, name_key), UNIQUE (workspace, org_uuid)
);

CREATE TABLE org_questions (
    id ROW_ID, key VARCHAR(255) NOT NULL, workspace VARCHAR(32) NOT NULL, channel VARCHAR(32) NOT NULL,
    thread_ts VARCHAR(32) NOT NULL, person VARCHAR(32) NOT NULL, wish JSON NOT NULL, asked_at FLOAT NOT NULL,
    UNIQUE (key)
);
CREATE INDEX org_questions_age ON org_questions (asked_at);

CREATE TABLE homes (
    workspace VARCHAR(32) NOT NULL, person VARCHAR(32) NOT NULL, opened_at FLOAT NOT NULL,
    view_hash VARCHAR(64) NOT NULL, digest VARCHAR(64) NOT NULL,
    PRIMARY KEY (workspace, person)
);
CREATE INDEX homes_opened ON homes (opened_at);

CREATE TABLE channel_rules (
    workspace VARCHAR(32) NOT NULL, channel VARCHAR(32) NOT NULL, content JSON NOT NULL, version INTEGER NOT NULL,
    changed_by VARCHAR(32) NOT NULL, changed_at FLOAT NOT NULL,
    PRIMARY KEY (workspace, channel)
);

CREATE TABLE workspace_rules (
    workspace VARCHAR(32) NOT NULL PRIMARY KEY, content JSON NOT NULL, version INTEGER NOT NULL,
    changed_by VARCHAR(32) NOT NULL, changed_at FLOAT NOT NULL
);

CREATE TABLE spending (
    workspace VARCHAR(32) NOT NULL, channel VARCHAR(32) NOT NULL, day INTEGER NOT NULL, used INTEGER NOT NULL,
    automatic INTEGER NOT NULL,
    PRIMARY KEY (workspace, channel, day)
);

CREATE TABLE charges (
    investigation_id ROW_REF NOT NULL PRIMARY KEY, workspace VARCHAR(32) NOT NULL, channel VARCHAR(32) NOT NULL,
    day INTEGER NOT NULL, automatic BOOLEAN NOT NULL, returned BOOLEAN NOT NULL
);
CREATE INDEX charges_workspace ON charges (workspace);

CREATE TABLE cooldowns (
    workspace VARCHAR(32) NOT NULL, monitor_id BIGINT NOT NULL, group_hash VARCHAR(64) NOT NULL,
    started_at FLOAT NOT NULL,
    PRIMARY KEY (workspace, monitor_id, group_hash)
);

CREATE TABLE held_asks (
    ask_id ROW_REF NOT NULL PRIMARY KEY, workspace VARCHAR(32) NOT NULL, person VARCHAR(32) NOT NULL,
    subject JSON NOT NULL, after_run INTEGER, held_at FLOAT NOT NULL
);
CREATE INDEX held_asks_age ON held_asks (held_at);

CREATE TABLE audit (
    id ROW_ID, key VARCHAR(255) NOT NULL, at FLOAT NOT NULL, workspace VARCHAR(32) NOT NULL,
    channel VARCHAR(32) NOT NULL, thread_ts VARCHAR(32) NOT NULL, person VARCHAR(32) NOT NULL,
    source VARCHAR(16) NOT NULL, decision VARCHAR(24) NOT NULL, rule VARCHAR(160) NOT NULL,
    what VARCHAR(200) NOT NULL, budget VARCHAR(160) NOT NULL, investigation_id ROW_REF,
    UNIQUE (key)
);
CREATE INDEX audit_workspace ON audit (workspace, id);
"""


def upgrade() -> None:
    tables = _TABLES
    for name, type_ in _TYPES[op.get_context().dialect.name].items():
        tables = tables.replace(name, type_)
    for statement in filter(str.strip, tables.split(";")):
        op.execute(statement)
