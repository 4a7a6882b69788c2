"""The table of Home tabs that people have open."""

from sqlalchemy import Column, Float, Index, String, Table

from bot.storage.retention import AtUninstall, Life, keep
from bot.storage.tables import metadata

OPEN_FOR = 15 * 60.0  # seconds after the opening; later the person opens it anew

home_tabs = Table(
    "homes",
    metadata,
    Column("workspace", String(32), primary_key=True),
    Column("person", String(32), primary_key=True),
    Column("opened_at", Float, nullable=False),
    Column("view_hash", String(64), nullable=False),  # Slack's, of what stands there now
    Column("digest", String(64), nullable=False),  # ours, of what was shown
    Index("homes_opened", "opened_at"),
)

keep(
    home_tabs,
    [Life(OPEN_FOR, home_tabs.c.opened_at)],
    holds="Home tabs that people have open",
    at_uninstall=AtUninstall.DELETED,
)
