"""Counts what a database is asked to do: transactions, and the statements in them."""

from typing import Any

from sqlalchemy import event

from bot.storage.engine import Database


class Meter:
    def __init__(self, database: Database) -> None:
        self.transactions = 0
        self.statements = 0
        event.listen(database.engine.sync_engine, "begin", self._begun)
        event.listen(database.engine.sync_engine, "before_cursor_execute", self._asked)

    def reset(self) -> None:
        self.transactions = self.statements = 0

    def _begun(self, *_: Any) -> None:
        self.transactions += 1

    def _asked(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement != "BEGIN":
            self.statements += 1
