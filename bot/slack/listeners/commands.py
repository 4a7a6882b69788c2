"""The slash command. Its answers are for the one who typed it; what the channel should see is a card."""

import time
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.investigations.model import Source
from bot.slack.gestures import of_command
from bot.slack.services import Services
from bot.slack.verbs import parse
from bot.slack.wishes import act
from bot.wording import COMMAND


def register(app: AsyncApp, services: Services) -> None:
    @app.command(COMMAND)
    async def typed(ack: AsyncAck, body: dict[str, Any]) -> None:
        wish = parse(str(body.get("text") or ""), now=time.time())
        answer = await act(services, of_command(body), wish, Source.COMMAND)
        await ack(**answer.as_arguments()) if answer else await ack()
