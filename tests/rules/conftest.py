"""Some of it is true of both databases."""

import pytest

from tests.clock import Clock
from tests.pg import database_url, ready_postgres_url

__all__ = ["clock", "database_url", "ready_postgres_url"]


@pytest.fixture
def clock() -> Clock:
    return Clock()
