"""Claiming rows by lease, for any table with `due_at`, `owner` and `attempt`.

A claim says who works on a row until when; every outcome is written under the fence (owner and attempt), so a
process that was frozen or given up for dead can no longer write.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, Update, and_, case, select, update

from bot.storage.engine import Database


def new_owner() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Fence:
    id: int
    owner: str
    attempt: int

    def holds(self, table: Table) -> ColumnElement[bool]:
        return and_(table.c.id == self.id, table.c.owner == self.owner, table.c.attempt == self.attempt)


class Leases:
    def __init__(self, database: Database, table: Table, *, owner: str, lease: float) -> None:
        self._database = database
        self._table = table
        self._owner = owner
        self._lease = lease

    async def claim(self, due: ColumnElement[bool], limit: int) -> list[Row[Any]]:
        """Take up to `limit` rows that are due; one statement, so nobody else can take the same ones."""
        async with self._database.transaction() as connection:
            rows = (await connection.execute(self._claim(due, limit))).all()
        return sorted(rows, key=lambda row: row.id)

    def _claim(self, due: ColumnElement[bool], limit: int) -> Update:
        table, now = self._table, self._database.now
        # as a CTE it is read once: PostgreSQL may run a subquery again and take more than the limit
        chosen = (
            select(table.c.id)
            .where(due, table.c.due_at <= now)
            .order_by(table.c.due_at, table.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("chosen")
        )
        return (
            update(table)
            .where(table.c.id.in_(select(chosen.c.id)))
            .values(owner=self._owner, due_at=now + self._lease, attempt=table.c.attempt + 1)
            .returning(*table.c)
        )

    def fence(self, row: Row[Any]) -> Fence:
        return Fence(row.id, self._owner, row.attempt)

    async def settle_old(self, unsettled: ColumnElement[bool], settle: float) -> None:
        """On the only process of a database: what a dead one held comes back once its requests must have landed."""
        table, now = self._table, self._database.now
        sooner = case((table.c.due_at < now + settle, table.c.due_at), else_=now + settle)
        async with self._database.transaction() as connection:
            await connection.execute(
                update(table).where(table.c.owner.is_not(None), unsettled).values(due_at=sooner, owner=None)
            )

    async def hand_back(self, unsettled: ColumnElement[bool], settle: float) -> None:
        """At a clean stop: what is still ours becomes free, after the settle time if its outcome is open."""
        table, now = self._table, self._database.now
        due = case((unsettled, now + settle), else_=now)
        async with self._database.transaction() as connection:
            await connection.execute(update(table).where(table.c.owner == self._owner).values(due_at=due, owner=None))
