"""What many ask for and seldom changes, kept in memory. What this process changes counts at once; of what another replica
has changed nobody here is more than two seconds behind."""

import math
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from sqlalchemy import Table

from bot.storage.engine import Database

LASTS = 2.0  # seconds, where others can change it
MOST = 10_000

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """`read` finds it in the database; `of` are the tables it stands in, or what `wake` is called with when it changes."""

    def __init__(self, database: Database, read: Callable[[K], Awaitable[V]], *of: Table | str) -> None:
        self._database = database
        self._read = read
        self._lasts = math.inf if database.is_sqlite else LASTS  # the file is one process's own
        self._values: dict[K, tuple[float, V]] = {}
        self._changes = 0
        database.on_change(self._forget, *of)

    async def get(self, key: K) -> V:
        began = self._database.ticks()
        if key in self._values:
            until, value = self._values[key]
            if began < until:
                return value
        changes = self._changes
        value = await self._read(key)
        if changes == self._changes:  # else it may have been read before the change
            if len(self._values) >= MOST:
                self._values.clear()
            self._values[key] = (began + self._lasts, value)
        return value

    def _forget(self) -> None:
        self._changes += 1
        self._values.clear()
