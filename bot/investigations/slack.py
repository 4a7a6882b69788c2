"""Investigations in Slack: what people do with them, and the two kinds of messages that each owes."""

import logging
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.datadog.trouble import Trouble, TroubleKind
from bot.investigations import answers, card_view, conclusions_view, doubts, follow_up, questions, subject_view
from bot.investigations.asking import StartRequests
from bot.investigations.message_alerts import content_of
from bot.investigations.model import Investigation, State, ThreadCase
from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import Investigate, Requests
from bot.investigations.seen_before import SeenBeforeReader
from bot.logs import know
from bot.model import AlertRef, EarlierRun, MessageRef, Place, Source, ThreadLook
from bot.orgs.repository import OrgRepository
from bot.rules import no_start
from bot.rules.budget import Budget
from bot.rules.permissions import NotAllowed, Permissions
from bot.rules.repository import RuleRepository
from bot.slack.blocks import Message
from bot.slack.forms import FormState
from bot.slack.gates import Judged, May, Open, Right
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Instead, Listeners, Submitted
from bot.slack.payloads import carried_in, is_reply
from bot.slack.poster import Urgency
from bot.slack.replies import Modals, Replies
from bot.storage.outbox import Delivery, Outbox
from bot.wording import INVESTIGATIONS

logger = logging.getLogger(__name__)

CaseOf = Callable[[Place], Awaitable[ThreadCase | None]]  # the case that a thread has already

INVESTIGATE_MESSAGE = "investigate_message"
LOST = "I can't tell any more where this belongs. Close it and start from the message again."

_LINK_BUTTON = re.compile(r".*:open$")


@dataclass(frozen=True, slots=True)
class StartListeners:
    """The button under an alert, the message shortcut with its question in words, and Run again."""

    starts: StartRequests

    def register(self, on: Listeners) -> None:
        judged = Judged("the ask worker")
        on.action(subject_view.INVESTIGATE_ACTION, self.investigate, judged)
        on.action(
            re.compile(rf"^({card_view.RUN_AGAIN}|{card_view.START_AGAIN_ACTION}|{conclusions_view.RUN_AGAIN})$"),
            self.starts.run_again,
            judged,
        )
        on.shortcut(INVESTIGATE_MESSAGE, self.investigate_message, judged)
        on.submission(questions.CALLBACK, self.investigate_question, judged)
        on.submission(conclusions_view.RUN_AGAIN_CALLBACK, self.run_again, judged)

    async def investigate(self, click: Interaction) -> After:
        alert = subject_view.read_alert_value(click.value)
        if alert is None:
            return answers.no_longer_alert()
        if isinstance(alert, AlertRef) and not is_reply(click.message):
            alert = replace(alert, thread=ThreadLook.OURS)
        return await self.starts.start(click, Investigate(alert, Source.BUTTON))

    async def investigate_message(self, shortcut: Interaction) -> After:
        """The alert is taken from the message; where there is none, the person is asked for words."""
        subject = MessageRef(content_of(shortcut.message), shortcut.trigger_id)
        return await self.starts.start(shortcut, Investigate(subject, Source.SHORTCUT))

    async def investigate_question(self, window: Interaction) -> Submitted:
        place = carried_in(window.metadata)
        if not place.get("channel"):
            return Submitted(errors={questions.TEXT: LOST})
        window = window.at(str(place["channel"]), str(place.get("thread_ts") or ""))
        question = questions.read_question(window.view, now=time.time())
        if isinstance(question, dict):
            return Submitted(errors=question)
        return Submitted(after=await self.starts.start(window, Investigate(question, Source.MODAL)))

    async def run_again(self, window: Interaction) -> Submitted:
        """What was asked for in a menu, once its cost is agreed to."""
        number, place = conclusions_view.read_place(window.metadata)
        window = window.at(*place)
        return Submitted(after=await self.starts.start(window, Investigate(EarlierRun(number), Source.BUTTON)))


@dataclass(frozen=True, slots=True)
class ResultListeners:
    """The other buttons of cards and conclusions, and the pages of Details."""

    repository: InvestigationRepository
    modals: Modals

    def register(self, on: Listeners) -> None:
        look = May(Right.LOOK, f"see {INVESTIGATIONS} here")
        on.action(_LINK_BUTTON, self.open_link, Open("the browser does it"))
        on.action(card_view.KEEP_WAITING_ACTION, self.keep_waiting, look)
        on.action(conclusions_view.DETAILS_ACTION, self.show_details, look)
        on.action(conclusions_view.ASK_RUN_AGAIN, self.ask_run_again, look)
        on.action(re.compile(rf"^{conclusions_view.PAGE}"), self.turn_page, replace(look, where=_where_details_are))

    async def open_link(self, _click: Interaction) -> After:
        """The browser does the rest; without an answer Slack would show an error."""
        return None

    async def keep_waiting(self, click: Interaction) -> After:
        resumed = await self.repository.keep_waiting(click.workspace, click.number)
        return answers.kept_waiting() if resumed else answers.gone()

    async def show_details(self, click: Interaction) -> After:
        known = await self.repository.get_in(click.workspace, click.number)
        if known is None:
            return answers.gone()
        return self.modals.open(click, conclusions_view.details_modal(known, channel=click.place.channel))

    async def ask_run_again(self, click: Interaction) -> After:
        known = await self.repository.get_in(click.workspace, click.number)
        if known is None:
            return answers.gone()
        place = click.place
        view = conclusions_view.run_again_modal(known, channel=place.channel, thread_ts=place.thread_ts)
        return self.modals.open(click, view)

    async def turn_page(self, click: Interaction) -> After:
        number, channel = conclusions_view.read_metadata(click.metadata)
        known = await self.repository.get_in(click.workspace, number)
        if known is None:
            return None
        page = conclusions_view.details_modal(known, click.number, channel=channel)
        return self.modals.update(click.workspace, click.view_id, page, view_hash=click.view.get("hash"))


