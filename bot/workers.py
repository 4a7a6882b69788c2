"""What runs in the background, in one hand: loops to start, what has to end, who wants to know of a departure."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from sqlalchemy import Select, Table, select

from bot.storage.engine import Database
from bot.storage.workers import Alarm, Loop, Timing
from bot.workspaces.departures import Forget

Close = Callable[[float], Awaitable[None]]


class Worker(Protocol):
    """Finds its work in the database, where other processes may have left it."""

    alarm: Alarm

    def next_due(self) -> Select[float | None]:
        """In how many seconds there is something to do; nothing where there is not."""

    async def step(self) -> None: ...
    async def recover(self) -> None: ...
    async def close(self, within: float) -> None: ...


class Workers:
    def __init__(self, database: Database, timing: Timing) -> None:
        self._database = database
        self._workers: list[Worker] = []
        self.loops: list[Loop] = []
        self.closers: list[Close] = []
        self.on_uninstall: list[Forget] = []  # called with a workspace that has removed the bot
        # rows that are due without a wake are those of other processes; an SQLite file has only one
        self.repeat("sweep", self.sweep, every=timing.lone_sweep if database.is_sqlite else timing.sweep)

    def employ(self, name: str, worker: Worker) -> None:
        self._workers.append(worker)
        self.loops.append(Loop(name, worker.step, worker.alarm))
        self.closers.append(worker.close)

    def repeat(
        self,
        name: str,
        step: Callable[[], Awaitable[object]],
        *,
        every: float,
        first: float = 0.0,
        woken_by: tuple[Table, ...] = (),
    ) -> None:
        """For work that needs no end of its own: `first` after the start, every so many seconds, and when these tables change."""
        alarm = self._database.alarm(*woken_by)
        alarm.ring(first)
        self.loops.append(Loop(name, step, alarm, every=every))

    async def sweep(self) -> None:
        """Tells each worker when it has something to do, in one statement: the net under everything that wakes them."""
        asked = [worker.next_due().scalar_subquery() for worker in self._workers]
        async with self._database.transaction() as connection:
            answers = (await connection.execute(select(*asked))).one()
        for worker, seconds in zip(self._workers, answers, strict=True):
            if seconds is not None:
                worker.alarm.ring(max(seconds, 0.0))

    async def recover(self) -> None:
        """On the only process of a database: what a dead one held."""
        for worker in self._workers:
            await worker.recover()

    def start(self) -> None:
        for loop in self.loops:
            loop.start()

    async def stop(self, within: float) -> None:
        """First nothing new is begun, then what is mid-step gets its time."""
        for loop in self.loops:
            await loop.stop()
        await asyncio.gather(*(close(within) for close in self.closers))
