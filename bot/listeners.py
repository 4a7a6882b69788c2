"""Everything Slack sends us arrives in one of these files; each parses, calls, answers, and decides nothing itself."""

from functools import partial

from slack_bolt.async_app import AsyncApp

from bot.alerts.datadog_messages import keep_alert_of
from bot.alerts.slack import AlertButtons
from bot.home import slack as home
from bot.home.status import StatusCommand
from bot.insights.commands import AttachCommands
from bot.insights.slack import AttachButtons
from bot.orgs.slack import OrgListeners
from bot.rules import slack as settings
from bot.services import Services
from bot.slack.listeners import Listeners
from bot.workspaces import slack as lifecycle


def register(app: AsyncApp, services: Services) -> None:
    on = Listeners(app, services.replies, services.tasks)
    investigations = services.investigations
    investigations.register(on)
    on.event("message", partial(keep_alert_of, services))  # what it shows is noted by now
    AlertButtons(services.alerts.book, services.alerts.mutes, services.permissions, services.modals).register(on)
    services.cases.register(on)
    AttachButtons(
        services.attaching, investigations.repository, services.cases.requests, investigations.threads
    ).register(on)
    services.attach_form.register(on)
    orgs = OrgListeners(
        orgs=services.org_book,
        connecting=services.connecting,
        questions=services.org_questions,
        modals=services.modals,
        replies=services.replies,
        tasks=services.tasks,
    )
    orgs.register(on)
    add_commands(services, orgs)
    services.commands.register(on)
    for listeners in (home, lifecycle, settings):
        listeners.register(app, services)


def add_commands(services: Services, orgs: OrgListeners) -> None:
    """Every room's, in the order in which help shows them."""
    investigations, cases_, attach_ = (
        services.investigations.commands,
        services.cases.commands,
        AttachCommands(services.attaching),
    )
    for room in (investigations, cases_, attach_):
        room.go_on_after(services.org_questions)
    services.commands.add(
        *investigations.commands(),
        *cases_.commands(),
        *attach_.commands(),
        *_status(services).commands(),
        *settings.commands(services),
        *orgs.commands(),
    )


def _status(services: Services) -> StatusCommand:
    return StatusCommand(
        permissions=services.permissions,
        rules=services.rules,
        budget=services.budget,
        health=services.health,
        which_org=services.which_org,
        orgs=services.org_book,
        cycles=services.alerts.book,
        replies=services.replies,
    )
