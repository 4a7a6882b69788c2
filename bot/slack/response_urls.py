"""Where an interaction may be answered: a `response_url` that is not Slack's own is dropped at the door, before Bolt or a
listener can post to it. And an answer there when nothing else of ours is at hand."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientSession
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.slack.blocks import Message
from bot.slack.errors import CALL_ERRORS, error_code

logger = logging.getLogger(__name__)

SLACKS_OWN = "https://hooks.slack.com/"

Middleware = Callable[..., Awaitable[None]]


def is_slacks(url: object, api_url: str) -> bool:
    """By how it begins, up to the first slash: no reader of URLs can see another host in it than we do."""
    api = urlsplit(api_url)
    begins = (SLACKS_OWN, f"{api.scheme}://{api.netloc}/", f"{api.scheme}://hooks.{api.netloc}/")
    return isinstance(url, str) and url.startswith(begins)


async def answer_at(
    session: ClientSession, url: str, message: Message, *, replace: bool = False, thread_ts: str = ""
) -> bool:
    """For that person only, where they clicked or typed, or in the place of what was clicked; False where it was not taken.

    `thread_ts`: the thread they were in, which Slack does not take from the address alone.
    """
    webhook = AsyncWebhookClient(url, session=session, timeout=10, retry_handlers=[])
    body: dict[str, Any] = {**message.as_arguments(), "response_type": "ephemeral", "replace_original": replace}
    try:
        answer = await webhook.send_dict({**body, "thread_ts": thread_ts} if thread_ts and not replace else body)
    except CALL_ERRORS as error:
        logger.debug("an answer by response_url failed: %s", error_code(error))
        return False
    return answer.status_code == 200


def only_slacks_urls(api_url: str) -> Middleware:
    """For Bolt, before it asks who is installed: already then it may answer."""

    async def drop_others(body: dict[str, Any], context: dict[str, Any], next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002  Bolt passes it by this name
        for told in (body, context):
            if told.get("response_url") and not is_slacks(told["response_url"], api_url):
                told["response_url"] = None
                logger.warning("a response_url that is not Slack's was dropped; nothing is sent there")
        await next()

    return drop_others
