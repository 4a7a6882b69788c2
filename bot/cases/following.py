"""Cards follow Datadog: open cases that have one are looked at, with one search for all that are due in an organisation.

What the search does not show is closed, archived, moved, or further down: a few of those are looked at singly. The longer
nothing has happened to a case, the more seldom it is looked at; after a month of silence not at all. Where Datadog says itself
that cases have changed, looks of our own accord are only the net under that.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from sqlalchemy import Row, and_, select, true, update
from sqlalchemy import case as either

from bot.cases import follows
from bot.cases.comments import CaseComments
from bot.cases.model import CaseFacts
from bot.cases.repository import CaseRepository
from bot.cases.tables import case_follows, case_places, cases
from bot.datadog.cases import Case, Comment
from bot.datadog.errors import DatadogError, Forbidden, NotFound, RateLimited, Refused, Unauthorized
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import trouble_of
from bot.deadline import within
from bot.logs import know
from bot.orgs.repository import OrgRepository
from bot.storage.leases import HELD_ELSEWHERE, LeasedWorker
from bot.storage.retention import DAY, HOUR
from bot.storage.tables import UnreadableRecord, place_of

logger = logging.getLogger(__name__)

AT_ONCE = 200
SINGLY = 10  # of those that a search does not show
PAGE = 100
_SILENCE = 30 * DAY
# for how long nothing has happened, and how many times as seldom it is looked at then
_STEPS = ((HOUR, 1), (DAY, 5), (_SILENCE, 15))
_SELDOM = _STEPS[-1][1]
_NET = 10  # the same where Datadog tells of changes
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
    claimed_at: float
    told: int | None  # how many comments need not be told any more
    newest: tuple[str, float] | None  # of those, where they were read: its id, and when it was made by Datadog's clock
    wants_comments: bool  # somewhere
    tells: bool  # Datadog does, when it changes
    unseen: bool  # its card says that it does not follow
    workspaces: frozenset[str]

    def steps(self, *, changed: bool) -> int:
        steps = 1 if changed else next((steps for quiet, steps in _STEPS if self.quiet < quiet), _SELDOM)
        # of comments Datadog tells nothing
        return max(steps, _NET) if self.tells and not self.wants_comments else steps

    def has_news(self, case: Case) -> bool:
        """Whether its comments are worth a look."""
        counted = case.comments is not None and case.comments != self.told
        return counted or (self.wants_comments and (self.newest is None or self.differs(case)))

    def news(self, newest_first: Sequence[Comment], now: int | None) -> list[Comment]:
        """By id and time; by their number only where none was read before."""
        if self.newest is None:
            # one more may have been made since they were counted
            more = max(now, len(newest_first)) - self.told if now is not None and self.told is not None else 0
            return list(newest_first[: max(more, 0)])
        known, since = self.newest
        later = takewhile(lambda comment: comment.id != known, newest_first)
        return [each for each in later if each.created_at is None or each.created_at.timestamp() >= since]

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
                await self._follow(name, await self._known(name, rows))
        except Exception:
            self.alarm.ring(self._timing.lease)
            raise
        finally:
            self._working.difference_update(row.id for row in rows)

    async def _known(self, org: str, rows: Sequence[Row[Any]]) -> list[Followed]:
        claimed = {row.case_row: row for row in rows}
        where = (case_places.c[name] for name in ("workspace", "channel", "thread_ts"))
        told = (cases.c[name] for name in ("id", "case_id", "key", "shown", "modified_at", "unseen"))
        query = select(*told, *where).outerjoin(case_places, case_places.c.case_row == cases.c.id)
        found: dict[int, Row[Any]] = {}
        workspaces: dict[int, set[str]] = defaultdict(set)
        wanting: set[int] = set()
        for row in await self._database.all(query.where(cases.c.id.in_(claimed))):
            found[row.id] = row
            workspaces[row.id].add(row.workspace or "")
            if row.workspace and await self.comments.wanted_at(place_of(row)):
                wanting.add(row.id)
        entry = await self.orgs.entry(org)
        telling = frozenset(entry.case_projects) if entry else frozenset()
        return [
            self._followed(
                claimed[number],
                row,
                wants_comments=number in wanting,
                tells=row.shown.project_id in telling,
                workspaces=frozenset(workspaces[number]),
            )
            for number, row in found.items()
            if not isinstance(row.shown, UnreadableRecord)
        ]

    def _followed(self, claim: Row[Any], row: Row[Any], **more: Any) -> Followed:
        claimed_at = claim.due_at - self._timing.lease
        return Followed(
            id=claim.id,
            case_row=row.id,
            case_id=row.case_id,
            key=row.key,
            shown=row.shown,
            modified_at=row.modified_at or 0.0,
            quiet=claimed_at - claim.changed_at,
            looked_at=claim.looked_at or 0.0,
            claimed_at=claimed_at,
            told=claim.comments,
            newest=None if claim.comment_at is None else (claim.comment_id or "", claim.comment_at),
            unseen=row.unseen is not None,
            **more,
        )

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
        seen = _Look()
        try:
            async with within(self._timing.effect):
                await self._look(org, known, seen)
        except RateLimited as error:
            await self._later(known, 1, wait=error.wait)
        except (DatadogError, TimeoutError) as error:
            logger.warning("cases of %s could not be looked at (%s)", name, type(error).__name__)
            await self._tell_refused(known, error)
            await self._later(known, _SELDOM if isinstance(error, Refused) else _STEPS[1][1])
        else:
            refused = [each.case_row for each, _ in seen.refused]
            if back := [each.case_row for each in known if each.unseen and each.case_row not in refused]:
                await self.cases.unseen(back, None)
            for each, why in seen.refused:
                await self._tell_refused([each], why)
            for steps in {1, *seen.steps.values()}:
                its = [each for each in known if seen.steps.get(each.id, 1) == steps]
                await self._later(its, steps, looked=seen.steps)

    async def _tell_refused(self, known: Iterable[Followed], error: DatadogError | TimeoutError) -> None:
        """A missing permission does not pass by itself: the card says why it stands still."""
        news = [each.case_row for each in known if not each.unseen]
        if news and isinstance(error, Forbidden | Unauthorized):
            await self.cases.unseen(news, trouble_of(error))

    # -- one look ---------------------------------------------------------------------------------------------------

    async def _look(self, org: ConnectedOrg, known: Sequence[Followed], look: "_Look") -> None:
        """What it does not come to is left to the next one."""
        listed = await org.cases.search(_query(known), size=PAGE) if len(known) > 1 else ()
        by_id = {case.id: case for case in listed}
        await self._note(org, [(each, by_id[each.case_id]) for each in known if each.case_id in by_id], look)
        missing = sorted((each for each in known if each.case_id not in by_id), key=lambda each: each.looked_at)
        for each in missing[:SINGLY]:
            try:
                case = await org.cases.get(each.case_id)
            except NotFound:
                await self.cases.gone(each.case_row)
            except Forbidden as error:
                look.steps[each.id] = _SELDOM
                look.refused.append((each, error))
            else:
                await self._note(org, [(each, case)], look)

    async def _note(self, org: ConnectedOrg, seen: Sequence[tuple[Followed, Case]], look: "_Look") -> None:
        """Only what has changed is written."""
        for each, case in seen:
            if each.has_news(case):
                await self._tell_comments(org, each, case.comments)
        if changed := [case for each, case in seen if each.differs(case)]:
            await self.cases.remember_listed(org.name, changed)
        look.steps |= {each.id: each.steps(changed=each.differs(case)) for each, case in seen}

    async def _tell_comments(self, org: ConnectedOrg, each: Followed, now: int | None) -> None:
        """Those that are new, where somebody wants them; they are told before it is noted that they are."""
        known: dict[str, Any] = {"comment_id": None, "comment_at": None}
        if places := await self.comments.wanted_in(each.case_row):
            newest_first = await org.cases.comments(each.case_id)
            if news := each.news(newest_first, now):
                await self.comments.owe(each.case_row, places, news[::-1])
            known = _newest_of(newest_first)
        mine = (case_follows.c.id == each.id, case_follows.c.owner == self.owner)
        counted = {} if now is None else {"comments": now}
        await self._database.write(update(case_follows).where(*mine).values(**known, **counted))

    # -- when each is looked at next --------------------------------------------------------------------------------

    async def _later(
        self, known: Sequence[Followed], steps: int, *, wait: float = 0.0, looked: Container[int] = ()
    ) -> None:
        if not known:
            return
        now, table, gather = self._database.now, case_follows.c, self._timing.gather
        longest = self._timing.far / 2
        wait = min(wait, longest)
        due_at = follows.next_round(now + wait, self._timing.follow * steps)
        not_before = now + max(wait, follows.PAUSE * gather)
        # what Datadog said while it was looked at may have come too late for this look
        again = follows.look_after_word(table.hinted_at, gather, not_before)
        hinted = table.hinted_at >= min(each.claimed_at for each in known)
        due_at = either((and_(hinted, again < due_at), again), else_=due_at)
        mine = update(case_follows).where(table.owner == self.owner)
        async with self._database.transaction() as connection:
            if seen := [each.id for each in known if each.id in looked]:
                await connection.execute(mine.where(table.id.in_(seen)).values(looked_at=now))
            mine = mine.where(table.id.in_([each.id for each in known]))
            put_off = mine.values(owner=None, attempt=0, due_at=due_at, not_before=not_before)
            waits = (await connection.execute(put_off.returning(table.due_at - now))).scalars().all()
        if waits:
            self.alarm.ring(max(min(waits), HELD_ELSEWHERE))


@dataclass(slots=True)
class _Look:
    """What came of one."""

    steps: dict[int, int] = field(default_factory=dict)  # of those that were seen: how seldom they are from now on
    refused: list[tuple[Followed, Forbidden]] = field(default_factory=list)


def _newest_of(comments: Sequence[Comment]) -> dict[str, Any]:
    """Of no comments it is known, too, that there are none."""
    at = comments[0].created_at if comments else None
    return {"comment_id": comments[0].id[:64] if comments else "", "comment_at": at.timestamp() if at else 0.0}


def _query(known: Sequence[Followed]) -> str:
    """Everything that is not closed in the projects of these cases, the newest first."""
    keys = {each.key.rpartition("-")[0] for each in known}
    usable = all(re.fullmatch(r"[A-Z0-9_]+", key) for key in keys) and len(keys) <= _MOST_PROJECTS
    return f"-status:closed project:({' OR '.join(sorted(keys))})" if usable else "-status:closed"
