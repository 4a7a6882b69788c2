"""The kinds of messages an investigation owes: what each shows now, and what happens when a channel refuses it."""

import logging
from collections.abc import Callable
from dataclasses import replace

from bot.investigations.model import Investigation, State
from bot.investigations.repository import InvestigationRepository
from bot.investigations.views.answers import cannot_post_card
from bot.investigations.views.card import no_answer_message, status_card
from bot.investigations.views.conclusions import conclusions_message
from bot.model import Place
from bot.rules.repository import RuleRepository
from bot.slack.blocks import Message
from bot.slack.replies import Replies
from bot.storage.outbox import Delivery, Outbox

logger = logging.getLogger(__name__)


class StatusCardPost:
    def __init__(self, repository: InvestigationRepository, replies: Replies, app_url: Callable[[str], str]) -> None:
        self._repository = repository
        self._replies = replies
        self._app_url = app_url

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  a card says where things stand: twice is no harm
        investigation = await self._repository.get(delivery.post.subject_id)
        if investigation is None:
            return None
        app_url = self._app_url(investigation.org)
        return status_card(investigation, requester=delivery.post.requester, app_url=app_url)

    async def refused(self, delivery: Delivery, code: str) -> None:
        post = delivery.post
        investigation = await self._repository.get(post.subject_id)
        if investigation is not None and post.requester:
            message = cannot_post_card(code, channel=post.channel, ref=investigation.ref)
            await self._replies.tell(Place(post.workspace, post.channel, post.thread_ts), post.requester, message)


class ConclusionsPost:
    def __init__(
        self,
        repository: InvestigationRepository,
        outbox: Outbox,
        app_url: Callable[[str], str],
        rules: RuleRepository,
    ) -> None:
        self._repository = repository
        self._outbox = outbox
        self._app_url = app_url
        self._rules = rules

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:
        investigation = await self._repository.get(delivery.post.subject_id)
        if investigation is None or not investigation.state.finished:
            return None  # somebody let it run on meanwhile
        requester, app_url = delivery.post.requester, self._app_url(investigation.org)
        if investigation.verdict is None:
            return no_answer_message(investigation, requester=requester, app_url=app_url)
        message = conclusions_message(investigation, requester=requester, app_url=app_url, may_repeat=may_repeat)
        return replace(message, broadcast=await self._is_for_all(delivery, investigation))

    async def _is_for_all(self, delivery: Delivery, investigation: Investigation) -> bool:
        """Whether the channel wants the answer itself, and this is one."""
        if investigation.state is not State.CONCLUDED:
            return False
        return (await self._rules.of(delivery.post.workspace, delivery.post.channel)).broadcast

    async def refused(self, delivery: Delivery, code: str) -> None:
        """Nothing is lost: what the channel does not take, the person who asked gets directly."""
        post = delivery.post
        if post.channel == post.requester or not post.requester:
            logger.error("%s: nobody could be told (%s)", post.key, code)
        else:
            await self._outbox.instead_to_requester(delivery)
