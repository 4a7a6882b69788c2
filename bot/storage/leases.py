"""Claiming rows by lease, for any table with `due_at`, `owner` and `attempt`, and the worker that lives on such claims.

A claim says who works on a row until when; every outcome is written under the fence (owner and attempt), so a
process that was frozen or given up for dead can no longer write.
"""

import asyncio
import logging
import math
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import Any, ClassVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Integer,
    Row,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ClauseElement

from bot.deadline import within
from bot.logs import ABOUT, know
from bot.storage.engine import Database, wake
from bot.storage.tables import NewerVersionError, UnreadableRecord
from bot.storage.workers import FAR, Tasks, Timing

logger = logging.getLogger(__name__)


HELD_ELSEWHERE = 0.05  # seconds until we look again at what is due and yet not ours: another claims it at this moment


_ANY = true()


def new_owner() -> str:
    return secrets.token_hex(8)


def reached(time: ColumnElement[float], now: ColumnElement[float], far: float) -> ColumnElement[bool]:
    """Whether this time has come, or is so far off that it was written by a clock that has been set back since."""
    return or_(time <= now, time > now + far)


@dataclass(frozen=True, slots=True)
class Fence:
    id: int
    owner: str
    attempt: int

    def holds(self, table: Table) -> ColumnElement[bool]:
        return and_(table.c.id == self.id, table.c.owner == self.owner, table.c.attempt == self.attempt)

    @property
    def parameters(self) -> dict[str, Any]:
        """Of a statement that is `fenced`."""
        return {"of_id": self.id, "of_owner": self.owner, "of_attempt": self.attempt}

    async def write(self, connection: AsyncConnection, table: Table, **values: Any) -> bool:
        """False when the claim was lost meanwhile and nothing may be done any more."""
        return await changes(connection, fenced(table), self.parameters, values)

    async def put_off(
        self, database: Database, connection: AsyncConnection, table: Table, wait: float, **values: Any
    ) -> bool:
        """Give it back, to be taken up again in so many seconds."""
        wait = min(wait, FAR / 2)
        held = await self.write(connection, table, **values, owner=None, due_at=database.time_in(wait))
        if held:
            wake(connection, table, after=wait)
        return held


@cache
def fenced(table: Table) -> Update:
    """An update of a row that is still held, with the fence's parameters."""
    its: dict[str, Any] = {each: bindparam(f"of_{each}") for each in ("id", "owner", "attempt")}
    return update(table).where(Fence(**its).holds(table))


async def changes(
    connection: AsyncConnection, change: Update, parameters: dict[str, Any], values: dict[str, Any]
) -> bool:
    """Whether it wrote these values into any row. Plain ones are parameters, so that it need not be built anew."""
    reckoned = {name: value for name, value in values.items() if isinstance(value, ClauseElement)}
    if reckoned:
        change = change.values(**reckoned)
    plain = {name: value for name, value in values.items() if name not in reckoned}
    return bool((await connection.execute(change, parameters | plain)).rowcount)


class Leases:
    def __init__(self, database: Database, table: Table, *, owner: str, lease: float, far: float = FAR) -> None:
        self._database = database
        self._table = table
        self._owner = owner
        self._lease = lease
        self._far = far

    def has_come(self, now: ColumnElement[float]) -> ColumnElement[bool]:
        return reached(self._table.c.due_at, now, self._far)

    def claiming(
        self,
        due: ColumnElement[bool],
        first: Sequence[ColumnElement[Any]] = (),
        *,
        tells: Sequence[ColumnElement[Any]] = (),
        **values: Any,
    ) -> Executable:
        """The statement of a claim, to be built once: rows that are due, those that have waited longest, or what comes
        before that by `first`. One statement, so nobody else can take the same ones. It also writes `values`, and answers
        what `tells` says."""
        table, now = self._table, self._database.moment
        # as a CTE it is read once: PostgreSQL may run a subquery again and take more than the limit
        chosen = (
            select(table.c.id)
            .where(due, self.has_come(now))
            .order_by(*first, table.c.due_at, table.c.id)
            .limit(bindparam("most", type_=Integer))
            .with_for_update(skip_locked=True)
            .cte("chosen")
        )
        claimed = update(table).where(table.c.id.in_(select(chosen.c.id))).returning(*table.c, *tells)
        return claimed.values(owner=self._owner, due_at=now + self._lease, attempt=table.c.attempt + 1, **values)

    async def claim(self, connection: AsyncConnection, claiming: Executable, limit: int, **more: Any) -> list[Row[Any]]:
        """Take up to `limit` rows; `more` are parameters that the statement has besides its own."""
        values = {"most": limit, **self._database.at_moment, **more}
        return sorted((await connection.execute(claiming, values)).all(), key=lambda row: row.id)

    def fence(self, row: Row[Any]) -> Fence:
        return Fence(row.id, self._owner, row.attempt)

    async def settle_old(
        self,
        connection: AsyncConnection,
        under_way: ColumnElement[bool],
        settle: float,
        *,
        of: ColumnElement[bool] = _ANY,
    ) -> None:
        """On the only process of a database: what a dead one held is free, once its requests must have landed.

        `of` which rows is told where it is known: their state has an index, and their owner has none.
        """
        table, now = self._table, self._database.now
        settled = case({under_way: now + settle}, else_=now)
        sooner = case({table.c.due_at < settled: table.c.due_at}, else_=settled)
        await connection.execute(update(table).where(of, table.c.owner.is_not(None)).values(due_at=sooner, owner=None))

    async def hand_back(
        self,
        connection: AsyncConnection,
        under_way: ColumnElement[bool],
        settle: float,
        *,
        of: ColumnElement[bool] = _ANY,
    ) -> None:
        """At a clean stop: what is still ours becomes free, after the settle time if its outcome is open."""
        table, now = self._table, self._database.now
        due = case({under_way: now + settle}, else_=now)
        await connection.execute(update(table).where(of, table.c.owner == self._owner).values(due_at=due, owner=None))


