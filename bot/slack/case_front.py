"""What the case room has to say in Slack: where an order stands, why a click came to nothing, and the card in its thread."""

import logging
from collections.abc import Callable

from bot.cases.acts import Act
from bot.cases.book import CaseBook
from bot.cases.known import KnownCase
from bot.cases.orders import Order, OrderState
from bot.cases.trouble import Trouble
from bot.investigations.model import Place
from bot.slack.blocks import Block
from bot.slack.errors import CALL_ERRORS
from bot.slack.modals import update_modal
from bot.slack.text import channel_mention
from bot.slack.views import case_answers, case_modal
from bot.slack.views.case_card import case_card
from bot.slack.views.message import Message, sentences
from bot.slack.views.posting_errors import posting_sentence
from bot.slack.voice import Voice
from bot.slack.workspaces import Workspaces
from bot.storage.outbox import Delivery, Outbox

logger = logging.getLogger(__name__)


class CaseFront:
    def __init__(self, book: CaseBook, workspaces: Workspaces, voice: Voice, app_url: Callable[[str], str]) -> None:
        self._book = book
        self._workspaces = workspaces
        self._voice = voice
        self._app_url = app_url

    async def email(self, workspace: str, person: str) -> str:
        """A person's e-mail address; empty where Slack does not tell it."""
        speaker = await self._workspaces.speaker(workspace)
        if speaker is None:
            return ""
        try:
            answer = await speaker.client.users_info(user=person)
        except CALL_ERRORS:
            return ""
        profile = (answer.get("user") or {}).get("profile") or {}
        return str(profile.get("email") or "")

    async def order_stands(self, order: Order) -> None:
        """In the window it was ordered in; once that is closed, what needs an answer is said directly."""
        known = await self._book.get(order.case_row) if order.case_row else None
        told = case_answers.order_told(order, known, self._app_url(order.org))
        if await self.update(order.place.workspace, order.view_id, case_modal.told_view(order.key, told)):
            return
        if order.state in {OrderState.REFUSED, OrderState.UNCERTAIN} or (
            order.state is OrderState.DONE and order.notes
        ):
            await self._voice.tell(order.place, order.requester, told.message)

    async def update(self, workspace: str, view_id: str, view: Block) -> bool:
        """Show something else in an open window. False when it is closed, or Slack does not take it."""
        speaker = await self._workspaces.speaker(workspace)
        if speaker is None or not view_id:
            return False
        try:
            return await update_modal(speaker.client, view, view_id=view_id)
        except CALL_ERRORS as error:
            logger.info("a window was not updated: %s", type(error).__name__)
            return False

    async def permalink(self, workspace: str, channel: str, ts: str) -> str:
        speaker = await self._workspaces.speaker(workspace)
        if speaker is None or not ts:
            return ""
        try:
            answer = await speaker.client.chat_getPermalink(channel=channel, message_ts=ts)
        except CALL_ERRORS:
            return ""
        return str(answer.get("permalink") or "")

    async def act_failed(self, act: Act, case: KnownCase, trouble: Trouble) -> None:
        await self._voice.tell(act.place, act.person, case_answers.act_failed(act, case, trouble))


class CaseCards:
    """The kind of message a thread is owed of its case."""

    def __init__(self, book: CaseBook, outbox: Outbox, voice: Voice, app_url: Callable[[str], str]) -> None:
        self._book = book
        self._outbox = outbox
        self._voice = voice
        self._app_url = app_url

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  a card says where things stand: twice is no harm
        known = await self._book.get(delivery.owed.subject_id)
        return case_card(known, self._app_url(known.org)) if known else None

    async def refused(self, delivery: Delivery, code: str) -> None:
        """The card then goes to whoever asked for it, who is told why."""
        owed = delivery.owed
        if owed.channel == owed.requester or not owed.requester:
            logger.error("%s: nobody could be told (%s)", owed.key, code)
            return
        await self._outbox.instead_to_requester(delivery)
        why = posting_sentence(code, channel=channel_mention(owed.channel))
        place = Place(owed.workspace, owed.channel, owed.thread_ts)
        told = sentences(f"{why} You get the card as a direct message instead; nothing else is lost.")
        await self._voice.tell(place, owed.requester, told)
