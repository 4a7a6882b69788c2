"""Follows what runs: whose turn it is to look, and what becomes of what ended. How a look goes is told in `watch`.

Waiting writes nothing: a row changes only when its run ends, its deadline passes or it is gone.
"""

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot import meters
from bot.datadog.errors import DatadogError, NotFound, RateLimited, Refused
from bot.datadog.investigations import Progress, progress_of
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, trouble_of
from bot.deadline import within
from bot.investigations.model import State, Verdict
from bot.investigations.repository import InvestigationRepository
from bot.investigations.tables import investigations, poll_turns, subscribers
from bot.investigations.watch import Watch
from bot.logs import know
from bot.orgs.repository import OrgRepository
from bot.storage.leases import HELD_ELSEWHERE, reached
from bot.storage.workers import Tasks, Timing

logger = logging.getLogger(__name__)

LATE_AFTER = 4  # intervals
LONGEST_TURN = 600.0  # seconds

_VERDICTS = {
    Progress.CONCLUSIVE: Verdict.CONCLUSIVE,
    Progress.INCONCLUSIVE: Verdict.INCONCLUSIVE,
    Progress.FAILED: Verdict.FAILED,
}

# several rows may follow one run: Datadog may answer a second trigger with the first one's id
InFlight = dict[str, list[Row[Any]]]


