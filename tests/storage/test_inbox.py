"""What arrives is written together: each hears what became of its own row, and nothing is kept of who gave up."""

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, event, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from bot.alerts.tables import alert_notices
from bot.deadline import within
from bot.investigations.tables import asks
from bot.model import MonitorRef
from bot.storage.engine import Database
from bot.storage.inbox import AT_ONCE, Inbox
from bot.storage.turns import Turns
from tests.alerts.conftest import notice
from tests.meter import Meter


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A file: what is in memory only is lost with a connection on which somebody gave up."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite3"
    return str(request.getfixturevalue("ready_postgres_url"))


@pytest.fixture
def inbox(database: Database) -> Inbox:
    return Inbox(database)


async def take(inbox: Inbox, key: Any) -> int | None:
    told = {"key": key, "org": "", "workspace": "T1", "channel": "C1", "thread_ts": "", "requester": "U1"}
    row = told | {"source": "button", "subject": MonitorRef(7), "state": "received", "attempt": 0}
    return await inbox.take(asks, row, times=("created_at", "due_at"))


async def kept(database: Database, table: Table = asks) -> set[str]:
    return {row.key for row in await database.all(select(table.c.key))}


async def test_what_comes_at_once_is_one_commit_and_the_rest_the_next(database: Database, inbox: Inbox) -> None:
    meter = Meter(database)
    numbers = await asyncio.gather(*(take(inbox, f"click {each}") for each in range(AT_ONCE + 50)))
    assert len(set(numbers)) == AT_ONCE + 50
    assert None not in numbers
    assert (meter.transactions, meter.statements) == (2, 2)
    assert len(await kept(database)) == AT_ONCE + 50


async def test_what_comes_again_is_no_news_in_the_same_group_and_in_the_next(inbox: Inbox) -> None:
    first, second, other = await asyncio.gather(take(inbox, "a"), take(inbox, "a"), take(inbox, "b"))
    assert second is None
    assert None not in {first, other}
    assert await take(inbox, "a") is None


async def test_clicks_and_alerts_share_a_commit(database: Database, inbox: Inbox) -> None:
    meter = Meter(database)
    alarms = database.alarm(asks), database.alarm(alert_notices)
    row = {"key": "n", "org": "default", "content": notice(), "state": "new", "attempt": 0}
    told = inbox.take(alert_notices, row, times=("received_at", "due_at"))
    assert None not in await asyncio.gather(take(inbox, "a"), told, take(inbox, "b"))
    assert meter.transactions == 1
    assert math.inf not in {each.at for each in alarms}


async def test_a_row_that_no_database_takes_hurts_only_who_brought_it(database: Database, inbox: Inbox) -> None:
    bad = [object(), None]
    told = await asyncio.gather(
        *(take(inbox, each) for each in ("a", bad[0], "b", bad[1], "c")), return_exceptions=True
    )
    assert [isinstance(each, int) for each in told] == [True, False, True, False, True]
    assert all(isinstance(each, SQLAlchemyError) for each in (told[1], told[3]))
    assert await kept(database) == {"a", "b", "c"}


async def test_a_database_that_does_not_answer_fails_each_and_keeps_none_waiting(
    database: Database, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    def away(**_: Any) -> None:
        nonlocal tries
        tries += 1
        raise OperationalError("BEGIN", {}, OSError("disk full"))

    with monkeypatch.context() as patch:
        patch.setattr(database, "transaction", away)
        told = await asyncio.gather(*(take(inbox, f"{each}") for each in range(5)), return_exceptions=True)
    assert [type(each) for each in told] == [OperationalError] * 5
    assert tries == 1
    assert await take(inbox, "0") is not None


async def test_whoever_gives_up_before_the_commit_is_not_kept_and_takes_no_other_along(
    database: Database, inbox: Inbox
) -> None:
    """At any moment: what was told to nobody is kept for nobody, and what is kept was told."""
    rolled_back = 0

    def note(_connection: Any) -> None:
        nonlocal rolled_back
        rolled_back += 1

    event.listen(database._first.sync_engine, "rollback", note)
    for steps in range(0, 60, 2):
        tasks = [asyncio.create_task(take(inbox, f"{steps} {each}")) for each in range(3)]
        for _ in range(steps):
            await asyncio.sleep(0)
        tasks[1].cancel()
        told = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(told[0], int), steps
        assert isinstance(told[2], int), steps
        assert (f"{steps} 1" in await kept(database)) is isinstance(told[1], int), steps
    assert rolled_back


async def test_a_group_that_nobody_waits_for_any_more_leaves_the_way_free(database: Database, inbox: Inbox) -> None:
    for steps in range(0, 60, 2):
        tasks = [asyncio.create_task(take(inbox, f"{steps} {each}")) for each in range(3)]
        for _ in range(steps):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        told = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(each) for each in told} <= {int, asyncio.CancelledError}
        assert await take(inbox, f"{steps} next") is not None
        found = await kept(database)
        assert [f"{steps} {each}" in found for each in range(3)] == [isinstance(each, int) for each in told], steps


