"""What people do to a case from its card: written down before Slack is told, then done one after the other.

Actions on one case keep the order they came in, so the last one wins and the card names everybody in that order.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cases.batches import CaseBatches
from bot.cases.changes import CHANGES, ChangeOutcome
from bot.cases.creation import refresh
from bot.cases.model import CaseAction, CaseActionKind, KnownCase
from bot.cases.posts import CaseReplies
from bot.cases.repository import CaseRepository, read_action, written_down
from bot.cases.requests import ACK_LANDS, BY_RULE
from bot.cases.tables import case_acts, case_escalations
from bot.datadog.cases import Case, Person
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble
from bot.orgs.repository import OrgRepository
from bot.slack.people import People
from bot.storage.engine import Database, wake
from bot.storage.leases import Fence, LeasedWorker
from bot.storage.tables import newly_due
from bot.wording import said_in_slack

logger = logging.getLogger(__name__)

TRIES = 3
_WAITING, _SENDING, _DONE, _REFUSED = "waiting", "sending", "done", "refused"
ENDED = case_acts.c.state.in_([_DONE, _REFUSED])


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    done: bool
    problem: Trouble | None = None


class CaseActions:
    def __init__(self, database: Database, cases: CaseRepository) -> None:
        self.database = database
        self.cases = cases

    async def take(self, action: CaseAction) -> bool:
        """Write it down. False for a click that was taken before."""
        async with self.database.transaction() as connection:
            return await self.take_in(connection, action)

    async def take_in(self, connection: AsyncConnection, action: CaseAction) -> bool:
        values = written_down(action, _WAITING, self.database.now)
        inserted = self.database.insert_new(case_acts).values(values)
        wake(connection, case_acts)
        return (await connection.execute(inserted.returning(case_acts.c.id))).first() is not None

    async def take_all(self, actions: Sequence[CaseAction]) -> None:
        """What is done to several cases at once, written down together. Those that were taken before are not taken again."""
        async with self.database.transaction() as connection:
            for action in actions:
                later = newly_due(self.database.now, ACK_LANDS)  # their window shows first that they are taken
                values = {**written_down(action, _WAITING, self.database.now), **later}
                await connection.execute(self.database.insert_new(case_acts).values(values))
            wake(connection, case_acts, after=ACK_LANDS)

    async def take_again(self, act_id: int, workspace: str, person: str, key: str) -> bool:
        """A refused action once more, by whoever did it."""
        table = case_acts.c
        own = (table.id == act_id, table.workspace == workspace, table.person == person, table.state == _REFUSED)
        row = await self.database.first(select(case_acts).where(*own))
        return row is not None and await self.take(replace(read_action(row), key=key))

    async def done(self, fence: Fence, action: CaseAction, org: str, case: Case | None, said: str) -> bool:
        async with self.database.transaction() as connection:
            values = {"state": _DONE, "said": said, "done_at": self.database.now, "owner": None}
            if not await fence.write(connection, case_acts, **values):
                return False
            wake(connection, case_acts)  # the next one of this case
            if not action.person:
                wake(connection, BY_RULE)
            if case is not None:
                await self.cases.note(connection, org, case)
            await self.cases.show(connection, action.case_row)
        return True

    async def refuse(self, fence: Fence, trouble: Trouble) -> bool:
        async with self.database.transaction() as connection:
            wake(connection, case_acts)
            wake(connection, BY_RULE)
            return await fence.write(connection, case_acts, state=_REFUSED, problem=trouble, owner=None)

    async def outcome(self, key: str) -> ActionOutcome | None:
        """What became of what was taken under this key; None while it is not over."""
        table = case_acts.c
        row = await self.database.first(select(table.state, table.problem).where(table.key == key, ENDED))
        return ActionOutcome(row.state == _DONE, row.problem) if row else None

    async def was_taken(self, connection: AsyncConnection, key: str) -> bool:
        return (await connection.execute(select(case_acts.c.id).where(case_acts.c.key == key))).first() is not None

    async def by_people(self, connection: AsyncConnection, case_row: int) -> bool:
        """Whether anybody has done anything to the case from here, or is about to."""
        acted = select(case_acts.c.id).where(case_acts.c.case_row == case_row, case_acts.c.person != "")
        escalated = select(case_escalations.c.id).where(case_escalations.c.case_row == case_row)
        return (await connection.execute(union_all(acted, escalated).limit(1))).first() is not None

    @staticmethod
    def due() -> ColumnElement[bool]:
        table, earlier = case_acts.c, case_acts.alias()
        open_states = (_WAITING, _SENDING)
        before = exists().where(
            earlier.c.case_row == table.case_row, earlier.c.id < table.id, earlier.c.state.in_(open_states)
        )
        return table.state.in_(open_states) & ~before


@dataclass(eq=False)
class CaseActionWorker(LeasedWorker):
    table = case_acts
    slots = 8
    due = CaseActions.due()
    under_way = case_acts.c.state == _SENDING

    actions: CaseActions
    orgs: OrgRepository
    replies: CaseReplies
    people: People
    batches: CaseBatches

    async def work(self, row: Row[Any], fence: Fence) -> None:
        action = read_action(row)
        known = await self.actions.cases.get(action.case_row)
        if known is None:  # its last workspace has left meanwhile
            await self.actions.refuse(fence, Trouble(TroubleKind.NOT_FOUND))
            return
        org = await self.orgs.get(known.org, action.place.workspace)
        if org is None:
            await self._failed(None, action, fence, known, Trouble(TroubleKind.NO_ORG))
            return
        outcome = await or_trouble(self._do(org, action, fence, known), self._timing.effect)
        if isinstance(outcome, ChangeOutcome):
            if await self.actions.done(fence, action, known.org, outcome.case, outcome.said):
                await self.batches.tell(action)
        elif outcome.kind is TroubleKind.UNCLEAR and action.attempt < TRIES:
            # what may have happened is done again, which does no harm; a comment is looked for first
            is_comment = action.kind is CaseActionKind.COMMENT
            wait = self._timing.settle if is_comment else self._timing.backoff(action.attempt)
            await self.put_off(fence, wait)
        else:
            await self._failed(org, action, fence, known, outcome)

    async def _do(
        self, org: ConnectedOrg, action: CaseAction, fence: Fence, known: KnownCase
    ) -> ChangeOutcome | Trouble:
        if change := CHANGES.get(action.kind):
            return await change(org, action, known)
        if action.kind is CaseActionKind.COMMENT:
            return await self._comment(org, action, fence, known)
        if action.kind is CaseActionKind.ASSIGN:
            return await self._assign(org, action, known)
        return Trouble(TroubleKind.BAD_REQUEST)

    async def _assign(self, org: ConnectedOrg, action: CaseAction, known: KnownCase) -> ChangeOutcome | Trouble:
        person = action.value or action.person  # to somebody else, or to themselves
        user = await self.replies.datadog_user(org, action.place.workspace, person)
        if not isinstance(user, Person):
            return user
        case = await org.cases.assign(known.case_id, user.id)
        if person == action.person:
            return ChangeOutcome("took this case", case)
        name = case.assignee.name if case.assignee else ""
        return ChangeOutcome(f"assigned this case to {name or 'somebody'}", case)

    async def _comment(
        self, org: ConnectedOrg, action: CaseAction, fence: Fence, known: KnownCase
    ) -> ChangeOutcome | Trouble:
        author = action.author or await self.people.name(action.place.workspace, action.person)
        if action.sending_since is not None and not action.author:
            said = action.value  # sent by a version that named nobody
        else:
            said = said_in_slack(author, action.value)

        async def about_to_send() -> bool:
            since = self._database.now if action.sending_since is None else action.sending_since
            named = author if said != action.value else None
            return await self.write(fence, state=_SENDING, begun_at=since, author=named)

        trouble = await org.cases.comment_once(
            known.case_id, said, sent_before=action.sending_since, about_to_send=about_to_send
        )
        return trouble or ChangeOutcome("commented")

    async def _failed(
        self, org: ConnectedOrg | None, action: CaseAction, fence: Fence, known: KnownCase, trouble: Trouble
    ) -> None:
        """The card shows what is true, and whoever clicked learns why it is not what they chose."""
        logger.warning("%s of case %s failed: %s", action.kind, known.case_id, trouble.kind)
        if trouble.kind is TroubleKind.NOT_FOUND:
            await self.actions.cases.gone(action.case_row)
        elif org is not None and trouble.kind in {TroubleKind.CONFLICT, TroubleKind.UNCLEAR, TroubleKind.BAD_REQUEST}:
            await refresh(org, self.actions.cases, known, self._timing.effect)
        if not action.batch:
            await self.replies.action_failed(action, known, trouble)
        await self.actions.refuse(fence, trouble)
        await self.actions.cases.show_again(action.case_row)
        await self.batches.tell(action)
