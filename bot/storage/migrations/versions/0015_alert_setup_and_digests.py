"""What was put into Datadog from Slack so that an organisation's alerts come in; which channel got the digest of which week."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    for name in ("alerts_begun_at", "alerts_busy_until", "alerts_set_up_at"):
        op.add_column("orgs", sa.Column(name, sa.Float, nullable=True))
    op.add_column("orgs", sa.Column("alerts_tags", sa.JSON, nullable=True))
    op.create_table(
        "digests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("ref", sa.String(16), nullable=False, unique=True),
        sa.Column("workspace", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.UniqueConstraint("workspace", "channel", "until"),
    )
    op.create_index("digests_age", "digests", ["until"])
    op.create_index("subscribers_channel", "subscribers", ["workspace", "channel", "created_at"])
