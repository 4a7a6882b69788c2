"""Tables of what channels have decided, what that has cost so far, and who started or was refused what."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table

from bot.rules.model import LONGEST_COOLDOWN
from bot.storage.retention import AtUninstall, Kept, Life, Lives, keep
from bot.storage.tables import RowId, metadata, placed

channel_rules = Table(
    "channel_rules",
    metadata,
    Column("workspace", String(32), primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("content", JSON, nullable=False),  # as in the rules file
    Column("version", Integer, nullable=False),
    Column("changed_by", String(32), nullable=False),
    Column("changed_at", Float, nullable=False),
)

workspace_rules = Table(
    "workspace_rules",
    metadata,
    Column("workspace", String(32), primary_key=True),
    Column("content", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_by", String(32), nullable=False),
    Column("changed_at", Float, nullable=False),
)

spending = Table(
    "spending",
    metadata,
    Column("workspace", String(32), primary_key=True),
    Column("channel", String(32), primary_key=True),  # empty: the whole workspace
    Column("day", Integer, primary_key=True),  # days since 1970, UTC
    Column("used", Integer, nullable=False),
    Column("automatic", Integer, nullable=False),  # of those used
    Index("spending_age", "day"),
)

charges = Table(
    "charges",
    metadata,
    Column("investigation_id", RowId, primary_key=True, autoincrement=False),
    Column("workspace", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("day", Integer, nullable=False),
    Column("automatic", Boolean, nullable=False),
    Column("returned", Boolean, nullable=False),  # nothing came of it, so it was given back
    Index("charges_workspace", "workspace"),
)

cooldowns = Table(
    "cooldowns",
    metadata,
    Column("workspace", String(32), primary_key=True),
    Column("monitor_id", BigInteger, primary_key=True, autoincrement=False),
    Column("group_hash", String(64), primary_key=True),  # empty: the monitor has no groups
    Column("started_at", Float, nullable=False),
    Index("cooldowns_age", "started_at"),
)


audit = Table(
    "audit",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(255), nullable=False, unique=True),  # the same for a gesture that arrives twice
    Column("at", Float, nullable=False),
    *placed(),
    Column("person", String(32), nullable=False),  # empty: by itself
    Column("source", String(16), nullable=False),
    Column("decision", String(24), nullable=False),
    Column("rule", String(160), nullable=False),
    Column("what", String(200), nullable=False),
    Column("budget", String(160), nullable=False),
    Column("investigation_id", RowId, nullable=True),
    Index("audit_age", "at"),
    Index("audit_workspace_age", "workspace", "at"),
    Index("audit_channel_age", "workspace", "channel", "at"),
    Index("audit_investigation", "investigation_id"),
)

keep(channel_rules, Lives.UNTIL_TAKEN_AWAY, holds="rules of channels", at_uninstall=AtUninstall.DELETED)
keep(workspace_rules, Lives.UNTIL_TAKEN_AWAY, holds="rules of a workspace", at_uninstall=AtUninstall.DELETED)
keep(
    spending,
    [Life(Kept.BUDGET, spending.c.day, in_days=True)],
    holds="how many starts a channel and a workspace used on a day",
    at_uninstall=AtUninstall.KEPT,
)
keep(
    charges,  # with its investigation, while it can be given back
    Lives.WITH_ANOTHER,
    holds="on which day's budget an investigation went",
    at_uninstall=AtUninstall.KEPT,
)
keep(
    cooldowns,
    [Life(LONGEST_COOLDOWN * 60.0, cooldowns.c.started_at)],
    holds="when a monitor last started something by itself",
    at_uninstall=AtUninstall.KEPT,
)
keep(
    audit,
    [Life(Kept.AUDIT, audit.c.at)],
    holds="who started what, and what was refused",
    at_uninstall=AtUninstall.DELETED,
)
