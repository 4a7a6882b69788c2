"""Both databases, opened with a clock the test winds by hand."""

from collections.abc import AsyncIterator

import pytest

from bot.storage.engine import Database
from tests.clock import Clock
from tests.pg import database_url, empty_database_url, postgres_url, ready, ready_postgres_url

__all__ = ["clock", "database", "database_url", "empty_database_url", "postgres_url", "ready_postgres_url"]


@pytest.fixture(autouse=True)
def quick_sqlite() -> None:
    """Here the databases are as the product makes them."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(database_url: str, clock: Clock) -> AsyncIterator[Database]:
    async with ready(Database(database_url, clock=clock)) as opened:
        yield opened
