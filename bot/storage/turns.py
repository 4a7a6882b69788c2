"""One at a time, as on an SQLite file: whoever somebody waits for outside comes before all who wait in here."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

LONGEST = 60.0  # seconds: what has the turn does not give it back any more


class Turns:
    def __init__(self) -> None:
        self._is_taken = False
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    def first_waits(self) -> bool:
        """Whoever has the turn for something long had better make it short."""
        return any(not each.done() for each in self._first)

    @asynccontextmanager
    async def turn(self, *, first: bool = False) -> AsyncIterator[None]:
        if self._is_taken:
            await self._wait(self._first if first else self._others)
        self._is_taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, queue: deque[asyncio.Future[None]]) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(mine)
        try:
            async with asyncio.timeout(LONGEST):
                await mine
        except BaseException:
            if mine.done() and not mine.cancelled():  # it was given to us in the same moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """It stays taken until then: nobody who comes just now may slip in between."""
        for queue in (self._first, self._others):
            while queue:
                if not (waiting := queue.popleft()).done():
                    waiting.set_result(None)
                    return
        self._is_taken = False
