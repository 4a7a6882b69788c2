"""The Home tab: opened, and its buttons that are no other form's own."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.home import view as home
from bot.rules.governing import open_settings
from bot.services import Services
from bot.slack.interactions import first_action, of_message


def register(app: AsyncApp, services: Services) -> None:
    @app.event("app_home_opened")
    async def opened(event: dict[str, Any], body: dict[str, Any]) -> None:
        if event.get("tab") == "home":
            view = event.get("view") or {}
            workspace, person = str(body.get("team_id") or ""), str(event.get("user") or "")
            await services.home_tabs.opened(workspace, person, str(view.get("hash") or ""))

    @app.action(home.CHANNEL_SETTINGS)
    async def channel_settings(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        interaction, channel = of_message(body), str(first_action(body).get("value") or "")
        open_settings(services, interaction.at(channel))
