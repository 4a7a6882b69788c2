"""The watch over what runs: how often Datadog is asked, what a thousand waiting runs cost, and who is told when it fails."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Row, event, select

from bot.datadog.errors import Forbidden, RateLimited, Unauthorized, Unavailable
from bot.investigations.tables import investigations, subscribers
from bot.model import AlertRef, ExistingRun
from bot.storage.engine import Database
from bot.storage.workers import Timing
from tests.clock import Clock
from tests.investigations.world import ALERT, CAUSE, Bot, Fate, World
from tests.pg import ready


async def looks(world: World, seconds: int) -> list[int]:
    """At which seconds from now the list was read."""
    seen, before = [], world.datadog.calls["page"]
    for second in range(1, seconds + 1):
        world.clock.wind(1)
        await world.bot.watcher.step()
        await world.bot.rest()
        if world.datadog.calls["page"] > before:
            before = world.datadog.calls["page"]
            seen.append(second)
    return seen


async def test_the_first_look_comes_after_twenty_seconds_then_every_fifteen(world: World) -> None:
    await world.ask()
    await world.turns()
    assert await looks(world, 36) == [20, 35]


async def test_after_ten_minutes_a_look_a_minute_is_enough(world: World) -> None:
    await world.ask()
    await world.turns()
    world.clock.wind(601)
    assert await looks(world, 62) == [1, 61]


async def test_a_young_run_is_looked_at_often_beside_an_old_one(world: World) -> None:
    await world.ask()
    await world.turns()
    world.clock.wind(700)
    await looks(world, 2)
    await world.ask(AlertRef(8, "80", 1), thread="2.2")
    await world.turns()
    assert await looks(world, 40) == [20, 35]


async def test_nothing_running_nothing_asked(world: World) -> None:
    await world.ask()
    await world.turns()
    world.datadog.run.ends()
    await world.wind(20)
    assert await looks(world, 30) == []


async def test_what_runs_is_read_from_the_list_and_only_what_ended_is_fetched(world: World) -> None:
    for number in range(5):
        await world.ask(AlertRef(number, str(number), 1), thread=f"{number}.0")
    await world.turns()
    ended = list(world.datadog.runs.values())[2]
    ended.ends("conclusive", CAUSE)
    await world.wind(20)
    assert world.datadog.fetched == [ended.id]


async def test_a_thousand_in_flight_cost_ten_requests_a_round_and_no_row_writes(world: World) -> None:
    await _many_running(world, 1000)
    world.clock.wind(30)
    written = _count_writes(world.database)
    await world.bot.watcher.step()
    await world.bot.rest()
    assert world.datadog.calls["page"] == 10
    assert world.datadog.calls["get"] == 0
    assert written == ["poll_turns"]


async def _many_running(world: World, number: int) -> None:
    """One is begun as usual; the others are written down beside it as it was."""
    await world.ask(ExistingRun(world.datadog.start("by hand", 7)))
    (first,) = await world.investigations()
    same = dict(first._mapping)
    del same["id"]
    runs = [world.datadog.start("by hand", 7) for _ in range(number - 1)]
    rows = [
        same | {"ref": f"R{place}", "subject_key": f"existing:{run}", "datadog_id": run}
        for place, run in enumerate(runs)
    ]
    async with world.database.transaction() as connection:
        await connection.execute(investigations.insert(), rows)
        waits = dict((await connection.execute(select(subscribers))).one()._mapping)
        del waits["id"]
        others = await connection.execute(select(investigations.c.id).where(investigations.c.id != first.id))
        await connection.execute(subscribers.insert(), [waits | {"investigation_id": row.id} for row in others])


def _count_writes(database: Database) -> list[str]:
    written: list[str] = []

    def note(*arguments: object) -> None:
        words = str(arguments[2]).split()
        if words[0] in {"UPDATE", "INSERT", "DELETE"}:
            written.append(words[1])

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    return written


async def test_foreign_runs_in_the_list_do_not_make_us_read_it_to_its_end(world: World) -> None:
    await world.ask()
    await world.turns()
    for _ in range(950):
        world.datadog.start("somebody's", 9)
    await world.wind(20)
    assert world.datadog.calls["page"] == 1
    assert world.datadog.fetched == [(await world.investigation()).datadog_id]  # cheaper than nine more pages


async def test_two_replicas_share_one_watch(both_worlds: World) -> None:
    world = both_worlds
    await world.ask()
    await world.turns()
    other = Bot(world)
    for _ in range(7):
        world.clock.wind(10)
        await asyncio.gather(world.bot.turn(), other.turn())
    assert world.datadog.calls["page"] <= 4


async def test_two_watches_that_see_the_same_end_report_it_once(both_worlds: World) -> None:
    world = both_worlds
    await world.ask()
    await world.turns()
    world.datadog.run.ends("conclusive", CAUSE)
    world.clock.wind(60)
    other = Bot(world)
    waiting = (await _taken(world.bot))["default"]
    await asyncio.gather(*(bot.watcher._turn("default", waiting) for bot in (world.bot, other)))
    await asyncio.gather(world.bot.turn(), other.turn())
    await asyncio.gather(world.bot.turn(), other.turn())
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


async def _taken(bot: Bot) -> dict[str, list[Row[Any]]]:
    """The turn, and what waits for it."""
    async with bot.repository.database.transaction() as connection:
        return await bot.watcher._take_turns(connection)


async def test_a_watch_that_died_with_its_turn_costs_one_interval(world: World) -> None:
    await world.ask()
    await world.turns()
    world.datadog.run.ends("conclusive", CAUSE)
    world.clock.wind(20)
    await _taken(world.bot)  # and nothing more: it was killed
    world.bot = Bot(world)
    await world.wind(15)
    assert await world.state() == "concluded"


async def test_a_crash_between_the_end_and_the_reply_loses_nothing(world: World) -> None:
    await world.ask()
    await world.turns()
    world.datadog.run.ends("conclusive", CAUSE)
    world.clock.wind(20)
    await world.bot.watcher.step()
    await world.bot.rest()
    await world.restart()
    await world.turns()
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


@pytest.mark.parametrize(("call", "error"), [("page", TimeoutError()), ("get", Unavailable("502", status=502))])
async def test_a_look_that_fails_is_no_reason_to_worry_anybody(world: World, call: str, error: Exception) -> None:
    await world.ask()
    await world.turns()
    world.datadog.run.ends("conclusive", CAUSE)
    world.datadog.network.expect(call, error, error)
    await world.wind(40)
    assert world.slack.said() == ["card: running"]
    await world.wind(20, step=20)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


@pytest.mark.parametrize("call", ["page", "get"])
async def test_the_deadline_holds_even_while_datadog_does_not_answer(world: World, call: str) -> None:
    await world.ask()
    await world.turns()
    world.datadog.run.ends("conclusive", CAUSE)
    world.datadog.network.choose = lambda name: Fate(TimeoutError()) if name == call else None
    await world.wind(46 * 60, step=300)
    assert await world.state() == "expired"


async def test_datadog_asks_the_watch_to_slow_down(world: World) -> None:
    await world.ask()
    await world.turns()
    error = RateLimited("429", status=429)
    error.wait = 40
    world.datadog.network.expect("page", error)
    assert await looks(world, 75) == [20, 60, 75]


async def test_keys_revoked_in_mid_run_are_told_after_some_patience(clock: Clock) -> None:
    async with ready(Database("sqlite+aiosqlite:///:memory:", clock=clock)) as database:
        world = World(database, clock, Timing(settle=20, pace=0, patience=0))
        await world.ask()
        await world.turns()
        world.datadog.network.expect("page", Unauthorized("401", status=401))
        await world.wind(25)
        assert world.slack.said() == ["card: failed (unauthorized)", "failed: nothing"]


async def test_keys_mended_within_minutes_hurt_nobody(world: World) -> None:
    await world.ask()
    await world.turns()
    world.datadog.run.ends("conclusive", CAUSE)
    world.datadog.network.expect("page", *(Forbidden("403", status=403) for _ in range(5)))
    await world.wind(80, step=5)
    assert world.slack.said() == ["card: running"]
    await world.wind(20, step=5)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


async def test_one_org_s_trouble_is_not_the_other_s(world: World) -> None:
    """An org that was disconnected while its run was on: nobody to ask, but the deadline still comes."""
    await world.ask()
    await world.turns()
    world.orgs.connected = False
    await world.wind(46 * 60, step=300)
    assert world.slack.said() == ["card: expired", "expired: nothing"]


async def test_one_that_can_t_be_fetched_does_not_hold_up_the_others(world: World) -> None:
    await world.ask(ALERT)
    await world.ask(AlertRef(8, "80", 1), thread="2.2")
    await world.turns()
    for run in world.datadog.runs.values():
        run.ends("conclusive", CAUSE)
    world.datadog.network.expect("get", Unavailable("502", status=502))
    world.clock.wind(25)
    await world.turns()
    states = sorted([await world.state(1), await world.state(2)])
    assert states == ["concluded", "running"]
