"""Runs that were started for a workspace which has left: whose they are not."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "left_starts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("org", sa.String(64), nullable=False),
        sa.Column("monitor_id", sa.BigInteger, nullable=True),
        sa.Column("datadog_id", sa.String(64), nullable=True),
        sa.Column("before_ids", sa.JSON, nullable=True),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float, nullable=True),
    )
    op.create_index("left_starts_org", "left_starts", ["org", "created_at"])
    op.create_index("left_starts_age", "left_starts", ["created_at"])
