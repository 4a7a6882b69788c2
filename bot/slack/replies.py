"""Answers to one person: where only they see it, else a direct message, never silently not. And the windows they open."""

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial

from aiohttp import ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.model import Place
from bot.slack.blocks import Block, Message, sentences
from bot.slack.clients import Workspaces
from bot.slack.errors import CALL_ERRORS, RATE_LIMITED, Meaning, SlackTrouble, error_code, trouble_of
from bot.slack.interactions import Interaction
from bot.slack.response_urls import answer_at
from bot.slack.text import code
from bot.storage.workers import Tasks
from bot.wording import APP, duration

logger = logging.getLogger(__name__)

_URL_LIFE = 29 * 60.0
_URL_USES = 5
_MOST_URLS = 5000
_TRIES = 10  # of an answer that Slack puts off


@dataclass(slots=True)
class _ReplyUrl:
    url: str
    thread_ts: str  # the thread that the person looked at, if it was one
    until: float
    uses: int


class Replies:
    """Response URLs are kept in memory only: they are keys to answer in somebody's name and live half an hour."""

    def __init__(self, workspaces: Workspaces, session: ClientSession) -> None:
        self._workspaces = workspaces
        self._session = session
        self._put_off = Tasks()
        self._urls: OrderedDict[tuple[Place, str], _ReplyUrl] = OrderedDict()

    def remember(self, interaction: Interaction, asked_in: Place | None = None) -> None:
        """The latest way to answer this person in this thread; Slack shows the answer where the URL comes from.

        `asked_in`: where what goes on with this interaction was asked for. A URL of elsewhere is no way to answer there. Nor
        may what comes without a URL, a mention, be answered by that of an earlier click.
        """
        if interaction.view:
            return  # a window has no URL of its own, and takes none away from the thread that it belongs to
        place = asked_in or interaction.place
        here = replace(interaction.place, thread_ts=place.thread_ts and interaction.place.thread_ts)
        if place != here:  # what was asked for in a channel may be answered anywhere in it
            return
        self._urls.pop((place, interaction.person), None)
        if not interaction.response_url:
            return
        until = time.monotonic() + _URL_LIFE
        known = _ReplyUrl(interaction.response_url, interaction.in_thread, until, _URL_USES)
        self._urls[place, interaction.person] = known
        while len(self._urls) > _MOST_URLS:
            self._urls.popitem(last=False)

    async def tell(self, place: Place, person: str, message: Message) -> bool:
        """Say it where they asked, visible to that person only; else by direct message. True also when it is said as soon as
        Slack lets us."""
        known = self._urls.get((place, person))
        if known is not None and known.uses > 0 and known.until >= time.monotonic():
            known.uses -= 1
            if await answer_at(self._session, known.url, message, thread_ts=known.thread_ts):
                return True
        bot_client = await self._workspaces.bot_client(place.workspace)
        if bot_client is None or not person:
            return False
        trouble = await _told(bot_client.client, place, person, message)
        if trouble is not None and trouble.code == RATE_LIMITED:
            self._put_off.spawn(self._tell_later(place, person, message, trouble.wait), "an answer that Slack put off")
            return True
        return trouble is None

    async def _tell_later(self, place: Place, person: str, message: Message, wait: float) -> None:
        for _ in range(_TRIES):
            await asyncio.sleep(wait)
            bot_client = await self._workspaces.bot_client(place.workspace)
            trouble = await _told(bot_client.client, place, person, message) if bot_client else None
            if trouble is None or trouble.code != RATE_LIMITED:
                return
            wait = trouble.wait
        logger.warning("an answer was given up: Slack did not let us tell it")

    async def close(self, _within: float) -> None:
        """What Slack puts off is not waited for at a stop."""
        await self._put_off.finish(0)

    async def replace(self, interaction: Interaction, message: Message) -> None:
        """In the place of the message that was clicked, so that nobody presses it twice."""
        url = interaction.response_url
        if not url or not await answer_at(self._session, url, message, replace=True):
            await self.tell(interaction.place, interaction.person, message)

    async def permalink(self, workspace: str, channel: str, ts: str) -> str | None:
        """A link to a message; empty where Slack gives none, None where it can't be told now."""
        bot_client = await self._workspaces.bot_client(workspace)
        if bot_client is None:
            return ""
        try:
            answer = await bot_client.client.chat_getPermalink(channel=channel, message_ts=ts)
        except CALL_ERRORS as error:
            return None if trouble_of(error).meaning in {Meaning.WAIT, Meaning.OPEN} else ""
        return str(answer.get("permalink") or "")


