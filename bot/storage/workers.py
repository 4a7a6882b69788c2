"""Background work: tasks somebody holds on to, loops that sleep until their alarm rings, and how long things may take."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.deadline import free

logger = logging.getLogger(__name__)

FAR = 1800.0  # seconds
TRY_AGAIN_AFTER = 2.0  # seconds, when a round failed: the database may be back by then


class Tasks:
    """Tasks somebody holds on to; an error in one is logged and hurts no other."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        task = asyncio.create_task(self._guarded(work, name), name=name, context=free())
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


class Alarm:
    """When a sleeper has to look next. Of several times the earliest counts: whoever looks finds out about the others."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._earlier = asyncio.Event()
        self.at = math.inf

    def ring(self, after: float = 0.0) -> None:
        at = self._clock() + after
        if at < self.at:
            self.at = at
            self._earlier.set()

    async def wait(self) -> None:
        while (seconds := self.at - self._clock()) > 0:
            self._earlier.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._earlier.wait(), None if seconds == math.inf else seconds)
        self.at = math.inf


class Loop:
    """Takes one step whenever its alarm rings, every so many seconds, and when the step before said so; done when stopped."""

    def __init__(
        self, name: str, step: Callable[[], Awaitable[object]], alarm: Alarm, *, every: float = math.inf
    ) -> None:
        self.name = name
        self.alarm = alarm
        self._step = step
        self._every = every
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def _run(self) -> None:
        while True:
            await self.alarm.wait()
            if self._stopping:
                return
            await self.step()

    async def step(self) -> None:
        try:
            if isinstance(sooner := await self._step(), float):
                self.alarm.ring(sooner)
        except Exception:
            logger.exception("%s: this round failed, the next one follows", self.name)
            self.alarm.ring(TRY_AGAIN_AFTER)
        self.alarm.ring(self._every)

    async def stop(self) -> None:
        """Let the round under way end; rounds only claim and hand out, so this is quick."""
        self._stopping = True
        self.alarm.ring()
        if self._task is not None:
            await self._task


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take and how often we look; one object, so that tests run the same code in milliseconds."""

    settle: float = 20.0  # a request of ours may still land this long after we lost sight of it
    sweep: float = 2.0  # how often we look for due work that no wake told of: what another replica left
    lone_sweep: float = 30.0  # the same where no other process can have left any
    poll_first: float = 20.0
    poll: float = 15.0
    poll_slow: float = 60.0
    slow_after: float = 600.0
    deadline: float = 45 * 60.0
    patience: float = 300.0  # how long a Datadog that does not answer is asked again before we give up
    first_removal: float = 60.0  # old rows are let be while a start has more urgent things to do
    pace: float = 1.0  # between two posts of ours into one channel, as Slack asks
    look_attempts: int = 3  # looks for a run whose start has an unknown outcome

    @property
    def effect(self) -> float:
        """The longest one request may take: over before anyone else may take the work."""
        return self.settle * 0.75

    @property
    def lease(self) -> float:
        """Taken over no sooner than the last request of a dead process must have landed."""
        return self.effect + self.settle

    @property
    def far(self) -> float:
        """No wait of ours is longer: what is due later was written by a clock that has been set back since."""
        return max(FAR, 2 * self.lease, 2 * self.poll_slow)

    def backoff(self, attempt: int) -> float:
        return min(self.settle * 0.05 * float(2 ** min(attempt, 10)), self.settle * 3)
