"""A channel's weekly digest, owed by real bots that die or run side by side: it comes once."""

import signal
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.digest.tables import digests
from bot.sandbox.slack import Message
from tests.faults.blind_bot import blind
from tests.faults.bots import patient
from tests.faults.storm import SETTLE, Storm

NEVER: dict[str, Any] = {"drop": "before"}
AT_ONCE: dict[str, Any] = {}
LATER: dict[str, Any] = {"lands_after": SETTLE * 0.8}

pytestmark = pytest.mark.timeout(300)  # real processes, which start as slowly as the machine lets them


def at_once() -> None:
    """It looks for digests as soon as it lives."""
    from bot import wiring

    setattr(wiring, "FIRST_AFTER", 0.0)  # noqa: B010  it is not its own


def patient_at_once() -> None:
    patient()
    at_once()


def blind_at_once() -> None:
    blind()
    patient_at_once()


class Week:
    """A week that ended an hour ago, in a channel that wants to hear of it."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        ended = datetime.now(UTC) - timedelta(hours=1)
        rules = folder / "rules.yml"
        rules.write_text(f'channels: [{{channel: "#alerts", digest: "{ended:%A %H:%M}"}}]', "utf-8")
        self.storm = Storm(folder, database_url, BITS_CHANNELS_FILE=str(rules))

    def dies_of_the_post(self, **fate: Any) -> None:
        """The first bot, the moment a digest reaches Slack, whoever posts it."""
        bots = self.storm.bots
        self.storm.on_post("digest", lambda: bots[0].send(signal.SIGKILL), **fate)

    def told(self) -> list[Message]:
        return [each for each in self.storm.channels[0].messages if "This channel's week" in each.shown]

    async def is_told(self) -> None:
        await self.storm.slack.wait_for(self.told, timeout=60)
        await self.storm.calm(60)

    async def written_down(self) -> int:
        return len(await self.storm.values(select(digests.c.id)))


@pytest.fixture
async def week(tmp_path: Path) -> AsyncIterator[Week]:
    week = Week(tmp_path)
    async with week.storm:
        yield week


@pytest.fixture
async def shared_week(tmp_path: Path, ready_postgres_url: str) -> AsyncIterator[Week]:
    week = Week(tmp_path, ready_postgres_url)
    async with week.storm:
        yield week


async def dies_and_comes_back(week: Week, prepare: Callable[[], None], **fate: Any) -> None:
    week.dies_of_the_post(**fate)
    first = await week.storm.launch(prepare)
    assert await first.end() == -signal.SIGKILL
    assert await week.written_down() == 1
    await week.storm.launch(prepare)
    await week.is_told()


@pytest.mark.parametrize("fate", [NEVER, pytest.param(LATER, marks=pytest.mark.faults)], ids=["never", "later"])
async def test_killed_between_claim_and_post_it_is_posted_once(week: Week, fate: dict[str, Any]) -> None:
    await dies_and_comes_back(week, patient_at_once, **fate)
    assert len(week.told()) == 1


@pytest.mark.faults
async def test_a_bot_that_does_not_look_is_caught_by_this_trial(week: Week) -> None:
    await dies_and_comes_back(week, blind_at_once, **AT_ONCE)
    await week.storm.slack.wait_for(lambda: len(week.told()) == 2, timeout=60)


async def test_two_replicas_tell_it_once_and_one_goes_on_for_the_other(shared_week: Week) -> None:
    storm = shared_week.storm
    shared_week.dies_of_the_post(**LATER)
    await storm.launch(at_once)
    await storm.launch(at_once)
    await shared_week.is_told()
    assert len(shared_week.told()) == 1
    assert await shared_week.written_down() == 1
