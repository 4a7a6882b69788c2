"""What runs in the background, in one hand: loops to start and wake, what has to end, who wants to know of a departure."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.storage.workers import Loop
from bot.workspaces.departures import Forget

Close = Callable[[float], Awaitable[None]]


class Worker(Protocol):
    async def step(self) -> float | None: ...
    async def close(self, within: float) -> None: ...


class Workers:
    def __init__(self) -> None:
        self.loops: list[Loop] = []
        self.closers: list[Close] = []
        self.on_uninstall: list[Forget] = []  # called with a workspace that has removed the bot

    def employ(self, name: str, worker: Worker, *, every: float) -> None:
        self.loops.append(Loop(name, worker.step, every=every))
        self.closers.append(worker.close)

    def repeat(self, name: str, step: Callable[[], Awaitable[float | None]], *, every: float) -> None:
        """For work that needs no end of its own."""
        self.loops.append(Loop(name, step, every=every))

    def wake(self) -> None:
        for loop in self.loops:
            loop.wake.set()

    def start(self) -> None:
        for loop in self.loops:
            loop.start()

    async def stop(self, within: float) -> None:
        """First nothing new is begun, then what is mid-step gets its time."""
        for loop in self.loops:
            await loop.stop()
        await asyncio.gather(*(close(within) for close in self.closers))