async def _where_details_are(click: Interaction) -> Place:
    _, channel = conclusions_view.read_metadata(click.metadata)
    return click.at(channel).place


@dataclass(frozen=True, slots=True)
class FollowUps:
    """A question that goes on from an answer: its cost and what is sent are seen before anything starts."""

    starts: StartRequests
    repository: InvestigationRepository
    budget: Budget
    modals: Modals

    def register(self, on: Listeners) -> None:
        on.action(follow_up.ACTION, self.open, May(Right.LOOK, f"see {INVESTIGATIONS} here"))
        on.submission(follow_up.CALLBACK, self.ask, Judged("the ask worker"))

    async def open(self, click: Interaction) -> After:
        number, words = follow_up.read_button(click.value)
        known = await self.repository.get_in(click.workspace, number)
        if known is None:
            return answers.gone()
        place, usage = click.place, await self.budget.usage(click.place)
        at = {"channel": place.channel, "thread_ts": place.thread_ts}
        return self.modals.open(click, follow_up.follow_up_modal(known, words, usage, **at, now=time.time()))

    async def ask(self, window: Interaction) -> Submitted:
        number, (channel, thread_ts) = conclusions_view.read_place(window.metadata)
        known = await self.repository.get_in(window.workspace, number)
        text = FormState(window.view).text(follow_up.TEXT)
        if known is None or not channel:
            return Submitted(errors={follow_up.TEXT: LOST})
        if not text:
            return Submitted(errors={follow_up.TEXT: "Write a question one can read."})
        request = Investigate(follow_up.follow_up(known, text, time.time()), Source.MODAL)
        return Submitted(after=await self.starts.start(window.at(channel, thread_ts), request, known.org))


@dataclass(frozen=True, slots=True)
class OverBudgetButton:
    requests: Requests
    permissions: Permissions

    def register(self, on: Listeners) -> None:
        on.action(no_start.START_ANYWAY, self.start, Judged("where it starts: by who may exceed the budget"))

    async def start(self, click: Interaction) -> After:
        """The answer for the one who pressed; the card, if one comes, is the channel's."""
        return Instead(await self._started(click))

    async def _started(self, click: Interaction) -> Message:
        held = await self.requests.held(click.number, click.workspace, click.person)
        if held is None:
            return no_start.offer_gone()
        # judged where it starts, not where it was pressed
        exceeds = await self.permissions.may_exceed(held.place, click.person)
        if isinstance(exceeds, NotAllowed):
            return no_start.refused(exceeds, doing="start over budget")
        outcome = await self.requests.start_anyway(held, click.number, rule=f"over budget, {exceeds.rule}")
        return no_start.started_anyway() if outcome is not None else no_start.offer_gone()


@dataclass(frozen=True, slots=True)
class DoubtButtons:
    """What was asked back before it could cost."""

    starts: StartRequests

    def register(self, on: Listeners) -> None:
        on.action(doubts.START, self.start, Judged("the ask worker"))
        on.action(doubts.CANCEL, self.cancel, Open("it only puts a question of ours away"))

    async def start(self, click: Interaction) -> After:
        """Once, however often it is pressed: its key is made of the gesture that was asked back."""
        told = doubts.confirmed(click.value)
        if told is None:
            return answers.no_longer_alert()
        place = replace(click.place, thread_ts=told.thread_ts)
        asked = replace(click, key=f"confirmed:{told.key}"[:255], place=place)
        await self.starts.start(asked, Investigate(told.question, Source.BUTTON))
        return Instead(doubts.started())

    async def cancel(self, _click: Interaction) -> After:
        return Instead(doubts.cancelled())


@dataclass(frozen=True, slots=True)
class ShownInvestigations:
    """What a thread may see of an investigation: of an organisation that serves its workspace no more, only that."""

    repository: InvestigationRepository
    orgs: OrgRepository

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
    urgency: ClassVar[Urgency] = Urgency.ANSWER

    shown: ShownInvestigations
    outbox: Outbox
    app_url: Callable[[str], str]
    rules: RuleRepository
    case_of: CaseOf

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:
        investigation = await self.shown.of(delivery)
        if investigation is None or not investigation.state.finished:
            return None  # somebody let it run on meanwhile
        requester, app_url = delivery.post.requester, self.app_url(investigation.org)
        if not investigation.conclusions:
            return card_view.no_answer_message(investigation, requester=requester, app_url=app_url)
        place = Place(delivery.post.workspace, delivery.post.channel, delivery.thread_ts)
        message = conclusions_view.conclusions_message(
            investigation,
            requester=requester,
            app_url=app_url,
            may_repeat=may_repeat,
            case=await self.case_of(place),
        )
        rules = await self.rules.of(delivery.post.workspace, delivery.post.channel)
        return replace(message, broadcast=rules.broadcast and investigation.state is State.CONCLUDED)

    async def refused(self, delivery: Delivery, code: str) -> None:
        """Nothing is lost: what the channel does not take, the person who asked gets directly."""
        post = delivery.post
        if post.channel == post.requester or not post.requester:
            logger.error("%s: nobody could be told (%s)", post.key, code)
        else:
            await self.outbox.instead_to_requester(delivery)
