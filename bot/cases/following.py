"""Cards follow Datadog: open cases that have one are looked at, with one search for all that are due in an organisation.

What the search does not show is closed, archived, moved, or further down: a few of those are looked at singly. The longer
nothing has happened to a case, the more seldom it is looked at; after a month of silence not at all.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, true, update

from bot.cases import follows
from bot.cases.comments import CaseComments
from bot.cases.model import CaseFacts
from bot.cases.repository import CaseRepository
from bot.cases.tables import case_follows, case_places, cases
from bot.datadog.cases import Case
from bot.datadog.errors import DatadogError, NotFound, RateLimited, Refused
from bot.datadog.orgs import ConnectedOrg
from bot.deadline import within
from bot.logs import know
from bot.orgs.repository import OrgRepository
from bot.storage.leases import HELD_ELSEWHERE, LeasedWorker
from bot.storage.retention import DAY, HOUR
from bot.storage.tables import UnreadableRecord

logger = logging.getLogger(__name__)

AT_ONCE = 200
SINGLY = 10  # of those that a search does not show
PAGE = 100
_SILENCE = 30 * DAY
# for how long nothing has happened, and how many times as seldom it is looked at then
_STEPS = ((HOUR, 1), (DAY, 5), (_SILENCE, 15))
_SELDOM = _STEPS[-1][1]
_MOST_PROJECTS = 10


@dataclass(frozen=True, slots=True)
class Followed:
    """An open case with a card, as we know it."""

    id: int  # of its row in `case_follows`
    case_row: int
    case_id: str
    key: str
    shown: CaseFacts
    modified_at: float
    quiet: float  # seconds since something happened to it
    looked_at: float
    told: int | None  # how many comments need not be told any more
    workspaces: frozenset[str]

    @property
    def steps(self) -> int:
        return next((steps for quiet, steps in _STEPS if self.quiet < quiet), _SELDOM)

    def differs(self, case: Case) -> bool:
        """Whether Datadog tells anything newer of it than the card does."""
        modified = case.modified_at or case.created_at
        newer = modified is not None and modified.timestamp() > self.modified_at
        said = case.comments is not None and case.comments != self.shown.comments
        return newer or said or case.key != self.key


@dataclass(eq=False)
class CaseFollower(LeasedWorker):
    """One look an organisation at a time, for everything of it that is due."""

    table = case_follows
    slots = AT_ONCE
    due = true()  # a case that is over has no row

    cases: CaseRepository
    orgs: OrgRepository
    comments: CaseComments

    def _hand_out(self, rows: Sequence[Row[Any]]) -> None:
        by_org: dict[str, list[Row[Any]]] = defaultdict(list)
        for row in rows:
            by_org[row.org].append(row)
            self._working.add(row.id)
        for org, its in by_org.items():
            self._tasks.spawn(self._round(org, its), f"{type(self).__name__} {org}")

    async def _round(self, name: str, rows: Sequence[Row[Any]]) -> None:
        know(org=name)
        try:
            async with within(self._timing.lease):
                await self._follow(name, await self._known(rows))
        except Exception:
            self.alarm.ring(self._timing.lease)
            raise
        finally:
            self._working.difference_update(row.id for row in rows)

    async def _known(self, rows: Sequence[Row[Any]]) -> list[Followed]:
        claimed = {row.case_row: row for row in rows}
        query = select(
            cases.c.id, cases.c.case_id, cases.c.key, cases.c.shown, cases.c.modified_at, case_places.c.workspace
        ).outerjoin(case_places, case_places.c.case_row == cases.c.id)
        found: dict[int, Row[Any]] = {}
        workspaces: dict[int, set[str]] = defaultdict(set)
        for row in await self._database.all(query.where(cases.c.id.in_(claimed))):
            found[row.id] = row
            workspaces[row.id].add(row.workspace or "")
        return [
            self._followed(claimed[number], row, frozenset(workspaces[number]))
            for number, row in found.items()
            if not isinstance(row.shown, UnreadableRecord)
        ]

    def _followed(self, claim: Row[Any], row: Row[Any], workspaces: frozenset[str]) -> Followed:
        claimed_at = claim.due_at - self._timing.lease
        quiet, looked_at = claimed_at - claim.changed_at, claim.looked_at or 0.0
        told = (row.case_id, row.key, row.shown, row.modified_at or 0.0)
        return Followed(claim.id, row.id, *told, quiet, looked_at, claim.comments, workspaces)

    async def _follow(self, name: str, known: list[Followed]) -> None:
        over = [each for each in known if follows.is_over(each.shown) or each.quiet > _SILENCE]
        known = [each for each in known if each not in over]
        if over:
            async with self._database.transaction() as connection:
                await follows.end(connection, *(each.case_row for each in over))
        org = await self.orgs.get(name, *frozenset().union(*(each.workspaces for each in known))) if known else None
        if org is None:
            await self._later(known, _SELDOM)
            return
        try:
            async with within(self._timing.effect):
                looked: dict[int, int] = {}
                await self._look(org, known, looked)
        except RateLimited as error:
            await self._later(known, 1, wait=error.wait)
        except (DatadogError, TimeoutError) as error:
            logger.warning("cases of %s could not be looked at (%s)", name, type(error).__name__)
            await self._later(known, _SELDOM if isinstance(error, Refused) else _STEPS[1][1])
        else:
            for steps in {1, *looked.values()}:
                its = [each for each in known if looked.get(each.id, 1) == steps]
                await self._later(its, steps, looked=looked)

    # -- one look ---------------------------------------------------------------------------------------------------

    async def _look(self, org: ConnectedOrg, known: Sequence[Followed], looked: dict[int, int]) -> None:
        """`looked` holds what was seen, and how seldom it is looked at from now on; the others come next time."""
        listed = await org.cases.search(_query(known), size=PAGE) if len(known) > 1 else ()
        by_id = {case.id: case for case in listed}
        await self._note(org, [(each, by_id[each.case_id]) for each in known if each.case_id in by_id], looked)
        missing = sorted((each for each in known if each.case_id not in by_id), key=lambda each: each.looked_at)
        for each in missing[:SINGLY]:
            try:
                case = await org.cases.get(each.case_id)
            except NotFound:
                await self.cases.gone(each.case_row)
            else:
                await self._note(org, [(each, case)], looked)

    async def _note(self, org: ConnectedOrg, seen: Sequence[tuple[Followed, Case]], looked: dict[int, int]) -> None:
        """Only what has changed is written."""
        for each, case in seen:
            if case.comments is not None and case.comments != each.told:
                await self._tell_comments(org, each, case.comments)
        if changed := [case for each, case in seen if each.differs(case)]:
            await self.cases.remember_listed(org.name, changed)
        looked |= {each.id: 1 if each.differs(case) else each.steps for each, case in seen}

    async def _tell_comments(self, org: ConnectedOrg, each: Followed, now: int) -> None:
        """Those that are new, where somebody wants them; they are told before it is noted that they are."""
        news = now - each.told if each.told is not None else 0
        if news > 0 and (places := await self.comments.wanted_in(each.case_row)):
            newest = (await org.cases.comments(each.case_id))[:news]
            await self.comments.owe(each.case_row, places, newest[::-1])
        mine = (case_follows.c.id == each.id, case_follows.c.owner == self.owner)
        await self._database.write(update(case_follows).where(*mine).values(comments=now))

    # -- when each is looked at next --------------------------------------------------------------------------------

    async def _later(
        self, known: Sequence[Followed], steps: int, *, wait: float = 0.0, looked: Container[int] = ()
    ) -> None:
        if not known:
            return
        now, table = self._database.now, case_follows.c
        longest = self._timing.far / 2
        due_at = follows.next_round(now + min(wait, longest), self._timing.follow * steps)
        mine = update(case_follows).where(table.owner == self.owner)
        async with self._database.transaction() as connection:
            if seen := [each.id for each in known if each.id in looked]:
                await connection.execute(mine.where(table.id.in_(seen)).values(looked_at=now))
            put_off = mine.where(table.id.in_([each.id for each in known])).values(owner=None, attempt=0, due_at=due_at)
            waits = (await connection.execute(put_off.returning(table.due_at - now))).scalars().all()
        if waits:
            self.alarm.ring(max(min(waits), HELD_ELSEWHERE))


def _query(known: Sequence[Followed]) -> str:
    """Everything that is not closed in the projects of these cases, the newest first."""
    keys = {each.key.rpartition("-")[0] for each in known}
    usable = all(re.fullmatch(r"[A-Z0-9_]+", key) for key in keys) and len(keys) <= _MOST_PROJECTS
    return f"-status:closed project:({' OR '.join(sorted(keys))})" if usable else "-status:closed"
