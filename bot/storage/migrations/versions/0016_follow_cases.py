"""Open cases with a card are looked at in Datadog, so that the card follows; comments made there come as replies."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# those with a card to which something has happened within a month; which of them are closed is found out at the first look
_WITH_CARD = """
INSERT INTO case_follows (case_row, org, changed_at, created_at, due_at, attempt)
SELECT cases.id, cases.org, cases.seen_at, cases.seen_at, 0, 0 FROM cases
WHERE NOT cases.gone AND cases.seen_at > (SELECT max(seen_at) FROM cases) - 2592000
AND EXISTS (SELECT 1 FROM deliveries WHERE deliveries.kind = 'case_card' AND deliveries.subject_id = cases.id)
"""


def upgrade() -> None:
    op.create_table(
        "case_follows",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("case_row", _ID, sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("org", sa.String(64), nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
        sa.Column("looked_at", sa.Float, nullable=True),
        sa.Column("comments", sa.Integer, nullable=True),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("owner", sa.String(64), nullable=True),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.UniqueConstraint("case_row"),
    )
    op.create_index("case_follows_due", "case_follows", ["due_at"])
    op.create_table(
        "case_comments",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("key", sa.String(96), nullable=False, unique=True),
        sa.Column("case_row", _ID, nullable=False),
        sa.Column("workspace", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("thread_ts", sa.String(32), nullable=False),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("case_comments_age", "case_comments", ["created_at"])
    op.execute(_WITH_CARD)
