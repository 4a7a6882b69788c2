"""The world of the heart's own tests, for longer trials."""

from tests.investigations.conftest import clock, lasting_world, postgres_world
from tests.pg import postgres_url, ready_postgres_url

__all__ = ["clock", "lasting_world", "postgres_url", "postgres_world", "ready_postgres_url"]
