"""Bots at work are killed, frozen and stopped at any moment, over and over, while a tenth of all calls goes wrong.

Nothing is lost, doubled, stuck or mixed up: with an SQLite file and one bot, and with several replicas on PostgreSQL.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.sandbox.slack import FakeSlack
from tests.faults.campaign import Campaign, Plan
from tests.faults.careless_bots import acknowledges_before_it_writes, starts_again_on_a_guess
from tests.faults.deeds import Investigations
from tests.faults.figures import Figures
from tests.faults.storm import TRIGGER, Storm

pytestmark = pytest.mark.timeout(900)  # real processes, which start as slowly as the machine lets them

Report = Callable[[Figures | str], None]
SETTLE = 2.0
SHORT = Plan(strikes=4, longest_freeze=2.0)
LONG = Plan(strikes=50)


def a_storm(folder: Path, database_url: str = "") -> Storm:
    return Storm(folder, database_url, settle=SETTLE, slack=FakeSlack(ack_seconds=3.0, trigger_seconds=60.0))


async def investigate(storm: Storm, plan: Plan, trial: str) -> Figures:
    async with storm:
        deeds = Investigations(storm)
        async with deeds.ending():
            figures = await Campaign(storm, plan, trial).run(iter(deeds))
        await deeds.judge(figures)
    return figures


async def test_one_bot_is_started_again_and_again(tmp_path: Path, report: Report) -> None:
    figures = await investigate(a_storm(tmp_path), replace(SHORT, seed=1, replicas=1), "SQLite, one bot")
    report(figures)
    assert figures.faults == []


async def test_two_replicas_take_over_from_each_other(tmp_path: Path, ready_postgres_url: str, report: Report) -> None:
    figures = await investigate(
        a_storm(tmp_path, ready_postgres_url), replace(SHORT, seed=2, replicas=2), "PostgreSQL, two replicas"
    )
    report(figures)
    assert figures.faults == []


@pytest.mark.faults
async def test_one_bot_for_long(tmp_path: Path, report: Report) -> None:
    figures = await investigate(a_storm(tmp_path), replace(LONG, seed=10), "SQLite, one bot, seed 10")
    report(figures)
    assert figures.faults == []


@pytest.mark.faults
@pytest.mark.parametrize("replicas", [2, 3])
async def test_replicas_for_long(tmp_path: Path, ready_postgres_url: str, report: Report, replicas: int) -> None:
    storm, plan = a_storm(tmp_path, ready_postgres_url), replace(LONG, seed=20 + replicas, replicas=replicas)
    figures = await investigate(storm, plan, f"PostgreSQL, {replicas} replicas, seed {plan.seed}")
    report(figures)
    assert figures.faults == []


@pytest.mark.faults
async def test_a_bot_that_starts_again_on_a_guess_is_caught(tmp_path: Path) -> None:
    storm, plan = a_storm(tmp_path), replace(SHORT, seed=30, prepare=starts_again_on_a_guess)
    storm.datadog.break_next("POST", TRIGGER, times=3, drop="after")
    figures = await investigate(storm, plan, "a bot that guesses")
    assert [fault for fault in figures.doubled if fault.endswith("runs")]


@pytest.mark.faults
async def test_a_bot_that_acknowledges_before_it_writes_is_caught(tmp_path: Path) -> None:
    plan = Plan(31, strikes=10, longest_freeze=0.5, prepare=acknowledges_before_it_writes)
    figures = await investigate(a_storm(tmp_path), plan, "a bot that acknowledges first")
    assert figures.lost
