"""Tables of investigations: what was asked, each run, which threads wait for it, whose turn it is to look, and votes."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from bot.storage.tables import RowId, claimable, metadata

asks = Table(
    "asks",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(255), nullable=False, unique=True),
    Column("org", String(64), nullable=False),
    Column("workspace", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("thread_ts", String(32), nullable=False),
    Column("requester", String(32), nullable=False),
    Column("source", String(16), nullable=False),
    Column("subject", JSON, nullable=False),
    Column("state", String(16), nullable=False),  # waiting | done | refused
    Column("investigation_id", RowId, nullable=True),
    Column("problem", String(32), nullable=True),
    Column("created_at", Float, nullable=False),
    *claimable(),
    Index("asks_due", "state", "due_at"),
)


investigations = Table(
    "investigations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("org", String(64), nullable=False),
    Column("subject_key", String(160), nullable=False),
    Column("run", Integer, nullable=False),
    Column("subject", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("requested_by", String(32), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float, nullable=True),
    Column("deadline_at", Float, nullable=True),
    Column("finished_at", Float, nullable=True),
    Column("retry_at", Float, nullable=True),
    Column("monitor_id", BigInteger, nullable=True),
    Column("before_ids", JSON, nullable=True),
    Column("datadog_id", String(64), nullable=True),
    Column("adopted", Boolean, nullable=False),
    Column("presumed", Boolean, nullable=False),
    Column("url", Text, nullable=True),
    Column("title", Text, nullable=True),
    Column("status", String(64), nullable=True),
    Column("verdict", String(16), nullable=True),
    Column("conclusions", JSON, nullable=True),
    Column("failure", JSON, nullable=True),
    *claimable(),
    UniqueConstraint("org", "subject_key", "run"),
    Index("investigations_due", "state", "due_at"),
    Index("investigations_datadog", "org", "datadog_id"),
)


subscribers = Table(
    "subscribers",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("investigation_id", RowId, ForeignKey("investigations.id"), nullable=False),
    Column("workspace", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("thread_ts", String(32), nullable=False),  # empty: asked in the channel, the card opens the thread
    Column("requester", String(32), nullable=False),
    Column("source", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("investigation_id", "workspace", "channel", "thread_ts"),
    Index("subscribers_thread", "workspace", "channel", "thread_ts"),
    Index("subscribers_requester", "workspace", "requester"),
)


seen_alerts = Table(
    "sightings",
    metadata,
    Column("workspace", String(32), primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("ts", String(32), primary_key=True),
    Column("alert", JSON(none_as_null=True), nullable=True),
    Column("run", String(64), nullable=True),
    Column("seen_at", Float, nullable=False),
    Index("sightings_age", "seen_at"),
)


poll_turns = Table(
    "poll_turns",
    metadata,
    Column("org", String(64), primary_key=True),
    Column("next_at", Float, nullable=False),
    Column("slow_at", Float, nullable=False),
)


votes = Table(
    "votes",
    metadata,
    Column("investigation_id", RowId, ForeignKey("investigations.id"), primary_key=True),
    Column("workspace", String(32), primary_key=True),
    Column("voter", String(32), primary_key=True),
    Column("helpful", Boolean, nullable=False),
    Column("voted_at", Float, nullable=False),
)


held_asks = Table(
    "held_asks",
    metadata,
    Column("ask_id", RowId, primary_key=True, autoincrement=False),
    Column("workspace", String(32), nullable=False),
    Column("person", String(32), nullable=False),
    Column("subject", JSON, nullable=False),  # found by now, where the ask only named a monitor
    Column("after_run", Integer, nullable=True),
    Column("held_at", Float, nullable=False),
    Index("held_asks_age", "held_at"),
)
