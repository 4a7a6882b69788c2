"""A worker on leases: who wakes it, when it looks next, what comes back, and what it leaves to others."""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Row, select, text, true
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.investigations.tables import asks, held_asks
from bot.storage.all_workers import Workers
from bot.storage.engine import Database, wake
from bot.storage.leases import HELD_ELSEWHERE, Fence, LeasedWorker, new_owner
from bot.storage.tables import NewerVersionError
from bot.storage.workers import TRY_AGAIN_AFTER, Alarm, Loop, Timing
from tests.clock import Clock
from tests.meter import Meter
from tests.pg import ready
from tests.storage.test_leases import rows, write_down
from tests.workers import close, recover

TIMING = Timing(settle=20)


class Answering(LeasedWorker):
    """Answers asks, unless a test stops it."""

    table = asks
    slots = 2
    due = asks.c.state == "waiting"
    under_way = asks.c.problem == "sending"

    def __init__(self, database: Database) -> None:
        super().__init__(database, TIMING, owner=new_owner())
        self.worked_on: list[str] = []
        self.go_on: asyncio.Event | None = None
        self.trouble: Exception | None = None

    async def work(self, row: Row[Any], fence: Fence) -> None:
        self.worked_on.append(row.key)
        if self.go_on is not None:
            await self.go_on.wait()
        if self.trouble is not None:
            raise self.trouble
        await self.write(fence, state="done", owner=None)

    async def turn(self) -> None:
        """As its loop would: the alarm is off when it looks."""
        self.alarm.off()
        await self.step()
        await self._tasks.finish(10)


@pytest.fixture
def worker(database: Database) -> Answering:
    return Answering(database)


def rings_in(worker: LeasedWorker, clock: Clock) -> float:
    return worker.alarm.at - clock.now


# -- who wakes it ---------------------------------------------------------------------------------------------------


async def test_a_change_wakes_whoever_works_on_that_table_once_it_is_committed(
    database: Database, worker: Answering, clock: Clock
) -> None:
    other = database.alarm(held_asks)
    async with database.transaction() as connection:
        wake(connection, asks)
        assert worker.alarm.at == math.inf
    assert rings_in(worker, clock) == 0
    assert other.at == math.inf


async def test_what_is_undone_wakes_nobody(database: Database, worker: Answering) -> None:
    async def undone() -> None:
        async with database.transaction() as connection:
            wake(connection, asks)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()
    async with database.transaction():
        """Nothing is left over for the next one."""
    assert worker.alarm.at == math.inf


async def test_what_is_due_later_rings_then(database: Database, worker: Answering, clock: Clock) -> None:
    async with database.transaction() as connection:
        wake(connection, asks, after=20)
        wake(connection, asks, after=5)
    assert rings_in(worker, clock) == 5


# -- when it looks next ---------------------------------------------------------------------------------------------


async def test_with_nothing_due_it_sleeps(worker: Answering) -> None:
    await worker.turn()
    assert worker.alarm.at == math.inf


async def test_it_sleeps_until_its_next_row_is_due(database: Database, worker: Answering, clock: Clock) -> None:
    await write_down(database, "now")
    await write_down(database, "later", due_in=100)
    await worker.turn()
    assert worker.worked_on == ["now"]
    assert rings_in(worker, clock) == pytest.approx(100)


async def test_it_sees_the_end_of_another_s_lease(database: Database, worker: Answering, clock: Clock) -> None:
    """A replica that dies with a row is followed the moment its lease ends."""
    await write_down(database, "a")
    dead = Answering(database)
    dead.go_on = asyncio.Event()
    await dead.step()
    await worker.turn()
    assert worker.worked_on == []
    assert rings_in(worker, clock) == pytest.approx(TIMING.lease)
    clock.wind(TIMING.lease)
    await worker.turn()
    assert worker.worked_on == ["a"]
    dead.go_on.set()
    await dead.finish(5)


async def test_its_own_lease_does_not_wake_it(database: Database, worker: Answering) -> None:
    await write_down(database, "a")
    worker.go_on = asyncio.Event()
    worker.alarm.off()
    await worker.step()
    assert worker.alarm.at == math.inf
    worker.go_on.set()
    await close(database, worker, 5)


async def test_with_its_slots_full_it_looks_again_when_one_is_free(
    database: Database, worker: Answering, clock: Clock
) -> None:
    await write_down(database, "a", "b", "c")
    worker.go_on = asyncio.Event()
    worker.alarm.off()
    await worker.step()
    await worker.step()
    assert worker.alarm.at == math.inf
    worker.go_on.set()
    await worker._tasks.finish(10)
    assert rings_in(worker, clock) == 0
    await worker.turn()
    assert worker.worked_on == ["a", "b", "c"]


