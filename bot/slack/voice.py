"""Speaks to one person: an answer only she sees, else a direct message. At most once more than needed, never silently not."""

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass

from aiohttp import ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.investigations.ledger import Ledger
from bot.investigations.model import Ask, Failure, Investigation, Place
from bot.slack.errors import CALL_ERRORS, error_code
from bot.slack.views import answers, refusals
from bot.slack.views.message import Message
from bot.slack.workspaces import Workspaces
from bot.storage.outbox import Delivery

logger = logging.getLogger(__name__)

_URL_LIFE = 29 * 60.0
_URL_USES = 5
_MOST_URLS = 5000


@dataclass(slots=True)
class _ReplyUrl:
    url: str
    until: float
    uses: int = _URL_USES


class Voice:
    """Response URLs are kept in memory only: they are keys to answer in somebody's name and live half an hour."""

    def __init__(self, ledger: Ledger, workspaces: Workspaces, session: ClientSession) -> None:
        self._ledger = ledger
        self._workspaces = workspaces
        self._session = session
        self._urls: OrderedDict[tuple[str, str, str], _ReplyUrl] = OrderedDict()

    def remember(self, place: Place, person: str, response_url: str) -> None:
        """The latest way to answer this person about this channel."""
        if not response_url:
            return
        key = (place.workspace, place.channel, person)
        self._urls.pop(key, None)
        self._urls[key] = _ReplyUrl(response_url, time.monotonic() + _URL_LIFE)
        while len(self._urls) > _MOST_URLS:
            self._urls.popitem(last=False)

    async def tell(self, place: Place, person: str, message: Message) -> bool:
        """Say it where she asked, visible to her only; else by direct message."""
        if await self._by_response_url(place, person, message):
            return True
        speaker = await self._workspaces.speaker(place.workspace)
        if speaker is None or not person:
            return False
        return await _ephemeral(speaker.client, place, person, message) or await _direct(
            speaker.client, person, message
        )

    async def _by_response_url(self, place: Place, person: str, message: Message) -> bool:
        known = self._urls.get((place.workspace, place.channel, person))
        if known is None or known.uses <= 0 or known.until < time.monotonic():
            return False
        known.uses -= 1
        webhook = AsyncWebhookClient(known.url, session=self._session, timeout=10, retry_handlers=[])
        try:
            answer = await webhook.send(
                text=message.text, blocks=message.blocks, response_type="ephemeral", replace_original=False
            )
        except CALL_ERRORS as error:
            logger.info("an answer by response_url failed: %s", type(error).__name__)
            return False
        return answer.status_code == 200

    # -- what the heart and the poster have to say --------------------------------------------------------------

    async def lookup_failed(self, ask: Ask, failure: Failure) -> None:
        await self.tell(ask.place, ask.requester, refusals.lookup_failed(ask.subject, failure))

    async def joined(self, ask: Ask, investigation: Investigation) -> None:
        permalink = await self.permalink(ask.place.workspace, investigation.id)
        await self.tell(
            ask.place,
            ask.requester,
            answers.already(investigation, permalink=permalink, requester=investigation.requested_by),
        )

    async def cannot_post(self, delivery: Delivery, investigation: Investigation, code: str) -> None:
        owed = delivery.owed
        place = Place(owed.workspace, owed.channel, owed.thread_ts)
        message = refusals.cannot_post_card(code, channel=owed.channel, ref=investigation.ref)
        await self.tell(place, owed.requester, message)

    async def permalink(self, workspace: str, investigation_id: int) -> str:
        """A link to the first card of an investigation in this workspace; empty while there is none."""
        cards = await self._ledger.card_of(investigation_id, workspace)
        speaker = await self._workspaces.speaker(workspace)
        standing = next(((channel, ts or thread) for channel, thread, ts in cards if ts or thread), None)
        if standing is None or speaker is None:
            return ""
        channel, ts = standing
        try:
            answer = await speaker.client.chat_getPermalink(channel=channel, message_ts=ts)
        except CALL_ERRORS:
            return ""
        return str(answer.get("permalink") or "")


async def _ephemeral(client: AsyncWebClient, place: Place, person: str, message: Message) -> bool:
    if not place.channel:
        return False  # asked from the Home tab
    try:
        await client.chat_postEphemeral(
            channel=place.channel,
            user=person,
            thread_ts=place.thread_ts or None,
            parse="none",
            **message.as_arguments(),
        )
    except CALL_ERRORS as error:
        logger.info("an ephemeral answer failed: %s", _code(error))
        return False
    return True


async def _direct(client: AsyncWebClient, person: str, message: Message) -> bool:
    try:
        await client.chat_postMessage(
            channel=person, parse="none", unfurl_links=False, unfurl_media=False, **message.as_arguments()
        )
    except CALL_ERRORS as error:
        logger.warning("a direct answer failed: %s", _code(error))
        return False
    return True


def _code(error: Exception) -> str:
    return (error_code(error) or "no code") if isinstance(error, SlackApiError) else type(error).__name__
