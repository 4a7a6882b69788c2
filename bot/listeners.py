"""Everything Slack sends us arrives in one of these files; each parses, calls, answers, and decides nothing itself."""

import time

from slack_bolt.async_app import AsyncApp

from bot.home.home_tab import HomeListeners
from bot.insights.commands import AttachCommands
from bot.insights.slack import AttachButtons
from bot.investigations.commands import Investigate, InvestigationCommands
from bot.investigations.listeners import actions, shortcuts, views
from bot.investigations.listeners.events import MessagesOfApps
from bot.investigations.listeners.over_budget import OverBudgetButton
from bot.investigations.reception import answer_later, receive
from bot.orgs.slack import OrgListeners
from bot.services import Services
from bot.slack.interactions import Interaction
from bot.slack.listeners import Listeners
from bot.workspaces.departures import WorkspaceEvents


def register(app: AsyncApp, services: Services) -> None:
    on = Listeners(app, services.replies, services.tasks)
    MessagesOfApps(services.seen_alerts).register(on)  # what they show is noted before it is acted on
    services.alerts.register(on)
    WorkspaceEvents(services.departures).register(on)
    OverBudgetButton(services.requests, services.permissions).register(on)
    services.cases.register(on)
    AttachButtons(services.attaching, services.repository, services.cases.requests, services.threads).register(on)
    services.attach_form.register(on)
    services.settings_form.register(on)
    HomeListeners(services.home_tabs, services.settings_form, services.tasks).register(on)
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
    for listeners in (actions, shortcuts, views):
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
        *services.status.commands(),
        *services.settings_form.commands(),
        *services.audit.commands(),
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
