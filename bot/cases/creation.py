"""Makes the cases that were requested: each once, with its monitor, event and conclusions, whatever breaks in between.

Creating is not idempotent. Before it the request says `creating`; whoever finds that later looks in Datadog for the
request's reference, adopts the case that carries it, and never creates another one on a guess.
"""

import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from bot.cases.catalog import Catalogs
from bot.cases.model import CaseContent, CaseNotes, CaseRequest, CaseRequestState, KnownCase
from bot.cases.once import wait_worth
from bot.cases.posts import CaseReplies
from bot.cases.repository import CaseRepository
from bot.cases.requests import FINAL, CaseRequests, read_request
from bot.cases.tables import case_orders
from bot.datadog.case_attributes import Attributes, merged
from bot.datadog.cases import Case, Insight, Person
from bot.datadog.errors import BadRequest
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble, trouble_of
from bot.orgs.repository import OrgRepository
from bot.storage.leases import Fence, LeasedWorker
from bot.wording import APP

logger = logging.getLogger(__name__)

_CLOCK_SKEW = 300.0  # seconds Datadog's clock may be behind ours
_MORE_LOOKS = 3  # times as many where Datadog shows nothing at all: that says little
_PAGE = 100
_MOST_PAGES = 5


@dataclass(frozen=True, slots=True)
class _Claim:
    org: ConnectedOrg
    request: CaseRequest
    fence: Fence