@dataclass(eq=False)
class LeasedWorker:
    """Claims what is due in its table, as many rows as it has slots for, and works on each in a task of its own.

    It looks when its alarm rings: for rows that a transaction of this process made due, for the next one that becomes
    due by itself, and for what the sweep found. A row whose task failed comes back by its lease.
    """

    table: ClassVar[Table]
    woken_by: ClassVar[tuple[Table | str, ...]] = ()
    """What makes its rows due, where that is not just any change of its table."""
    slots: ClassVar[int]
    due: ClassVar[ColumnElement[bool]]
    """Which rows are its work; at what time is for the claim to know."""
    under_way: ClassVar[ColumnElement[bool]] = false()
    """Those of which a request that changes something may be on its way: whoever comes next waits until it has landed."""
    keeps_lease: ClassVar[bool] = False
    """Its work may take longer than a lease, which is renewed meanwhile."""
    is_told: ClassVar[bool] = False
    """Whoever makes rows of its table due later wakes it for that very time: it need not ask what comes next."""

    _database: Database
    _timing: Timing
    owner: str = field(kw_only=True)

    def __post_init__(self) -> None:
        timing = self._timing
        self._leases = Leases(self._database, self.table, owner=self.owner, lease=timing.lease, far=timing.far)
        self._tasks = Tasks()
        self._working: set[int] = set()
        self._left: set[int] = set()  # to a newer version
        self._may_be_more = False  # when a task ends, it is worth looking again
        self._asks_at = -math.inf  # when what comes next has to be asked for, whatever was told
        self.alarm = self._database.alarm(*(self.woken_by or (self.table,)), lasting=self.is_told)

    async def work(self, row: Row[Any], fence: Fence) -> None:
        raise NotImplementedError

    async def step(self) -> None:
        room = self._room()
        self._may_be_more = room <= 0
        if room <= 0:
            return
        async with self._database.transaction() as connection:
            rows = await self._claim(connection, room)
            readable = [row for row in rows if not any(isinstance(value, UnreadableRecord) for value in row)]
            for row in rows:
                if row not in readable:
                    await self._leave(connection, row)
        self._hand_out(readable)
        if self._may_be_more and len(self._working) < self.slots:  # a task ended while we claimed
            self.alarm.ring()

    async def _claim(self, connection: AsyncConnection, room: int) -> Sequence[Row[Any]]:
        more = self._parameters()
        rows = await self._leases.claim(connection, self._claiming, room, **more)
        self._may_be_more = len(rows) == room
        is_known = self.is_told and rows and self._database.ticks() < self._asks_at
        if not self._may_be_more and not is_known:
            here = [*self._working, *(row.id for row in rows)]
            answer = await connection.execute(self._asking, {"here": here, **self._database.at_moment, **more})
            next_in: float | None = answer.scalar()
            self.is_due_in(None if next_in is None else max(next_in, HELD_ELSEWHERE))
        return rows

    @cached_property
    def _claiming(self) -> Executable:
        return self._leases.claiming(self._for_us(), self._first())

    @cached_property
    def _asking(self) -> Select[float | None]:
        return self._next_due(bindparam("here", expanding=True), self._database.moment)

    def next_due(self) -> Select[float | None]:
        """In how many seconds there is something to do that nobody here is doing; the end of another's lease counts."""
        return self._next_due(list(self._working), self._database.now)

    def _next_due(self, here: list[int] | BindParameter[Any], now: ColumnElement[float]) -> Select[float | None]:
        table = self.table.c
        not_here = or_(table.owner.is_(None), table.owner != self.owner, table.id.not_in(here))
        # a mapping: a pair SQLAlchemy first writes out in full, for the text of an error that it drops
        due_at = case({reached(table.due_at, now, self._timing.far): now}, else_=table.due_at)
        return select(func.min(due_at) - now).where(self._for_us(), not_here)

    def is_due_in(self, seconds: float | None) -> None:
        """As the database has just answered."""
        seconds = math.inf if seconds is None else seconds
        self._asks_at = self._database.ticks() + seconds
        self.alarm.ring(seconds)

    def _for_us(self) -> ColumnElement[bool]:
        return and_(self._wanted(), self.table.c.id.not_in(self._left)) if self._left else self._wanted()

    async def _leave(self, connection: AsyncConnection, row: Row[Any]) -> None:
        """As if it had not been claimed: a newer version is there, or will be when this one has been replaced."""
        self._left.add(row.id)
        for built in ("_claiming", "_asking"):
            self.__dict__.pop(built, None)
        logger.warning("row %d of %s is left to a newer version", row.id, self.table.name)
        values = {"owner": None, "due_at": self._database.now, "attempt": row.attempt - 1}
        await self._leases.fence(row).write(connection, self.table, **values)

    def backlog(self, name: str) -> Select[str, int, float]:
        """How many rows nobody has taken yet that are due, and for how long the oldest has been."""
        due_at, now = self.table.c.due_at, self._database.now
        depth, age = func.count().label("depth"), (now - func.min(due_at)).label("age")
        return select(literal(name).label("queue"), depth, age).where(self.due, due_at <= now)

    # -- what a worker may do in its own way --------------------------------------------------------------------

    def _wanted(self) -> ColumnElement[bool]:
        return self.due

    def _first(self) -> Sequence[ColumnElement[Any]]:
        """What is taken before that which has waited longest."""
        return ()

    def _parameters(self) -> dict[str, Any]:
        """What its statements are told each time."""
        return {}

    def _room(self) -> int:
        return self.slots - len(self._working)

    def _hand_out(self, rows: Sequence[Row[Any]]) -> None:
        for row in rows:
            self._working.add(row.id)
            self._tasks.spawn(self._run(row), f"{type(self).__name__} {row.id}")

    # -- one row ------------------------------------------------------------------------------------------------

    async def _run(self, row: Row[Any]) -> None:
        fence = self._leases.fence(row)
        know(**_ids(row))  # the task is this row's own
        try:
            async with self._renewed(fence) if self.keeps_lease else within(self._timing.lease):
                await self.work(row, fence)
        except NewerVersionError:
            async with self._database.transaction() as connection:
                await self._leave(connection, row)
        except Exception:
            self.alarm.ring(self._timing.lease)
            raise
        finally:
            self._working.discard(row.id)
            if self._may_be_more:
                self.alarm.ring()

    @asynccontextmanager
    async def _renewed(self, fence: Fence) -> AsyncIterator[None]:
        renewing = asyncio.create_task(self._renew(fence))
        try:
            yield
        finally:
            renewing.cancel()

    async def _renew(self, fence: Fence) -> None:
        while True:
            await asyncio.sleep(self._timing.lease / 3)
            await self.write(fence, due_at=self._database.time_in(self._timing.lease))

    async def write(self, fence: Fence, **values: Any) -> bool:
        return await self._database.together(partial(fence.write, table=self.table, **values))

    async def put_off(self, fence: Fence, wait: float, **values: Any) -> bool:
        put_off = partial(fence.put_off, self._database, table=self.table, wait=wait, **values)
        held = await self._database.together(put_off)
        if held:
            self.alarm.ring(wait)
        return held

    # -- before the first and after the last --------------------------------------------------------------------

    async def recover(self, connection: AsyncConnection) -> None:
        await self._leases.settle_old(connection, self.under_way, self._timing.settle, of=self.due)

    async def finish(self, within: float) -> None:
        await self._tasks.finish(within)

    async def hand_back(self, connection: AsyncConnection) -> None:
        await self._leases.hand_back(connection, self.under_way, self._timing.settle, of=self.due)


def _ids(row: Row[Any]) -> dict[str, object]:
    """What the log calls a row by: ids alone, whichever of them its table has."""
    told = row._mapping  # noqa: SLF001  public, for all its name
    person = next((told[name] for name in ("person", "requester", "requested_by") if name in told), "")
    return {name: told[name] for name in ABOUT if name in told} | {"person": person}
