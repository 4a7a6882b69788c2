"""Looking for a post of ours in Slack, by the key in its metadata: where it may stand, page by page."""

from collections.abc import Sequence
from typing import Any

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.clients import BotClient
from bot.storage.outbox import Delivery

METADATA_TYPE = "bits_bot_post"
_PAGE = 200
_CLOCK_SKEW = 120.0  # seconds Slack's clock may be behind ours


class CannotLookError(Exception):
    """This workspace does not let us read the thread."""


async def page(bot_client: BotClient, delivery: Delivery, channel: str, looked_to: str) -> AsyncSlackResponse:
    """The next messages of those that may be ours: a thread from its oldest reply on, a channel from its newest back."""
    tried_at = delivery.first_try_at or 0.0
    since, until = f"{max(tried_at - _CLOCK_SKEW, 0.0):.6f}", f"{tried_at + delivery.tried_for + _CLOCK_SKEW:.6f}"
    arguments: dict[str, Any] = {"channel": channel, "include_all_metadata": True, "limit": _PAGE}
    if delivery.thread_ts:
        return await bot_client.client.conversations_replies(
            ts=delivery.thread_ts, oldest=looked_to or since, **arguments
        )
    return await bot_client.client.conversations_history(oldest=since, latest=looked_to or until, **arguments)


def further(delivery: Delivery, looked_to: str, read: Sequence[str]) -> str:
    new = [ts for ts in read if not looked_to or (float(ts) > float(looked_to)) is bool(delivery.thread_ts)]
    if not new:
        raise CannotLookError  # it says that there is more, and shows nothing
    return (max if delivery.thread_ts else min)(new, key=float)


async def conversation(bot_client: BotClient, delivery: Delivery) -> str:
    """A person's id is enough to post to, but reading needs the conversation's own id."""
    channel = delivery.post.channel
    if not channel.startswith(("U", "W")):
        return channel
    answer = await bot_client.client.conversations_open(users=channel)
    return str(answer["channel"]["id"])


def is_ours(message: dict[str, Any], bot_client: BotClient, key: str) -> bool:
    by_bot = bool(bot_client.bot_id) and message.get("bot_id") == bot_client.bot_id
    metadata = message.get("metadata") or {}
    own_key = metadata.get("event_type") == METADATA_TYPE and (metadata.get("event_payload") or {}).get("key") == key
    return own_key and (by_bot or message.get("user") == bot_client.bot_user_id)
