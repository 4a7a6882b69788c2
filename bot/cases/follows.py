"""Which cases are looked at in Datadog again: those that are open and have a card, for as long as something happens to them.

Kept within the transactions that change a case. Nothing here calls Datadog or Slack.
"""

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


def _soon(now: ColumnElement[float], interval: float) -> ColumnElement[float]:
    return next_round(now + interval / 2, interval)


def next_round(now: ColumnElement[float], interval: float) -> ColumnElement[float]:
    """The next whole multiple of the interval: cases that wait equally long, or a multiple of it, come due together."""
    return cast(cast(func.round(now / interval - 0.5), BigInteger) + 1, Float) * interval
