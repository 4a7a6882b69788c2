"""What the team knows of a monitor already: how often it was investigated, what its last cause was, and how people judged
that. From our own tables, in one statement that reads the latest runs of one monitor."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, Select, bindparam, case, func, select

from bot.investigations.model import LATELY, MOST_COUNTED, Investigation, SeenBefore, State, Verdict
from bot.investigations.records import asked_for_in
from bot.investigations.tables import investigations
from bot.investigations.vote_book import last_cause, read_votes, tally
from bot.model import AlertRef, MonitorRef
from bot.storage.engine import Database
from bot.storage.tables import literally


class SeenBeforeReader:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, workspace: str, org: str, subject: AlertRef | MonitorRef | None) -> SeenBefore | None:
        """None where nothing is known: of a subject that is no monitor, too."""
        return await self._read(workspace, org, subject.monitor_id, besides=0) if subject and org else None

    async def beside(self, workspace: str, running: Investigation) -> SeenBefore | None:
        """What else is known while one runs; with what Datadog listed just before it was started."""
        if running.alert is None:
            return None
        seen = await self._read(workspace, running.org, running.alert.monitor_id, besides=running.id)
        elsewhere = await self._elsewhere(running)
        if seen is None and not elsewhere:
            return None
        return replace(seen or SeenBefore(0), elsewhere=elsewhere)

    async def _read(self, workspace: str, org: str, monitor_id: int, *, besides: int) -> SeenBefore | None:
        of = {"of_workspace": workspace, "of_org": org, "of_monitor": monitor_id, "besides": besides}
        row = await self._database.first(self._database.once(_known), of | self._database.at_moment)
        return _seen(row) if row is not None and row.times else None

    async def _elsewhere(self, running: Investigation) -> int:
        if not running.listed_before:
            return 0
        table = investigations.c
        ours = select(table.datadog_id).where(table.org == running.org, table.datadog_id.in_(running.listed_before))
        return len(set(running.listed_before) - {row.datadog_id for row in await self._database.all(ours)})


def _known(database: Database) -> Select[Any]:
    table = investigations.c
    workspace: Any = bindparam("of_workspace")
    runs = (
        select(table.id, table.verdict)
        .where(table.org == bindparam("of_org"), table.monitor_id == bindparam("of_monitor"))
        .where(literally(table.state, State.CONCLUDED), table.created_at > database.moment - LATELY)
        .where(table.id != bindparam("besides"), asked_for_in(workspace))
        .order_by(table.created_at.desc())
        .limit(MOST_COUNTED)
        .subquery()
    )
    found_one = case((runs.c.verdict == Verdict.CONCLUSIVE, runs.c.id))
    counted = select(func.count().label("times"), func.max(found_one).label("answer")).select_from(runs).subquery()
    judged = tally(workspace, select(counted.c.answer))
    return select(
        counted.c.times,
        counted.c.answer,
        table.conclusions,
        func.coalesce(table.finished_at, table.created_at).label("answered_at"),
        judged.c.right,
        judged.c.wrong,
        last_cause(workspace, counted.c.answer),
    ).select_from(
        counted.outerjoin(investigations, table.id == counted.c.answer).outerjoin(
            judged, judged.c.investigation_id == counted.c.answer
        )
    )


def _seen(row: Row[Any]) -> SeenBefore:
    if not row.conclusions:
        return SeenBefore(row.times)
    cause = row.conclusions[0].title
    return SeenBefore(row.times, row.answer, cause, row.answered_at, read_votes(row))
