"""What was put into Datadog from Slack for the alerts of the settings' own organisation."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "alerts_of_settings",
        sa.Column("org", sa.String(64), primary_key=True),
        sa.Column("alerts_begun_at", sa.Float, nullable=True),
        sa.Column("alerts_busy_until", sa.Float, nullable=True),
        sa.Column("alerts_set_up_at", sa.Float, nullable=True),
        sa.Column("alerts_tags", sa.JSON, nullable=True),
    )
