"""Tables of the Datadog organisations that workspaces have connected, and of questions which of them is meant."""

from sqlalchemy import JSON, Column, Float, Index, Integer, String, Table, UniqueConstraint, select

from bot.storage.encryption import encrypted_column
from bot.storage.retention import HOUR, AtUninstall, Life, Lives, Whose, keep
from bot.storage.tables import RowId, metadata, placed

orgs = Table(
    "orgs",
    metadata,
    Column("id", String(64), primary_key=True),  # stands in every stored row of the organisation, so it never changes
    Column("workspace", String(32), nullable=False),
    Column("name", String(80), nullable=False),
    Column("name_key", String(80), nullable=True),  # how the name is compared; empty once it is disconnected
    Column("site", String(64), nullable=False),
    Column("subdomain", String(64), nullable=False),
    encrypted_column("api_key", nullable=True),  # both empty once it is disconnected
    encrypted_column("app_key", nullable=True),
    Column("api_key_end", String(4), nullable=False),
    Column("app_key_end", String(4), nullable=False),
    Column("org_uuid", String(64), nullable=True),
    Column("owner", String(200), nullable=False),  # whose application key it is
    Column("lacking", JSON, nullable=False),  # permissions that were missing at the last check
    Column("version", Integer, nullable=False),
    Column("connected_by", String(32), nullable=False),
    Column("connected_at", Float, nullable=False),
    Column("alerts_begun_at", Float, nullable=True),  # from then on something of ours may stand in Datadog
    Column("alerts_busy_until", Float, nullable=True),  # one person at a time sets them up
    Column("alerts_set_up_at", Float, nullable=True),
    Column("alerts_tags", JSON, nullable=True),  # which monitors' alerts the rule sends
    Column("cases_begun_at", Float, nullable=True),  # from then on something may stand there that tells of cases
    Column("case_projects", JSON, nullable=True),  # the ids of projects that tell of changes to their cases
    UniqueConstraint("workspace", "name_key"),
    UniqueConstraint("workspace", "org_uuid"),
)

# a disconnected one waits for its return: its id is in what was kept of it
keep(
    orgs,
    Lives.UNTIL_TAKEN_AWAY,
    holds="connected Datadog organisations; their keys encrypted",
    at_uninstall=AtUninstall.DELETED,
)


# the same for the organisation whose keys stand in the settings, which has no row of its own
alerts_of_settings = Table(
    "alerts_of_settings",
    metadata,
    Column("org", String(64), primary_key=True),
    Column("alerts_begun_at", Float, nullable=True),
    Column("alerts_busy_until", Float, nullable=True),
    Column("alerts_set_up_at", Float, nullable=True),
    Column("alerts_tags", JSON, nullable=True),
    Column("cases_begun_at", Float, nullable=True),
    Column("case_projects", JSON, nullable=True),
)

keep(
    alerts_of_settings,
    Lives.UNTIL_TAKEN_AWAY,
    holds="what was set up in Datadog for the alerts of the settings' own organisation",
    at_uninstall=AtUninstall.NOBODYS,
)


def of_its_orgs(table: Table) -> Whose:
    """Rows of the organisations a workspace has connected itself: without it nobody can ask for them any more."""
    return lambda workspace: table.c.org.in_(select(orgs.c.id).where(orgs.c.workspace == workspace))


webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("org", String(64), nullable=False),
    Column("hash", String(64), nullable=False),  # of 32 random bytes: nothing here opens the door
    Column("made_at", Float, nullable=False),
    Column("ends_at", Float, nullable=True),  # when another one took its place, and a day
    Index("webhook_secrets_org", "org"),
    Index("webhook_secrets_end", "ends_at"),
)

keep(
    webhook_secrets,
    [Life(0.0, webhook_secrets.c.ends_at)],
    holds="the hash of a webhook's secret, until a day after another took its place",
    at_uninstall=of_its_orgs(webhook_secrets),
)

QUESTION_LIVES = HOUR  # whoever answers later asks anew

org_questions = Table(
    "org_questions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(255), nullable=False, unique=True),  # the same for a gesture that arrives twice
    *placed(),
    Column("person", String(32), nullable=False),
    Column("wish", JSON, nullable=False),  # what goes on once the organisation is chosen
    Column("asked_at", Float, nullable=False),
    Index("org_questions_age", "asked_at"),
)

keep(
    org_questions,
    [Life(QUESTION_LIVES, org_questions.c.asked_at)],
    holds="what goes on once somebody says which organisation is meant",
    at_uninstall=AtUninstall.DELETED,
)
