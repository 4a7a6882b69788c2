"""Background work in tracked tasks: loops that survive an error, and a stop that waits for what is mid-step."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)


class Tasks:
    """Tasks somebody holds on to; an error in one is logged and hurts no other."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        task = asyncio.create_task(self._guarded(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        try:
            await work
        except Exception:
            logger.exception("%s failed", name)

    def __len__(self) -> int:
        return len(self._tasks)

    async def finish(self, within: float) -> None:
        """Wait for what runs; what takes longer is cancelled and comes back by its lease."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=within)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)


class Loop:
    """Runs one step again and again: at once when woken, else after a while; done when stopped.

    A steady one goes by the clock alone: nothing that happens makes its work more urgent.
    """

    def __init__(
        self, name: str, step: Callable[[], Awaitable[float | None]], *, every: float, steady: bool = False
    ) -> None:
        self._name = name
        self._step = step
        self._every = every
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self.wake = asyncio.Event()
        self._ended = asyncio.Event()
        self._alarm = self._ended if steady else self.wake

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def _run(self) -> None:
        while not self._stopping:
            self.wake.clear()
            await self._rest(await self._guarded_step())

    async def _guarded_step(self) -> float:
        try:
            wanted = await self._step()
        except Exception:
            logger.exception("%s: this round failed, the next one follows", self._name)
            return self._every
        return self._every if wanted is None else min(wanted, self._every)

    async def _rest(self, seconds: float) -> None:
        if self._stopping or seconds <= 0:
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(self._alarm.wait(), seconds)
        except TimeoutError:
            return

    async def stop(self) -> None:
        """Let the round under way end; rounds only claim and hand out, so this is quick."""
        self._stopping = True
        self.wake.set()
        self._ended.set()
        if self._task is not None:
            await self._task
