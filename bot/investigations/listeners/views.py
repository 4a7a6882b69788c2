"""Modals that were submitted."""

import json
import time
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.investigations.reception import answer_later, receive
from bot.investigations.views import question
from bot.model import Place, Source
from bot.services import Services
from bot.slack.interactions import of_view, workspace_of

LOST = "I can't tell any more where this belongs. Close it and start from the message again."


def register(app: AsyncApp, services: Services) -> None:
    @app.view(question.CALLBACK)
    async def question_asked(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        read = question.read_question(view["state"], now=time.time())
        place = _place(workspace_of(body), str(view.get("private_metadata") or ""))
        if place is None:
            await ack(response_action="errors", errors={question.TEXT: LOST})
            return
        if isinstance(read, dict):
            await ack(response_action="errors", errors=read)
            return
        interaction = of_view(body, place)
        outcome = await receive(services, interaction, read, Source.MODAL)
        await ack()
        answer_later(services, interaction, read, outcome)


def _place(workspace: str, private_metadata: str) -> Place | None:
    try:
        told = json.loads(private_metadata)
        return Place(workspace, str(told["channel"]), str(told["thread_ts"]))
    except (ValueError, KeyError, TypeError):
        return None
