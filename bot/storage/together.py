"""What comes up at the same time is written in one transaction, or read in one statement: whatever comes while one is under
way is in the next."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.deadline import free
from bot.storage.engine import Database

AT_ONCE = 200  # in one commit

K = TypeVar("K")
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
        items = [each.item for each in group]
        try:
            await self._database.together(lambda connection: self._write(connection, items))
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


class ReadTogether(Generic[K, T]):
    """Whoever asks gets what is read from then on, never what was read before."""

    def __init__(self, read: Callable[[Sequence[K]], Awaitable[Mapping[K, T]]]) -> None:
        self._read = read
        self._asked: dict[K, asyncio.Future[T | None]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def get(self, key: K) -> T | None:
        if key not in self._asked:
            self._asked[key] = asyncio.get_running_loop().create_future()
        mine = self._asked[key]
        if self._reader is None:
            self._reader = asyncio.create_task(self._work(), name="read together", context=free())
        return await asyncio.shield(mine)

    async def _work(self) -> None:
        try:
            while self._asked:
                group, self._asked = self._asked, {}
                await self._answer(group)
        finally:
            self._reader = None

    async def _answer(self, group: Mapping[K, "asyncio.Future[T | None]"]) -> None:
        try:
            found = await self._read(list(group))
        except Exception as error:  # noqa: BLE001  who waits for it has to hear
            for answer in group.values():
                answer.set_exception(error)
        else:
            for key, answer in group.items():
                answer.set_result(found.get(key))


def concerns_all(error: Exception) -> bool:
    """The database is away or takes nothing; where it can't be connected to, its driver's errors come as they are."""
    is_drivers = type(error).__module__.partition(".")[0] == "asyncpg"
    is_cut_off = isinstance(error, DBAPIError) and error.connection_invalidated
    return is_drivers or is_cut_off or isinstance(error, OperationalError | OSError)
