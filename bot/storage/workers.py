"""Background work: tasks somebody holds on to, loops that sleep until their alarm rings, and how long things may take."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from bot.deadline import free
from bot.storage.troubles import troubles

FAR = 1800.0  # seconds
STEP_WITHIN = 45.0  # a step asks the database a few things, each of which has an end of its own well before that
STANDS_STILL_AFTER = 15.0
STUCK_AFTER = 2 * STEP_WITHIN  # its own end has come and gone: nothing but a new start helps
FAILS_AFTER = 3  # rounds in a row
ENDS_WITHIN = 3.0  # what was cancelled
MOST_SELDOM = 15.0
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
        kind = name.split(" ", 1)[0]
        try:
            await work
        except Exception as error:  # noqa: BLE001  it is told, and whatever it was about comes back by its lease
            troubles.met(kind, error)
        else:
            troubles.over(kind)

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
            await asyncio.wait(late, timeout=ENDS_WITHIN)


class Alarm:
    """When a sleeper has to look next. Of several times the earliest counts: whoever looks finds out about the others;
    one that is lasting rings at each of them."""

    def __init__(self, clock: Callable[[], float], *, lasting: bool = False) -> None:
        self._clock = clock
        self._earlier = asyncio.Event()
        self._times: list[float] | None = [] if lasting else None
        self.at = math.inf

    def ring(self, after: float = 0.0) -> None:
        at = self._clock() + after
        if self._times is not None and at < math.inf:
            heappush(self._times, at)
        if at < self.at:
            self.at = at
            self._earlier.set()

    async def wait(self) -> None:
        while (seconds := self.at - self._clock()) > 0:
            self._earlier.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._earlier.wait(), None if seconds == math.inf else seconds)
        self.off()

    def off(self) -> None:
        """Whoever slept looks now."""
        now = self._clock()
        while self._times and self._times[0] <= now:
            heappop(self._times)
        self.at = self._times[0] if self._times else math.inf


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
        self._began_at: float | None = None  # the step under way
        self._failures = 0  # in a row

    def start(self, let_pass: Callable[[], Awaitable[None]] | None = None) -> None:
        """`let_pass` returns when what is more urgent than any work in the background has gone by."""
        self._task = asyncio.create_task(self._run(let_pass), name=self.name)

    async def _run(self, let_pass: Callable[[], Awaitable[None]] | None) -> None:
        while True:
            await self.alarm.wait()
            if let_pass is not None:
                await let_pass()
            if self._stopping:
                return
            await self.step()

    async def step(self) -> None:
        self._began_at = time.monotonic()
        try:
            async with asyncio.timeout(STEP_WITHIN):
                sooner = await self._step()
        except Exception as error:  # noqa: BLE001  it is told, and the next round follows
            troubles.met(self.name, error)
            self._failures += 1
            self.alarm.ring(min(TRY_AGAIN_AFTER * self._failures, MOST_SELDOM))
        else:
            troubles.over(self.name)
            self._failures = 0
            if isinstance(sooner, float):
                self.alarm.ring(sooner)
        finally:
            self._began_at = None
        self.alarm.ring(self._every)

    @property
    def _lasts(self) -> float:
        """How long the step under way has taken by now."""
        return 0.0 if self._began_at is None else time.monotonic() - self._began_at

    @property
    def is_stuck(self) -> bool:
        has_ended = self._task is not None and self._task.done() and not self._stopping
        return has_ended or self._lasts > STUCK_AFTER

    @property
    def problem(self) -> str:
        """What is wrong with it, if anything is."""
        if self.is_stuck:
            return f"{self.name} is stuck: only a new start ends that"
        if (lasts := self._lasts) > STANDS_STILL_AFTER:
            return f"{self.name} has stood still for {lasts:.0f} s"
        return f"{self.name} has failed {self._failures} times in a row" if self._failures >= FAILS_AFTER else ""

    async def stop(self, within: float = STEP_WITHIN) -> None:
        """Let the round under way end; rounds only claim and hand out, so this is quick where the database answers."""
        self._stopping = True
        self.alarm.ring()
        if self._task is not None:
            with suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(self._task, within)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take and how often we look; one object, so that tests run the same code in milliseconds."""

    settle: float = 20.0  # a request of ours may still land this long after we lost sight of it
    sweep: float = 2.0  # how often we look for due work that no wake told of: what another replica left
    lone_sweep: float = 60.0  # the same where no other process can have left any
    poll_first: float = 20.0
    poll: float = 15.0
    poll_slow: float = 60.0
    slow_after: float = 600.0
    deadline: float = 45 * 60.0
    patience: float = 300.0  # how long a Datadog that does not answer is asked again before we give up
    silence: float = 8.0  # how long whoever waits for a look-up hears nothing
    first_removal: float = 60.0  # old rows are let be while a start has more urgent things to do
    pace: float = 1.0  # between two posts of ours into one channel, as Slack asks
    follow: float = 60.0  # how often open cases are looked at to which something has just happened
    gather: float = 3.0  # for how long word of changed cases is gathered before one look at all of them
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
