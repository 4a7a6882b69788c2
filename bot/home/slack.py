"""The Home tab: opened, and its buttons that are no other form's own."""

from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.commands.grammar import ChannelSettings
from bot.home import view as home
from bot.model import Place
from bot.orgs.connect_form import start
from bot.orgs.views.connect_modal import Prefill
from bot.rules.governing import govern
from bot.services import Services
from bot.slack.interactions import first_action, of_message


def register(app: AsyncApp, services: Services) -> None:
    @app.event("app_home_opened")
    async def opened(event: dict[str, Any], body: dict[str, Any]) -> None:
        if event.get("tab") == "home":
            view = event.get("view") or {}
            workspace, person = str(body.get("team_id") or ""), str(event.get("user") or "")
            await services.home_tabs.opened(workspace, person, str(view.get("hash") or ""))

    @app.action(home.CONNECT)
    async def connect(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        start(services, of_message(body), Prefill())

    @app.action(home.CHANNEL_SETTINGS)
    async def channel_settings(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        interaction, channel = of_message(body), str(first_action(body).get("value") or "")
        govern(services, replace(interaction, place=Place(interaction.place.workspace, channel)), ChannelSettings())
