"""A world on a fresh database, with a bot in it that moves only when a test says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.storage.engine import Database
from tests.clock import Clock
from tests.investigations.world import World
from tests.pg import database_url, ready, ready_postgres_url

__all__ = ["both_worlds", "clock", "database_url", "lasting_world", "postgres_world", "ready_postgres_url", "world"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(clock: Clock) -> AsyncIterator[World]:
    async with ready(Database("sqlite+aiosqlite:///:memory:", clock=clock)) as database:
        yield World(database, clock)


@pytest.fixture
async def lasting_world(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    """On a file: a bot killed in mid-statement takes its connection with it, and a database in memory would go too."""
    async with ready(Database(f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite3", clock=clock)) as database:
        yield World(database, clock)


@pytest.fixture
async def both_worlds(database_url: str, clock: Clock) -> AsyncIterator[World]:
    """The same story on SQLite and on PostgreSQL, where the databases themselves matter."""
    async with ready(Database(database_url, clock=clock)) as database:
        yield World(database, clock)


@pytest.fixture
async def postgres_world(ready_postgres_url: str, clock: Clock) -> AsyncIterator[World]:
    async with ready(Database(ready_postgres_url, clock=clock)) as database:
        yield World(database, clock)
