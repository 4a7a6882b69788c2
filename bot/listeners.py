"""Everything Slack sends us arrives in one of these files; each parses, calls, answers, and decides nothing itself."""

from slack_bolt.async_app import AsyncApp

from bot.alerts.slack import AlertButtons
from bot.cases import slack as cases
from bot.commands import slack as commands
from bot.home.home_tab import HomeListeners
from bot.insights import slack as attach
from bot.investigations.listeners import actions, events, shortcuts, views
from bot.investigations.listeners.over_budget import OverBudgetButton
from bot.orgs import choice as orgs
from bot.orgs import slack as connect
from bot.services import Services
from bot.slack.listeners import Listeners
from bot.workspaces import slack as lifecycle


def register(app: AsyncApp, services: Services) -> None:
    on = Listeners(app, services.replies, services.tasks)
    AlertButtons(services.alerts.book, services.alerts.mutes, services.permissions, services.modals).register(on)
    OverBudgetButton(services.requests, services.permissions).register(on)
    services.settings_form.register(on)
    HomeListeners(services.home_tabs, services.settings_form, services.tasks).register(on)
    for listeners in (
        actions,
        attach,
        cases,
        commands,
        connect,
        events,
        lifecycle,
        orgs,
        shortcuts,
        views,
    ):
        listeners.register(app, services)
