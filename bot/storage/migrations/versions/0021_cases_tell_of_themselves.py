"""Case projects tell of changes; a look that such word brings, which comments are known, and why a card does not follow."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    for table in ("orgs", "alerts_of_settings"):
        op.add_column(table, sa.Column("cases_begun_at", sa.Float, nullable=True))
        op.add_column(table, sa.Column("case_projects", sa.JSON, nullable=True))
    for name in ("hinted_at", "not_before", "comment_at"):
        op.add_column("case_follows", sa.Column(name, sa.Float, nullable=True))
    op.add_column("case_follows", sa.Column("comment_id", sa.String(64), nullable=True))
    op.add_column("cases", sa.Column("unseen", sa.JSON, nullable=True))
    op.create_index("case_follows_org", "case_follows", ["org"])
