"""What may be said of the runs that Datadog lists: which are somebody's for certain, and which starts still wait for theirs.

Also of workspaces that have left: what was started for them still shows, and must not be taken for another's.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, literal, or_, select, union_all

from bot.investigations.model import State
from bot.investigations.tables import LOOKED_FOR, investigations, left_starts
from bot.investigations.whose_run import OpenStart
from bot.storage.engine import Database


async def known_runs(database: Database, org: str, ids: Iterable[str]) -> set[str]:
    """Of these runs, those that are known to be somebody's."""
    listed = list(ids)
    theirs = (
        select(table.c.datadog_id).where(table.c.org == org, table.c.datadog_id.in_(listed))
        for table in (investigations, left_starts)
    )
    return {row.datadog_id for row in await database.all(union_all(*theirs))}


async def open_starts(database: Database, org: str, monitor_id: int | None) -> list[OpenStart]:
    """Those whose runs may show up in the same list; a monitor's list shows only its own."""
    waits = or_(investigations.c.state == State.TRIGGERING, LOOKED_FOR)
    ours = _starts(investigations, org, monitor_id, waits, is_ours=True)
    left = _starts(left_starts, org, monitor_id, left_starts.c.datadog_id.is_(None), is_ours=False)
    return [
        OpenStart(row.id if row.is_ours else -row.id, frozenset(row.before_ids or ()), row.created_at, row.finished_at)
        for query in (ours, left)
        for row in await database.all(query)
    ]


def _starts(
    table: Table, org: str, monitor_id: int | None, which: ColumnElement[bool], *, is_ours: bool
) -> Select[Any]:
    columns = (
        table.c.id,
        table.c.before_ids,
        table.c.created_at,
        table.c.finished_at,
        literal(is_ours).label("is_ours"),
    )
    query = select(*columns).where(table.c.org == org, which)
    return query if monitor_id is None else query.where(table.c.monitor_id == monitor_id)
