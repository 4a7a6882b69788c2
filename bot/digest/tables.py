"""Table of the weekly digests that channels were owed, one a channel and week."""

from sqlalchemy import Column, Float, Index, String, Table, UniqueConstraint

from bot.storage.retention import AtUninstall, Kept, Life, keep
from bot.storage.tables import RowId, messages, metadata

DIGEST = "digest"  # kind of deliveries; they show a row of `digests`

digests = Table(
    "digests",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),  # in the key of what is posted
    Column("workspace", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("since", Float, nullable=False),
    Column("until", Float, nullable=False),
    UniqueConstraint("workspace", "channel", "until"),
    Index("digests_age", "until"),
)

keep(
    digests,
    [Life(Kept.DELIVERIES, digests.c.until)],
    holds="which channel got the digest of which week; not what it said",
    at_uninstall=AtUninstall.DELETED,
    parts=[messages(DIGEST)],
)
