"""connected Datadog organisations"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _orgs()
    _questions()
    _homes()
    op.create_index("subscribers_requester", "subscribers", ["workspace", "requester"])


def _orgs() -> None:
    op.create_table(
        "orgs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=80), nullable=True),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("subdomain", sa.String(length=64), nullable=False),
        sa.Column("api_key", sa.Text(), nullable=True),
        sa.Column("app_key", sa.Text(), nullable=True),
        sa.Column("api_key_end", sa.String(length=4), nullable=False),
        sa.Column("app_key_end", sa.String(length=4), nullable=False),
        sa.Column("org_uuid", sa.String(length=64), nullable=True),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("lacking", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("connected_by", sa.String(length=32), nullable=False),
        sa.Column("connected_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace", "name_key"),
        sa.UniqueConstraint("workspace", "org_uuid"),
    )


def _questions() -> None:
    op.create_table(
        "org_questions",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("thread_ts", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("wish", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("org_questions_age", "org_questions", ["asked_at"])


def _homes() -> None:
    op.create_table(
        "homes",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("view_hash", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "person"),
    )
    op.create_index("homes_opened", "homes", ["opened_at"])
