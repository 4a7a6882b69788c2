"""Which cases are looked at in Datadog again: those that are open and have a card, for as long as something happens to them.

Kept within the transactions that change a case. Nothing here calls Datadog or Slack.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Float, Row, and_, case, cast, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cases.model import CaseFacts
from bot.cases.tables import CASE_CARD, case_follows
from bot.storage.engine import Database, wake
from bot.storage.tables import deliveries, newly_due


def is_over(facts: CaseFacts) -> bool:
    """Nothing of a closed or archived case is asked any more."""
    return facts.status == "CLOSED" or facts.archived


async def follow(database: Database, connection: AsyncConnection, row: Row[Any], soon: float) -> None:
    """From now on; of a case that is followed already it is only noted that something happens to it."""
    if row.gone or is_over(row.shown) or await _go_on(database, connection, row.id, soon):
        return
    now = database.now
    values = {"case_row": row.id, "org": row.org, "changed_at": now, "comments": row.shown.comments}
    values |= {**newly_due(now), "due_at": _soon(now, soon)}
    await connection.execute(database.insert_new(case_follows).values(values))
    wake(connection, case_follows, after=soon)


async def changed(database: Database, connection: AsyncConnection, row: Row[Any], soon: float) -> None:
    """What people see of a case has changed: it is looked at more often again, or no more."""
    if row.gone or is_over(row.shown):
        await end(connection, row.id)
    elif await _has_card(connection, row.id):
        await follow(database, connection, row, soon)


async def end(connection: AsyncConnection, *case_rows: int) -> None:
    await connection.execute(delete(case_follows).where(case_follows.c.case_row.in_(case_rows)))


async def _go_on(database: Database, connection: AsyncConnection, case_row: int, soon: float) -> bool:
    table, sooner = case_follows.c, _soon(database.now, soon)
    waits = and_(table.owner.is_(None), table.due_at > sooner)
    noted = update(case_follows).where(table.case_row == case_row)
    values = {"changed_at": database.now, "due_at": case({waits: sooner}, else_=table.due_at)}
    wake(connection, case_follows, after=soon)
    return bool((await connection.execute(noted.values(values))).rowcount)


async def _has_card(connection: AsyncConnection, case_row: int) -> bool:
    table = deliveries.c
    query = select(table.id).where(table.kind == CASE_CARD, table.subject_id == case_row).limit(1)
    return (await connection.execute(query)).first() is not None


# -- Datadog says that something has changed ----------------------------------------------------------------------------

PAUSE = 5.0  # times as long as word is gathered: no look follows another sooner, however often Datadog says so


@dataclass(eq=False)
class CaseHints:
    """All cases that are followed in an organisation are looked at together, soon: which one has changed is not told."""

    database: Database
    gather: float
    clock: Callable[[], float] = time.monotonic
    _noted_at: dict[str, float] = field(default_factory=dict, init=False)

    async def take(self, org: str) -> bool:
        """False where that is to be done already: no look begins before word was gathered for a while."""
        now = self.clock()
        self._noted_at = {name: at for name, at in self._noted_at.items() if now - at < self.gather / 2}
        if org in self._noted_at:
            return False
        async with self.database.transaction() as connection:
            is_new = await self._note(connection, org)
        self._noted_at[org] = now
        return is_new

    async def _note(self, connection: AsyncConnection, org: str) -> bool:
        table, now = case_follows.c, self.database.now
        others = case_follows.alias()
        paused_until = select(func.max(others.c.not_before)).where(others.c.org == org).scalar_subquery()
        soon = look_after_word(now, self.gather, paused_until)
        its = update(case_follows).where(table.org == org)
        held = await connection.execute(its.where(table.owner.is_not(None)).values(hinted_at=now))
        sooner = its.where(table.owner.is_(None), table.due_at > soon).values(hinted_at=now, due_at=soon)
        waits = (await connection.execute(sooner.returning(table.due_at - now))).scalars().all()
        if waits:
            wake(connection, case_follows, after=max(min(waits), 0.0))
        return bool(waits or held.rowcount)


def look_after_word(at: ColumnElement[float], gather: float, paused_until: ColumnElement[Any]) -> ColumnElement[float]:
    soon = next_round(at + gather, gather)
    return case((paused_until > soon, paused_until), else_=soon)


# -- when they are looked at ------------------------------------------------------------------------------------------


def _soon(now: ColumnElement[float], interval: float) -> ColumnElement[float]:
    return next_round(now + interval / 2, interval)


def next_round(now: ColumnElement[float], interval: float) -> ColumnElement[float]:
    """The next whole multiple of the interval: cases that wait equally long, or a multiple of it, come due together."""
    return cast(cast(func.round(now / interval - 0.5), BigInteger) + 1, Float) * interval
