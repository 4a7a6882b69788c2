"""What Slack told us to wait for, shared by all replicas; and how far a thread was searched for a post of ours."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("looked_to", sa.String(32), nullable=True))
    op.create_table(
        "told_waits",
        sa.Column("workspace", sa.String(32), primary_key=True),
        sa.Column("method", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(32), primary_key=True),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_index("told_waits_until", "told_waits", ["until"])
