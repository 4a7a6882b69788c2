"""What the case room says in Slack by itself: how a request stands, why a click came to nothing, and the card in its thread."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from bot.cases import escalation_views, views
from bot.cases.action_views import action_failed
from bot.cases.card import case_card
from bot.cases.escalations import CaseEscalations
from bot.cases.model import CaseAction, CaseRequest, CaseRequestState, KnownCase
from bot.cases.repository import CaseRepository
from bot.cases.work_object import card_entity
from bot.datadog.cases import Person
from bot.datadog.errors import DatadogError
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, trouble_of
from bot.model import Place
from bot.orgs.repository import OrgRepository
from bot.slack.blocks import Message, sentences
from bot.slack.clients import Workspaces
from bot.slack.errors import CALL_ERRORS, RATE_LIMITED, posting_sentence
from bot.slack.errors import trouble_of as slack_trouble_of
from bot.slack.poster import Urgency
from bot.slack.replies import Modals, Replies
from bot.storage.outbox import Delivery, Outbox

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CaseReplies:
    """To the person who wants something of a case, and who that is in Datadog."""

    cases: CaseRepository
    workspaces: Workspaces
    replies: Replies
    modals: Modals
    app_url: Callable[[str], str]

    async def email(self, workspace: str, person: str) -> str:
        """A person's e-mail address; empty where Slack does not tell it."""
        address = await self._email(workspace, person)
        return address if isinstance(address, str) else ""

    async def _email(self, workspace: str, person: str) -> str | Trouble:
        bot_client = await self.workspaces.bot_client(workspace)
        if bot_client is None:
            return ""
        try:
            answer = await bot_client.client.users_info(user=person)
        except CALL_ERRORS as error:
            trouble = slack_trouble_of(error)
            return (
                Trouble(TroubleKind.RATE_LIMITED, wait=trouble.wait, about=person)
                if trouble.code == RATE_LIMITED
                else ""
            )
        profile = (answer.get("user") or {}).get("profile") or {}
        return str(profile.get("email") or "")

    async def datadog_user(self, org: ConnectedOrg, workspace: str, person: str) -> Person | Trouble:
        """The Datadog user with the same e-mail address, or why there is none to be found."""
        email = await self._email(workspace, person)
        if isinstance(email, Trouble):
            return email
        if not email:
            return Trouble(TroubleKind.NO_EMAIL, about=person)
        try:
            user = await org.cases.user_with_email(email)
        except DatadogError as error:
            return trouble_of(error)
        return user or Trouble(TroubleKind.NO_USER, about=person)

    async def answer_to(self, request: CaseRequest) -> views.CaseAnswer:
        """How the request stands."""
        workspace, number = request.place.workspace, request.case_row
        known = await self.cases.get_in(workspace, number) if number else None
        return views.request_answer(request, known, self.app_url(request.org))

    async def show_progress(self, request: CaseRequest) -> None:
        """In the window it was submitted in; once that is closed, what needs an answer is said directly."""
        answer = await self.answer_to(request)
        view = views.answer_view(request.key, answer)
        if request.view_id and await self.modals.update(request.place.workspace, request.view_id, view):
            return
        if request.state in {CaseRequestState.REFUSED, CaseRequestState.UNCERTAIN} or (
            request.state is CaseRequestState.DONE and request.notes
        ):
            await self.replies.tell(request.place, request.requester, answer.message)

    async def action_failed(self, action: CaseAction, case: KnownCase, trouble: Trouble) -> None:
        if action.person:  # of a rule's, the room tells whose rule it is
            await self.replies.tell(action.place, action.person, action_failed(action, case, trouble))


@dataclass(frozen=True, slots=True)
class CaseCards:
    """The kind of message a thread is owed of its case."""

    urgency: ClassVar[Urgency] = Urgency.CARD

    cases: CaseRepository
    outbox: Outbox
    replies: Replies
    orgs: OrgRepository
    escalations: CaseEscalations
    work_objects: bool = False  # each card carries one

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  a card says where things stand: twice is no harm
        known = await self.cases.get(delivery.post.subject_id)
        if known is None or await self.orgs.withholds(known.org, delivery.post.workspace):
            return None
        escalated = await self.escalations.of_case(known.id, delivery.post.workspace)
        app_url = self.orgs.app_url(known.org)
        card = case_card(known, app_url, escalation_views.on_card(escalated))
        return replace(card, entities=[card_entity(known, app_url)]) if self.work_objects and not known.gone else card

    async def refused(self, delivery: Delivery, code: str) -> None:
        """The card then goes to whoever asked for it, who is told why."""
        post = delivery.post
        if post.channel == post.requester or not post.requester:
            logger.error("%s: nobody could be told (%s)", post.key, code)
            return
        await self.outbox.instead_to_requester(delivery)
        why = posting_sentence(code, channel=post.channel)
        place = Place(post.workspace, post.channel, post.thread_ts)
        told = sentences(f"{why} You get the card as a direct message instead; nothing else is lost.")
        await self.replies.tell(place, post.requester, told)
