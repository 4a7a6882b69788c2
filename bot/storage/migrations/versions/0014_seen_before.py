"""What was investigated of a monitor is found by it; whoever finds an answer wrong can say what it really was."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_index("investigations_of_monitor", "investigations", ["org", "monitor_id", "created_at"])
    op.add_column("votes", sa.Column("cause", sa.Text, nullable=True))
