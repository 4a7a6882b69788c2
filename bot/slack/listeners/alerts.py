"""Buttons on our alert cards that are about the alert itself: mute it, unmute it, see its tags."""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.alerts.model import KnownCycle
from bot.alerts.mutes import Click, Work
from bot.investigations.policy import Refused
from bot.slack.gestures import Gesture, first_action, of_message
from bot.slack.modals import open_modal
from bot.slack.services import Services
from bot.slack.views import alert_card, no_start
from bot.slack.views.message import Message


def register(app: AsyncApp, services: Services) -> None:
    @app.action(re.compile(rf"^({alert_card.MUTE}|{alert_card.UNMUTE})$"))
    async def mute(ack: AsyncAck, body: dict[str, Any]) -> None:
        gesture, action = of_message(body), first_action(body)
        work = Work.MUTE if action.get("action_id") == alert_card.MUTE else Work.UNMUTE
        services.voice.remember(gesture.place, gesture.person, gesture.response_url)
        refusal = await _ask(services, gesture, work, await _cycle(services, body), _name(body))
        await ack()
        if refusal is not None:
            _tell(services, gesture, refusal)

    @app.action(alert_card.TAGS)
    async def show_tags(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        services.tasks.spawn(_show_tags(services, body, client), "tags of an alert")


async def _ask(services: Services, gesture: Gesture, work: Work, known: KnownCycle | None, name: str) -> Message | None:
    """Why not, or None once it is written down."""
    if known is None:
        return alert_card.gone()
    _, verdict = await services.gate.may_start(gesture.place, gesture.person)
    if isinstance(verdict, Refused):
        return no_start.refused(verdict, doing=f"{work} alerts from here")
    await services.alerts.mutes.ask(work, known, Click(gesture.key, gesture.place, gesture.person, name))
    return None


async def _show_tags(services: Services, body: dict[str, Any], client: AsyncWebClient) -> None:
    known, gesture = await _cycle(services, body), of_message(body)
    if known is None:
        _tell(services, gesture, alert_card.gone())
        return
    await open_modal(services.voice, client, gesture, alert_card.tags_modal(known))


async def _cycle(services: Services, body: dict[str, Any]) -> KnownCycle | None:
    value = str(first_action(body).get("value") or "")
    is_id = value.isascii() and value.isdigit() and len(value) < 16
    return await services.alerts.book.get(int(value)) if is_id else None


def _name(body: dict[str, Any]) -> str:
    user = body.get("user") or {}
    return str(user.get("name") or user.get("username") or "")


def _tell(services: Services, gesture: Gesture, message: Message) -> None:
    services.voice.remember(gesture.place, gesture.person, gesture.response_url)
    services.tasks.spawn(services.voice.tell(gesture.place, gesture.person, message), "answer to a gesture")
