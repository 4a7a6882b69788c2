"""Carries out what a case is escalated to: each once, whatever breaks in between.

None of it is idempotent. Before it is sent the row says `sending`; whoever finds that later looks in Datadog, adopts what is
there, and never sends it again on a guess: then the card asks.
"""

import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from bot.cases.escalation_kinds import KINDS, CanNotLookError, Errand, Failed, Finished
from bot.cases.escalation_model import Escalation, EscalationState
from bot.cases.escalations import CaseEscalations, read_escalation
from bot.cases.once import wait_worth
from bot.cases.repository import CaseRepository
from bot.cases.tables import case_escalations
from bot.datadog.escalations import Created
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble
from bot.orgs.repository import OrgRepository
from bot.slack.people import People
from bot.storage.leases import Fence, LeasedWorker

logger = logging.getLogger(__name__)

_LOOKS_AT_A_TICKET = 8  # what Datadog has not made by then it tells by the case itself


@dataclass(eq=False)
class Escalator(LeasedWorker):
    table = case_escalations
    slots = 8
    due = CaseEscalations.due()
    under_way = case_escalations.c.state == EscalationState.SENDING

    escalations: CaseEscalations
    cases: CaseRepository
    orgs: OrgRepository
    people: People

    async def work(self, row: Row[Any], fence: Fence) -> None:
        """One phase a claim, so that each has the whole lease."""
        escalation = read_escalation(row)
        errand = await self._errand(escalation)
        if isinstance(errand, Trouble):
            there = escalation.state is EscalationState.MADE
            state = EscalationState.DONE if there else EscalationState.REFUSED
            await self.escalations.end(fence, escalation, state, errand)
            return
        match escalation.state:
            case EscalationState.ORDERED:
                await self._begin(errand, fence)
            case EscalationState.SENDING:
                await self._look(errand, fence)
            case EscalationState.MADE:
                await self._finish(errand, escalation.made or Created(), fence)

    async def _errand(self, escalation: Escalation) -> Errand | Trouble:
        known = await self.cases.get(escalation.case_row)
        if known is None:
            return Trouble(TroubleKind.NOT_FOUND)
        org = await self.orgs.get(known.org, escalation.place.workspace)
        if org is None:
            return Trouble(TroubleKind.NO_ORG)
        author = await self.people.name(escalation.place.workspace, escalation.person)
        return Errand(org, known, escalation, author)

    async def _begin(self, errand: Errand, fence: Fence) -> None:
        escalation = errand.escalation
        if escalation.begun_at is not None and not await self._surely_not_there(errand, fence):
            return
        began = self._database.now if escalation.begun_at is None else escalation.begun_at
        values = {"begun_at": began, "due_at": self._database.now + self._timing.lease}
        if not await self.write(fence, state=EscalationState.SENDING, **values):
            return
        made = await or_trouble(KINDS[escalation.kind].make(errand), self._timing.effect)
        if isinstance(made, Created):
            logger.info("escalation %s: %s made", escalation.ref, escalation.kind)
            await self.escalations.made(fence, escalation, made)
        elif made.kind is TroubleKind.UNCLEAR:
            logger.warning("escalation %s: %s sent, with unknown outcome", escalation.ref, escalation.kind)
            # attempt counts the looks from here on
            await self.put_off(fence, self._timing.settle, attempt=0)
        else:
            await self._not_made(errand, fence, made)

    async def _surely_not_there(self, errand: Errand, fence: Fence) -> bool:
        """It was sent once before, nobody knows with what outcome, and somebody wants it all the same."""
        try:
            found = await or_trouble(KINDS[errand.escalation.kind].find(errand), self._timing.effect)
        except CanNotLookError:
            return True  # whoever asked for it again has looked
        if isinstance(found, Created):
            await self.escalations.made(fence, errand.escalation, found)
        elif isinstance(found, Trouble):
            await self.escalations.end(fence, errand.escalation, EscalationState.UNCERTAIN, found)
        return found is None

    async def _not_made(self, errand: Errand, fence: Fence, trouble: Trouble) -> None:
        """Datadog said no, or was not reached: once more later where that can help, else say why."""
        escalation = errand.escalation
        wait = wait_worth(self._timing, escalation.attempt, trouble)
        if wait is None:
            logger.warning("escalation %s: %s not made (%s)", escalation.ref, escalation.kind, trouble.kind)
            kept = {"begun_at": escalation.begun_at}
            await self.escalations.end(fence, escalation, EscalationState.REFUSED, trouble, **kept)
            return
        await self.put_off(fence, wait, state=EscalationState.ORDERED, begun_at=escalation.begun_at)

    async def _look(self, errand: Errand, fence: Fence) -> None:
        """After an unknown outcome."""
        escalation = errand.escalation
        try:
            found = await or_trouble(KINDS[escalation.kind].find(errand), self._timing.effect)
        except CanNotLookError:
            await self.escalations.end(fence, escalation, EscalationState.UNCERTAIN)
            return
        if isinstance(found, Created):
            logger.info("escalation %s: %s found", escalation.ref, escalation.kind)
            await self.escalations.made(fence, escalation, found)
        elif escalation.attempt >= self._timing.look_attempts:
            logger.warning("escalation %s: whether it was made stays unknown", escalation.ref)
            await self.escalations.end(fence, escalation, EscalationState.UNCERTAIN, found)
        else:
            await self.put_off(fence, self._timing.settle / 2 * escalation.attempt)

    async def _finish(self, errand: Errand, made: Created, fence: Fence) -> None:
        """What goes with it; all of that may be done again without harm."""
        escalation = errand.escalation
        done = await or_trouble(KINDS[escalation.kind].finish(errand, made), self._timing.effect)
        match done:
            case Finished(made, case):
                if case is not None:
                    await self.cases.remember(errand.known.org, case)
                await self.escalations.end(fence, escalation, EscalationState.DONE, made=made)
            case Failed(trouble):
                await self.escalations.end(fence, escalation, EscalationState.REFUSED, trouble, begun_at=None)
            case Trouble():
                await self._not_finished(escalation, fence, done)
            case _ if escalation.attempt < _LOOKS_AT_A_TICKET:
                await self.put_off(fence, self._timing.backoff(escalation.attempt))
            case _:
                await self.escalations.end(fence, escalation, EscalationState.DONE)

    async def _not_finished(self, escalation: Escalation, fence: Fence, trouble: Trouble) -> None:
        if trouble.may_pass and escalation.attempt < self._timing.look_attempts:
            await self.put_off(fence, max(self._timing.backoff(escalation.attempt), trouble.wait or 0.0))
        else:
            await self.escalations.end(fence, escalation, EscalationState.DONE, trouble)
