"""Buttons on our messages and in our modals."""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.investigations.reception import answer_later, receive, receive_again
from bot.investigations.views import answers, card, conclusions, details
from bot.investigations.views import investigate_button as nudge
from bot.model import Source
from bot.services import Services
from bot.slack.blocks import Message
from bot.slack.interactions import Interaction, first_action, of_message
from bot.slack.modals import open_modal, update_modal

_URL_BUTTON = re.compile(r".*:open$")


def register(app: AsyncApp, services: Services) -> None:
    _register_starts(app, services)
    _register_card(app, services)
    _register_conclusions(app, services)
    _register_details(app, services)

    @app.action(_URL_BUTTON)
    async def link_opened(ack: AsyncAck) -> None:
        await ack()  # the browser does the rest; unacknowledged, Slack would show an error


def _register_starts(app: AsyncApp, services: Services) -> None:
    @app.action(nudge.INVESTIGATE_ACTION)
    async def investigate(ack: AsyncAck, body: dict[str, Any]) -> None:
        interaction = of_message(body)
        alert = nudge.read_alert_value(str(first_action(body).get("value") or ""))
        if alert is None:
            await ack()
            _tell(services, interaction, answers.no_longer_alert())
            return
        outcome = await receive(services, interaction, alert, Source.BUTTON)
        await ack()
        answer_later(services, interaction, alert, outcome)

    @app.action(re.compile(rf"^({card.RUN_AGAIN}|{card.START_AGAIN_ACTION}|{conclusions.RUN_AGAIN})$"))
    async def run_again(ack: AsyncAck, body: dict[str, Any]) -> None:
        interaction = of_message(body)
        outcome = await receive_again(services, interaction, _number(first_action(body)))
        await ack()
        if outcome is None:
            _tell(services, interaction, answers.gone())
        else:
            answer_later(services, interaction, None, outcome)


def _register_card(app: AsyncApp, services: Services) -> None:
    @app.action(card.KEEP_WAITING_ACTION)
    async def keep_waiting(ack: AsyncAck, body: dict[str, Any]) -> None:
        resumed = await services.repository.keep_waiting(_number(first_action(body)))
        await ack()
        _tell(services, of_message(body), answers.kept_waiting() if resumed else answers.gone())


def _register_conclusions(app: AsyncApp, services: Services) -> None:
    @app.action(conclusions.DETAILS_ACTION)
    async def show_details(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        services.tasks.spawn(_open_details(services, body, client), "details modal")

    @app.action(re.compile(rf"^({conclusions.HELPFUL}|{conclusions.NOT_HELPFUL})$"))
    async def vote(ack: AsyncAck, body: dict[str, Any]) -> None:
        interaction, action = of_message(body), first_action(body)
        helpful = action.get("action_id") == conclusions.HELPFUL
        if await services.repository.get(_number(action)):
            await services.repository.vote(
                _number(action), interaction.place.workspace, interaction.person, helpful=helpful
            )
        await ack()
        services.replies.remember(interaction.place, interaction.person, interaction.response_url)
        _tell(services, interaction, answers.vote_noted(helpful=helpful))


def _register_details(app: AsyncApp, services: Services) -> None:
    @app.action(re.compile(rf"^{details.PAGE}"))
    async def turn_page(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        services.tasks.spawn(_turn_page(services, body, client), "details page")


async def _open_details(services: Services, body: dict[str, Any], client: AsyncWebClient) -> None:
    investigation = await services.repository.get(_number(first_action(body)))
    if investigation is None:
        _tell(services, of_message(body), answers.gone())
        return
    await open_modal(services.replies, client, of_message(body), details.details_modal(investigation))


async def _turn_page(services: Services, body: dict[str, Any], client: AsyncWebClient) -> None:
    view = body["view"]
    told = details.read_details_metadata(str(view.get("private_metadata") or ""))
    investigation = await services.repository.get(told[0]) if told else None
    if investigation is not None:
        page = details.details_modal(investigation, _number(first_action(body)))
        await update_modal(client, page, view_id=view["id"], view_hash=view.get("hash"))


def _number(action: dict[str, Any]) -> int:
    value = str(action.get("value") or "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else 0


def _tell(services: Services, interaction: Interaction, message: Message) -> None:
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    services.tasks.spawn(services.replies.tell(interaction.place, interaction.person, message), "answer to a gesture")
