"""What the case room has to say in Slack: where an order stands, why a click came to nothing, and the card in its thread."""

import logging
from collections.abc import Callable

from bot.cases.actions import CaseAction
from bot.cases.known import KnownCase
from bot.cases.repository import CaseRepository
from bot.cases.requests import CaseRequest, CaseRequestState
from bot.cases.trouble import Trouble
from bot.cases.views import answers as case_answers
from bot.cases.views import modal as case_modal
from bot.cases.views.card import case_card
from bot.model import Place
from bot.slack.blocks import Block
from bot.slack.clients import Workspaces
from bot.slack.errors import CALL_ERRORS
from bot.slack.message import Message, sentences
from bot.slack.modals import update_modal
from bot.slack.posting_errors import posting_sentence
from bot.slack.replies import Replies
from bot.slack.text import channel_mention
from bot.storage.outbox import Delivery, Outbox

logger = logging.getLogger(__name__)


class CaseFront:
    def __init__(
        self, book: CaseRepository, workspaces: Workspaces, replies: Replies, app_url: Callable[[str], str]
    ) -> None:
        self._book = book
        self._workspaces = workspaces
        self._replies = replies
        self._app_url = app_url

    async def email(self, workspace: str, person: str) -> str:
        """A person's e-mail address; empty where Slack does not tell it."""
        bot_client = await self._workspaces.bot_client(workspace)
        if bot_client is None:
            return ""
        try:
            answer = await bot_client.client.users_info(user=person)
        except CALL_ERRORS:
            return ""
        profile = (answer.get("user") or {}).get("profile") or {}
        return str(profile.get("email") or "")

    async def order_stands(self, order: CaseRequest) -> None:
        """In the window it was ordered in; once that is closed, what needs an answer is said directly."""
        known = await self._book.get(order.case_row) if order.case_row else None
        told = case_answers.order_told(order, known, self._app_url(order.org))
        if await self.update(order.place.workspace, order.view_id, case_modal.told_view(order.key, told)):
            return
        if order.state in {CaseRequestState.REFUSED, CaseRequestState.UNCERTAIN} or (
            order.state is CaseRequestState.DONE and order.notes
        ):
            await self._replies.tell(order.place, order.requester, told.message)

    async def update(self, workspace: str, view_id: str, view: Block) -> bool:
        """Show something else in an open window. False when it is closed, or Slack does not take it."""
        bot_client = await self._workspaces.bot_client(workspace)
        if bot_client is None or not view_id:
            return False
        try:
            return await update_modal(bot_client.client, view, view_id=view_id)
        except CALL_ERRORS as error:
            logger.info("a window was not updated: %s", type(error).__name__)
            return False

    async def permalink(self, workspace: str, channel: str, ts: str) -> str:
        bot_client = await self._workspaces.bot_client(workspace)
        if bot_client is None or not ts:
            return ""
        try:
            answer = await bot_client.client.chat_getPermalink(channel=channel, message_ts=ts)
        except CALL_ERRORS:
            return ""
        return str(answer.get("permalink") or "")

    async def act_failed(self, act: CaseAction, case: KnownCase, trouble: Trouble) -> None:
        await self._replies.tell(act.place, act.person, case_answers.act_failed(act, case, trouble))


class CaseCards:
    """The kind of message a thread is owed of its case."""

    def __init__(self, book: CaseRepository, outbox: Outbox, replies: Replies, app_url: Callable[[str], str]) -> None:
        self._book = book
        self._outbox = outbox
        self._replies = replies
        self._app_url = app_url

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  a card says where things stand: twice is no harm
        known = await self._book.get(delivery.post.subject_id)
        return case_card(known, self._app_url(known.org)) if known else None

    async def refused(self, delivery: Delivery, code: str) -> None:
        """The card then goes to whoever asked for it, who is told why."""
        post = delivery.post
        if post.channel == post.requester or not post.requester:
            logger.error("%s: nobody could be told (%s)", post.key, code)
            return
        await self._outbox.instead_to_requester(delivery)
        why = posting_sentence(code, channel=channel_mention(post.channel))
        place = Place(post.workspace, post.channel, post.thread_ts)
        told = sentences(f"{why} You get the card as a direct message instead; nothing else is lost.")
        await self._replies.tell(place, post.requester, told)
