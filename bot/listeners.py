"""Everything Slack sends us arrives in one of these files; each parses, calls, answers, and decides nothing itself."""

import time

from slack_bolt.async_app import AsyncApp

from bot.alerts.slack import AlertButtons
from bot.home import slack as home
from bot.home.status import StatusCommand
from bot.insights.slack import AttachButtons, AttachCommands
from bot.investigations.commands import Investigate, InvestigationCommands
from bot.investigations.listeners import actions, events, shortcuts, views
from bot.investigations.reception import answer_later, receive
from bot.orgs.slack import OrgListeners
from bot.rules import slack as settings
from bot.services import Services
from bot.slack.interactions import Interaction
from bot.slack.listeners import Listeners
from bot.workspaces import slack as lifecycle


def register(app: AsyncApp, services: Services) -> None:
    on = Listeners(app, services.replies, services.tasks)
    AlertButtons(services.alerts.book, services.alerts.mutes, services.permissions, services.modals).register(on)
    services.cases.register(on)
    AttachButtons(services.attaching, services.repository, services.cases.requests, services.threads).register(on)
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
    for listeners in (actions, events, home, lifecycle, settings, shortcuts, views):
        listeners.register(app, services)


def add_commands(services: Services, orgs: OrgListeners) -> None:
    """Every room's, in the order in which help shows them."""
    investigations, cases_, attach_ = (
        _investigations(services),
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


def _investigations(services: Services) -> InvestigationCommands:
    async def start(interaction: Interaction, request: Investigate, org: str) -> None:
        outcome = await receive(services, interaction, request.subject, request.source, org=org)
        answer_later(services, interaction, request.subject, outcome)

    return InvestigationCommands(
        start=start,
        permissions=services.permissions,
        which_org=services.which_org,
        orgs=services.org_book,
        replies=services.replies,
        clock=time.time,
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
