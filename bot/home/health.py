"""How things stand, from our own books only: what runs, what channels refused, when Datadog last answered."""

from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.investigations.model import Investigation, State
from bot.investigations.repository import read_investigation
from bot.investigations.tables import investigations, subscribers
from bot.model import Place
from bot.storage.engine import Database
from bot.storage.outbox import REFUSED
from bot.storage.tables import deliveries

LATELY = 24 * 3600.0
_UNDER_WAY = (State.REQUESTED, State.TRIGGERING, State.RUNNING)
_NO_TROUBLE = ("workspace_gone", "nothing_to_show")  # refused, but nobody misses them


@dataclass(frozen=True, slots=True)
class WorkspaceHealth:
    running: int  # in the whole workspace
    running_here: tuple[Investigation, ...]
    refused_posts: int  # in the last day
    datadog_answered_at: float | None = None
    datadog_refused_at: float | None = None
    datadog_trouble: str = ""


class HealthReader:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, place: Place, org: str) -> WorkspaceHealth:
        async with self._database.transaction() as connection:
            refused_at, trouble = await self._trouble(connection, org)
            return WorkspaceHealth(
                running=await self._running(connection, place.workspace),
                running_here=await self._running_here(connection, place),
                refused_posts=await self._refused(connection, place.workspace),
                datadog_answered_at=await self._answered_at(connection, org),
                datadog_refused_at=refused_at,
                datadog_trouble=trouble,
            )

    async def _running(self, connection: AsyncConnection, workspace: str) -> int:
        asked_here = select(subscribers.c.investigation_id).where(subscribers.c.workspace == workspace)
        table = investigations.c
        query = select(func.count()).where(table.id.in_(asked_here), table.state.in_(_UNDER_WAY))
        return int((await connection.execute(query)).scalar_one())

    async def _running_here(self, connection: AsyncConnection, place: Place) -> tuple[Investigation, ...]:
        asked_here = select(subscribers.c.investigation_id).where(
            subscribers.c.workspace == place.workspace, subscribers.c.channel == place.channel
        )
        table = investigations.c
        query = select(investigations).where(table.id.in_(asked_here), table.state.in_(_UNDER_WAY))
        rows = await connection.execute(query.order_by(table.id.desc()).limit(5))
        return tuple(read_investigation(row) for row in rows.all())

    async def _refused(self, connection: AsyncConnection, workspace: str) -> int:
        table = deliveries.c
        query = select(func.count()).where(
            table.workspace == workspace,
            table.state == REFUSED,
            table.ts.is_(None),
            table.problem.is_not(None),
            table.problem.not_in(_NO_TROUBLE),
            table.created_at > self._database.now - LATELY,
        )
        return int((await connection.execute(query)).scalar_one())

    async def _answered_at(self, connection: AsyncConnection, org: str) -> float | None:
        """When Datadog last took a start or told us an end."""
        table = investigations.c
        ended = func.max(case((table.state == State.CONCLUDED, table.finished_at)))
        query = select(func.max(table.started_at), ended).where(table.org == org, table.datadog_id.is_not(None))
        times = [float(time) for time in (await connection.execute(query)).one() if time is not None]
        return max(times, default=None)

    async def _trouble(self, connection: AsyncConnection, org: str) -> tuple[float | None, str]:
        """The last start Datadog did not take, and why."""
        table = investigations.c
        query = (
            select(investigations)
            .where(table.org == org, table.state == State.FAILED, table.datadog_id.is_(None))
            .order_by(table.finished_at.desc())
            .limit(1)
        )
        row = (await connection.execute(query)).first()
        if row is None:
            return None, ""
        return row.finished_at, str(row.failure.kind) if row.failure else ""
