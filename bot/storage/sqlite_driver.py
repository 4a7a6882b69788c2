"""SQLite's connection in a thread of its own, spoken to seldom: a statement with all its rows is one errand to that thread.

The driver's own way makes four of it, and a fifth of BEGIN; on a busy machine each is two waits for a turn at the processor.
"""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite

_Rows = list[Any]


class Connection(aiosqlite.Connection):
    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True
        self._is_to_begin = False
        self._has_begun = False

    def begin(self) -> None:
        """Goes with the first statement; where none comes there is nothing to end."""
        self._is_to_begin = True

    def cursor(self) -> "Cursor":  # type: ignore[override]  # as much of one as SQLAlchemy asks for
        return Cursor(self)

    async def errand(self, work: Callable[[sqlite3.Cursor], _Rows]) -> _Rows:
        begins, self._is_to_begin = self._is_to_begin, False  # not in the thread: a rollback must know of it at once
        self._has_begun |= begins
        return await self._execute(self._do, work, begins)  # type: ignore[no-untyped-call,no-any-return]

    def _do(self, work: Callable[[sqlite3.Cursor], _Rows], begins: bool) -> _Rows:
        cursor = self._conn.cursor()
        try:
            if begins:
                cursor.execute("BEGIN")
            return work(cursor)
        finally:
            cursor.close()

    async def commit(self) -> None:
        if self._ends():
            await super().commit()

    async def rollback(self) -> None:
        if self._ends():
            await super().rollback()

    def _ends(self) -> bool:
        """Whether there is something to end: a statement for itself is over by itself."""
        has_begun, self._is_to_begin, self._has_begun = self._has_begun, False, False
        return has_begun


class Cursor:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: _Rows = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> Self:
        self._rows = await self._connection.errand(partial(self._execute, statement, parameters))
        return self

    async def executemany(self, statement: str, parameters: Sequence[Any]) -> Self:
        self._rows = await self._connection.errand(partial(self._executemany, statement, parameters))
        return self

    async def fetchall(self) -> _Rows:
        return self._rows

    async def close(self) -> None:
        """It was, in the errand."""

    def _execute(self, statement: str, parameters: Any, cursor: sqlite3.Cursor) -> _Rows:
        cursor.execute(statement, parameters)
        return self._outcome(cursor)

    def _executemany(self, statement: str, parameters: Sequence[Any], cursor: sqlite3.Cursor) -> _Rows:
        cursor.executemany(statement, parameters)
        return self._outcome(cursor)

    def _outcome(self, cursor: sqlite3.Cursor) -> _Rows:
        rows = cursor.fetchall() if cursor.description else []
        # counted only once all rows are out
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        return rows


def connect(database: str, **options: Any) -> Connection:
    return Connection(partial(sqlite3.connect, database, **options))
