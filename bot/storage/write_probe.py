"""Whether the database takes what is written: a small write, made and committed when somebody asks, at most every ten seconds."""

import asyncio
import time
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.storage.engine import Database

GOOD_FOR = 10.0
ANSWERS_WITHIN = 2.0

# on a full disk a change of what is there may still work: this one needs room, and gives it back
_ON_SQLITE = (
    "CREATE TABLE write_probe (filling BLOB)",
    "INSERT INTO write_probe VALUES (zeroblob(32768))",
    "DROP TABLE write_probe",
)
_ON_POSTGRES = ("UPDATE alembic_version SET version_num = version_num",)


class WriteProbe:
    def __init__(
        self,
        database: Database,
        *,
        within: float = ANSWERS_WITHIN,
        good_for: float = GOOD_FOR,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._within = within
        self._good_for = good_for
        self._clock = clock
        self._writing: asyncio.Task[str] | None = None
        self._good_until = 0.0

    async def problem(self) -> str:
        """What is wrong, if anything is. Never two writes at a time: over a dead line they would only pile up."""
        if self._clock() < self._good_until:
            return ""
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="write probe")
            self._writing.add_done_callback(self._written)
        writing = self._writing
        done, _ = await asyncio.wait({writing}, timeout=self._within)
        return writing.result() if done else f"the database has not taken a write within {self._within:g} s"

    async def stop(self) -> None:
        if self._writing is not None:
            self._writing.cancel()

    async def _write(self) -> str:
        try:
            async with self._database.transaction() as connection:
                for statement in _ON_SQLITE if self._database.is_sqlite else _ON_POSTGRES:
                    await connection.execute(text(statement))
        except Exception as error:  # noqa: BLE001  any reason means: nothing can be kept
            return f"the database takes no write ({_named(error)})"
        self._good_until = self._clock() + self._good_for
        return ""

    def _written(self, _writing: asyncio.Task[str]) -> None:
        self._writing = None


def _named(error: Exception) -> str:
    """In the driver's word, as in SQLITE_FULL: what it says besides may name who and where."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return str(getattr(cause, "sqlite_errorname", "") or type(cause.__cause__ or cause).__name__)
