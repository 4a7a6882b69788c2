"""The slash command. Its answers are for the one who typed it; what the channel should see is a card."""

import time
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.commands.grammar import parse
from bot.commands.run import act
from bot.model import Source
from bot.services import Services
from bot.slack.interactions import of_command
from bot.wording import COMMAND


def register(app: AsyncApp, services: Services) -> None:
    @app.command(COMMAND)
    async def typed(ack: AsyncAck, body: dict[str, Any]) -> None:
        wish = parse(str(body.get("text") or ""), now=time.time())
        answer = await act(services, of_command(body), wish, Source.COMMAND)
        await ack(**answer.as_arguments()) if answer else await ack()
