"""Open cases with a card are looked at in Datadog, so that the card follows."""

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
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("owner", sa.String(64), nullable=True),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.UniqueConstraint("case_row"),
    )
    op.create_index("case_follows_due", "case_follows", ["due_at"])
    op.execute(_WITH_CARD)
