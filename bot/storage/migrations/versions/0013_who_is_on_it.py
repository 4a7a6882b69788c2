"""Who is on an alert and in which workspace that was said; who wants to hear of its recovery."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    for name in ("muted_in", "unmuted_in", "taken_by", "taken_in"):
        op.add_column("alert_cycles", sa.Column(name, sa.String(32), nullable=True))
    op.add_column("alert_cycles", sa.Column("taken_at", sa.Float, nullable=True))
    op.create_table(
        "alert_watchers",
        sa.Column("cycle_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("workspace", sa.String(32), primary_key=True),
        sa.Column("channel", sa.String(32), primary_key=True),
        sa.Column("person", sa.String(32), primary_key=True),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("alert_watchers_age", "alert_watchers", ["created_at"])