class PollWorker:
    def __init__(
        self,
        repository: InvestigationRepository,
        orgs: OrgRepository,
        timing: Timing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._repository = repository
        self._database = repository.database
        self._orgs = orgs
        self._timing = timing
        self._tasks = Tasks()
        self._busy: dict[str, float] = {}  # since when a turn of an org is under way
        self._trouble: dict[str, float] = {}  # since when Datadog refuses us, by org
        self._watches: dict[str, Watch] = {}
        self._clock = clock
        self.alarm = self._database.alarm(poll_turns)

    async def step(self) -> None:
        """Take the turn of every org whose time has come."""
        async with self._database.transaction() as connection:
            waiting = await self._take_turns(connection)
            answer = await connection.execute(self._asking, self._database.at_moment)
            next_in: float | None = answer.scalar()
        if next_in is not None:
            self.alarm.ring(max(next_in, HELD_ELSEWHERE))
        for org, rows in waiting.items():
            if org not in self._busy:
                self._busy[org] = time.monotonic()
                self._tasks.spawn(self._turn(org, rows), f"watch of {org}")

    async def problem(self) -> str:
        """Whether somebody looks, with something in flight: of all replicas one does, so it is the database that tells."""
        row = await self._database.first(self._longest_unseen())
        if row is not None and row.intervals is not None and row.intervals > LATE_AFTER:
            return f"running investigations have not been looked at for {row.intervals:.0f} intervals"
        began = min(self._busy.values(), default=math.inf)
        if (lasts := time.monotonic() - began) > LONGEST_TURN:
            return f"a look at running investigations has lasted for {lasts:.0f} s"
        return ""

    def _longest_unseen(self) -> Select[float | None]:
        """For how many intervals what runs has waited for a look, since the last one or since it was ripe."""
        now, timing, table = self._database.now, self._timing, investigations.c
        ripe_at = case({table.adopted: table.started_at}, else_=table.started_at + timing.poll_first)
        looked_at = poll_turns.c.next_at - timing.poll
        since = case({looked_at > ripe_at: looked_at}, else_=ripe_at)
        interval = case({now < table.started_at + timing.slow_after: timing.poll}, else_=timing.poll_slow)
        waited = select(func.max((now - since) / interval).label("intervals"))
        joined = waited.join_from(investigations, poll_turns, poll_turns.c.org == table.org)
        return joined.where(table.state == State.RUNNING)

    async def recover(self, connection: AsyncConnection) -> None:
        """Nobody holds what waits."""

    async def finish(self, within: float) -> None:
        await self._tasks.finish(within)

    async def hand_back(self, connection: AsyncConnection) -> None:
        """Nobody holds what waits."""

    def next_due(self) -> Select[float | None]:
        return self._next_due(self._database.now)

    @cached_property
    def _asking(self) -> Select[float | None]:
        return self._next_due(self._database.moment)

    def _next_due(self, now: ColumnElement[float]) -> Select[float | None]:
        """In how many seconds the next turn is worth taking; nothing where nothing runs."""
        table = investigations.c
        ripe_at = case({table.adopted: now}, else_=table.started_at + self._timing.poll_first)
        far = self._timing.far
        at = _later(_later(now, poll_turns.c.next_at, far), ripe_at, far)
        is_young = at < table.started_at + self._timing.slow_after
        turn_at = case({is_young: at}, else_=_later(at, poll_turns.c.slow_at, far))
        running = select(func.min(turn_at) - now).join_from(investigations, poll_turns, poll_turns.c.org == table.org)
        return running.where(table.state == State.RUNNING)

    async def _take_turns(self, connection: AsyncConnection) -> dict[str, list[Row[Any]]]:
        """What waits of each org whose turn we have.

        Whoever writes the next turn's time has this one; a process that dies with it costs one interval.
        """
        orgs = list((await connection.execute(self._turns, self._database.at_moment)).scalars())
        waiting: dict[str, list[Row[Any]]] = {org: [] for org in orgs}
        for row in await self._waiting(connection, orgs) if orgs else ():
            waiting[row.org].append(row)
        return waiting

    @cached_property
    def _turns(self) -> ReturningUpdate[str]:
        now, timing, table = self._database.moment, self._timing, poll_turns.c
        worth_it = exists().where(
            investigations.c.org == table.org,
            self._ripe(now),
            or_(now < investigations.c.started_at + timing.slow_after, reached(table.slow_at, now, timing.far)),
        )
        turns = update(poll_turns).where(reached(table.next_at, now, timing.far), worth_it).returning(table.org)
        slow_at = case({reached(table.slow_at, now, timing.far): now + timing.poll_slow}, else_=table.slow_at)
        return turns.values(next_at=now + timing.poll, slow_at=slow_at)

    def _ripe(self, now: ColumnElement[float]) -> ColumnElement[bool]:
        """Running for long enough to be worth a first look; a run begun elsewhere may have ended long ago."""
        table = investigations.c
        old_enough = or_(reached(table.started_at + self._timing.poll_first, now, self._timing.far), table.adopted)
        return and_(table.state == State.RUNNING, old_enough)

    async def _waiting(self, connection: AsyncConnection, orgs: list[str]) -> Sequence[Row[Any]]:
        found = await connection.execute(self._in_flight, {"orgs": orgs, **self._database.at_moment})
        rows: Sequence[Row[Any]] = found.all()
        return rows

    @cached_property
    def _in_flight(self) -> Select[Any]:
        now, table = self._database.moment, investigations.c
        query = select(
            table.id,
            table.org,
            table.adopted,
            table.datadog_id,
            (now - table.started_at).label("age"),
            (table.deadline_at <= now).label("overdue"),
            self._served_in().label("workspace"),
        )
        return query.where(table.org.in_(bindparam("orgs", expanding=True)), self._ripe(now))

    def _served_in(self) -> ScalarSelect[str]:
        """A workspace that waits for it and may see what comes of it; nothing where there is none (any more)."""
        table = subscribers.c
        served = self._orgs.serves(investigations.c.org, table.workspace)
        return (
            select(func.min(table.workspace))
            .where(table.investigation_id == investigations.c.id, served)
            .scalar_subquery()
        )

    # -- one turn -----------------------------------------------------------------------------------------------

    async def _turn(self, name: str, waiting: Sequence[Row[Any]]) -> None:
        know(org=name)
        try:
            served = [row for row in waiting if row.workspace]
            org = await self._orgs.get(name, *{row.workspace for row in served})
            if org is not None:
                with meters.POLL_TIME.taken():
                    await self._look_and_note_trouble(name, org, served)
            for row in waiting:
                if not row.workspace:
                    await self._repository.follow_failed(row.id, Trouble(TroubleKind.NO_ORG))
            for row in served:
                if row.overdue:
                    await self._repository.expire(row.id)
        finally:
            self._busy.pop(name, None)

    async def _look_and_note_trouble(self, name: str, org: ConnectedOrg, waiting: Sequence[Row[Any]]) -> None:
        try:
            await self._look(name, org, waiting)
        except RateLimited as error:
            await self._next_turn(name, max(error.wait, self._timing.poll))
        except Refused as error:
            await self._refused(name, trouble_of(error), waiting)
        except (DatadogError, TimeoutError) as error:
            logger.warning("the watch of %s: Datadog did not answer usefully (%s)", name, type(error).__name__)
        else:
            self._trouble.pop(name, None)

    async def _look(self, name: str, org: ConnectedOrg, waiting: Sequence[Row[Any]]) -> None:
        in_flight: InFlight = defaultdict(list)
        for row in waiting:
            in_flight[row.datadog_id].append(row)
        oldest = {datadog_id: max(rows, key=lambda row: float(row.age)) for datadog_id, rows in in_flight.items()}
        watch, began = self._watches.setdefault(name, Watch(self._clock)), self._clock()
        rest = await watch.look(org.bits, oldest, lambda each: self._fetch(org, each, in_flight[each]))
        if rest > self._timing.poll:
            await self._next_turn(name, rest - (self._clock() - began))

    async def _next_turn(self, org: str, wait: float) -> None:
        next_at = self._database.now + min(max(wait, 0.0), self._timing.far / 2)
        await self._database.write(update(poll_turns).where(poll_turns.c.org == org).values(next_at=next_at))

    async def _fetch(self, org: ConnectedOrg, datadog_id: str, rows: Iterable[Row[Any]]) -> None:
        try:
            async with within(self._timing.effect):
                detail = await org.bits.get(datadog_id)
        except NotFound:
            await self._missing(rows)
            return
        verdict = _VERDICTS.get(progress_of(detail))
        for row in rows if verdict is not None else ():
            if await self._repository.conclude(row.id, verdict or Verdict.FAILED, detail) and not row.adopted:
                meters.CONCLUSION_TIME.observe(row.age)

    async def _missing(self, rows: Iterable[Row[Any]]) -> None:
        """Gone, unless it is so young that Datadog may not show it yet."""
        for row in rows:
            if row.age >= self._timing.poll_slow:
                await self._repository.follow_failed(row.id, Trouble(TroubleKind.VANISHED))

    async def _refused(self, org: str, failure: Trouble, waiting: Sequence[Row[Any]]) -> None:
        """Keys may be mended within minutes; after that the threads are told."""
        since = self._trouble.setdefault(org, time.monotonic())
        logger.warning("the watch of %s: Datadog refuses us: %s %s", org, failure.kind, failure.permission)
        if time.monotonic() - since >= self._timing.patience:
            self._trouble.pop(org, None)
            for row in waiting:
                await self._repository.follow_failed(row.id, failure)


def _later(one: ColumnElement[float], other: ColumnElement[float], far: float) -> ColumnElement[float]:
    """Of a time and one that was written down, which counts only while it can be true."""
    return case({and_(other > one, other <= one + far): other}, else_=one)
