"""Commits what comes up at the same time in one transaction: whatever comes while one is under way is in the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.deadline import free
from bot.storage.engine import Database

AT_ONCE = 200  # in one commit

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Brought(Generic[T]):
    item: T
    kept: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Together(Generic[T]):
    def __init__(self, database: Database, write: Callable[[AsyncConnection, Sequence[T]], Awaitable[None]]) -> None:
        self._database = database
        self._write = write
        self._waiting: list[_Brought[T]] = []
        self._writer: asyncio.Task[None] | None = None

    async def keep(self, item: T) -> None:
        """It is committed when this returns; it will be, too, where whoever brought it is cancelled."""
        mine = _Brought(item)
        self._waiting.append(mine)
        if self._writer is None:
            self._writer = asyncio.create_task(self._work(), name="together", context=free())
        await asyncio.shield(mine.kept)

    async def _work(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                await self._commit(group)
        finally:
            self._writer = None

    async def _commit(self, group: Sequence[_Brought[T]]) -> None:
        try:
            async with self._database.transaction() as connection:
                await self._write(connection, [each.item for each in group])
        except Exception as error:  # noqa: BLE001  who waits for it has to hear
            await self._failed(error, group)
        else:
            for each in group:
                each.kept.set_result(None)

    async def _failed(self, error: Exception, group: Sequence[_Brought[T]]) -> None:
        """What no database takes hurts nobody but who brought it."""
        if len(group) == 1 or concerns_all(error):
            for each in group:
                each.kept.set_exception(error)
        else:
            for each in group:
                await self._commit([each])


def concerns_all(error: Exception) -> bool:
    """The database is away or takes nothing; where it can't be connected to, its driver's errors come as they are."""
    is_drivers = type(error).__module__.partition(".")[0] == "asyncpg"
    is_cut_off = isinstance(error, DBAPIError) and error.connection_invalidated
    return is_drivers or is_cut_off or isinstance(error, OperationalError | OSError)
