"""Some of it is true of both databases."""

from tests.pg import database_url, ready_postgres_url

__all__ = ["database_url", "ready_postgres_url"]
