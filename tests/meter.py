"""Counts what something costs: transactions of a database with their statements, and functions of ours that run."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import CacheStats

import bot
from bot.storage.engine import Database


class Meter:
    def __init__(self, database: Database) -> None:
        self.reset()
        for engine in {database.engine, database._first}:
            event.listen(engine.sync_engine, "begin", self._begun)
            event.listen(engine.sync_engine, "before_cursor_execute", self._asked)

    def reset(self) -> None:
        self.transactions = self.statements = 0
        self.built: list[str] = []  # those that SQLAlchemy wrote out, which takes longer than to run them

    def _begun(self, connection: Connection) -> None:
        """A statement for itself is none."""
        options = connection.get_execution_options()
        self.transactions += not (options.get("alone") or options.get("isolation_level") == "AUTOCOMMIT")

    def _asked(
        self, _connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool
    ) -> None:
        if statement != "BEGIN":
            self.statements += 1
        if context.compiled is not None and context.cache_hit is not CacheStats.CACHE_HIT:
            self.built.append(statement)


_BOT = f"{Path(bot.__file__).parent}/"


@contextmanager
def functions_run(until: type, method: str, patch: pytest.MonkeyPatch) -> Iterator[set[tuple[str, str]]]:
    """File and name of each function of the bot that runs before this method is called; the sandbox's are not the bot's."""
    seen: set[tuple[str, str]] = set()
    called = getattr(until, method)

    def note(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        ours = code.co_filename.startswith(_BOT) and not code.co_filename.startswith(f"{_BOT}sandbox/")
        if event == "call" and ours and not code.co_name.startswith("<"):
            seen.add((code.co_filename.removeprefix(_BOT), code.co_qualname))

    def reached(*given: Any, **named: Any) -> Any:
        sys.setprofile(None)
        return called(*given, **named)

    patch.setattr(until, method, reached)
    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(None)
