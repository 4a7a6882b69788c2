"""Buttons on our alert cards that are about the alert itself: mute it, unmute it, see its tags."""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.alerts import views as alert_card
from bot.alerts.model import KnownCycle
from bot.alerts.mutes import Click, Work
from bot.rules.policy import Refused
from bot.rules.views import no_start
from bot.services import Services
from bot.slack.interactions import Interaction, first_action, of_message
from bot.slack.message import Message
from bot.slack.modals import open_modal


def register(app: AsyncApp, services: Services) -> None:
    @app.action(re.compile(rf"^({alert_card.MUTE}|{alert_card.UNMUTE})$"))
    async def mute(ack: AsyncAck, body: dict[str, Any]) -> None:
        interaction, action = of_message(body), first_action(body)
        work = Work.MUTE if action.get("action_id") == alert_card.MUTE else Work.UNMUTE
        services.replies.remember(interaction.place, interaction.person, interaction.response_url)
        refusal = await _ask(services, interaction, work, await _cycle(services, body), _name(body))
        await ack()
        if refusal is not None:
            _tell(services, interaction, refusal)

    @app.action(alert_card.TAGS)
    async def show_tags(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        services.tasks.spawn(_show_tags(services, body, client), "tags of an alert")


async def _ask(
    services: Services, interaction: Interaction, work: Work, known: KnownCycle | None, name: str
) -> Message | None:
    """Why not, or None once it is written down."""
    if known is None:
        return alert_card.gone()
    _, verdict = await services.permissions.may_start(interaction.place, interaction.person)
    if isinstance(verdict, Refused):
        return no_start.refused(verdict, doing=f"{work} alerts from here")
    await services.alerts.mutes.ask(work, known, Click(interaction.key, interaction.place, interaction.person, name))
    return None


async def _show_tags(services: Services, body: dict[str, Any], client: AsyncWebClient) -> None:
    known, interaction = await _cycle(services, body), of_message(body)
    if known is None:
        _tell(services, interaction, alert_card.gone())
        return
    await open_modal(services.replies, client, interaction, alert_card.tags_modal(known))


async def _cycle(services: Services, body: dict[str, Any]) -> KnownCycle | None:
    value = str(first_action(body).get("value") or "")
    is_id = value.isascii() and value.isdigit() and len(value) < 16
    return await services.alerts.book.get(int(value)) if is_id else None


def _name(body: dict[str, Any]) -> str:
    user = body.get("user") or {}
    return str(user.get("name") or user.get("username") or "")


def _tell(services: Services, interaction: Interaction, message: Message) -> None:
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    services.tasks.spawn(services.replies.tell(interaction.place, interaction.person, message), "answer to a gesture")
