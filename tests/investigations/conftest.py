"""A world on a fresh database, with a bot in it that moves only when a test says so."""

from collections.abc import AsyncIterator

import pytest

from bot.storage.engine import Database
from tests.clock import Clock
from tests.investigations.world import World
from tests.pg import database_url, postgres_url

__all__ = ["both_worlds", "clock", "database_url", "postgres_url", "world"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(clock: Clock) -> AsyncIterator[World]:
    database = Database("sqlite+aiosqlite:///:memory:", clock=clock)
    await database.open()
    yield World(database, clock)
    await database.close()


@pytest.fixture
async def both_worlds(database_url: str, clock: Clock) -> AsyncIterator[World]:
    """The same story on SQLite and on PostgreSQL, where the databases themselves matter."""
    database = Database(database_url, clock=clock)
    await database.open()
    yield World(database, clock)
    await database.close()
