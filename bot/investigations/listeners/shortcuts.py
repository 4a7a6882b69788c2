"""Message shortcuts: the alert is taken from the message they were used on."""

import json
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.investigations.message_alerts import message_text
from bot.investigations.reception import answer_later, receive
from bot.investigations.views.question import question_modal
from bot.model import Source
from bot.services import Services
from bot.slack.interactions import Interaction, of_message
from bot.slack.modals import open_modal

INVESTIGATE_MESSAGE = "investigate_message"


def register(app: AsyncApp, services: Services) -> None:
    @app.shortcut(INVESTIGATE_MESSAGE)
    async def investigate_message(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        interaction, message = of_message(body), body.get("message") or {}
        subject = await services.threads.subject_of_message(interaction.place, message)
        if subject is None:
            await ack()
            services.replies.remember(interaction.place, interaction.person, interaction.response_url)
            services.tasks.spawn(_ask_for_words(services, client, interaction, message), "question modal")
            return
        outcome = await receive(services, interaction, subject, Source.SHORTCUT)
        await ack()
        answer_later(services, interaction, subject, outcome)


async def _ask_for_words(
    services: Services, client: AsyncWebClient, interaction: Interaction, message: dict[str, Any]
) -> None:
    place = {"channel": interaction.place.channel, "thread_ts": interaction.place.thread_ts}
    view = question_modal(prefill=message_text(message), private_metadata=json.dumps(place))
    await open_modal(services.replies, client, interaction, view)