async def test_time_that_ran_out_while_the_process_was_frozen_counts_before_the_commit(
    database: Database, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It thaws in the middle of a statement: what was ready runs first, and only then what is late is called off."""
    now = 0.0
    monkeypatch.setattr("bot.deadline._now", lambda: now)

    def thaw(*_: Any) -> None:
        nonlocal now
        now = 100.0

    event.listen(database._first.sync_engine, "after_cursor_execute", thaw)
    task = asyncio.create_task(_in_time(inbox, "late"))
    other = asyncio.create_task(take(inbox, "patient"))
    assert await other is not None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await kept(database) == {"patient"}


async def _in_time(inbox: Inbox, key: str) -> int | None:
    async with within(50):
        return await take(inbox, key)


async def test_what_is_under_way_at_a_stop_is_still_written(database: Database, inbox: Inbox) -> None:
    async with database.transaction():
        tasks = [asyncio.create_task(take(inbox, f"{each}")) for each in range(3)]
        await asyncio.sleep(0)
        ending = asyncio.create_task(inbox.finish(20))
        await asyncio.sleep(0)
        assert not ending.done()
    await ending
    assert None not in await asyncio.gather(*tasks)
    assert len(await kept(database)) == 3


# -- whose turn it is on an SQLite file ------------------------------------------------------------------------------------


async def test_what_somebody_outside_waits_for_comes_first() -> None:
    turns, order = Turns(), list[str]()

    async def work(name: str, *, first: bool = False) -> None:
        async with turns.turn(first=first):
            order.append(name)
            await asyncio.sleep(0)

    names = ("one", "two", "three")
    tasks = [asyncio.create_task(work(name)) for name in names]
    tasks.append(asyncio.create_task(work("click", first=True)))
    await asyncio.gather(*tasks)
    assert order == ["one", "click", "two", "three"]


async def test_a_turn_given_up_at_any_moment_is_passed_on() -> None:
    turns = Turns()

    async def work() -> None:
        async with turns.turn():
            await asyncio.sleep(0)

    for steps in range(8):
        tasks = [asyncio.create_task(work()) for _ in range(3)]
        for _ in range(steps):
            await asyncio.sleep(0)
        tasks[1].cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(*tasks, return_exceptions=True)
            await work()


# -- what goes on in the background lets those pass who come in -------------------------------------------------------------


async def test_where_nobody_comes_in_nothing_is_waited_for(inbox: Inbox) -> None:
    with pytest.raises(StopIteration):
        inbox.let_pass().send(None)


async def test_work_waits_until_a_rush_is_over(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.storage.inbox.PATIENCE", 1e9)
    monkeypatch.setattr("bot.storage.inbox.RUSH", 0.5)
    await take(inbox, "first")
    assert await take(inbox, "second")
    waits = asyncio.create_task(inbox.let_pass())
    await asyncio.sleep(0)
    assert not waits.done()
    await waits


async def test_it_does_not_wait_for_ever(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.storage.inbox.RUSH", 1e9)
    monkeypatch.setattr("bot.storage.inbox.MOST_PATIENT", 0.05)
    await take(inbox, "first")
    await take(inbox, "second")
    await inbox.let_pass()
