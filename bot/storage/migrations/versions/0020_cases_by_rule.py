"""Cases that a channel's rule makes of its alerts, and closes again."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "alert_cases",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("cycle_id", _ID, nullable=False),
        sa.Column("org", sa.String(64), nullable=False),
        sa.Column("workspace", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("thread_ts", sa.String(32), nullable=False),
        sa.Column("monitor_id", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("roused", sa.Boolean, nullable=False),
        sa.Column("made_for", _ID, nullable=True, unique=True),
        sa.Column("slot", sa.String(128), nullable=True, unique=True),
        sa.Column("order_id", _ID, nullable=True),
        sa.Column("case_row", _ID, nullable=True),
        sa.Column("may_close", sa.Boolean, nullable=False),
        sa.Column("rule", sa.String(160), nullable=False),
        sa.Column("outcome", sa.String(24), nullable=False),
        sa.Column("problem", sa.JSON, nullable=True),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("owner", sa.String(64), nullable=True),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.UniqueConstraint("cycle_id", "workspace", "channel"),
    )
    op.create_index("alert_cases_age", "alert_cases", ["created_at"])
    unfinished = sa.text("state != 'done'")
    op.create_index(
        "alert_cases_open", "alert_cases", ["state", "due_at"], sqlite_where=unfinished, postgresql_where=unfinished
    )
