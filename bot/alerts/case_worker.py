"""Carries out what channels want of cases by themselves: orders one for an alert, and has it closed after the recovery.

The case is made by the cases' own worker, and closed by the one that does what people click. Here it is only decided, each
time from how things stand then, and written down in one transaction with what follows from it.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.exc import IntegrityError

from bot.alerts import case_rows
from bot.alerts.case_decisions import ClosingVerdict, Step, may_close, next_step
from bot.alerts.case_rows import MOST_A_DAY, Claimed, RuleCases, RuleOutcome, RuleState, Told, closing_key
from bot.alerts.model import Transition, standing
from bot.alerts.repository import CycleRepository
from bot.alerts.tables import ALERT_CARD, alert_cases
from bot.cases.actions import CaseActions
from bot.cases.filling import CaseFilling, NoProject
from bot.cases.model import CaseAction, CaseActionKind, CaseRequest, CaseRequestState, CaseSource, KnownCase
from bot.cases.repository import CaseRepository
from bot.cases.requests import BY_RULE, CaseRequests
from bot.datadog.cases import Case, Comment
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble
from bot.model import Place
from bot.orgs.repository import OrgRepository
from bot.rules.case_fields import rule_words
from bot.rules.model import CaseDefaults
from bot.rules.repository import RuleRepository
from bot.storage.leases import Fence, LeasedWorker
from bot.storage.outbox import posted, shown_in
from bot.storage.tables import deliveries, known

logger = logging.getLogger(__name__)

_TRIES = 8  # of what Datadog may answer in a while
_KEPT_OPEN = {ClosingVerdict.SECURITY: RuleOutcome.SECURITY, ClosingVerdict.UNKNOWN: RuleOutcome.UNKNOWN}


@dataclass(eq=False)
class CaseRuleWorker(LeasedWorker):
    table = alert_cases
    woken_by = (alert_cases, posted(ALERT_CARD), BY_RULE)
    slots = 8
    due = case_rows.due()

    rows: RuleCases
    cycles: CycleRepository
    cases: CaseRepository
    requests: CaseRequests
    actions: CaseActions
    filling: CaseFilling
    rules: RuleRepository
    orgs: OrgRepository

    async def work(self, row: Row[Any], fence: Fence) -> None:
        state, cycle = known(RuleState, row.state), await self.cycles.get(row.cycle_id)
        if cycle is None:  # it is gone by now
            await self.write(fence, state=RuleState.DONE, owner=None)
            return
        rules = (await self.rules.of(row.workspace, row.channel)).case
        rule = row.rule or (rule_words(rules.create) if rules.create else "")
        place = Place(row.workspace, row.channel, row.thread_ts or await self._card_of(row))
        claimed = Claimed(row, cycle, fence, row.due_at - self._timing.lease, rule, place)
        match state:
            case RuleState.WAITING:
                await self._consider(claimed, rules)
            case RuleState.ORDERED:
                await self._made(claimed)
            case RuleState.WATCHING:
                await self._recovered(claimed, rules)
            case RuleState.CLOSING:
                await self._closed(claimed)

    async def _card_of(self, row: Row[Any]) -> str:
        found = await self._database.first(select(deliveries.c.ts).where(shown_in(ALERT_CARD, row.cycle_id, row)))
        return (found.ts or "") if found else ""

    # -- is there to be a case --------------------------------------------------------------------------------------

    async def _consider(self, claimed: Claimed, rules: CaseDefaults) -> None:
        async with self._database.transaction() as connection:
            if not await self.rows.sleep(connection, claimed):
                return
            run = await self.rows.concluded_run(connection, claimed)
            then = next_step(rules.create, claimed.known, concluded=bool(run), at=claimed.at)
            if then.step is Step.EXPECT:
                await self.rows.let_go(connection, claimed)
            else:
                await self.rows.stay_awake(connection, claimed)
        match then.step:
            case Step.WAIT:
                await self.put_off(claimed.fence, then.wait, roused=True, attempt=0)
            case Step.OFF:
                await self.rows.end(claimed, RuleOutcome.OFF)
            case Step.RECOVERED:
                await self.rows.end(claimed, RuleOutcome.RECOVERED)
            case Step.CREATE:
                await self._create(claimed, run)

    async def _create(self, claimed: Claimed, run: int) -> None:
        now = standing(claimed.known.cycle)
        closes = now.recovered_at is None  # of one that is over the case stays open
        if (order := await self.rows.lead(claimed.known.id)) is not None:
            await self.rows.join(claimed, order, may_close=closes)
            return
        if await self._has_case(claimed):
            await self.rows.end(claimed, RuleOutcome.BY_HAND)
            return
        source = CaseSource(investigation=run, alert=now.subject)
        key = f"rule:{claimed.known.ref}:{claimed.row.id}"
        draft = await self.requests.draft(claimed.row.org, claimed.place, "", source, key=key)
        if await self.requests.under_way(draft) is not None:  # somebody is making one by hand
            await self._again(claimed, self._timing.settle)
            return
        match await self.filling.by_itself(draft):
            case CaseRequest() as request:
                await self._order(claimed, request, closes=closes)
            case NoProject(named):
                await self._unmade(claimed, RuleOutcome.UNKNOWN_PROJECT if named else RuleOutcome.NO_PROJECT)
            case trouble:
                if not await self._may_try_again(claimed, trouble):
                    await self._unmade(claimed, RuleOutcome.FAILED, trouble)

    async def _has_case(self, claimed: Claimed) -> bool:
        """In whichever thread under this alert's cards somebody has made it."""
        threads = await self.cycles.cards(claimed.known.id, claimed.row.workspace)
        return any([await self.cases.of_thread(each) is not None for each in threads])

    async def _order(self, claimed: Claimed, request: CaseRequest, *, closes: bool) -> None:
        async def order() -> None:
            if (lead := await self.rows.lead(claimed.known.id)) is not None:
                await self.rows.join(claimed, lead, may_close=closes)
            elif not await self.rows.order(claimed, request, may_close=closes):
                await self.rows.end_full(claimed)

        await self._without_conflict(claimed, order)

    async def _unmade(self, claimed: Claimed, outcome: RuleOutcome, problem: Trouble | None = None) -> None:
        await self._without_conflict(claimed, lambda: self.rows.end_unmade(claimed, outcome, problem))

    async def _without_conflict(self, claimed: Claimed, write: Callable[[], Awaitable[None]]) -> None:
        """Each conflict means that another has got one of the day's cases, or another channel the case of this alert."""
        for _ in range(MOST_A_DAY + 2):
            with suppress(IntegrityError):
                await write()
                return
        await self._again(claimed, self._timing.settle)

    async def _may_try_again(self, claimed: Claimed, trouble: Trouble) -> bool:
        """Then it is put off."""
        may = trouble.may_pass and claimed.row.attempt < _TRIES
        if may:
            await self._again(claimed, max(self._timing.backoff(claimed.row.attempt), trouble.wait or 0.0))
        return may

    async def _again(self, claimed: Claimed, wait: float) -> None:
        await self.put_off(claimed.fence, wait, roused=True)

    # -- what became of it ------------------------------------------------------------------------------------------

    async def _made(self, claimed: Claimed) -> None:
        request = await self.requests.by_number(claimed.row.order_id)
        case = await self.cases.get(request.case_row) if request and request.case_row else None
        if request is None or request.state is CaseRequestState.UNCERTAIN:
            await self.rows.end(claimed, RuleOutcome.UNCERTAIN, Told.NOT_MADE)
        elif request.state is CaseRequestState.REFUSED:
            await self.rows.end(claimed, RuleOutcome.FAILED, Told.NOT_MADE, request.problem)
        elif case is None:
            await self.rows.end(claimed, RuleOutcome.BY_HAND)
        else:
            async with self._database.transaction() as connection:
                if await self.rows.made(connection, claimed, case.id, case.name) and request.place != claimed.place:
                    await self.cases.belongs(connection, case.id, claimed.place, "", card=True)

    # -- the alert has recovered ------------------------------------------------------------------------------------

    async def _recovered(self, claimed: Claimed, rules: CaseDefaults) -> None:
        row = claimed.row
        if not await self._is_over(claimed):
            return
        if not (row.may_close and rules.close):
            await self.rows.end(claimed, RuleOutcome.KEPT)
            return
        request, case = await self.requests.by_number(row.order_id), await self.cases.get(row.case_row)
        org = await self.orgs.get(row.org, row.workspace)
        if request is None or case is None or case.gone:
            await self.rows.end(claimed, RuleOutcome.KEPT)
        elif org is None:
            await self.rows.end(claimed, RuleOutcome.FAILED, Told.NOT_CLOSED, Trouble(TroubleKind.NO_ORG), case.name)
        else:
            await self._close(claimed, org, request, case)

    async def _is_over(self, claimed: Claimed) -> bool:
        """Else it sleeps until the next recovery."""
        async with self._database.transaction() as connection:
            if not await self.rows.sleep(connection, claimed):
                return False
            cycle = await self.cycles.read(connection, claimed.known.id)
            if cycle is not None and standing(cycle.cycle).state is Transition.RECOVERED:
                return await self.rows.stay_awake(connection, claimed)
            await self.rows.let_go(connection, claimed)
        return False

    async def _close(self, claimed: Claimed, org: ConnectedOrg, request: CaseRequest, case: KnownCase) -> None:
        looked = await or_trouble(_look(org, case.case_id), self._timing.effect)
        if isinstance(looked, Trouble):
            if looked.kind is TroubleKind.NOT_FOUND:
                await self.cases.gone(case.id)
                await self.rows.end(claimed, RuleOutcome.KEPT)
            elif not await self._may_try_again(claimed, looked):
                await self.rows.end(claimed, RuleOutcome.FAILED, Told.NOT_CLOSED, looked, case.name)
            return
        there, comments = looked
        case = await self.cases.remember(claimed.row.org, there)
        verdict = may_close(request, case, there, comments)
        key, status = closing_key(request.id), case.status_in("closed")
        async with self._database.transaction() as connection:
            if await self.actions.by_people(connection, case.id):
                verdict = ClosingVerdict.TOUCHED if verdict is not ClosingVerdict.OVER else verdict
            if verdict is ClosingVerdict.CLOSE or (
                verdict is ClosingVerdict.OVER and await self.actions.was_taken(connection, key)
            ):
                close = CaseAction(key, case.id, request.place, "", CaseActionKind.STATUS, status)
                if await self.rows.let_go(connection, claimed, state=RuleState.CLOSING):
                    await self.actions.take_in(connection, close)
                return
        if verdict in _KEPT_OPEN:
            await self.rows.end(claimed, _KEPT_OPEN[verdict], Told.NOT_CLOSED, what=case.name)
        else:
            await self.rows.end(claimed, RuleOutcome.KEPT)

    async def _closed(self, claimed: Claimed) -> None:
        outcome = await self.actions.outcome(closing_key(claimed.row.order_id))
        case = await self.cases.get(claimed.row.case_row)
        name = case.name if case else ""
        if outcome is None or outcome.done:
            await self.rows.end(claimed, RuleOutcome.CLOSED, Told.CLOSED, what=name)
        else:
            await self.rows.end(claimed, RuleOutcome.FAILED, Told.NOT_CLOSED, outcome.problem, name)


async def _look(org: ConnectedOrg, case_id: str) -> tuple[Case, tuple[Comment, ...]]:
    """The case, and its comments where there may be any."""
    case = await org.cases.get(case_id)
    return case, (() if case.comments == 0 else await org.cases.comments(case_id))