@dataclass(eq=False)
class CaseMaker(LeasedWorker):
    table = case_orders
    slots = 8
    due = CaseRequests.due()
    under_way = case_orders.c.state == CaseRequestState.CREATING

    requests: CaseRequests
    cases: CaseRepository
    orgs: OrgRepository
    catalogs: Catalogs
    replies: CaseReplies

    async def work(self, row: Row[Any], fence: Fence) -> None:
        """One phase a claim, so that each has the whole lease; the next claim follows at once."""
        request = read_request(row)
        org = await self.orgs.get(request.org, request.place.workspace)
        if org is None:
            await self._no_org(request, fence)
        else:
            claim = _Claim(org, request, fence)
            match request.state:
                case CaseRequestState.ORDERED:
                    await self._begin(claim)
                case CaseRequestState.CREATING:
                    await self._look(claim)
                case CaseRequestState.CREATED:
                    await self._complete(claim)
        now = await self.requests.now(request)
        if now is not None and not now.told:
            await self._tell(now, fence)

    async def _no_org(self, request: CaseRequest, fence: Fence) -> None:
        if request.state is CaseRequestState.CREATED:
            await self.write(fence, state=CaseRequestState.DONE, notes=(("insights", Trouble(TroubleKind.NO_ORG)),))
        elif request.state in {CaseRequestState.ORDERED, CaseRequestState.CREATING}:
            await self.requests.refuse(fence, Trouble(TroubleKind.NO_ORG))

    async def _tell(self, request: CaseRequest, fence: Fence) -> None:
        if request.state is CaseRequestState.CREATING:
            return
        if not request.by_rule:
            await self.replies.show_progress(request)
        if request.state in FINAL:
            await self.requests.told(fence, request)

    # -- the first time: write down that it is sent, then send it -----------------------------------------------

    async def _begin(self, claim: _Claim) -> None:
        request, content = claim.request, claim.request.content
        if content is None:
            await self.requests.refuse(claim.fence, Trouble(TroubleKind.BAD_REQUEST))
            return
        if request.begun_at is not None and not await self._surely_not_there(claim):
            return
        if request.by_rule and not await self._still_wanted(claim):
            return
        assignee_id, notes = await self._assignee(claim, content)
        began = request.begun_at if request.begun_at is not None else self._database.now
        lease = self._database.now + self._timing.lease
        values = {"begun_at": began, "notes": notes, "due_at": lease, "retry_at": None, "problem": None}
        if await self.write(claim.fence, state=CaseRequestState.CREATING, **values):
            await self._create(claim, content, assignee_id)

    async def _surely_not_there(self, claim: _Claim) -> bool:
        """It was sent once before, nobody knows with what outcome, and now it is wanted all the same."""
        found = await or_trouble(_find(claim), self._timing.effect)
        if isinstance(found, Case):
            await self._made(claim, found)
        elif isinstance(found, Trouble):
            await self.write(claim.fence, state=CaseRequestState.UNCERTAIN)
        return found is None

    async def _still_wanted(self, claim: _Claim) -> bool:
        """A rule makes no second case in a thread where somebody has made one by hand meanwhile, or is just making it."""
        if await self.requests.under_way(claim.request) is not None:
            await self.put_off(claim.fence, self._timing.settle)
            return False
        if await self.cases.of_thread(claim.request.place) is not None:
            await self.write(claim.fence, state=CaseRequestState.DONE)
            return False
        return True

    async def _assignee(self, claim: _Claim, content: CaseContent) -> tuple[str, CaseNotes]:
        """A case without its assignee is better than none: what goes wrong here is only noted."""
        if not content.assignee:
            return "", ()
        looking = self.replies.datadog_user(claim.org, claim.request.place.workspace, content.assignee)
        found = await or_trouble(looking, self._timing.effect)
        return (found.id, ()) if isinstance(found, Person) else ("", (("assignee", found),))

    async def _create(self, claim: _Claim, content: CaseContent, assignee_id: str) -> None:
        creating = claim.org.cases.create(
            content.title,
            content.project_id,
            content.type_id,
            description=description_of(claim.request, content),
            priority=content.priority,
            status_name=content.status_name,
            assignee_id=assignee_id,
        )
        case = await or_trouble(creating, self._timing.effect)
        if isinstance(case, Case):
            logger.info("case request %s: made as %s", claim.request.ref, case.id)
            await self._made(claim, case)
        elif case.kind is TroubleKind.UNCLEAR:
            logger.warning("case request %s: sent, with unknown outcome", claim.request.ref)
            # attempt counts the looks from here on
            await self.put_off(claim.fence, self._timing.settle, attempt=0)
        else:
            await self._not_made(claim, case)

    async def _not_made(self, claim: _Claim, trouble: Trouble) -> None:
        """Datadog said no, or was not reached: once more later where that can help, else say why."""
        wait = wait_worth(self._timing, claim.request.attempt, trouble)
        if wait is None:
            logger.warning("case request %s: not made (%s)", claim.request.ref, trouble.kind)
            if trouble.kind in {TroubleKind.NOT_FOUND, TroubleKind.BAD_REQUEST}:
                self.catalogs.forget(claim.request.org)
            await self.requests.refuse(claim.fence, trouble, begun_at=claim.request.begun_at)
            return
        later = {"retry_at": self._database.now + wait, "begun_at": claim.request.begun_at, "problem": trouble}
        await self.put_off(claim.fence, wait, state=CaseRequestState.ORDERED, **later)

    async def _made(self, claim: _Claim, case: Case) -> None:
        await self.catalogs.learn_names(claim.org)
        await self.requests.made(claim.fence, claim.request, case)

    # -- after an unknown outcome: look for our reference, never guess ------------------------------------------

    async def _look(self, claim: _Claim) -> None:
        found = await or_trouble(_find(claim), self._timing.effect)
        if isinstance(found, Case):
            logger.info("case request %s: found as %s", claim.request.ref, found.id)
            await self._made(claim, found)
        elif claim.request.attempt >= self._timing.look_attempts * (_MORE_LOOKS if found else 1):
            logger.warning("case request %s: whether it was made stays unknown", claim.request.ref)
            await self.write(claim.fence, state=CaseRequestState.UNCERTAIN)
        else:
            await self.put_off(claim.fence, self._timing.settle / 2 * claim.request.attempt)

    # -- what goes with it --------------------------------------------------------------------------------------

    async def _complete(self, claim: _Claim) -> None:
        request, content = claim.request, claim.request.content
        known = await self.cases.get(request.case_row or 0)
        if content is None or known is None:
            await self.write(claim.fence, state=CaseRequestState.DONE)
            return
        notes = [note for note in request.notes if note[0] == "assignee"]
        attributes = await self._sort(claim, known.case_id, content.attributes)
        insights = await self._attach(claim, known.case_id, content.insights)
        comment = await self._comment(claim, known.case_id, content.comment)
        missing = [
            (what, each)
            for what, each in (("attributes", attributes), ("insights", insights), ("comment", comment))
            if each
        ]
        if any(each.may_pass for _, each in missing) and request.attempt < self._timing.look_attempts:
            unclear = any(each.kind is TroubleKind.UNCLEAR for _, each in missing)
            wait = self._timing.settle if unclear else self._timing.backoff(request.attempt)
            await self.put_off(claim.fence, max(wait, *(each.wait or 0.0 for _, each in missing)))
            return
        notes += missing
        if any(each.kind is TroubleKind.NOT_FOUND for _, each in notes):
            trouble = await refresh(claim.org, self.cases, known, self._timing.effect)
            if trouble and trouble.kind is TroubleKind.NOT_FOUND:
                await self.cases.gone(known.id)
        await self.write(claim.fence, state=CaseRequestState.DONE, notes=tuple(notes))

    async def _sort(self, claim: _Claim, case_id: str, attributes: Attributes) -> Trouble | None:
        """The alert's service, team and environment, beside whatever Datadog's own rules have put there meanwhile."""
        if not attributes:
            return None
        case = await or_trouble(_set_attributes(claim.org, case_id, attributes), self._timing.effect)
        if isinstance(case, Trouble):
            return case
        await self.cases.remember(claim.request.org, case)
        return None

    async def _attach(self, claim: _Claim, case_id: str, insights: tuple[Insight, ...]) -> Trouble | None:
        """Attaching has set semantics: again does no harm. One that is refused does not keep out the other."""
        if not insights:
            return None
        case = await or_trouble(_attach(claim.org, case_id, insights), self._timing.effect)
        if isinstance(case, Trouble):
            return case
        await self.cases.remember(claim.request.org, case)
        return None

    async def _comment(self, claim: _Claim, case_id: str, message: str) -> Trouble | None:
        request = claim.request
        if not message or request.comment == "done":
            return None
        sent_before = request.begun_at if request.comment == "sending" else None

        async def about_to_send() -> bool:
            return await self.write(claim.fence, comment="sending")

        posting = claim.org.cases.comment_once(case_id, message, sent_before=sent_before, about_to_send=about_to_send)
        trouble = await or_trouble(posting, self._timing.effect)
        if trouble is None or trouble.kind is not TroubleKind.UNCLEAR:
            await self.write(claim.fence, comment="owed" if trouble else "done")
        return trouble