async def test_a_row_put_off_rings_when_it_is_due(database: Database, worker: Answering, clock: Clock) -> None:
    await write_down(database, "a")

    async def put_off(_row: Row[Any], fence: Fence) -> None:
        assert await worker.put_off(fence, 7)

    worker.work = put_off  # type: ignore[assignment,method-assign]
    await worker.turn()
    assert rings_in(worker, clock) == 7
    (row,) = await rows(database)
    assert (row.owner, row.due_at) == (None, pytest.approx(clock.now + 7))


async def test_what_another_is_claiming_right_now_is_not_asked_for_again_and_again(
    ready_postgres_url: str, clock: Clock
) -> None:
    """A replica that freezes in the middle of its claim holds the row, and it looks due to everybody else."""
    async with ready(Database(ready_postgres_url, clock=clock)) as database:
        await write_down(database, "a")
        worker = Answering(database)
        async with database.transaction() as frozen:
            await frozen.execute(select(asks).with_for_update())
            await worker.turn()
            assert worker.worked_on == []
            assert rings_in(worker, clock) == pytest.approx(HELD_ELSEWHERE)
        await worker.turn()
        assert worker.worked_on == ["a"]


async def test_a_slot_that_becomes_free_during_a_claim_is_used(
    database: Database, worker: Answering, clock: Clock
) -> None:
    await write_down(database, "a")
    worker.go_on = asyncio.Event()
    await worker.step()
    await write_down(database, "b", "c")
    claim = worker._claim

    async def meanwhile(connection: AsyncConnection, room: int) -> Sequence[Row[Any]]:
        rows = await claim(connection, room)
        worker._working.clear()  # as the end of the first one's task does
        return rows

    worker._claim = meanwhile  # type: ignore[method-assign]
    worker.alarm.off()
    await worker.step()
    assert rings_in(worker, clock) == 0
    worker.go_on.set()
    await close(database, worker, 5)


class Told(Answering):
    is_told = True


async def test_who_is_told_of_every_time_need_not_ask_for_it(database: Database, clock: Clock) -> None:
    worker = Told(database)
    await worker.turn()  # what was there before it is asked for once
    meter = Meter(database)
    for key, due_in in (("a", 0), ("b", 50), ("c", 100)):
        await write_down(database, key, due_in=due_in)
        worker.alarm.ring(due_in)
    meter.reset()
    await worker.turn()
    assert (worker.worked_on, meter.statements) == (["a"], 2)
    for key, waits in (("b", 50), ("c", 50)):
        assert rings_in(worker, clock) == pytest.approx(waits)
        clock.wind(waits)
        await worker.turn()
        assert worker.worked_on[-1] == key
    assert worker.alarm.at == math.inf


async def test_what_it_has_learnt_by_asking_it_asks_about_again(database: Database, clock: Clock) -> None:
    """Of several rows that another process has left, each answer tells of one."""
    worker = Told(database)
    for key, due_in in (("a", 0), ("b", 50), ("c", 100)):
        await write_down(database, key, due_in=due_in)
    await worker.turn()
    for key, waits in (("b", 50), ("c", 50)):
        assert rings_in(worker, clock) == pytest.approx(waits)
        clock.wind(waits)
        await worker.turn()
        assert worker.worked_on[-1] == key


# -- what comes back ------------------------------------------------------------------------------------------------


async def test_a_row_whose_task_failed_comes_back_by_its_lease(
    database: Database, worker: Answering, clock: Clock
) -> None:
    await write_down(database, "a")
    worker.trouble = ValueError("a bug of ours")
    await worker.turn()
    assert rings_in(worker, clock) == pytest.approx(TIMING.lease)
    await worker.turn()  # somebody wakes it meanwhile
    assert rings_in(worker, clock) == pytest.approx(TIMING.lease)
    clock.wind(TIMING.lease)
    worker.trouble = None
    await worker.turn()
    assert [row.state for row in await rows(database)] == ["done"]


async def test_work_that_takes_longer_than_its_lease_is_cut_off(database: Database, clock: Clock) -> None:
    worker = Answering(database)
    worker._timing = Timing(settle=0.02)
    worker.go_on = asyncio.Event()  # never
    await write_down(database, "a")
    await worker.turn()
    assert len(worker._working) == 0
    assert worker.alarm.at > clock.now


@pytest.mark.parametrize(("problem", "waits"), [(None, 0.0), ("sending", TIMING.settle)])
@pytest.mark.parametrize("goes", ["recover", "close"])
async def test_only_what_may_still_land_waits_for_that(
    database: Database, clock: Clock, goes: str, problem: str | None, waits: float
) -> None:
    """After a crash, found by the next process, as after a stop that could not wait."""
    await write_down(database, "a")
    worker = Answering(database)
    worker.go_on = asyncio.Event()
    await worker.step()
    async with database.transaction() as connection:
        await connection.execute(asks.update().values(problem=problem))
    if goes == "recover":
        await recover(database, Answering(database))
    else:
        await close(database, worker, 0.01)
    (row,) = await rows(database)
    assert (row.owner, row.due_at) == (None, pytest.approx(clock.now + waits))
    await close(database, worker, 0.01)


