"""An earlier answer is brought to another alert's thread by a real bot that dies on the way: it stands there once, and nothing
is started for it."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.datadog import Script
from bot.sandbox.datadog.samples import POOL_EXHAUSTED
from bot.sandbox.slack import Message, Person
from bot.sandbox.slack.errors import NotAcknowledged
from tests.faults.blind_bot import patient_and_blind
from tests.faults.bots import BotProcess, patient
from tests.faults.storm import SETTLE, Alert, Storm

USE = "Use that answer"
LATER: dict[str, Any] = {"lands_after": SETTLE * 0.8}
NEVER: dict[str, Any] = {"drop": "before"}

pytestmark = pytest.mark.timeout(300)  # real processes, which start as slowly as the machine lets them


class Again:
    """A monitor that was investigated, and fires once more: the buttons under its alert offer the answer."""

    def __init__(self, storm: Storm) -> None:
        self.storm = storm
        self.alert: Alert
        rules = storm.folder / "channels.yml"
        channels = "".join(f"  - channel: {channel.id}\n    nudge: true\n" for channel in storm.channels)
        rules.write_text(f"channels:\n{channels}")
        storm.environment["BITS_CHANNELS_FILE"] = str(rules)

    async def fires(self) -> Message:
        storm = self.storm
        monitor = storm.datadog.add_monitor("Disk almost full")
        storm.datadog.plan(Script.at_once("conclusive", POOL_EXHAUSTED), monitor=monitor)
        first = await storm.post(storm.datadog.fire(monitor, group="host:a"), storm.channels[0])
        await storm.investigate(first)
        await storm.answers(first)
        self.alert = await storm.post(storm.datadog.fire(monitor, group="host:b"), storm.channels[0])
        return await storm.slack.wait_for(self._offer)

    def _offer(self) -> Message | None:
        return next((reply for reply in self.alert.message.replies if USE in reply.shown), None)

    async def stands_once(self) -> None:
        await self.storm.slack.wait_for(lambda: self.alert.posts["earlier"], timeout=120)
        await self.storm.calm(120)
        assert self.alert.posts == Counter(nudge=1, earlier=1)
        assert len(self.storm.datadog.triggers()) == 1


@pytest.fixture
async def again(tmp_path: Path) -> AsyncIterator[Again]:
    async with Storm(tmp_path) as storm:
        yield Again(storm)


async def pressed(storm: Storm, offer: Message) -> None:
    """A press that met a dying bot shows a warning."""
    with suppress(NotAcknowledged):
        await storm.ana.click(USE, on=offer)


async def dies(bot: BotProcess) -> None:
    assert await bot.end() == -signal.SIGKILL


async def test_killed_between_the_row_and_the_post_and_pressed_again(again: Again) -> None:
    storm = again.storm
    bot = await storm.start(patient)
    offer = await again.fires()
    storm.on_post("earlier", lambda: bot.send(signal.SIGKILL), **LATER)
    await pressed(storm, offer)
    await dies(bot)
    await storm.start(patient)
    await pressed(storm, offer)
    await again.stands_once()
    assert storm.looks() > 0


async def test_a_bot_that_does_not_look_is_caught_by_this_trial(again: Again) -> None:
    storm = again.storm
    bot = await storm.start(patient_and_blind)
    offer = await again.fires()
    storm.on_post("earlier", lambda: bot.send(signal.SIGKILL))
    await pressed(storm, offer)
    await dies(bot)
    await storm.start(patient_and_blind)
    await storm.slack.wait_for(lambda: again.alert.posts["earlier"] == 2)


@pytest.mark.faults
@pytest.mark.parametrize("fate", [NEVER, {}], ids=["never", "at once"])
async def test_killed_with_its_post_under_way(again: Again, fate: dict[str, Any]) -> None:
    storm = again.storm
    bot = await storm.start(patient)
    offer = await again.fires()
    storm.on_post("earlier", lambda: bot.send(signal.SIGKILL), **fate)
    await pressed(storm, offer)
    await dies(bot)
    await storm.start(patient)
    await again.stands_once()


@pytest.mark.faults
async def test_pressed_at_two_replicas_at_once_while_one_dies(tmp_path: Path, ready_postgres_url: str) -> None:
    async with Storm(tmp_path, ready_postgres_url) as storm:
        again = Again(storm)
        bots = [await storm.start() for _ in range(2)]
        offer = await again.fires()
        storm.on_post("earlier", lambda: bots[0].send(signal.SIGKILL), **LATER)
        ben = storm.slack.workspace.add_user("ben")
        await asyncio.gather(pressed(storm, offer), *(_presses(ben, offer) for _ in range(3)))
        await again.stands_once()


async def _presses(person: Person, offer: Message) -> None:
    with suppress(NotAcknowledged):
        await person.click(USE, on=offer)
