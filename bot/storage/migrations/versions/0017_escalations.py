"""What a case is escalated to: an incident, a page, a ticket, a notebook."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "case_escalations",
        sa.Column("id", _ROW, primary_key=True),
        sa.Column("key", sa.String(255), nullable=False, unique=True),
        sa.Column("ref", sa.String(16), nullable=False, unique=True),
        sa.Column("case_row", _ROW, sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("workspace", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("thread_ts", sa.String(32), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("form", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("made", sa.JSON, nullable=True),
        sa.Column("problem", sa.JSON, nullable=True),
        sa.Column("begun_at", sa.Float, nullable=True),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("owner", sa.String(64), nullable=True),
        sa.Column("attempt", sa.Integer, nullable=False),
    )
    op.create_index("case_escalations_due", "case_escalations", ["state", "due_at"])
    op.create_index("case_escalations_case", "case_escalations", ["case_row", "kind"])
