"""What Slack tells us without a person waiting for it.

Bolt acknowledges an event before its listener runs and Slack does not send an acknowledged one again. So a mention is
written down in a middleware, which runs before that.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.commands.grammar import parse
from bot.commands.run import act
from bot.investigations.message_alerts import find_alert, find_investigation
from bot.investigations.seen_alerts import SeenAlerts
from bot.model import AlertRef, Source
from bot.services import Services
from bot.slack.interactions import Payload, of_mention
from bot.slack.listeners import Listeners

Next = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class MessagesOfApps:
    """Notes an alert and an investigation when they are first shown; the message may be edited to something else."""

    seen_alerts: SeenAlerts

    def register(self, on: Listeners) -> None:
        on.event("message", self.saw)

    async def saw(self, body: Payload) -> None:
        event = body["event"]
        message = event.get("message") or event
        if not message.get("bot_id"):
            return
        workspace = str(body.get("team_id") or event.get("team") or "")
        channel, ts = str(event.get("channel") or ""), str(message.get("ts") or "")
        found = find_alert(message)
        if found and isinstance(found.subject, AlertRef) and not found.recovered and not found.test:
            await self.seen_alerts.saw_alert(workspace, channel, ts, found.subject)
        if run := find_investigation([message]):
            await self.seen_alerts.saw_run(workspace, channel, str(message.get("thread_ts") or ts), run)


def register(app: AsyncApp, services: Services) -> None:
    @app.middleware
    async def keep(body: dict[str, Any], next: Next) -> None:  # noqa: A002  the name Bolt passes it by
        event = body.get("event") or {}
        if body.get("type") == "event_callback" and isinstance(event, dict):
            await _keep(services, body, event)
        await next()

    @app.event("app_mention")
    async def mentioned() -> None:
        """Dealt with above, before Slack was told."""


async def _keep(services: Services, body: dict[str, Any], event: dict[str, Any]) -> None:
    if event.get("type") == "app_mention" and _from_person(event):
        await _mentioned(services, body)


def _from_person(event: dict[str, Any]) -> bool:
    return bool(event.get("user")) and not event.get("bot_id") and not event.get("edited")


async def _mentioned(services: Services, body: dict[str, Any]) -> None:
    interaction = of_mention(body)
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    wish = parse(str(body["event"].get("text") or ""), now=time.time())
    answer = await act(services, interaction, wish, Source.MENTION)
    if answer is not None:
        services.tasks.spawn(
            services.replies.tell(interaction.place, interaction.person, answer), "answer to a mention"
        )
