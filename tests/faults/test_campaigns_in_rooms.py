"""Cases, insights and alerts by webhook while bots are killed, frozen and stopped: each once, and in its own thread."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.campaign import Campaign, Plan
from tests.faults.careless_bots import creates_again_on_a_guess
from tests.faults.deeds_of_rooms import Rooms, free_port
from tests.faults.figures import Figures
from tests.faults.storm import Storm
from tests.faults.test_campaigns import SHORT, Report, a_storm

pytestmark = pytest.mark.timeout(900)  # real processes, which start as slowly as the machine lets them

LONG = Plan(strikes=40, deeds_every=0.7)


async def work(storm: Storm, plan: Plan, trial: str) -> Figures:
    ports = [free_port() for _ in range(plan.replicas)]
    async with storm:
        rooms = Rooms(storm, ports)
        figures = await Campaign(storm, plan, trial).run(
            iter(rooms), *({"BITS_HTTP_PORT": str(port)} for port in ports)
        )
        await rooms.judge(figures)
    return figures


@pytest.mark.faults
async def test_one_bot_is_started_again_and_again(tmp_path: Path, report: Report) -> None:
    figures = await work(a_storm(tmp_path), replace(SHORT, seed=3, replicas=1), "cases, insights, webhooks on SQLite")
    report(figures)
    assert figures.faults == []


@pytest.mark.faults
async def test_one_bot_for_long(tmp_path: Path, report: Report) -> None:
    figures = await work(
        a_storm(tmp_path), replace(LONG, seed=40, replicas=1), "cases, insights, webhooks on SQLite, seed 40"
    )
    report(figures)
    assert figures.faults == []


@pytest.mark.faults
async def test_two_replicas_for_long(tmp_path: Path, ready_postgres_url: str, report: Report) -> None:
    storm = a_storm(tmp_path, ready_postgres_url)
    figures = await work(
        storm, replace(LONG, seed=41, replicas=2), "cases, insights, webhooks on PostgreSQL, two replicas, seed 41"
    )
    report(figures)
    assert figures.faults == []


@pytest.mark.faults
async def test_a_bot_that_creates_again_on_a_guess_is_caught(tmp_path: Path) -> None:
    storm, plan = a_storm(tmp_path), replace(SHORT, seed=42, prepare=creates_again_on_a_guess)
    storm.datadog.break_next("POST", "/api/v2/cases", times=2, drop="after")
    figures = await work(storm, plan, "a bot that guesses")
    assert [fault for fault in figures.doubled if " cases," in fault]
