"""Who is named in a comment, so that it is found again as it was sent; and what was done to several cases in one gesture."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("case_acts", sa.Column("author", sa.String(200), nullable=True))
    op.add_column("case_acts", sa.Column("batch", sa.String(255), nullable=True))
    op.add_column("case_acts", sa.Column("view_id", sa.String(64), nullable=True))
    op.create_index("case_acts_batch", "case_acts", ["batch"])
    op.add_column("insight_submits", sa.Column("comment_author", sa.String(200), nullable=True))
