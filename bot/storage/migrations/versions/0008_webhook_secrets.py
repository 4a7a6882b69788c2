"""A webhook secret for each organisation."""

from alembic import op

revision = "0008"
down_revision = "0007"

_ROW_ID = {"sqlite": "INTEGER NOT NULL PRIMARY KEY", "postgresql": "BIGSERIAL PRIMARY KEY"}


def upgrade() -> None:
    op.execute(
        f"CREATE TABLE webhook_secrets (id {_ROW_ID[op.get_context().dialect.name]}, org VARCHAR(64) NOT NULL, "
        "hash VARCHAR(64) NOT NULL, made_at FLOAT NOT NULL, ends_at FLOAT)"
    )
    op.execute("CREATE INDEX webhook_secrets_org ON webhook_secrets (org)")
    op.execute("CREATE INDEX webhook_secrets_end ON webhook_secrets (ends_at)")
