"""Makes the cases that were ordered: each once, with its monitor, event and conclusions, whatever breaks in between.

Creating is not idempotent. Before it the order says `creating`; whoever finds that later looks in Datadog for the
order's reference, adopts the case that carries it, and never creates another one on a guess.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Row

from bot.cases.catalog import Catalogs
from bot.cases.comments import CommentToPost, Posted, post_once
from bot.cases.people import datadog_user
from bot.cases.ports import CaseOrg, CaseOrgs
from bot.cases.repository import CaseRepository
from bot.cases.requests import CaseRequest, CaseRequests, CaseRequestState, Wanted, read_order
from bot.cases.tables import case_orders
from bot.cases.trouble import Trouble, Why, trouble_of
from bot.datadog.case_model import Case, Insight, Person
from bot.datadog.errors import BadRequest, DatadogError
from bot.storage.leases import Fence, LeasedWorker
from bot.storage.timing import Timing
from bot.wording import APP

logger = logging.getLogger(__name__)

_NAMES_WAIT = 3.0
_CLOCK_SKEW = 300.0  # seconds Datadog's clock may be behind ours
_MORE_LOOKS = 3  # times as many where Datadog shows nothing at all: that says little
_PAGE = 100
_MOST_PAGES = 5

Notes = tuple[tuple[str, Trouble], ...]


class Front(Protocol):
    """The person who ordered, as the maker sees her."""

    async def email(self, workspace: str, person: str) -> str:
        """Her e-mail address; empty where Slack does not tell."""

    async def order_stands(self, order: CaseRequest) -> None:
        """Show her where her order stands."""


@dataclass(frozen=True, slots=True)
class _Claim:
    org: CaseOrg
    order: CaseRequest
    fence: Fence


class CaseMaker(LeasedWorker):
    table = case_orders
    slots = 8
    due = CaseRequests.due()
    under_way = case_orders.c.state == CaseRequestState.CREATING

    def __init__(
        self,
        orders: CaseRequests,
        book: CaseRepository,
        orgs: CaseOrgs,
        catalogs: Catalogs,
        front: Front,
        timing: Timing,
        *,
        owner: str,
    ) -> None:
        super().__init__(orders.database, timing, owner=owner)
        self._orders = orders
        self._book = book
        self._orgs = orgs
        self._catalogs = catalogs
        self._front = front

    async def work(self, row: Row[Any], fence: Fence) -> None:
        """One phase a claim, so that each has the whole lease; the next claim follows at once."""
        order = read_order(row)
        org = await self._orgs.get(order.org)
        if org is None:
            await self._no_org(order, fence)
        else:
            await self._phase(_Claim(org, order, fence))
        now = await self._orders.by_id(order.id)
        if now is not None and not now.told:
            await self._tell(now, fence)

    async def _no_org(self, order: CaseRequest, fence: Fence) -> None:
        if order.state is CaseRequestState.CREATED:
            await self._orders.write(fence, state=CaseRequestState.DONE, notes=(("insights", Trouble(Why.NO_ORG)),))
        elif order.state in {CaseRequestState.ORDERED, CaseRequestState.CREATING}:
            await self._orders.refuse(fence, Trouble(Why.NO_ORG))

    async def _phase(self, claim: _Claim) -> None:
        match claim.order.state:
            case CaseRequestState.ORDERED:
                await self._begin(claim)
            case CaseRequestState.CREATING:
                await self._look(claim)
            case CaseRequestState.CREATED:
                await self._complete(claim)

    async def _tell(self, order: CaseRequest, fence: Fence) -> None:
        if order.state is CaseRequestState.CREATING:
            return
        await self._front.order_stands(order)
        if order.state in {CaseRequestState.DONE, CaseRequestState.REFUSED, CaseRequestState.UNCERTAIN}:
            await self._orders.write(fence, told=True, owner=None)

    # -- the first time: write down that it is sent, then send it -----------------------------------------------

    async def _begin(self, claim: _Claim) -> None:
        order, wanted = claim.order, claim.order.wanted
        if wanted is None:
            await self._orders.refuse(claim.fence, Trouble(Why.BAD_REQUEST))
            return
        if order.begun_at is not None and not await self._surely_not_there(claim):
            return
        assignee_id, notes = await self._assignee(claim, wanted)
        began = order.begun_at if order.begun_at is not None else self._orders.database.now
        lease = self._orders.database.now + self._timing.lease
        values = {"begun_at": began, "assignee_id": assignee_id, "notes": notes, "due_at": lease, "retry_at": None}
        if await self._orders.write(claim.fence, state=CaseRequestState.CREATING, **values):
            await self._create(claim, wanted, assignee_id)

    async def _surely_not_there(self, claim: _Claim) -> bool:
        """It was sent once before, nobody knows with what outcome, and now it is wanted all the same."""
        found = await self._find(claim)
        if isinstance(found, Case):
            await self._made(claim, found)
        elif isinstance(found, Trouble):
            await self._orders.write(claim.fence, state=CaseRequestState.UNCERTAIN)
        return found is None

    async def _assignee(self, claim: _Claim, wanted: Wanted) -> tuple[str, Notes]:
        """A case without its assignee is better than none: what goes wrong here is only noted."""
        if not wanted.assignee:
            return "", ()
        found = await self._user(claim, wanted.assignee)
        return (found.id, ()) if isinstance(found, Person) else ("", (("assignee", found),))

    async def _user(self, claim: _Claim, person: str) -> Person | Trouble:
        try:
            async with asyncio.timeout(self._timing.effect):
                email = await self._front.email(claim.order.place.workspace, person)
                return await datadog_user(claim.org, email, about=person)
        except TimeoutError as error:
            return trouble_of(error)

    async def _create(self, claim: _Claim, wanted: Wanted, assignee_id: str) -> None:
        try:
            async with asyncio.timeout(self._timing.effect):
                case = await _create(claim, wanted, assignee_id)
        except (DatadogError, TimeoutError) as error:
            if isinstance(error, TimeoutError) or error.may_have_happened:
                logger.warning("case order %s: sent, with unknown outcome", claim.order.ref)
                # attempt counts the looks from here on
                await self._orders.later(claim.fence, self._timing.settle, attempt=0)
            else:
                await self._not_made(claim, trouble_of(error))
            return
        logger.info("case order %s: made as %s", claim.order.ref, case.id)
        await self._made(claim, case)

    async def _not_made(self, claim: _Claim, trouble: Trouble) -> None:
        """Datadog said no, or was not reached: once more later where that can help, else say why."""
        wait = self._wait_worth(claim.order, trouble)
        if wait is None:
            logger.warning("case order %s: not made (%s)", claim.order.ref, trouble.why)
            if trouble.why in {Why.NOT_FOUND, Why.BAD_REQUEST}:
                self._catalogs.forget(claim.order.org)
            await self._orders.refuse(claim.fence, trouble, begun_at=claim.order.begun_at)
            return
        retry_at, begun_at = self._orders.database.now + wait, claim.order.begun_at
        await self._orders.later(
            claim.fence, wait, state=CaseRequestState.ORDERED, begun_at=begun_at, retry_at=retry_at
        )

    def _wait_worth(self, order: CaseRequest, trouble: Trouble) -> float | None:
        if trouble.why not in {Why.RATE_LIMITED, Why.NOT_REACHED}:
            return None
        wait = self._timing.backoff(order.attempt) if trouble.wait is None else trouble.wait
        spent = self._timing.settle * order.attempt
        return wait if wait + spent <= self._timing.patience else None

    async def _made(self, claim: _Claim, case: Case) -> None:
        await self._learn_names(claim.order.org)
        await self._orders.made(claim.fence, claim.order, case)

    async def _learn_names(self, org: str) -> None:
        """For the card: what its status, type and project are called. Without them it is only plainer."""
        try:
            async with asyncio.timeout(_NAMES_WAIT):
                await self._catalogs.get(org)
        except (DatadogError, TimeoutError):
            return

    # -- after an unknown outcome: look for our reference, never guess ------------------------------------------

    async def _look(self, claim: _Claim) -> None:
        found = await self._find(claim)
        if isinstance(found, Case):
            logger.info("case order %s: found as %s", claim.order.ref, found.id)
            await self._made(claim, found)
        elif claim.order.attempt >= self._timing.look_attempts * (_MORE_LOOKS if found else 1):
            logger.warning("case order %s: whether it was made stays unknown", claim.order.ref)
            await self._orders.write(claim.fence, state=CaseRequestState.UNCERTAIN)
        else:
            await self._orders.later(claim.fence, self._timing.settle / 2 * claim.order.attempt)

    async def _find(self, claim: _Claim) -> Case | Trouble | None:
        """The case that carries our reference; None when Datadog shows none; a trouble when it shows nothing."""
        try:
            async with asyncio.timeout(self._timing.effect):
                return await _find(claim)
        except (DatadogError, TimeoutError) as error:
            return trouble_of(error)

    # -- what goes with it --------------------------------------------------------------------------------------

    async def _complete(self, claim: _Claim) -> None:
        order, wanted = claim.order, claim.order.wanted
        known = await self._book.get(order.case_row or 0)
        if wanted is None or known is None:
            await self._orders.write(claim.fence, state=CaseRequestState.DONE)
            return
        notes = [note for note in order.notes if note[0] == "assignee"]
        insights = await self._attach(claim, known.case_id, wanted.insights)
        comment = await self._comment(claim, known.case_id, wanted.comment)
        if self._to_be_continued(order, insights, comment):
            await self._orders.later(claim.fence, self._patience_for(order, insights, comment))
            return
        notes += [(what, each) for what, each in (("insights", insights), ("comment", comment)) if each]
        if any(each.why is Why.NOT_FOUND for _, each in notes):
            await self._check_it_is_there(claim, known.id, known.case_id)
        await self._orders.write(claim.fence, state=CaseRequestState.DONE, notes=tuple(notes))

    def _to_be_continued(self, order: CaseRequest, *troubles: Trouble | None) -> bool:
        return any(each and each.may_pass for each in troubles) and order.attempt < self._timing.look_attempts

    def _patience_for(self, order: CaseRequest, *troubles: Trouble | None) -> float:
        asked = max((each.wait or 0.0 for each in troubles if each), default=0.0)
        unclear = any(each and each.why is Why.UNCLEAR for each in troubles)
        return max(asked, self._timing.settle if unclear else self._timing.backoff(order.attempt))

    async def _attach(self, claim: _Claim, case_id: str, insights: tuple[Insight, ...]) -> Trouble | None:
        """Attaching has set semantics: again does no harm. One that is refused does not keep out the other."""
        if not insights:
            return None
        try:
            async with asyncio.timeout(self._timing.effect):
                case = await _attach(claim.org, case_id, insights)
        except (DatadogError, TimeoutError) as error:
            return trouble_of(error)
        if isinstance(case, Trouble):
            return case
        await self._book.remember(claim.order.org, case)
        return None

    async def _comment(self, claim: _Claim, case_id: str, message: str) -> Trouble | None:
        order = claim.order
        if not message or order.comment == "done":
            return None
        sent_before = order.begun_at if order.comment == "sending" else None

        async def about_to_send() -> bool:
            return await self._orders.write(claim.fence, comment="sending")

        try:
            async with asyncio.timeout(self._timing.effect):
                comment = CommentToPost(case_id, message, sent_before)
                posted = await post_once(claim.org, comment, about_to_send=about_to_send)
        except TimeoutError:
            return Trouble(Why.UNCLEAR)
        if posted is Posted.DONE:
            await self._orders.write(claim.fence, comment="done")
            return None
        if isinstance(posted, Trouble):
            await self._orders.write(claim.fence, comment="owed")
            return posted
        return Trouble(Why.UNCLEAR)

    async def _check_it_is_there(self, claim: _Claim, case_row: int, case_id: str) -> None:
        trouble = await refresh(claim.org, self._book, claim.order.org, case_id, self._timing.effect)
        if trouble and trouble.why is Why.NOT_FOUND:
            await self._book.gone(case_row)


async def refresh(org: CaseOrg, book: CaseRepository, org_name: str, case_id: str, within: float) -> Trouble | None:
    """Learn how a case stands now; None when that went well."""
    try:
        async with asyncio.timeout(within):
            await book.remember(org_name, await org.cases.get(case_id))
    except (DatadogError, TimeoutError) as error:
        return trouble_of(error)
    return None


def description_of(order: CaseRequest, wanted: Wanted) -> str:
    """The description with our reference, by which the case is known again should the answer get lost."""
    mark = f"Opened from Slack with {APP}, ref {order.ref}."
    return f"{wanted.description}\n\n{mark}" if wanted.description else mark


async def _create(claim: _Claim, wanted: Wanted, assignee_id: str) -> Case:
    return await claim.org.cases.create(
        wanted.title,
        wanted.project_id,
        wanted.type_id,
        description=description_of(claim.order, wanted),
        priority=wanted.priority,
        status_name=wanted.status_name,
        assignee_id=assignee_id,
    )


async def _find(claim: _Claim) -> Case | None:
    """Looks through the project's newest cases: that needs no index of what they say."""
    order, wanted = claim.order, claim.order.wanted
    query = f"project:{wanted.project_key}" if wanted and wanted.project_key else ""
    since = (order.begun_at or order.created_at) - _CLOCK_SKEW
    for number in range(1, _MOST_PAGES + 1):
        page = await claim.org.cases.search(query, size=_PAGE, page=number)
        ours = [case for case in page.cases if f"ref {order.ref}." in case.description]
        if ours:
            return ours[-1]
        oldest = min((case.created_at.timestamp() for case in page.cases if case.created_at), default=0.0)
        if len(page.cases) < _PAGE or oldest < since:
            return None
    return None


async def _attach(org: CaseOrg, case_id: str, insights: tuple[Insight, ...]) -> Case | Trouble:
    try:
        return await org.cases.add_insights(case_id, insights)
    except BadRequest as error:
        if len(insights) == 1:
            return trouble_of(error)
    refused: Trouble | None = None
    case: Case | None = None
    for each in insights:
        try:
            case = await org.cases.add_insights(case_id, (each,))
        except BadRequest as error:
            refused = trouble_of(error)
    return refused or case or Trouble(Why.BAD_REQUEST)
