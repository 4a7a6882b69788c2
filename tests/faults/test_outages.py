"""What everybody leans on goes away in mid-work and comes back: the database, Slack, Datadog, the right time."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bot.datadog.errors import NoAnswer, Unavailable
from bot.investigations.model import State
from bot.model import AlertRef
from tests.faults.campaign import Campaign, Plan
from tests.faults.careless_bots import acknowledges_first_and_hides_what_fails
from tests.faults.deeds import Investigations
from tests.faults.figures import Figures
from tests.faults.storm import Storm
from tests.faults.test_campaigns import Report, a_storm
from tests.faults.wrong_clock import clock_set_by
from tests.investigations.world import ALERT, CAUSE, Fate, World
from tests.pg import OwnServer

pytestmark = pytest.mark.timeout(600)  # real processes, which start as slowly as the machine lets them

Outage = Callable[[], Awaitable[None]]
BESIDE = 1.0  # seconds of undisturbed work before and after
ALONE = Plan(spoiled=0.0, deeds_every=0.3)
TWO = replace(ALONE, replicas=2)


async def goes_on(storm: Storm, plan: Plan, outage: Outage, trial: str) -> Figures:
    async def amid_work() -> None:
        await asyncio.sleep(BESIDE)
        await outage()
        await asyncio.sleep(BESIDE)

    async with storm:
        deeds = Investigations(storm)
        async with deeds.ending():
            figures = await Campaign(storm, plan, trial).run(iter(deeds), outage=amid_work)
        await deeds.judge(figures)
    return figures


# -- the database -----------------------------------------------------------------------------------------------------


def _is_locked(storm: Storm, seconds: float) -> Outage:
    async def outage() -> None:
        other = sqlite3.connect(
            storm.folder / "bits.sqlite3", timeout=60, isolation_level=None, check_same_thread=False
        )
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        await asyncio.sleep(seconds)
        other.execute("ROLLBACK")
        other.close()

    return outage


@pytest.mark.faults
@pytest.mark.parametrize("seconds", [4, 20])
async def test_another_process_locks_the_sqlite_file(tmp_path: Path, report: Report, seconds: float) -> None:
    storm = a_storm(tmp_path)
    figures = await goes_on(storm, ALONE, _is_locked(storm, seconds), f"SQLite locked for {seconds} s")
    report(figures)
    assert figures.faults == []


@pytest.mark.faults
async def test_postgresql_is_away_for_twenty_seconds(tmp_path: Path, own_postgres: OwnServer, report: Report) -> None:
    async def outage() -> None:
        await asyncio.to_thread(own_postgres.stop)
        await asyncio.sleep(20)
        await asyncio.to_thread(own_postgres.start)

    figures = await goes_on(a_storm(tmp_path, own_postgres.url), TWO, outage, "PostgreSQL away for 20 s, two replicas")
    report(figures)
    assert figures.faults == []


@pytest.mark.faults
async def test_a_bot_that_acknowledges_first_and_hides_what_fails_is_caught(
    tmp_path: Path, own_postgres: OwnServer
) -> None:
    async def outage() -> None:
        await asyncio.to_thread(own_postgres.stop)
        await asyncio.sleep(10)
        await asyncio.to_thread(own_postgres.start)

    careless = replace(ALONE, prepare=acknowledges_first_and_hides_what_fails)
    figures = await goes_on(a_storm(tmp_path, own_postgres.url), careless, outage, "acknowledged first")
    assert figures.lost


# -- Slack and Datadog ------------------------------------------------------------------------------------------------


def _slack_is_down(storm: Storm, seconds: float) -> Outage:
    async def outage() -> None:
        storm.slack.break_next("*", times=10**9, drop="before")
        storm.slack.refuse_connections()
        storm.slack.cut_connections()
        await asyncio.sleep(seconds)
        storm.slack.heal()

    return outage


@pytest.mark.faults
@pytest.mark.parametrize("seconds", [3, 60])
async def test_slack_is_down(tmp_path: Path, report: Report, seconds: float) -> None:
    storm = a_storm(tmp_path)
    figures = await goes_on(storm, ALONE, _slack_is_down(storm, seconds), f"Slack down for {seconds} s")
    report(figures)
    assert figures.faults == []


async def test_datadog_is_down_for_ten_minutes(lasting_world: World) -> None:
    """What ran is followed to its end, what was asked for late starts then, and what waited too long says so and can be
    asked for again: nothing of it starts twice."""
    world, (early, late) = lasting_world, (AlertRef(8, "80", 1, "Queue"), AlertRef(9, "90", 1, "Cache"))
    await world.ask()
    await world.turns()
    world.datadog.network.choose = lambda _: Fate(
        NoAnswer("silence") if world.clock.now % 20 else Unavailable("503", status=503)
    )

    await world.ask(early, thread="2.2")
    await world.wind(480)
    await world.ask(late, thread="3.3")
    await world.wind(120)
    world.datadog.network.choose = lambda _: None
    await world.wind(60)

    assert world.datadog.about(early) == []
    assert world.slack.said(thread="2.2") == ["card: failed (unclear)"]
    await world.bot.run_again(world.an_ask(early, thread="2.2"), 2)
    await world.wind(30)
    for run in world.datadog.runs.values():
        run.ends("conclusive", CAUSE)
    await world.wind(60)
    assert [len(world.datadog.about(alert)) for alert in (ALERT, early, late)] == [1, 1, 1]
    states = [row.state for row in await world.investigations()]
    assert states == [State.CONCLUDED, State.FAILED, State.CONCLUDED, State.CONCLUDED]
    assert [len(world.slack.said(thread=thread)) for thread in ("1.1", "3.3")] == [2, 2]


# -- the time ---------------------------------------------------------------------------------------------------------


@pytest.mark.faults
@pytest.mark.parametrize("strikes", [0, 10])
async def test_the_clock_is_set_forward_and_back(tmp_path: Path, report: Report, strikes: int) -> None:
    hours = tmp_path / "hours.txt"
    hours.write_text("0")

    async def outage() -> None:
        for seconds in (7_200, -7_200, 0):
            await asyncio.to_thread(hours.write_text, str(seconds))
            await asyncio.sleep(2 * BESIDE)

    plan = replace(ALONE, strikes=strikes, longest_freeze=2.0, prepare=partial(clock_set_by, hours))
    figures = await goes_on(a_storm(tmp_path), plan, outage, "the clock set 2 h forward, 4 h back, and right")
    report(figures)
    assert figures.faults == []
