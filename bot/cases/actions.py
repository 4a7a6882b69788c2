"""What people do to a case from its card: written down before Slack is told, then done one after the other.

Acts on one case keep the order they came in, so the last one wins and the card names everybody in that order.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Row, exists, select

from bot.cases.comments import CommentToPost, Posted, post_once
from bot.cases.creation import refresh
from bot.cases.known import CaseActionKind, KnownCase, plain_status
from bot.cases.people import datadog_user
from bot.cases.ports import CaseOrg, CaseOrgs
from bot.cases.repository import CaseRepository
from bot.cases.tables import case_acts
from bot.cases.trouble import Trouble, Why, trouble_of, trouble_record
from bot.datadog.case_model import Case, Person
from bot.datadog.errors import DatadogError
from bot.model import Place
from bot.storage.engine import Database, wake
from bot.storage.leases import Fence, LeasedWorker
from bot.storage.timing import Timing

logger = logging.getLogger(__name__)

TRIES = 3
_WAITING, _SENDING, _DONE, _REFUSED = "waiting", "sending", "done", "refused"


@dataclass(frozen=True, slots=True)
class CaseAction:
    """One person's wish about one case. The key is the same for a retry of the same gesture, and for nothing else."""

    key: str
    case_row: int
    place: Place
    person: str
    kind: CaseActionKind
    value: str = ""
    id: int = 0
    state: str = _WAITING
    begun_at: float | None = None
    attempt: int = 0


class ActFront(Protocol):
    async def email(self, workspace: str, person: str) -> str:
        """The e-mail address of a person; empty where Slack does not tell."""

    async def act_failed(self, act: CaseAction, case: KnownCase, trouble: Trouble) -> None:
        """Tell whoever did it why nothing came of it, and what to do."""


class CaseActions:
    def __init__(self, database: Database, book: CaseRepository) -> None:
        self.database = database
        self.book = book

    async def take(self, act: CaseAction) -> bool:
        """Written down. False for a gesture that was taken before."""
        now = self.database.now
        inserted = self.database.insert_new(case_acts).values(
            key=act.key,
            case_row=act.case_row,
            workspace=act.place.workspace,
            channel=act.place.channel,
            thread_ts=act.place.thread_ts,
            person=act.person,
            kind=act.kind,
            value=act.value,
            said="",
            state=_WAITING,
            created_at=now,
            due_at=now,
            attempt=0,
        )
        async with self.database.transaction() as connection:
            wake(connection, case_acts)
            return (await connection.execute(inserted.returning(case_acts.c.id))).first() is not None

    async def take_again(self, act_id: int, workspace: str, person: str, key: str) -> bool:
        """A refused act once more, by whoever did it."""
        table = case_acts.c
        own = (table.id == act_id, table.workspace == workspace, table.person == person, table.state == _REFUSED)
        async with self.database.transaction() as connection:
            row = (await connection.execute(select(case_acts).where(*own))).first()
        if row is None:
            return False
        act = read_act(row)
        return await self.take(CaseAction(key, act.case_row, act.place, act.person, act.kind, act.value))

    async def done(self, fence: Fence, act: CaseAction, org: str, case: Case | None, said: str) -> bool:
        async with self.database.transaction() as connection:
            values = {"state": _DONE, "said": said, "done_at": self.database.now, "owner": None}
            if not await fence.write(connection, case_acts, **values):
                return False
            wake(connection, case_acts)  # the next one of this case
            if case is not None:
                await self.book.note(connection, org, case)
            await self.book.show(connection, act.case_row)
        return True

    async def refuse(self, fence: Fence, trouble: Trouble) -> bool:
        async with self.database.transaction() as connection:
            wake(connection, case_acts)
            return await fence.write(connection, case_acts, state=_REFUSED, problem=trouble_record(trouble), owner=None)

    @staticmethod
    def due() -> ColumnElement[bool]:
        table, earlier = case_acts.c, case_acts.alias()
        open_states = (_WAITING, _SENDING)
        before = exists().where(
            earlier.c.case_row == table.case_row, earlier.c.id < table.id, earlier.c.state.in_(open_states)
        )
        return table.state.in_(open_states) & ~before


