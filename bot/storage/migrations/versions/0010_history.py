"""Indexes for years of history: what is claimed, removed or shown is found without reading what is long finished."""

from alembic import op

revision = "0010"
down_revision = "0009"

_GONE = ("audit_workspace", "case_acts_person", "deliveries_due", "subscribers_requester")

_MADE = """
alert_cycles_age ON alert_cycles (changed_at)
alert_messages_age ON alert_messages (seen_at)
audit_age ON audit (at)
audit_channel_age ON audit (workspace, channel, at)
audit_investigation ON audit (investigation_id)
audit_workspace_age ON audit (workspace, at)
case_acts_by ON case_acts (workspace, person, created_at)
case_orders_channel ON case_orders (workspace, channel, id)
case_orders_person ON case_orders (workspace, requester, id)
case_orders_untold ON case_orders (state, due_at) WHERE {told}
case_places_channel ON case_places (workspace, channel, touched_at)
case_places_person ON case_places (workspace, requester, touched_at)
cases_age ON cases (seen_at)
cooldowns_age ON cooldowns (started_at)
deliveries_behind ON deliveries (due_at) WHERE state != 'refused' AND shown < wanted
deliveries_done ON deliveries (kind, due_at)
deliveries_refused ON deliveries (workspace, created_at) WHERE state = 'refused'
deliveries_stand ON deliveries (channel, ts)
investigations_ended ON investigations (org, state, finished_at)
investigations_looked_for ON investigations (state, due_at) WHERE state = 'uncertain' AND deadline_at IS NOT NULL
investigations_started ON investigations (org, started_at)
spending_age ON spending (day)
subscribers_asked ON subscribers (workspace, requester, id)
"""


def upgrade() -> None:
    told = "told = 0" if op.get_context().dialect.name == "sqlite" else "NOT told"
    for index in _GONE:
        op.execute(f"DROP INDEX {index}")
    for index in _MADE.strip().splitlines():
        op.execute(f"CREATE INDEX {index.format(told=told)}")
