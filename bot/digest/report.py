"""What a channel's week was like, read from our own books: what was investigated and found, what it cost, what stays open."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import Column, ColumnElement, Table, and_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.tables import ALERT_CARD, alert_cycles
from bot.cases.tables import case_places, cases
from bot.investigations.model import NO_VOTES, Investigation, Votes
from bot.investigations.records import read_investigation
from bot.investigations.subject_view import subject_name
from bot.investigations.tables import investigations, subscribers
from bot.investigations.vote_book import votes_on
from bot.orgs.model import DEFAULT
from bot.orgs.repository import OrgRepository
from bot.rules.tables import charges
from bot.storage.engine import Database
from bot.storage.tables import deliveries

WEEK = 7 * 24 * 3600.0
MOST_RUNS = 500
MOST_CYCLES = 5_000
MOST_CASES = 50
MOST_NOISY = 5
_OPEN_FOR = 30 * 24 * 3600.0  # an open case that nobody here touched for longer is not this week's


@dataclass(frozen=True, slots=True)
class ReportedRun:
    investigation: Investigation
    votes: Votes = NO_VOTES  # in this workspace

    @property
    def name(self) -> str:
        return subject_name(self.investigation)

    @property
    def cause(self) -> str:
        found = self.investigation.conclusions
        return found[0].title if found else ""

    @property
    def took(self) -> float | None:
        begun, ended = self.investigation.started_at, self.investigation.finished_at
        return ended - begun if begun is not None and ended is not None and self.cause else None


@dataclass(frozen=True, slots=True)
class OpenCase:
    org: str
    name: str
    title: str
    status: str


@dataclass(frozen=True, slots=True)
class ChannelReport:
    since: float
    until: float
    runs: tuple[ReportedRun, ...] = ()  # newest first
    charged: int = 0  # starts of this channel that count
    automatic: int = 0  # of those
    open_cases: tuple[OpenCase, ...] = ()
    noisiest: tuple[tuple[str, int], ...] = ()  # monitors by their name, with their alerts

    @property
    def is_empty(self) -> bool:
        return not (self.runs or self.open_cases or self.noisiest)

    @property
    def usual_seconds(self) -> float | None:
        took = [run.took for run in self.runs if run.took is not None]
        return median(took) if took else None


@dataclass(frozen=True, slots=True)
class _Week:
    """Whose and which."""

    workspace: str
    channel: str
    since: float
    until: float

    def here(self, table: Table) -> ColumnElement[bool]:
        return and_(table.c.workspace == self.workspace, table.c.channel == self.channel)

    def lately(self, column: Column[float]) -> ColumnElement[bool]:
        return and_(column >= self.since, column < self.until)


@dataclass(frozen=True, slots=True)
class ReportReader:
    database: Database
    orgs: OrgRepository

    async def lately(self, workspace: str, channel: str) -> ChannelReport:
        """Of the last seven days."""
        ((now,),) = await self.database.all(select(self.database.now))
        return await self.of(workspace, channel, float(now) - WEEK, float(now))

    async def of(self, workspace: str, channel: str, since: float, until: float) -> ChannelReport:
        week = _Week(workspace, channel, since, until)
        withheld = await self.orgs.withholds(DEFAULT, workspace)

        def seen(table: Table) -> ColumnElement[bool]:
            return table.c.org != DEFAULT if withheld else true()

        async with self.database.transaction() as connection:
            runs = await self._runs(connection, week, seen(investigations))
            charged, automatic = await self._charged(connection, week, [run.investigation.id for run in runs])
            return ChannelReport(
                since=since,
                until=until,
                runs=tuple(runs),
                charged=charged,
                automatic=automatic,
                open_cases=await self._open_cases(connection, week, seen(cases)),
                noisiest=await self._noisiest(connection, week, seen(alert_cycles)),
            )

    async def _runs(
        self, connection: AsyncConnection, week: _Week, may_be_seen: ColumnElement[bool]
    ) -> list[ReportedRun]:
        table = subscribers.c
        asked = select(table.investigation_id).where(week.here(subscribers), week.lately(table.created_at))
        query = select(investigations).where(investigations.c.id.in_(asked), may_be_seen)
        rows = await connection.execute(query.order_by(investigations.c.id.desc()).limit(MOST_RUNS))
        known = [read_investigation(row) for row in rows.all()]
        judged = await votes_on(connection, week.workspace, [each.id for each in known])
        return [ReportedRun(each, judged.get(each.id, NO_VOTES)) for each in known]

    async def _charged(self, connection: AsyncConnection, week: _Week, ids: Sequence[int]) -> tuple[int, int]:
        table = charges.c
        mine = and_(week.here(charges), table.returned.is_(False))
        query = select(table.automatic).where(mine, table.investigation_id.in_(ids))
        rows = (await connection.execute(query)).scalars().all()
        return len(rows), sum(map(bool, rows))

    async def _open_cases(
        self, connection: AsyncConnection, week: _Week, may_be_seen: ColumnElement[bool]
    ) -> tuple[OpenCase, ...]:
        table = case_places.c
        here = week.here(case_places)
        touched = select(table.case_row).where(here, table.touched_at >= week.until - _OPEN_FOR)
        query = select(cases).where(cases.c.id.in_(touched.order_by(table.touched_at.desc()).limit(MOST_CASES)))
        rows = (
            await connection.execute(query.where(cases.c.gone.is_(False), may_be_seen).order_by(cases.c.id.desc()))
        ).all()
        still_open = [row for row in rows if row.shown.status.upper() != "CLOSED" and not row.shown.archived]
        return tuple(
            OpenCase(row.org, row.key or row.case_id, row.shown.title, row.shown.status_name or row.shown.status)
            for row in still_open
        )

    async def _noisiest(
        self, connection: AsyncConnection, week: _Week, may_be_seen: ColumnElement[bool]
    ) -> tuple[tuple[str, int], ...]:
        """By the alerts whose cards came into the channel in the week."""
        card = deliveries.c
        came = and_(card.ts >= _as_ts(week.since), card.ts < _as_ts(week.until))
        cards = select(card.subject_id).where(week.here(deliveries), came, card.kind == ALERT_CARD).limit(MOST_CYCLES)
        query = select(alert_cycles.c.content).where(alert_cycles.c.id.in_(cards), may_be_seen)
        notices = [row.content.latest for row in await connection.execute(query)]
        names = {notice.monitor_id: notice.name for notice in notices}
        often = Counter(notice.monitor_id for notice in notices if not notice.test)
        return tuple(
            (names[monitor] or f"Monitor {monitor}", count) for monitor, count in often.most_common(MOST_NOISY)
        )


def _as_ts(moment: float) -> str:
    """As Slack dates messages: as text they are in their order, and by that they are found."""
    return f"{moment:.6f}"
