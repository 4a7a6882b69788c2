"""Looks in a thread or channel for a post of ours, by the key in its metadata."""

from collections.abc import AsyncIterator
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.slack.clients import BotClient
from bot.slack.errors import Meaning, trouble_of
from bot.storage.outbox import Delivery

MOST_PAGES = 20
_CLOCK_SKEW = 120.0  # seconds Slack's clock may be behind ours


class CannotLookError(Exception):
    """This workspace does not let us read the thread."""


async def find_ours(bot_client: BotClient, delivery: Delivery) -> str | None:
    """The ts of our post with this delivery's key, if it stands there."""
    try:
        async for message in _messages(bot_client, delivery):
            if _is_ours(message, bot_client) and _key(message) == delivery.post.key:
                return str(message["ts"])
    except SlackApiError as error:
        if trouble_of(error).meaning is Meaning.REFUSED:
            raise CannotLookError from error
        raise
    return None


async def _messages(bot_client: BotClient, delivery: Delivery) -> AsyncIterator[dict[str, Any]]:
    cursor = ""
    since = max((delivery.first_try_at or 0.0) - _CLOCK_SKEW, 0.0)
    for _ in range(MOST_PAGES):
        arguments: dict[str, Any] = {
            "channel": await _channel(bot_client, delivery),
            "oldest": f"{since:.6f}",
            "include_all_metadata": True,
            "limit": 200,
        }
        if cursor:
            arguments["cursor"] = cursor
        if delivery.thread_ts:
            page = await bot_client.client.conversations_replies(ts=delivery.thread_ts, **arguments)
        else:
            page = await bot_client.client.conversations_history(**arguments)
        for message in page.get("messages") or ():
            yield message
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return


async def _channel(bot_client: BotClient, delivery: Delivery) -> str:
    """A person's id is enough to post to, but reading needs the conversation's own id."""
    channel = delivery.post.channel
    if not channel.startswith(("U", "W")):
        return channel
    answer = await bot_client.client.conversations_open(users=channel)
    return str(answer["channel"]["id"])


def _is_ours(message: dict[str, Any], bot_client: BotClient) -> bool:
    by_bot = bool(bot_client.bot_id) and message.get("bot_id") == bot_client.bot_id
    return by_bot or message.get("user") == bot_client.bot_user_id


def _key(message: dict[str, Any]) -> str:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != "bits_bot_post":
        return ""
    return str((metadata.get("event_payload") or {}).get("key", ""))
