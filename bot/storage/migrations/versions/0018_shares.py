"""An answer that somebody shares to a channel."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "shares",
        sa.Column("id", _ROW, primary_key=True),
        sa.Column("key", sa.String(128), nullable=False, unique=True),
        sa.Column("ref", sa.String(16), nullable=False, unique=True),
        sa.Column("investigation_id", _ROW, nullable=False),
        sa.Column("workspace", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("thread_ts", sa.String(32), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("target", sa.String(32), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("shares_age", "shares", ["created_at"])
    op.create_index("shares_of_answer", "shares", ["investigation_id"])
