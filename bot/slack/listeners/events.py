"""What Slack tells us without a person waiting for it.

Bolt acknowledges an event before its listener runs and Slack does not send an acknowledged one again. So a mention is
written down in a middleware, which runs before that.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.investigations.model import Source
from bot.slack.gestures import of_mention
from bot.slack.services import Services
from bot.slack.verbs import parse
from bot.slack.wishes import act

Next = Callable[[], Awaitable[None]]


def register(app: AsyncApp, services: Services) -> None:
    @app.middleware
    async def keep_mentions(body: dict[str, Any], next: Next) -> None:  # noqa: A002  the name Bolt passes it by
        event = body.get("event") or {}
        if body.get("type") == "event_callback" and event.get("type") == "app_mention" and _from_person(event):
            await _mentioned(services, body)
        await next()

    @app.event("app_mention")
    async def mentioned() -> None:
        """Dealt with above, before Slack was told."""

    @app.event("message")
    async def said() -> None:
        """Acknowledged: what is not about us is not kept."""


def _from_person(event: dict[str, Any]) -> bool:
    return bool(event.get("user")) and not event.get("bot_id") and not event.get("edited")


async def _mentioned(services: Services, body: dict[str, Any]) -> None:
    gesture = of_mention(body)
    wish = parse(str(body["event"].get("text") or ""), now=time.time())
    answer = await act(services, gesture, wish, Source.MENTION)
    if answer is not None:
        services.tasks.spawn(services.voice.tell(gesture.place, gesture.person, answer), "answer to a mention")
