"""alerts that come in by themselves"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _notices()
    _cycles()
    _messages()
    _starts()
    _mutes()


def _claimable() -> "tuple[sa.Column[float], sa.Column[str], sa.Column[int]]":
    return (
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
    )


def _names(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.String(length=32), nullable=False) for name in names]


def _notices() -> None:
    op.create_table(
        "alert_notices",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("org", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        *_claimable(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("alert_notices_due", "alert_notices", ["state", "due_at"])
    op.create_index("alert_notices_age", "alert_notices", ["received_at"])


def _cycles() -> None:
    op.create_table(
        "alert_cycles",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("org", sa.String(length=64), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.Column("muted_until", sa.Float(), nullable=True),
        sa.Column("muted_by", sa.String(length=32), nullable=False),
        sa.Column("downtime_id", sa.String(length=64), nullable=False),
        sa.Column("unmuted_by", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ref"),
        sa.UniqueConstraint("org", "identity", "generation"),
    )
    op.create_index("alert_cycles_muted", "alert_cycles", ["muted_until"])


def _messages() -> None:
    op.create_table(
        "alert_messages",
        sa.Column("id", ROW_ID, nullable=False),
        *_names("workspace", "channel", "ts"),
        sa.Column("subject", sa.JSON(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace", "channel", "ts"),
    )


def _starts() -> None:
    op.create_table(
        "alert_starts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("org", sa.String(length=64), nullable=False),
        *_names("workspace", "channel", "thread_ts"),
        sa.Column("cycle_id", ROW_ID, nullable=True),
        sa.Column("alert", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decision", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        *_claimable(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("alert_starts_due", "alert_starts", ["state", "due_at"])


def _mutes() -> None:
    op.create_table(
        "alert_mutes",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("key", sa.String(length=96), nullable=False),
        sa.Column("work", sa.String(length=16), nullable=False),
        sa.Column("cycle_id", ROW_ID, nullable=False),
        sa.Column("org", sa.String(length=64), nullable=False),
        *_names("workspace", "channel", "thread_ts", "person"),
        sa.Column("person_name", sa.String(length=80), nullable=False),
        sa.Column("monitor_id", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Float(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        *_claimable(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("alert_mutes_due", "alert_mutes", ["state", "due_at"])
    op.create_index("alert_mutes_cycle", "alert_mutes", ["cycle_id"])
