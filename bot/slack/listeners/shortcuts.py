"""Message shortcuts: the alert is taken from the message they were used on."""

import json
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.investigations.model import Source
from bot.slack.alerts import message_text
from bot.slack.gestures import Gesture, of_message
from bot.slack.modals import open_modal
from bot.slack.reception import answer_later, receive
from bot.slack.services import Services
from bot.slack.views.question import question_modal

INVESTIGATE_MESSAGE = "investigate_message"


def register(app: AsyncApp, services: Services) -> None:
    @app.shortcut(INVESTIGATE_MESSAGE)
    async def investigate_message(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        gesture, message = of_message(body), body.get("message") or {}
        subject = await services.threads.subject_of_message(gesture.place, message)
        if subject is None:
            await ack()
            services.voice.remember(gesture.place, gesture.person, gesture.response_url)
            services.tasks.spawn(_ask_for_words(services, client, gesture, message), "question modal")
            return
        outcome = await receive(services, gesture, subject, Source.SHORTCUT)
        await ack()
        answer_later(services, gesture, subject, outcome)


async def _ask_for_words(services: Services, client: AsyncWebClient, gesture: Gesture, message: dict[str, Any]) -> None:
    place = {"channel": gesture.place.channel, "thread_ts": gesture.place.thread_ts}
    view = question_modal(prefill=message_text(message), private_metadata=json.dumps(place))
    await open_modal(services.voice, client, gesture, view)
