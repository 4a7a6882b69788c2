"""What the whole bot asks of its database at the settings of production, with a clock wound by hand and no loop of its own.

The loops are stepped here, each when its alarm says so: nothing depends on how quick the machine is.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from slack_bolt.context.ack.async_ack import AsyncAck
from sqlalchemy import update

from bot.cases.tables import case_follows
from bot.sandbox.datadog import Script
from bot.storage.all_workers import Workers
from bot.storage.engine import Database
from bot.storage.workers import Timing
from bot.wording import AI_WRITTEN
from tests.clock import Clock
from tests.e2e.alert_town import AlertTown, Route
from tests.e2e.town import AlertMessage
from tests.meter import Meter, functions_run

# the pace of posts is real seconds, and costs no statement; the first removal is over before anything is counted
CALM = replace(Timing(), pace=0, first_removal=0)


class SlowTown(AlertTown):
    """A town whose bot moves only when a test lets time pass."""

    clock: Clock
    meter: Meter
    stepped: list[str]  # which loops have taken a step

    async def start_bot(self) -> None:
        await super().start_bot()
        self.meter = Meter(self.bot._database)
        self.stepped = []

    async def passes(self, seconds: float) -> None:
        end = self.clock.now + seconds
        loops = self.bot._workers.loops
        while (loop := min(loops, key=lambda loop: loop.alarm.at)).alarm.at <= end:
            self.clock.now = max(self.clock.now, loop.alarm.at)
            loop.alarm.off()
            self.stepped.append(loop.name)
            await loop.step()
            for worker in self.bot._workers._workers:
                await worker._tasks.finish(60)  # type: ignore[attr-defined]
        self.clock.now = end


@pytest.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlowTown]:
    clock = Clock(time.time())
    monkeypatch.setattr("bot.app.Database", partial(Database, clock=clock))
    monkeypatch.setattr(Workers, "start", lambda _: None)
    town = SlowTown(tmp_path, timing=CALM)
    town.clock = clock
    async with town:
        await town.passes(30)
        town.meter.reset()
        town.stepped.clear()
        yield town


async def test_an_idle_bot_leaves_its_database_alone(town: SlowTown) -> None:
    await town.passes(600)
    assert town.meter.statements <= 15
    assert set(town.stepped) <= {"sweep", "organisations"}


async def test_a_mute_ends_in_time_and_nobody_looks_before(town: SlowTown) -> None:
    await town.decide(Route())
    await town.fire(group="host:web-1")
    await town.passes(5)
    card = await town.card("Triggered")
    await town.ana.choose("Mute …", "For 1 hour", on=card)
    await town.passes(5)
    assert "by @ana" in card.shown
    town.stepped.clear()

    await town.passes(3_500)
    assert "mutes that end" not in town.stepped
    await town.passes(100)
    assert "by @ana" not in card.shown
    assert "[Mute …" in card.shown


async def _searches(town: SlowTown, seconds: float) -> int:
    before = len(town.datadog.asked("GET", "/api/v2/cases"))
    await town.passes(seconds)
    return len(town.datadog.asked("GET", "/api/v2/cases")) - before


async def test_open_cards_cost_one_search_a_round_and_closed_ones_nothing(town: SlowTown) -> None:
    project = town.datadog.add_project("CASEM", "Case Management")
    cases = [town.datadog.add_case(f"Number {number}", project) for number in range(5)]
    for case in cases:
        await town.ana.command("/bits", f"case {case.key}", in_=town.channel)
    await town.passes(90)
    town.meter.reset()
    assert await _searches(town, 600) == 10
    assert town.meter.statements <= 10 * 8 + 15
    for quiet, searches in ((3_600, 3), (86_400, 1)):
        await town.bot._database.write(update(case_follows).values(changed_at=case_follows.c.changed_at - quiet))
        await town.passes(900)
        assert await _searches(town, 900) == searches

    for case in cases:
        town.datadog.change_case(case, status_name="Closed")
    await town.passes(900)
    town.stepped.clear()
    assert await _searches(town, 900) == 0
    assert "case follower" not in town.stepped


async def _clicked(town: SlowTown, group: str = "host:web-1") -> AlertMessage:
    town.datadog.plan(Script.held())
    alert = await town.alert(group=group)
    town.meter.reset()
    await town.ana.shortcut("investigate_message", on=alert.message)
    return alert


async def test_a_click_that_starts_is_one_row_before_its_ack(town: SlowTown) -> None:
    await _clicked(town)
    assert (town.meter.transactions, town.meter.statements) == (1, 1)


async def test_a_click_that_starts_is_a_short_way_to_its_ack(town: SlowTown, monkeypatch: pytest.MonkeyPatch) -> None:
    await _clicked(town)  # what is done once is done
    alert = await town.alert(group="host:web-2")
    with functions_run(AsyncAck, "__call__", monkeypatch) as seen:
        await town.ana.shortcut("investigate_message", on=alert.message)
    assert {"investigate_message", "receive"} <= {name.rpartition(".")[2] for _, name in seen}
    own = {
        (file, name) for file, name in seen if not file.startswith("storage/")
    }  # that is done once for a whole group
    assert len(own) <= 42
    assert len({file for file, _ in own}) <= 17  # five are the door, where a payload is read once; one is the log
    assert len(seen) <= 76


async def test_one_investigation_takes_few_transactions_and_wakes_who_has_to_act(town: SlowTown) -> None:
    alert = await _clicked(town)
    await town.passes(10)
    assert "Investigating" in town.thread(alert.message)
    (run,) = town.datadog.triggers()
    town.datadog.finish(run.id)
    await town.passes(15)

    assert AI_WRITTEN in town.thread(alert.message)
    assert "Answered" in town.thread(alert.message)
    assert town.meter.transactions <= 14
    assert town.meter.statements <= 48
    by_the_clock = {"sweep", "organisations"}
    assert set(town.stepped) - by_the_clock == {"ask worker", "trigger worker", "poster", "poll worker", "home tabs"}


async def test_what_every_investigation_asks_of_the_database_is_built_once(town: SlowTown) -> None:
    for number in range(3):
        town.meter.reset()
        await _clicked(town, f"host:web-{number}")
        await town.passes(10)
        town.datadog.finish(town.datadog.triggers()[-1].id)
        await town.passes(20)
    assert town.meter.statements > 30
    assert town.meter.built == []


async def test_a_storm_of_clicks_is_decided_and_started_together(town: SlowTown) -> None:
    town.datadog.plan(*[Script.held()] * 10)
    alerts = [await town.alert(group=f"host:web-{number}") for number in range(10)]
    for alert in alerts:
        await town.ana.shortcut("investigate_message", on=alert.message)
    town.meter.reset()
    await town.passes(0.5)
    assert len(town.datadog.triggers()) == 10
    assert town.meter.transactions <= 52


async def test_what_waits_costs_its_turns_and_nothing_else(town: SlowTown) -> None:
    await _clicked(town)
    await town.passes(25)
    town.stepped.clear()
    await town.passes(150)
    by_the_clock = {"sweep", "organisations"}
    assert [name for name in town.stepped if name not in by_the_clock] == ["poll worker"] * 10


async def test_with_nothing_in_flight_any_more_nobody_looks(town: SlowTown) -> None:
    await _clicked(town)
    await town.passes(10)
    (run,) = town.datadog.triggers()
    town.datadog.finish(run.id)
    await town.passes(60)
    town.stepped.clear()
    await town.passes(600)
    assert {"poster", "poll worker", "trigger worker"}.isdisjoint(town.stepped)
