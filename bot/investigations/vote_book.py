"""Votes on answers, written down and counted: whoever tells how an answer is judged asks here."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Label, Row, Select, Subquery, and_, bindparam, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.investigations.model import NO_VOTES, Votes
from bot.investigations.tables import CONCLUSIONS, EARLIER, SHARED, shares, votes
from bot.storage.engine import Database, wake
from bot.storage.tables import deliveries


class VoteBook:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(
        self, investigation_id: int, workspace: str, voter: str, *, helpful: bool, cause: str | None = None
    ) -> None:
        """The last vote of a person counts. Every answer that stands in the workspace says so."""
        values = {
            "investigation_id": investigation_id,
            "workspace": workspace,
            "voter": voter,
            "helpful": helpful,
            "voted_at": self._database.now,
            "cause": cause,
        }
        upserted = self._database.upsert(votes, values, key=("investigation_id", "workspace", "voter"))
        async with self._database.transaction() as connection:
            await connection.execute(upserted)
            await _show_anew(connection, workspace, investigation_id)

    async def of(self, workspace: str, investigation_id: int) -> Votes:
        of = {"of_workspace": workspace, "of_id": investigation_id}
        row = await self._database.first(_votes_on_one(), of)
        return read_votes(row) if row else NO_VOTES

    async def own(self, workspace: str, investigation_id: int, voter: str) -> bool | None:
        """Whether this person found it right; None for no vote."""
        table = votes.c
        theirs = (table.investigation_id == investigation_id, table.workspace == workspace, table.voter == voter)
        row = await self._database.first(select(table.helpful).where(*theirs))
        return bool(row.helpful) if row else None


async def _show_anew(connection: AsyncConnection, workspace: str, investigation_id: int) -> None:
    table, theirs = deliveries.c, shares.c.investigation_id == investigation_id
    shared = select(shares.c.id).where(theirs, shares.c.workspace == workspace)
    answers = and_(table.kind.in_([CONCLUSIONS, EARLIER]), table.subject_id == investigation_id)
    for shown in (answers, and_(table.kind == SHARED, table.subject_id.in_(shared))):
        anew = update(deliveries).where(shown, table.workspace == workspace).values(wanted=table.wanted + 1)
        if (await connection.execute(anew)).rowcount:
            wake(connection, deliveries)


@cache
def _votes_on_one() -> Select[Any]:
    workspace: Any = bindparam("of_workspace")
    counted = tally(workspace, [bindparam("of_id")])
    return select(counted, last_cause(workspace, counted.c.investigation_id))


async def votes_on(connection: AsyncConnection, workspace: str, ids: Sequence[int]) -> dict[int, Votes]:
    """Of several answers, those that somebody has judged; without what the causes really were."""
    rows = await connection.execute(select(tally(workspace, ids)))
    return {row.investigation_id: Votes(row.right, row.wrong) for row in rows}


def tally(workspace: str, of: Sequence[Any] | Select[Any]) -> Subquery:
    """A row for each of these investigations with a vote of the workspace: `investigation_id`, `right`, `wrong`."""
    table = votes.c
    counts = (func.sum(case((table.helpful.is_(is_right), 1), else_=0)).label(name) for name, is_right in _NAMES)
    theirs = (table.workspace == workspace, table.investigation_id.in_(of))
    return select(table.investigation_id, *counts).where(*theirs).group_by(table.investigation_id).subquery()


_NAMES = (("right", True), ("wrong", False))


def last_cause(workspace: str, investigation_id: ColumnElement[int]) -> Label[str | None]:
    """`really`: what it was, as who found the answer wrong has said last."""
    table = votes.c
    said = (table.cause.is_not(None), table.helpful.is_(False))
    query = select(table.cause).where(table.investigation_id == investigation_id, table.workspace == workspace, *said)
    return query.order_by(table.voted_at.desc()).limit(1).scalar_subquery().label("really")


def read_votes(row: Row[Any]) -> Votes:
    """With the last cause beside the tally; of an answer that nobody has judged both counts are missing."""
    return Votes(int(row.right or 0), int(row.wrong or 0), row.really or "")
