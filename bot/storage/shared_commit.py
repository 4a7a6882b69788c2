"""Short pieces of writing that come at the same time share one commit: on an SQLite file each commit waits for the disk, and
only one can be under way.

A piece is a coroutine function of a connection. It may be run a second time, after what it wrote the first time was undone
with the pieces of others; what it raises undoes itself alone.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.deadline import free

AT_ONCE = 50  # pieces in one commit
WRITTEN_WITHIN = 10.0  # seconds, before the commit

T = TypeVar("T")
Transaction = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class _NotTogetherError(Exception):
    """One of them can't go with the others: it failed, or nobody waits for it any more."""


@dataclass(eq=False, slots=True)
class _Piece:
    write: Callable[[AsyncConnection], Awaitable[Any]]
    context: Context = field(default_factory=copy_context)  # of whoever waits: whom its log lines are about
    is_committing: bool = False
    done: "asyncio.Future[Any]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def run(self, connection: AsyncConnection) -> Any:
        return await asyncio.create_task(self._written(connection), context=self.context)

    async def _written(self, connection: AsyncConnection) -> Any:
        return await self.write(connection)


class SharedCommit:
    def __init__(self, transaction: Transaction, is_awaited: Callable[[], bool]) -> None:
        """`is_awaited`: somebody who goes first waits for the transaction to end; what is done then is committed."""
        self._transaction = transaction
        self._is_awaited = is_awaited
        self._waiting: deque[_Piece] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def write(self, piece: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What the piece answers, once it is committed."""
        mine = _Piece(piece)
        self._waiting.append(mine)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="writes", context=free())
        try:
            return await asyncio.shield(mine.done)
        except asyncio.CancelledError:
            if mine.is_committing:  # whoever goes on must not meet it half done
                await asyncio.wait({mine.done})
            mine.done.cancel()
            raise

    async def finish(self) -> None:
        if self._writer is not None:
            await asyncio.wait({self._writer}, timeout=WRITTEN_WITHIN)

    # -- the writer: at work while there is something to write ------------------------------------------------------

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._write_group()
        finally:
            self._writer = None

    async def _write_group(self, *, most: int = AT_ONCE) -> None:
        group: list[_Piece] = []
        try:
            async with self._transaction() as connection:
                group = self._next(most)  # whoever came while we waited for our turn goes with us
                answers = await self._run(connection, group)
        except _NotTogetherError:
            self._waiting.extendleft(reversed(group))
            for _ in group:
                await self._write_group(most=1)
        except Exception as error:  # noqa: BLE001  who waits for it has to hear
            for piece in group or self._next(most):
                if not piece.done.done():
                    piece.done.set_exception(error)
        else:
            for piece, answer in zip(group, answers, strict=True):
                piece.done.set_result(answer)

    def _next(self, most: int) -> list[_Piece]:
        group = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        return [piece for piece in group if not piece.done.done()]

    async def _run(self, connection: AsyncConnection, group: list[_Piece]) -> list[Any]:
        answers: list[Any] = []
        try:
            async with asyncio.timeout(WRITTEN_WITHIN):
                for piece in group:
                    if answers and self._is_awaited():
                        break
                    answers.append(await piece.run(connection))
        except Exception as error:
            if len(group) == 1:
                raise
            raise _NotTogetherError from error
        self._waiting.extendleft(reversed(group[len(answers) :]))
        del group[len(answers) :]
        if any(piece.done.done() for piece in group):
            raise _NotTogetherError
        for piece in group:  # from here on nothing is awaited but the commit
            piece.is_committing = True
        return answers
