"""Tables of who installed the bot, for many workspaces. A row's `home` is its workspace, or its enterprise if org-wide."""

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table, Text

from bot.storage.encryption import encrypted_column
from bot.storage.retention import AtUninstall, Life, Lives, keep
from bot.storage.tables import RowId, metadata

installations = Table(
    "installations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("home", String(32), nullable=False, unique=True),
    Column("team_id", String(32), nullable=True),  # empty when org-wide
    Column("enterprise_id", String(32), nullable=True),
    Column("is_enterprise_install", Boolean, nullable=False),
    Column("app_id", String(32), nullable=False),
    encrypted_column("bot_token"),
    encrypted_column("refresh_token", nullable=True),
    Column("expires_at", Float, nullable=True),  # empty: the token does not rotate
    Column("generation", Integer, nullable=False),  # counts the tokens this home has had
    Column("scopes", Text, nullable=False),
    Column("bot_user_id", String(32), nullable=False),
    Column("bot_id", String(32), nullable=False),
    Column("installer", String(32), nullable=False),
    Column("installed_at", Float, nullable=False),
    Column("welcomed_at", Float, nullable=True),
    Column("refresh_owner", String(64), nullable=True),  # who asks Slack for new tokens now, and until when
    Column("refresh_until", Float, nullable=True),
    Column("problem", String(64), nullable=True),  # Slack's word for why it no longer takes the token
    Column("problem_at", Float, nullable=True),
    Column("gone_since", Float, nullable=True),  # from when on Slack has said that the app is removed there
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("team_id", String(32), primary_key=True),
    Column("enterprise_id", String(32), nullable=False),
    Column("learnt_at", Float, nullable=False),
    Index("workspaces_enterprise", "enterprise_id"),
)

oauth_states = Table(
    "oauth_states",
    metadata,
    Column("state", String(64), primary_key=True),  # hashes: whoever reads the database can't finish an install
    Column("browser", String(64), nullable=False),
    Column("expires_at", Float, nullable=False),
    Index("oauth_states_expires", "expires_at"),
)

departures = Table(
    "departures",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(96), nullable=False, unique=True),  # the same for a repeated event
    Column("kind", String(32), nullable=False),
    Column("team_id", String(32), nullable=True),
    Column("enterprise_id", String(32), nullable=True),
    Column("is_enterprise_install", Boolean, nullable=False),
    Column("happened_at", Float, nullable=False),
)

keep(
    installations,
    Lives.UNTIL_TAKEN_AWAY,
    holds="where the app is installed; its tokens encrypted",
    at_uninstall=AtUninstall.BY_ITS_ROOM,
)
keep(
    workspaces,
    Lives.UNTIL_TAKEN_AWAY,
    holds="which workspaces an organisation-wide install serves",
    at_uninstall=AtUninstall.BY_ITS_ROOM,
)
keep(
    departures,  # once carried out
    Lives.UNTIL_TAKEN_AWAY,
    holds="workspaces that have left, until what was kept for them is removed",
    at_uninstall=AtUninstall.BY_ITS_ROOM,
)
keep(
    oauth_states,
    [Life(0.0, oauth_states.c.expires_at)],
    holds="installs under way, as hashes",
    at_uninstall=AtUninstall.NOBODYS,
)
