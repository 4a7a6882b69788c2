"""Since when Slack has taken no token of an install, for those that leave without a word."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("installations", sa.Column("gone_since", sa.Float, nullable=True))
