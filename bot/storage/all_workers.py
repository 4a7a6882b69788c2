"""All workers of a process together: their loops, the sweep that finds what nobody told them of, their start and stop."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from sqlalchemy import Select, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.engine import Database
from bot.storage.leases import LeasedWorker
from bot.storage.workers import Alarm, Loop, Timing

Close = Callable[[float], Awaitable[None]]
NextDue = Callable[[], Select[float | None]]
Forget = Callable[[str], Awaitable[None]]  # forgets what is kept for a workspace; doing it twice is harmless

LOOK_FOR_STUCK = 10.0  # seconds


def _ring(alarm: Alarm, seconds: float | None) -> None:
    if seconds is not None:
        alarm.ring(seconds)


class Worker(Protocol):
    """Finds its work in the database, where other processes may have left it."""

    alarm: Alarm

    def next_due(self) -> Select[float | None]:
        """In how many seconds there is something to do; nothing where there is not."""

    async def step(self) -> None: ...
    async def recover(self, connection: AsyncConnection) -> None: ...
    async def finish(self, within: float) -> None: ...
    async def hand_back(self, connection: AsyncConnection) -> None: ...


class Workers:
    """Loops to start, what has to end, and who wants to know of a workspace that leaves."""

    def __init__(self, database: Database, timing: Timing) -> None:
        self._database = database
        self._workers: list[Worker] = []
        self._swept: list[tuple[NextDue, Callable[[float | None], None]]] = []
        self.queues: dict[str, LeasedWorker] = {}
        self.loops: list[Loop] = []
        self.closers: list[Close] = []
        self.let_pass: Callable[[], Awaitable[None]] | None = None  # what goes before any work in the background
        self.on_uninstall: list[Forget] = []  # called with a workspace that has removed the bot
        # rows that are due without a wake are those of other processes; an SQLite file has only one
        self.repeat("sweep", self.sweep, every=timing.lone_sweep if database.is_sqlite else timing.sweep)
        if not database.is_sqlite:
            self.repeat("stuck sessions", database.end_stuck_sessions, every=LOOK_FOR_STUCK)

    def employ(self, name: str, worker: Worker) -> None:
        self._workers.append(worker)
        if isinstance(worker, LeasedWorker):
            self.queues[name] = worker
            self._swept.append((worker.next_due, worker.is_due_in))
        else:
            self._swept.append((worker.next_due, partial(_ring, worker.alarm)))
        self.loops.append(Loop(name, worker.step, worker.alarm))
        self.closers.append(worker.finish)

    def repeat(
        self,
        name: str,
        step: Callable[[], Awaitable[object]],
        *,
        every: float = math.inf,
        first: float = 0.0,
        woken_by: tuple[Table, ...] = (),
        due: NextDue | None = None,
    ) -> None:
        """For work that needs no end of its own: `first` after the start, every so many seconds, when these tables change,
        and when the sweep finds it due."""
        alarm = self._database.alarm(*woken_by)
        if due is not None:
            self._swept.append((due, partial(_ring, alarm)))
        alarm.ring(first)
        self.loops.append(Loop(name, step, alarm, every=every))

    async def sweep(self) -> None:
        """Tells each worker when it has something to do, in one statement: the net under everything that wakes them."""
        asked = [next_due().scalar_subquery() for next_due, _ in self._swept]
        (answers,) = await self._database.all(select(*asked))
        for (_, is_due_in), seconds in zip(self._swept, answers, strict=True):
            is_due_in(None if seconds is None else max(seconds, 0.0))

    async def recover(self) -> None:
        """On the only process of a database: what a dead one held."""
        async with self._database.transaction() as connection:
            for worker in self._workers:
                await worker.recover(connection)

    def start(self) -> None:
        for loop in self.loops:
            loop.start(self.let_pass)

    async def stop(self, within: float) -> None:
        """First nothing new is begun, then what is mid-step gets its time, and what is still ours becomes free."""
        began = time.monotonic()
        await asyncio.gather(*(loop.stop(within / 2) for loop in self.loops))
        left = max(within - (time.monotonic() - began), 0.0)
        await asyncio.gather(*(close(left) for close in self.closers))
        if self._workers:  # none when the start came to nothing, and then there may be no database
            async with self._database.transaction() as connection:
                for worker in self._workers:
                    await worker.hand_back(connection)

    def problems(self) -> list[str]:
        return [loop.problem for loop in self.loops if loop.problem]

    def stuck(self) -> list[str]:
        return [loop.problem for loop in self.loops if loop.is_stuck]
