"""Everything Slack sends us arrives in one of these files; each parses, calls, answers, and decides nothing itself."""

from slack_bolt.async_app import AsyncApp

from bot.alerts.messages import DatadogMessages
from bot.alerts.slack import AlertButtons
from bot.cases import slack as cases
from bot.commands import slack as commands
from bot.home import slack as home
from bot.insights import slack as attach
from bot.investigations.listeners import actions, events, shortcuts, views
from bot.investigations.listeners.events import MessagesOfApps
from bot.orgs import choice as orgs
from bot.orgs import slack as connect
from bot.rules import slack as settings
from bot.services import Services
from bot.slack.listeners import Listeners
from bot.workspaces.departures import WorkspaceEvents


def register(app: AsyncApp, services: Services) -> None:
    on = Listeners(app, services.replies, services.tasks)
    alerts = services.alerts
    AlertButtons(alerts.book, alerts.mutes, services.permissions, services.modals).register(on)
    MessagesOfApps(services.seen_alerts).register(on)  # what they show is noted before it is acted on
    DatadogMessages(services.rules, alerts.messages, services.keep_watching).register(on)
    WorkspaceEvents(services.departures).register(on)
    for listeners in (
        actions,
        attach,
        cases,
        commands,
        connect,
        events,
        home,
        orgs,
        settings,
        shortcuts,
        views,
    ):
        listeners.register(app, services)
