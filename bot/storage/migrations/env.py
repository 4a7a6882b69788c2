"""Alembic runs this; the connection is the one the bot opened, so the upgrade is part of its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
context.run_migrations()