def read_act(row: Row[Any]) -> CaseAction:
    return CaseAction(
        key=row.key,
        case_row=row.case_row,
        place=Place(row.workspace, row.channel, row.thread_ts),
        person=row.person,
        kind=CaseActionKind(row.kind),
        value=row.value,
        id=row.id,
        state=row.state,
        begun_at=row.begun_at,
        attempt=row.attempt,
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    said: str  # continues the person's name
    case: Case | None = None


class _Unclear(Exception):  # noqa: N818  it says what Datadog's answer was
    """It may have happened; to be looked at again."""


class CaseActionWorker(LeasedWorker):
    table = case_acts
    slots = 8
    due = CaseActions.due()
    under_way = case_acts.c.state == _SENDING

    def __init__(
        self,
        acts: CaseActions,
        orgs: CaseOrgs,
        front: ActFront,
        timing: Timing,
        *,
        owner: str,
    ) -> None:
        super().__init__(acts.database, timing, owner=owner)
        self._acts = acts
        self._book = acts.book
        self._orgs = orgs
        self._front = front

    async def work(self, row: Row[Any], fence: Fence) -> None:
        act = read_act(row)
        known = await self._book.get(act.case_row)
        if known is None:  # its last workspace has left meanwhile
            await self._acts.refuse(fence, Trouble(Why.NOT_FOUND))
            return
        org = await self._orgs.get(known.org)
        if org is None:
            await self._failed(None, act, fence, known, Trouble(Why.NO_ORG))
            return
        try:
            async with asyncio.timeout(self._timing.effect):
                outcome = await self._do(org, act, fence, known)
        except (DatadogError, TimeoutError, _Unclear) as error:
            await self._stumbled(org, act, fence, known, error)
            return
        if isinstance(outcome, Trouble):
            await self._failed(org, act, fence, known, outcome)
        else:
            await self._acts.done(fence, act, known.org, outcome.case, outcome.said)

    async def _do(self, org: CaseOrg, act: CaseAction, fence: Fence, known: KnownCase) -> _Outcome | Trouble:
        match act.kind:
            case CaseActionKind.STATUS:
                return await _set_status(org, act, known)
            case CaseActionKind.PRIORITY:
                case = await org.cases.set_priority(known.case_id, act.value)
                return _Outcome(_priority_said(act.value), case)
            case CaseActionKind.ASSIGN:
                return await self._assign(org, act, known)
            case CaseActionKind.COMMENT:
                return await self._comment(org, act, fence, known)
            case _:
                return Trouble(Why.BAD_REQUEST)

    async def _assign(self, org: CaseOrg, act: CaseAction, known: KnownCase) -> _Outcome | Trouble:
        email = await self._front.email(act.place.workspace, act.person)
        user = await datadog_user(org, email, about=act.person)
        if not isinstance(user, Person):
            return user
        return _Outcome("took this case", await org.cases.assign(known.case_id, user.id))

    async def _comment(self, org: CaseOrg, act: CaseAction, fence: Fence, known: KnownCase) -> _Outcome | Trouble:
        async def about_to_send() -> bool:
            began = act.begun_at if act.begun_at is not None else self._database.now
            return await self.write(fence, state=_SENDING, begun_at=began)

        comment = CommentToPost(known.case_id, act.value, act.begun_at if act.state == _SENDING else None)
        posted = await post_once(org, comment, about_to_send=about_to_send)
        if posted is Posted.OPEN:
            raise _Unclear
        return posted if isinstance(posted, Trouble) else _Outcome("commented")

    # -- when it does not work ----------------------------------------------------------------------------------

    async def _stumbled(self, org: CaseOrg, act: CaseAction, fence: Fence, known: KnownCase, error: Exception) -> None:
        """What may have happened is done again, which does no harm; a comment is looked for first."""
        trouble = trouble_of(error) if isinstance(error, (DatadogError, TimeoutError)) else Trouble(Why.UNCLEAR)
        if trouble.why is Why.UNCLEAR and act.attempt < TRIES:
            is_comment = act.kind is CaseActionKind.COMMENT
            await self.put_off(fence, self._timing.settle if is_comment else self._timing.backoff(act.attempt))
        else:
            await self._failed(org, act, fence, known, trouble)

    async def _failed(
        self, org: CaseOrg | None, act: CaseAction, fence: Fence, known: KnownCase, trouble: Trouble
    ) -> None:
        """The card shows what is true, and whoever clicked learns why it is not what she chose."""
        logger.warning("%s of case %s failed: %s", act.kind, known.case_id, trouble.why)
        if trouble.why is Why.NOT_FOUND:
            await self._book.gone(act.case_row)
        elif org is not None and trouble.why in {Why.CONFLICT, Why.UNCLEAR, Why.BAD_REQUEST}:
            await refresh(org, self._book, known.org, known.case_id, self._timing.effect)
        await self._front.act_failed(act, known, trouble)
        await self._acts.refuse(fence, trouble)
        await self._book.show_again(act.case_row)


async def _set_status(org: CaseOrg, act: CaseAction, known: KnownCase) -> _Outcome:
    if known.has_own_statuses:
        case = await org.cases.set_status_name(known.case_id, act.value)
    else:
        case = await org.cases.set_status(known.case_id, plain_status(act.value))
    return _Outcome(f"set the status to {act.value}", case)


def _priority_said(priority: str) -> str:
    return "removed the priority" if priority == "NOT_DEFINED" else f"set the priority to {priority}"
