"""Everything Slack sends us arrives in one of these files; each parses, calls, answers, and decides nothing itself."""

from slack_bolt.async_app import AsyncApp

from bot.slack.listeners import (
    actions,
    alerts,
    attach,
    cases,
    commands,
    connect,
    events,
    home,
    lifecycle,
    orgs,
    settings,
    shortcuts,
    views,
)
from bot.slack.services import Services


def register(app: AsyncApp, services: Services) -> None:
    for listeners in (
        actions,
        alerts,
        attach,
        cases,
        commands,
        connect,
        events,
        home,
        lifecycle,
        orgs,
        settings,
        shortcuts,
        views,
    ):
        listeners.register(app, services)
