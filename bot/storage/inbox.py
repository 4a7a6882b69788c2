"""The one way in for what people and Datadog send: a row each, by a key that makes a second arrival no news.

Whatever comes while one group is being committed is the next group, so that all of it waits for one commit. Whoever gives up
before that begins is left out, and may say that nothing was kept; from then on there is only what becomes of the commit.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from bot.deadline import free, is_over, until
from bot.storage.engine import Database, wake
from bot.storage.together import concerns_all

AT_ONCE = 200  # rows in one commit
WRITTEN_WITHIN = 10.0  # seconds, before the commit: over a line that went dead nothing comes back
RUSH = 0.03  # seconds between two arrivals, and less
LANDS = 0.015  # seconds in which a lone one is acknowledged
PATIENCE = 20.0  # times as long as who comes in has to wait, work in the background waits for the end of a rush
LEAST_PATIENT, MOST_PATIENT = 0.5, 2.0  # seconds


class _GivenUpError(Exception):
    """Somebody who was written down with the others does not wait any more."""


@cache
def _new_of(table: Table, times: tuple[str, ...]) -> Callable[[Database], ReturningInsert[Any]]:
    def new(database: Database) -> ReturningInsert[Any]:
        told = {} if database.own_time is not None else dict.fromkeys(times, database.now)
        return database.insert_new(table).values(told).returning(table.c.key, table.c.id)

    return new


@dataclass(eq=False, slots=True)
class _Arrival:
    table: Table
    row: dict[str, Any]
    times: tuple[str, ...]
    at: float
    until: float = field(default_factory=until)
    is_committing: bool = False
    has_given_up: bool = False
    kept: "asyncio.Future[int | None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def waits(self) -> bool:
        """A process that was frozen may be told of the end of a wait only after everything that was ready has run."""
        return not (self.has_given_up or self.kept.done() or is_over(self.until))


class Inbox:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._arrived: list[_Arrival] = []
        self._group: list[_Arrival] = []  # being written
        self._limit: asyncio.Timeout | None = None  # of what is written before the commit
        self._writer: asyncio.Task[None] | None = None
        self._last_arrival = -math.inf
        self._calm_at = -math.inf
        self._wait = 0.0  # seconds from an arrival to its commit, of late

    async def let_pass(self) -> None:
        """Returns when nobody is coming in, or after a while: who waits for an acknowledgement goes before what follows it,
        and the more so the longer that wait is."""
        clock = asyncio.get_running_loop().time
        end = clock() + min(max(PATIENCE * self._wait, LEAST_PATIENT), MOST_PATIENT)
        while (now := clock()) < end and (self._writer is not None or now < self._calm_at):  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(min(max(self._calm_at - now, LANDS / 3), end - now))

    async def take(self, table: Table, row: dict[str, Any], *, times: tuple[str, ...]) -> int | None:
        """The number of the new row, which is committed; None where its key is known. `times` are columns that say now."""
        now = asyncio.get_running_loop().time()
        self._calm_at = now + (RUSH if now < self._last_arrival + RUSH else LANDS)
        self._last_arrival = now
        mine = _Arrival(table, row, times, now)
        self._arrived.append(mine)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="inbox", context=free())
        try:
            return await asyncio.shield(mine.kept)
        except asyncio.CancelledError:
            if not mine.is_committing:
                self._give_up(mine)
                raise
        return await mine.kept

    def _give_up(self, mine: _Arrival) -> None:
        mine.has_given_up = True
        is_written_for_nobody = mine in self._group and not any(each.waits for each in self._group)
        if is_written_for_nobody and self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())  # others need not wait for it

    async def finish(self, within: float) -> None:
        if self._writer is not None:
            await asyncio.wait({self._writer}, timeout=within)

    # -- the writer: at work while there is something to write ------------------------------------------------------

    async def _write(self) -> None:
        try:
            while self._still_wait():
                await self._write_group()
        finally:
            self._writer = None

    def _still_wait(self) -> bool:
        self._arrived = [each for each in self._arrived if each.waits]
        return bool(self._arrived)

    async def _write_group(self, *, most: int = AT_ONCE) -> None:
        group: list[_Arrival] = []
        try:
            async with self._database.transaction(first=True) as connection:
                group = self._next(most)
                numbers = await self._insert(connection, group)
        except _GivenUpError:
            self._put_back(group)
        except Exception as error:  # noqa: BLE001  who waits for it has to hear
            await self._failed(error, group or self._next(most))
        else:
            waited = asyncio.get_running_loop().time() - group[0].at if group else 0.0
            self._wait += (waited - self._wait) / 4
            for each, number in zip(group, numbers, strict=True):
                each.kept.set_result(number)

    def _next(self, most: int) -> list[_Arrival]:
        waiting = [each for each in self._arrived if each.waits]
        self._arrived = waiting[most:]
        return waiting[:most]

    def _put_back(self, group: Sequence[_Arrival]) -> None:
        self._arrived = [*group, *self._arrived]

    async def _insert(self, connection: AsyncConnection, group: list[_Arrival]) -> list[int | None]:
        self._group = group
        numbers: dict[tuple[Table, str], int] = {}
        rows: dict[tuple[Table, tuple[str, ...]], list[dict[str, Any]]] = {}
        for each in group:
            rows.setdefault((each.table, each.times), []).append(each.row)
        try:
            async with asyncio.timeout(WRITTEN_WITHIN) as self._limit:
                for (table, times), theirs in rows.items():
                    numbers |= await self._insert_into(connection, table, times, theirs)
        finally:
            self._group, self._limit = [], None
        if not all(each.waits for each in group):
            raise _GivenUpError
        for each in group:  # from here on nothing is awaited but the commit
            each.is_committing = True
        return [numbers.pop((each.table, each.row["key"]), None) for each in group]  # twice in a group is new once

    async def _insert_into(
        self, connection: AsyncConnection, table: Table, times: tuple[str, ...], rows: list[dict[str, Any]]
    ) -> dict[tuple[Table, str], int]:
        new = self._database.once(_new_of(table, times))
        if (own_time := self._database.own_time) is not None:
            rows = [row | dict.fromkeys(times, own_time) for row in rows]
        numbers = {(table, row.key): row.id for row in await connection.execute(new, rows)}
        if numbers:
            wake(connection, table)
        return numbers

    async def _failed(self, error: Exception, group: list[_Arrival]) -> None:
        """One row that no database takes hurts nobody but who brought it."""
        if len(group) > 1 and not concerns_all(error):
            for each in group:
                self._arrived.insert(0, each)
                await self._write_group(most=1)
            return
        for each in group:
            if each.waits:
                each.kept.set_exception(error)