async def refresh(org: ConnectedOrg, cases: CaseRepository, known: KnownCase, within: float) -> Trouble | None:
    """Learn how a case stands now; None when that went well."""
    case = await or_trouble(org.cases.get(known.case_id), within)
    if isinstance(case, Trouble):
        return case
    await cases.remember(known.org, case)
    return None


def description_of(request: CaseRequest, content: CaseContent) -> str:
    """The description with our reference, by which the case is known again should the answer get lost."""
    mark = f"Opened from Slack with {APP}, ref {request.ref}."
    return f"{content.description}\n\n{mark}" if content.description else mark


async def _find(claim: _Claim) -> Case | None:
    """The case that carries our reference. Looks through the project's newest cases: that needs no index of what they say."""
    request, content = claim.request, claim.request.content
    query = f"project:{content.project_key}" if content and content.project_key else ""
    since = (request.begun_at or request.created_at) - _CLOCK_SKEW
    for number in range(1, _MOST_PAGES + 1):
        found = await claim.org.cases.search(query, size=_PAGE, page=number)
        ours = [case for case in found if f"ref {request.ref}." in case.description]
        if ours:
            return ours[-1]
        oldest = min((case.created_at.timestamp() for case in found if case.created_at), default=0.0)
        if len(found) < _PAGE or oldest < since:
            return None
    return None


async def _set_attributes(org: ConnectedOrg, case_id: str, attributes: Attributes) -> Case:
    case = await org.cases.get(case_id)
    missing = tuple(each for each in attributes if each[0] not in dict(case.attributes))
    return await org.cases.set_attributes(case_id, merged(case.attributes, missing)) if missing else case


async def _attach(org: ConnectedOrg, case_id: str, insights: tuple[Insight, ...]) -> Case | Trouble:
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
    return refused or case or Trouble(TroubleKind.BAD_REQUEST)
