"""Answers to one person: where only they see it, else a direct message. At most once more than needed, never silently not."""

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.model import Place
from bot.slack.blocks import Message
from bot.slack.clients import Workspaces
from bot.slack.errors import CALL_ERRORS, error_code
from bot.slack.interactions import Interaction

logger = logging.getLogger(__name__)

_URL_LIFE = 29 * 60.0
_URL_USES = 5
_MOST_URLS = 5000


@dataclass(slots=True)
class _ReplyUrl:
    url: str
    until: float
    uses: int


class Replies:
    """Response URLs are kept in memory only: they are keys to answer in somebody's name and live half an hour."""

    def __init__(self, workspaces: Workspaces, session: ClientSession) -> None:
        self._workspaces = workspaces
        self._session = session
        self._urls: OrderedDict[tuple[Place, str], _ReplyUrl] = OrderedDict()

    def remember(self, place: Place, person: str, response_url: str) -> None:
        """The latest way to answer this person in this thread; Slack shows the answer where the URL comes from.

        What comes without a URL, a mention, must not be answered by that of an earlier click.
        """
        self._urls.pop((place, person), None)
        if not response_url:
            return
        self._urls[place, person] = _ReplyUrl(response_url, time.monotonic() + _URL_LIFE, _URL_USES)
        while len(self._urls) > _MOST_URLS:
            self._urls.popitem(last=False)

    async def tell(self, place: Place, person: str, message: Message) -> bool:
        """Say it where they asked, visible to that person only; else by direct message."""
        known = self._urls.get((place, person))
        if known is not None and known.uses > 0 and known.until >= time.monotonic():
            known.uses -= 1
            if await self._respond(known.url, message, replace=False):
                return True
        bot_client = await self._workspaces.bot_client(place.workspace)
        if bot_client is None or not person:
            return False
        client = bot_client.client
        return await _ephemeral(client, place, person, message) or await _direct(client, person, message)

    async def replace(self, interaction: Interaction, message: Message) -> None:
        """In the place of the message that was clicked, so that nobody presses it twice."""
        url = interaction.response_url
        if not url or not await self._respond(url, message, replace=True):
            await self.tell(interaction.place, interaction.person, message)

    async def _respond(self, url: str, message: Message, *, replace: bool) -> bool:
        webhook = AsyncWebhookClient(url, session=self._session, timeout=10, retry_handlers=[])
        try:
            answer = await webhook.send(
                text=message.text, blocks=message.blocks, response_type="ephemeral", replace_original=replace
            )
        except CALL_ERRORS as error:
            logger.info("an answer by response_url failed: %s", error_code(error))
            return False
        return answer.status_code == 200

    async def permalink(self, workspace: str, channel: str, ts: str) -> str:
        """A link to a message; empty where Slack gives none."""
        bot_client = await self._workspaces.bot_client(workspace)
        if bot_client is None:
            return ""
        try:
            answer = await bot_client.client.chat_getPermalink(channel=channel, message_ts=ts)
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
        logger.info("an ephemeral answer failed: %s", error_code(error) or "no code")
        return False
    return True


async def _direct(client: AsyncWebClient, person: str, message: Message) -> bool:
    try:
        await client.chat_postMessage(
            channel=person, parse="none", unfurl_links=False, unfurl_media=False, **message.as_arguments()
        )
    except CALL_ERRORS as error:
        logger.warning("a direct answer failed: %s", error_code(error) or "no code")
        return False
    return True
