"""Real bots against the local Slack and Datadog, killed at the worst moments: nothing is lost, nothing comes twice."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.blind_bot import patient_and_blind
from tests.faults.bots import BotProcess, patient
from tests.faults.storm import SETTLE, Storm

NEVER: dict[str, Any] = {"drop": "before"}
AT_ONCE: dict[str, Any] = {}
LATER: dict[str, Any] = {"lands_after": SETTLE * 0.8}

pytestmark = pytest.mark.timeout(300)  # real processes, which start as slowly as the machine lets them


@pytest.fixture
async def storm(tmp_path: Path) -> AsyncIterator[Storm]:
    async with Storm(tmp_path) as storm:
        yield storm


def killing(bot: BotProcess) -> Any:
    return lambda: bot.send(signal.SIGKILL)


async def survives(storm: Storm, bot: BotProcess) -> None:
    """The bot died of what was arranged; its successor brings everything to its end."""
    assert await bot.end() == -signal.SIGKILL
    await storm.start(patient)
    await done(storm)


async def done(storm: Storm) -> None:
    await storm.answers(*storm.alerts, within=120)
    await storm.calm()
    assert storm.faults() == []


async def test_killed_as_the_start_of_the_run_landed(storm: Storm) -> None:
    bot, alert = await storm.start(patient), await storm.alert()
    storm.on_trigger(killing(bot), **AT_ONCE)
    await storm.investigate(alert)
    await survives(storm, bot)
    assert alert.says("Disk 0 almost full")


async def test_killed_with_the_post_of_the_conclusions_under_way(storm: Storm) -> None:
    bot, alert = await storm.start(patient), await storm.alert()
    storm.on_post("conclusions", killing(bot), **LATER)
    await storm.investigate(alert)
    await survives(storm, bot)
    assert storm.looks() > 0


async def test_a_bot_that_does_not_look_is_caught_by_this_trial(storm: Storm) -> None:
    bot, alert = await storm.start(patient_and_blind), await storm.alert()
    storm.on_post("conclusions", killing(bot), **AT_ONCE)
    await storm.investigate(alert)
    await bot.end()
    await storm.start(patient_and_blind)
    await storm.slack.wait_for(lambda: alert.posts["conclusions"] == 2)
    await storm.calm()
    assert storm.faults() == ["alert 0: {'card': 1, 'conclusions': 2}"]


async def test_a_clean_stop_in_mid_post_finishes_it(storm: Storm) -> None:
    bot, alert = await storm.start(patient), await storm.alert(held=True)
    storm.on_post("card", lambda: bot.send(signal.SIGTERM), delay=0.3)
    await storm.investigate(alert)
    assert await bot.end() == 0
    assert alert.posts["card"] == 1
    await storm.start(patient)
    (run,) = await storm.datadog.wait_for(storm.datadog.triggers)
    storm.datadog.finish(run.id)
    await done(storm)
    assert storm.looks() == 0  # nothing was left open


# -- the rest of the points: `make faults` ----------------------------------------------------------------------------


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["card", "conclusions"])
@pytest.mark.parametrize("fate", [NEVER, AT_ONCE, LATER], ids=["never", "at once", "later"])
async def test_killed_with_a_post_under_way(storm: Storm, kind: str, fate: dict[str, Any]) -> None:
    bot, alert = await storm.start(patient), await storm.alert()
    storm.on_post(kind, killing(bot), **fate)
    await storm.investigate(alert)
    await survives(storm, bot)


async def test_an_edit_of_a_killed_bot_does_not_land_over_a_later_one(storm: Storm) -> None:
    bot, alert = await storm.start(patient), await storm.alert(held=True)
    storm.on_edit("card", killing(bot), **LATER)
    await storm.investigate(alert)
    assert await bot.end() == -signal.SIGKILL
    (run,) = storm.datadog.triggers()
    storm.datadog.finish(run.id)
    await storm.start(patient)
    await done(storm)
    await storm.slack.background.finish()
    assert alert.says("Answered in")


@pytest.mark.faults
@pytest.mark.parametrize("fate", [AT_ONCE, LATER], ids=["at once", "later"])
async def test_killed_with_the_start_under_way(storm: Storm, fate: dict[str, Any]) -> None:
    bot, alert = await storm.start(patient), await storm.alert()
    storm.on_trigger(killing(bot), **fate)
    await storm.investigate(alert)
    await survives(storm, bot)


@pytest.mark.faults
async def test_killed_before_the_start_left(storm: Storm) -> None:
    """Nothing shows up in Datadog: the card says so, and nothing is started on a guess."""
    bot, alert = await storm.start(patient), await storm.alert()
    storm.on_trigger(killing(bot), **NEVER)
    await storm.investigate(alert)
    await bot.end()
    await storm.start(patient)
    await storm.slack.wait_for(lambda: alert.says("Not sure this started"))
    assert storm.datadog.triggers() == []
    assert alert.posts["card"] == 1


@pytest.mark.faults
async def test_killed_while_many_wait(storm: Storm) -> None:
    bot = await storm.start(patient)
    alerts = [await storm.alert(held=True) for _ in range(8)]
    for alert in alerts:
        await storm.investigate(alert)
    await storm.datadog.wait_for(lambda: len(storm.datadog.triggers()) == len(alerts))
    bot.send(signal.SIGKILL)
    await bot.end()
    for run in storm.datadog.triggers():
        storm.datadog.finish(run.id)
    await storm.start(patient)
    await done(storm)


@pytest.mark.faults
async def test_frozen_beyond_its_lease(storm: Storm) -> None:
    """Alone, too: the bot that wakes may not go on where it stopped without looking."""
    bot, alert = await storm.start(), await storm.alert()
    storm.on_post("conclusions", lambda: bot.send(signal.SIGSTOP), **AT_ONCE)
    await storm.investigate(alert)
    await storm.answers(alert)
    await asyncio.sleep(SETTLE * 3)  # real processes, real time: the lease has to run out
    bot.send(signal.SIGCONT)
    second = await storm.alert()
    await storm.investigate(second)
    await done(storm)
