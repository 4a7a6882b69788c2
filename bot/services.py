"""What the listeners lean on, in one hand."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.alerts.automatic import Automatic
from bot.alerts.room import AlertRoom
from bot.cases.room import CaseRoom
from bot.home.health import HealthReader
from bot.home.home_tab import HomeTabs
from bot.insights.opening import AttachOpening
from bot.insights.slack import AttachFormListeners
from bot.investigations.requests import Requests
from bot.investigations.room import InvestigationRoom
from bot.orgs.connecting import Connecting
from bot.orgs.questions import OrgQuestions
from bot.orgs.repository import OrgRepository
from bot.rules.audit import AuditTrail
from bot.rules.budget import Budget
from bot.rules.org_choice import WhichOrg
from bot.rules.permissions import Permissions
from bot.rules.repository import RuleRepository
from bot.slack.clients import Workspaces
from bot.slack.commands import Commands
from bot.slack.modals import Modals
from bot.slack.people import People
from bot.slack.replies import Replies
from bot.storage.workers import Tasks
from bot.workspaces.departures import Lifecycle


@dataclass(frozen=True, slots=True)
class Services:
    requests: Requests
    investigations: InvestigationRoom
    replies: Replies
    modals: Modals
    workspaces: Workspaces
    tasks: Tasks
    cases: CaseRoom
    app_url: Callable[[str], str]  # of an org, for links
    attaching: AttachOpening
    attach_form: AttachFormListeners
    alerts: AlertRoom
    rules: RuleRepository
    permissions: Permissions  # asked before anything is started, shown or changed
    people: People
    budget: Budget
    trail: AuditTrail
    health: HealthReader
    automatic: Automatic
    org_book: OrgRepository
    which_org: WhichOrg
    org_questions: OrgQuestions
    connecting: Connecting
    commands: Commands
    home_tabs: HomeTabs
    lifecycle: Lifecycle | None = None  # none with the one workspace of the settings