# -- the net --------------------------------------------------------------------------------------------------------


class Idle(Answering):
    due = asks.c.state == "nobody's"


async def test_the_sweep_tells_each_worker_when_it_has_something_to_do(database: Database, clock: Clock) -> None:
    """What another process wrote down: nothing here was told of it."""
    workers = Workers(database, TIMING)
    idle, busy = Idle(database), Answering(database)
    workers.employ("idle", idle)
    workers.employ("busy", busy)
    await write_down(database, "a", due_in=30)
    await workers.sweep()
    assert idle.alarm.at == math.inf
    assert rings_in(busy, clock) == pytest.approx(30)
    await write_down(database, "b", due_in=-5)
    await workers.sweep()
    assert rings_in(busy, clock) == 0


# -- loops and alarms -----------------------------------------------------------------------------------------------


async def _turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def _counting() -> tuple[list[int], Callable[[], Any]]:
    rounds: list[int] = []

    async def step() -> None:
        rounds.append(len(rounds))

    return rounds, step


async def test_a_loop_steps_when_its_alarm_rings_and_not_before() -> None:
    rounds, step = _counting()
    loop = Loop("work", step, Alarm(asyncio.get_running_loop().time))
    loop.start()
    await _turns()
    assert rounds == []
    loop.alarm.ring(3600)
    await _turns()
    assert rounds == []
    loop.alarm.ring()
    await _turns()
    assert rounds == [0]
    await asyncio.wait_for(loop.stop(), 5)
    assert rounds == [0]


async def test_a_ring_during_a_step_is_not_lost() -> None:
    alarm = Alarm(asyncio.get_running_loop().time)
    rounds: list[int] = []

    async def step() -> None:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            alarm.ring()

    loop = Loop("work", step, alarm)
    loop.start()
    alarm.ring()
    await _turns()
    assert rounds == [0, 1]
    await asyncio.wait_for(loop.stop(), 5)


async def test_a_round_that_failed_is_followed_by_another(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    async def step() -> None:
        raise OSError("the database is away")

    loop = Loop("work", step, Alarm(clock))
    await loop.step()
    assert loop.alarm.at - clock.now == TRY_AGAIN_AFTER
    assert caplog.text.count("\n") == 1
    assert "work: OSError" in caplog.text
    assert loop.problem == ""
    for _ in range(2):
        await loop.step()
    assert loop.problem == "work has failed 3 times in a row"


async def test_a_chore_goes_by_the_clock(database: Database, clock: Clock) -> None:
    rounds, step = _counting()
    workers = Workers(database, TIMING)
    workers.repeat("chore", step, every=3600)
    chore = workers.loops[-1]
    assert chore.alarm.at == clock.now  # at the start, too
    chore.alarm.at = math.inf
    await chore.step()
    assert (rounds, chore.alarm.at) == ([0], clock.now + 3600)


async def test_no_row_is_worked_on_twice_by_several(database: Database) -> None:
    await write_down(database, *(f"key {number}" for number in range(20)))
    workers = [Answering(database) for _ in range(4)]
    while any(row.state == "waiting" for row in await rows(database)):
        await asyncio.gather(*(worker.turn() for worker in workers))
    worked_on = [key for worker in workers for key in worker.worked_on]
    assert sorted(worked_on) == sorted(set(worked_on))
    async with database.transaction() as connection:
        assert len((await connection.execute(select(asks.c.id).where(true()))).all()) == 20


# -- what it leaves to a newer version ----------------------------------------------------------------------------------


async def _of_a_newer_version(database: Database, key: str) -> None:
    await write_down(database, key, "usual")
    async with database.transaction() as connection:
        told = {"subject": '{"kind": "invented later"}', "key": key}
        await connection.execute(text("UPDATE asks SET subject = :subject WHERE key = :key"), told)


async def test_a_record_it_cannot_read_stays_as_it_is_for_a_newer_version(
    database: Database, worker: Answering
) -> None:
    await _of_a_newer_version(database, "newer")
    for _ in range(2):
        await worker.turn()
    assert worker.worked_on == ["usual"]
    (newer, usual) = await rows(database)
    assert (newer.state, newer.owner, newer.attempt, usual.state) == ("waiting", None, 0, "done")
    assert worker.alarm.at == math.inf  # it does not look at it again and again


async def test_a_word_it_does_not_know_stays_for_a_newer_version(database: Database, worker: Answering) -> None:
    await write_down(database, "newer")
    worker.trouble = NewerVersionError("'carrier pigeon' is no Source that this version knows")
    for _ in range(2):
        await worker.turn()
    assert worker.worked_on == ["newer"]
    (row,) = await rows(database)
    assert (row.state, row.owner, row.attempt) == ("waiting", None, 0)
    newer = Answering(database)
    await newer.turn()
    assert newer.worked_on == ["newer"]
