"""What was put into Datadog from Slack so that an organisation's alerts come in."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    for name in ("alerts_begun_at", "alerts_busy_until", "alerts_set_up_at"):
        op.add_column("orgs", sa.Column(name, sa.Float, nullable=True))
    op.add_column("orgs", sa.Column("alerts_tags", sa.JSON, nullable=True))
