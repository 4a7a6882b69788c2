"""Two replicas of the room on one database, with a Slack of their own."""

from collections.abc import AsyncIterator

import pytest

from bot.storage.engine import Database
from tests.clock import Clock
from tests.pg import database_url, postgres_url, ready_postgres_url
from tests.workspaces.replicas import Replicas

__all__ = ["database_url", "postgres_url", "ready_postgres_url", "replicas"]


@pytest.fixture
async def replicas(database_url: str) -> AsyncIterator[Replicas]:
    clock = Clock()
    database = Database(database_url, clock=clock)
    await database.open()
    async with Replicas(database, clock) as both:
        yield both
    await database.close()
