"""The messages that investigations owe to threads: the status card, and the reply that ends the wait."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.datadog.trouble import Trouble, TroubleKind
from bot.investigations import answers, card_view, conclusions_view
from bot.investigations.model import Investigation, State, ThreadCase
from bot.investigations.repository import InvestigationRepository
from bot.investigations.seen_before import SeenBeforeReader
from bot.investigations.vote_book import VoteBook
from bot.logs import know
from bot.model import Place
from bot.orgs.repository import OrgRepository
from bot.rules.repository import RuleRepository
from bot.slack.blocks import Message
from bot.slack.poster import Urgency
from bot.slack.replies import Replies
from bot.storage.outbox import Delivery, Outbox

logger = logging.getLogger(__name__)

CaseOf = Callable[[Place], Awaitable[ThreadCase | None]]  # the case that a thread has already


@dataclass(frozen=True, slots=True)
class ShownInvestigations:
    """What a thread may see of an investigation: of an organisation that serves its workspace no more, only that."""

    repository: InvestigationRepository
    orgs: OrgRepository

    async def asked_for_in(self, workspace: str, number: int) -> Investigation | None:
        """By the number that a button or a window names; only while its organisation serves the workspace."""
        found = await self.repository.get_in(workspace, number)
        return None if found is None or await self.orgs.withholds(found.org, workspace) else found

    async def of(self, delivery: Delivery) -> Investigation | None:
        found = await self.repository.get(delivery.post.subject_id)
        if found is not None:
            know(ref=found.ref, org=found.org)
        if found is None or not await self.orgs.withholds(found.org, delivery.post.workspace):
            return found
        told: dict[str, Any] = {"title": "", "url": "", "verdict": None, "conclusions": ()}
        return replace(found, state=State.FAILED, failure=Trouble(TroubleKind.NO_ORG), **told)


@dataclass(frozen=True, slots=True)
class StatusCardPost:
    urgency: ClassVar[Urgency] = Urgency.CARD

    repository: InvestigationRepository
    seen_before: SeenBeforeReader
    shown: ShownInvestigations
    replies: Replies
    app_url: Callable[[str], str]

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  a card says where things stand: twice is no harm
        investigation = await self.shown.of(delivery)
        if investigation is None:
            return None
        app_url, usual, seen, alert = self.app_url(investigation.org), None, None, investigation.alert
        if not investigation.state.finished:
            usual = await self.repository.usual(investigation.org, alert.monitor_id if alert else None)
            seen = await self.seen_before.beside(delivery.post.workspace, investigation)
        requester = delivery.post.requester
        return card_view.status_card(investigation, requester=requester, app_url=app_url, usual=usual, seen=seen)

    async def refused(self, delivery: Delivery, code: str) -> None:
        post = delivery.post
        investigation = await self.repository.get(post.subject_id)
        if investigation is not None and post.requester:
            message = answers.cannot_post_card(code, channel=post.channel, ref=investigation.ref)
            await self.replies.tell(Place(post.workspace, post.channel, post.thread_ts), post.requester, message)


@dataclass(frozen=True, slots=True)
class ConclusionsPost:
    """The reply with the answer; where there is none, a line for who asked."""

    urgency: ClassVar[Urgency] = Urgency.ANSWER

    repository: InvestigationRepository
    replies: Replies
    shown: ShownInvestigations
    outbox: Outbox
    app_url: Callable[[str], str]
    rules: RuleRepository
    case_of: CaseOf
    votes: VoteBook

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:
        investigation = await self.shown.of(delivery)
        if investigation is None or not investigation.state.finished:
            return None  # somebody let it run on meanwhile
        requester, app_url = delivery.post.requester, self.app_url(investigation.org)
        if not investigation.conclusions:
            return await self._without_answer(delivery, investigation)
        place = Place(delivery.post.workspace, delivery.post.channel, delivery.thread_ts)
        message = conclusions_view.conclusions_message(
            investigation,
            requester=requester,
            app_url=app_url,
            may_repeat=may_repeat,
            case=await self.case_of(place),
            votes=await self.votes.of(place.workspace, investigation.id),
        )
        rules = await self.rules.of(delivery.post.workspace, delivery.post.channel)
        return replace(message, broadcast=rules.broadcast and investigation.state is State.CONCLUDED)

    async def _without_answer(self, delivery: Delivery, ended: Investigation) -> Message:
        post = delivery.post
        card = await self.repository.card_in_lane(post.thread_key)
        if not card:
            app_url = self.app_url(ended.org)
            return card_view.no_answer_message(ended, requester=post.requester, app_url=app_url)
        link = await self.replies.permalink(post.workspace, post.channel, card)
        return card_view.ended_message(ended, requester=post.requester, card_link=link or "")

    async def refused(self, delivery: Delivery, code: str) -> None:
        """Nothing is lost: what the channel does not take, the person who asked gets directly."""
        post = delivery.post
        if post.channel == post.requester or not post.requester:
            logger.error("%s: nobody could be told (%s)", post.key, code)
        else:
            await self.outbox.instead_to_requester(delivery)
