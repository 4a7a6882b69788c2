"""channel rules, budgets and the audit"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _rules()
    _budget()
    _audit()


def _rules() -> None:
    for name, key in (("channel_rules", ("workspace", "channel")), ("workspace_rules", ("workspace",))):
        op.create_table(
            name,
            *(sa.Column(each, sa.String(length=32), nullable=False) for each in key),
            sa.Column("content", sa.JSON(), nullable=False),
            sa.Column("version", sa.Integer(), nullable=False),
            sa.Column("changed_by", sa.String(length=32), nullable=False),
            sa.Column("changed_at", sa.Float(), nullable=False),
            sa.PrimaryKeyConstraint(*key),
        )


def _budget() -> None:
    op.create_table(
        "spending",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("automatic", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "channel", "day"),
    )
    op.create_table(
        "charges",
        sa.Column("investigation_id", ROW_ID, nullable=False, autoincrement=False),
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("returned", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("investigation_id"),
    )
    op.create_index("charges_workspace", "charges", ["workspace"])
    op.create_table(
        "cooldowns",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("monitor_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("group_hash", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "monitor_id", "group_hash"),
    )
    op.create_table(
        "held_asks",
        sa.Column("ask_id", ROW_ID, nullable=False, autoincrement=False),
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.JSON(), nullable=False),
        sa.Column("after_run", sa.Integer(), nullable=True),
        sa.Column("held_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("ask_id"),
    )
    op.create_index("held_asks_age", "held_asks", ["held_at"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        *(
            sa.Column(name, sa.String(length=length), nullable=False)
            for name, length in (
                ("workspace", 32),
                ("channel", 32),
                ("thread_ts", 32),
                ("person", 32),
                ("source", 16),
                ("decision", 24),
                ("rule", 160),
                ("what", 200),
                ("budget", 160),
            )
        ),
        sa.Column("investigation_id", ROW_ID, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("audit_workspace", "audit", ["workspace", "id"])
