"""Several real bots on one PostgreSQL: one dies, freezes or is stopped, and another brings its work to its end."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.slack.errors import NotAcknowledged
from tests.faults.blind_bot import blind
from tests.faults.bots import BotProcess, as_it_is
from tests.faults.careless_bots import forgets_the_time_and_freezes
from tests.faults.freezing_bot import (
    before_it_takes_up_the_conclusions,
    before_the_card,
    before_the_conclusions,
    before_the_start,
)
from tests.faults.newer_bot import newer
from tests.faults.storm import SETTLE, Alert, Storm

pytestmark = pytest.mark.timeout(300)  # real processes, which start as slowly as the machine lets them


@pytest.fixture
async def storm(tmp_path: Path, ready_postgres_url: str) -> AsyncIterator[Storm]:
    async with Storm(tmp_path, ready_postgres_url) as storm:
        yield storm


async def done(storm: Storm, within: float = 120) -> None:
    await storm.answers(*storm.alerts, within=within)
    await storm.calm(within)
    assert storm.faults() == []


async def test_a_replica_takes_over_from_a_dead_one_and_nothing_comes_twice(storm: Storm) -> None:
    first = await storm.start()
    alert = await storm.alert()
    storm.on_post("conclusions", lambda: first.send(signal.SIGKILL), lands_after=SETTLE * 0.8)
    second = asyncio.ensure_future(_join_when_dead(storm, first))
    await storm.investigate(alert)
    await second
    await done(storm)


async def test_an_older_replica_goes_on_with_what_a_newer_one_began(storm: Storm) -> None:
    """In the middle of an upgrade, which is then taken back."""
    replicas = [await storm.start(newer)]
    for alert in [await storm.alert(held=True) for _ in range(3)]:
        await storm.investigate(alert)
    await storm.datadog.wait_for(lambda: len(storm.datadog.triggers()) == len(storm.alerts))
    replicas.append(await storm.start())
    replicas[0].send(signal.SIGKILL)
    await replicas[0].end()
    for run in storm.datadog.triggers():
        storm.datadog.finish(run.id)
    await done(storm)
    assert "can't be read" not in replicas[1].log.read_text()


async def _join_when_dead(storm: Storm, first: BotProcess) -> None:
    await first.end()
    await storm.start()


@pytest.mark.faults
@pytest.mark.parametrize("where", ["trigger", "card", "conclusions"])
async def test_a_frozen_bot_wakes_after_another_took_over(storm: Storm, where: str) -> None:
    frozen = await storm.start()
    alert = await storm.alert()
    stopped = asyncio.Event()

    def freeze() -> None:
        frozen.send(signal.SIGSTOP)
        stopped.set()

    if where == "trigger":
        storm.on_trigger(freeze)
    else:
        storm.on_post(where, freeze)
    await storm.investigate(alert)
    await asyncio.wait_for(stopped.wait(), 20)
    await storm.start()
    await storm.answers(alert)
    await storm.calm()
    frozen.send(signal.SIGCONT)
    await asyncio.sleep(SETTLE * 2)  # what it would do wrong, it would do now
    await done(storm)


@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(before_the_start, marks=pytest.mark.faults),
        pytest.param(before_the_card, marks=pytest.mark.faults),
        pytest.param(before_it_takes_up_the_conclusions, marks=pytest.mark.faults),
        before_the_conclusions,
    ],
)
async def test_a_bot_stopped_right_before_it_sends_sends_nothing_on_waking(
    storm: Storm, prepare: Callable[[], None]
) -> None:
    await _another_takes_over_from_a_frozen(storm, prepare)
    await done(storm)


@pytest.mark.faults
async def test_a_bot_that_forgets_the_time_is_caught(storm: Storm) -> None:
    await _another_takes_over_from_a_frozen(storm, forgets_the_time_and_freezes)
    await storm.calm()
    assert storm.faults() == ["alert 0: {'card': 1, 'conclusions': 2}"]


async def _another_takes_over_from_a_frozen(storm: Storm, prepare: Callable[[], None]) -> None:
    frozen = await storm.start(prepare)
    alert = await storm.alert()
    with suppress(NotAcknowledged):
        await storm.investigate(alert)
    await frozen.stands_still()
    await storm.start()
    await storm.answers(alert)
    await storm.calm()
    frozen.send(signal.SIGCONT)
    await asyncio.sleep(SETTLE * 2)  # what it would do wrong, it would do now


@pytest.mark.faults
async def test_a_clean_stop_hands_over_what_waits(storm: Storm) -> None:
    first = await storm.start()
    second = await storm.start()
    alerts = [await storm.alert(held=True) for _ in range(4)]
    for alert in alerts:
        await storm.investigate(alert)
    await storm.datadog.wait_for(lambda: len(storm.datadog.triggers()) == len(alerts))
    first.send(signal.SIGTERM)
    assert await first.end() == 0
    for run in storm.datadog.triggers():
        storm.datadog.finish(run.id)
    await done(storm)
    second.send(signal.SIGTERM)
    assert await second.end() == 0


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(3))
async def test_random_kills(storm: Storm, seed: int) -> None:
    await _storm_over(storm, random.Random(seed))
    await done(storm, within=120)


@pytest.mark.faults
async def test_random_kills_of_bots_that_do_not_look_are_caught(storm: Storm) -> None:
    await _storm_over(storm, random.Random(0), prepare=blind, all_die=True)
    await storm.answers(*storm.alerts, within=120)
    await storm.calm(60)
    assert [fault for fault in storm.faults() if "'conclusions': 2" in fault or "'card': 2" in fault]


async def _storm_over(
    storm: Storm, chance: random.Random, prepare: Callable[[], None] = as_it_is, *, all_die: bool = False
) -> None:
    """Twelve alerts, two bots; every other alert's post or start kills a bot, which may be the one that sent it, or all; it
    lands at once or later."""
    bots = [await storm.start(prepare) for _ in range(2)]
    for number in range(12):
        if number % 2:
            victim, fate = chance.randrange(2), chance.choice([{}, {"lands_after": SETTLE * 0.8}])
            victims = [0, 1] if all_die else [victim]
            _arrange(storm, chance.choice(["card", "conclusions", "trigger"]), partial(_kill, bots, victims), fate)
        await _press_until_heard(storm, bots, await storm.alert(), prepare)
    async with asyncio.timeout(120):
        while not all(alert.answered for alert in storm.alerts):  # each death comes with the post it was arranged for
            await _revive(storm, bots, prepare)
            await asyncio.sleep(0.1)
    storm.slack.heal()
    storm.datadog.heal()
    await _revive(storm, bots, prepare)


def _kill(bots: list[BotProcess], victims: list[int]) -> None:
    for victim in victims:
        bots[victim].send(signal.SIGKILL)


def _arrange(storm: Storm, kind: str, act: Callable[[], None], fate: dict[str, Any]) -> None:
    if kind == "trigger":
        storm.on_trigger(act, **fate)
    else:
        storm.on_post(kind, act, **fate)


async def _revive(storm: Storm, bots: list[BotProcess], prepare: Callable[[], None]) -> None:
    for place, bot in enumerate(bots):
        if bot.is_doomed:
            await bot.end()
            bots[place] = await storm.start(prepare)


async def _press_until_heard(storm: Storm, bots: list[BotProcess], alert: Alert, prepare: Callable[[], None]) -> None:
    """A press that met a dying bot shows a warning, and a person presses again."""
    for _ in range(5):
        await _revive(storm, bots, prepare)
        try:
            await storm.investigate(alert)
        except NotAcknowledged:
            continue
        return
    raise AssertionError("nobody heard it")
