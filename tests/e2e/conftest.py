from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.slack.people import People
from tests.e2e.town import Town


@pytest.fixture(autouse=True)
def who_people_are_may_take_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """The moment that a click leaves for the question is too short for a busy machine."""
    monkeypatch.setattr(People.__init__, "__kwdefaults__", {**(People.__init__.__kwdefaults__ or {}), "patience": 20.0})


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with Town(tmp_path) as town:
        yield town
