"""Both databases, opened with a clock the test winds by hand."""

from collections.abc import AsyncIterator

import pytest

from bot.storage.engine import Database
from tests.clock import Clock
from tests.pg import database_url, postgres_url

__all__ = ["clock", "database", "database_url", "postgres_url"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(database_url: str, clock: Clock) -> AsyncIterator[Database]:
    opened = Database(database_url, clock=clock)
    await opened.open()
    yield opened
    await opened.close()
