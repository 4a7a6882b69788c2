"""Two workspaces installed by OAuth, their tokens renewed all the time, one of them leaving in mid-work, and bots that die."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.sandbox.slack import oauth
from bot.workspaces.repository import REFRESH_MARGIN
from tests.faults.campaign import Campaign, Plan
from tests.faults.careless_bots import acknowledges_before_it_writes
from tests.faults.deeds_of_rooms import free_port
from tests.faults.deeds_of_workspaces import LEAVES_AT, InstallStorm, Workplaces
from tests.faults.figures import Figures
from tests.faults.test_campaigns import SETTLE, SHORT, Report

pytestmark = pytest.mark.timeout(900)  # real processes, which start as slowly as the machine lets them


@pytest.fixture(autouse=True)
def tokens_are_renewed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oauth, "TOKEN_SECONDS", REFRESH_MARGIN + 4)


async def work(
    folder: Path, database_url: str, plan: Plan, trial: str, leaves_at: tuple[int, ...] = LEAVES_AT
) -> tuple[Figures, Workplaces]:
    ports = [free_port() for _ in range(plan.replicas)]
    async with InstallStorm(folder, database_url, settle=SETTLE) as storm:
        deeds = Workplaces(storm, ports, leaves_at)
        async with deeds.ending():
            environments = [{"BITS_HTTP_PORT": str(port)} for port in ports]
            figures = await Campaign(storm, plan, trial).run(iter(deeds), *environments)
        await deeds.judge(figures)
    return figures, deeds


@pytest.mark.faults
async def test_two_workspaces_on_one_bot(tmp_path: Path, report: Report) -> None:
    figures, _ = await work(
        tmp_path, "", replace(SHORT, seed=5, replicas=1, deeds_every=0.2), "two workspaces on SQLite"
    )
    report(figures)
    assert figures.faults == []


@pytest.mark.faults
async def test_two_workspaces_for_long(tmp_path: Path, ready_postgres_url: str, report: Report) -> None:
    plan = Plan(50, replicas=2, strikes=40)
    figures, deeds = await work(
        tmp_path, ready_postgres_url, plan, "two workspaces on PostgreSQL, two replicas, seed 50"
    )
    report(figures)
    assert figures.faults == []
    assert deeds.refreshes > 3
    assert deeds.homes[1].stays > 1


@pytest.mark.faults
async def test_a_bot_that_acknowledges_before_it_writes_is_caught(tmp_path: Path) -> None:
    plan = Plan(51, strikes=10, longest_freeze=0.5, prepare=acknowledges_before_it_writes, deeds_every=0.2)
    figures, _ = await work(tmp_path, "", plan, "a bot that acknowledges first", leaves_at=())
    assert figures.lost
