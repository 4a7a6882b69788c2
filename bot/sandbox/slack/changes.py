"""Ids, timestamps, background work, and the one place where everybody who waits for a change of the local Slack is woken."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bot.sandbox.slack.errors import NeverHappened

T = TypeVar("T")


class Changes:
    """Wakes those who wait whenever anything in the local Slack changes; nobody polls."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def notify(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    async def next(self) -> None:
        """Returns once anything has changed."""
        await self._next.wait()

    async def wait_for(self, happened: Callable[[], T | None], timeout: float, describe: Callable[[], str]) -> T:  # noqa: ASYNC109 - the deadline is part of the message
        """The first true value of `happened`, looked at after every change."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    changed = self._next
                    found = happened()
                    if found:
                        return found
                    await changed.wait()
        except TimeoutError:
            raise NeverHappened(f"not within {timeout} s; Slack shows:\n{describe()}") from None


class Background:
    """Work that nobody awaits, until everything stops."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        while self._tasks:  # whoever was just answered may not have heard the first time
            for task in list(self._tasks):
                task.cancel()
            done, _ = await asyncio.wait(self._tasks, timeout=0.2)
            await asyncio.gather(*done, return_exceptions=True)


class Ids:
    """Ids that are short, distinct and the same in every run."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def next(self, prefix: str) -> str:
        self._used[prefix] = self._used.get(prefix, 0) + 1
        return f"{prefix}{self._used[prefix]:04d}"


class Timestamps:
    """Message timestamps: the clock's time, and never one twice."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> str:
        self._last = max(self._last + 1, int(self._clock() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"