async def _told(client: AsyncWebClient, place: Place, person: str, message: Message) -> SlackTrouble | None:
    """Why it could not be; of two ways that have to wait the shorter wait."""
    there = await _ephemeral(client, place, person, message)
    if there is None:
        return None
    directly = await _direct(client, person, message)
    waits = [trouble for trouble in (directly, there) if trouble is not None and trouble.code == RATE_LIMITED]
    return directly and min(waits, key=lambda trouble: trouble.wait, default=directly)


async def _ephemeral(client: AsyncWebClient, place: Place, person: str, message: Message) -> SlackTrouble | None:
    if not place.channel:
        return SlackTrouble(Meaning.REFUSED, "no_channel")  # asked from the Home tab
    try:
        await client.chat_postEphemeral(
            channel=place.channel,
            user=person,
            thread_ts=place.thread_ts or None,
            parse="none",
            **message.as_arguments(),
        )
    except CALL_ERRORS as error:
        logger.debug("an ephemeral answer failed: %s", error_code(error) or "no code")
        return trouble_of(error)
    return None


async def _direct(client: AsyncWebClient, person: str, message: Message) -> SlackTrouble | None:
    try:
        await client.chat_postMessage(
            channel=person, parse="none", unfurl_links=False, unfurl_media=False, **message.as_arguments()
        )
    except CALL_ERRORS as error:
        logger.warning("a direct answer failed: %s", error_code(error) or "no code")
        return trouble_of(error)
    return None


# -- windows ----------------------------------------------------------------------------------------------------------

_WINDOW_PATIENCE = 10.0  # seconds a person may look at what a window showed before
_CLOSED_OR_NEWER = {"hash_conflict", "not_found", "view_not_found"}


class Modals:
    """Opens and turns windows. A trigger lives three seconds: when Slack finds it too old, the person hears of it."""

    def __init__(self, workspaces: Workspaces, replies: Replies) -> None:
        self._workspaces = workspaces
        self._replies = replies

    async def open(self, interaction: Interaction, view: Block) -> Block | None:
        """The opened view as Slack tells it; None when it could not be opened, and then the person was told. What a click in
        a window opens comes on top of that one."""
        bot_client = await self._workspaces.bot_client(interaction.workspace)
        if bot_client is None:
            return None
        show = bot_client.client.views_push if interaction.in_window else bot_client.client.views_open
        try:
            answer = await show(trigger_id=interaction.trigger_id, view=view)
        except CALL_ERRORS as error:
            await self._replies.tell(interaction.place, interaction.person, _why_not_opened(error))
            return None
        opened: Block = answer["view"]
        return opened

    async def draw(self, workspace: str, view_id: str, view: Block, *, view_hash: str | None = None) -> Block:
        """The view as it stands now. Raises what Slack has against it: it is closed, or not the one of `view_hash`."""
        bot_client = await self._workspaces.bot_client(workspace)
        if bot_client is None:
            return {}
        draw = partial(bot_client.client.views_update, view_id=view_id, hash=view_hash, view=view)
        try:
            answer = await draw()
        except SlackApiError as error:
            trouble = trouble_of(error)
            if trouble.code != RATE_LIMITED or trouble.wait > _WINDOW_PATIENCE:
                raise
            await asyncio.sleep(trouble.wait)
            answer = await draw()
        drawn: Block = answer.get("view") or {}
        return drawn

    async def update(self, workspace: str, view_id: str, view: Block, *, view_hash: str | None = None) -> bool:
        """False when the window is closed, has changed meanwhile or can't be reached: it shows nothing of ours then."""
        try:
            return bool(await self.draw(workspace, view_id, view, view_hash=view_hash))
        except CALL_ERRORS as error:
            reason = error_code(error)
            if reason not in _CLOSED_OR_NEWER:
                logger.warning("a window was not drawn anew: %s", reason)
            return False


def _why_not_opened(error: Exception) -> Message:
    reason = error_code(error)
    if reason in {"expired_trigger_id", "exchanged_trigger_id"}:
        # Slack gives a click three seconds to open a window
        late = "That took longer than Slack allows for opening a window. Nothing was done: please click again."
        return sentences(late)
    if (trouble := trouble_of(error)).code == RATE_LIMITED:
        return sentences(f"Slack asks me to slow down, so nothing was opened. Click again in {duration(trouble.wait)}.")
    reference = secrets.token_hex(3).upper()
    logger.warning("modal %s did not open: %s", reference, reason or "no code")
    return unexpected(reference)


def unexpected(reference: str) -> Message:
    return sentences(
        "Something went wrong on my side; nothing more will happen by itself.",
        f"Try again. If it fails again, tell whoever runs {APP} this reference: {code(reference, 60)}.",
    )
