"""What the listeners lean on, in one hand."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.alerts.room import AlertRoom
from bot.cases.room import CaseRoom
from bot.home.home_tab import HomeTabs
from bot.home.status import StatusCommand
from bot.insights.opening import AttachOpening
from bot.insights.slack import AttachFormListeners
from bot.investigations.notices import Notices
from bot.investigations.ports import Orgs
from bot.investigations.refusing import Refusing
from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import Requests
from bot.investigations.seen_alerts import SeenAlerts
from bot.investigations.threads import ThreadReader
from bot.orgs.connecting import Connecting
from bot.orgs.questions import OrgQuestions
from bot.orgs.repository import OrgRepository
from bot.rules.org_choice import WhichOrg
from bot.rules.permissions import Permissions
from bot.rules.repository import RuleRepository
from bot.rules.slack import AuditCommand, SettingsForm
from bot.slack.clients import Workspaces
from bot.slack.commands import Commands
from bot.slack.modals import Modals
from bot.slack.replies import Replies
from bot.storage.workers import Tasks
from bot.workspaces.departures import Departures


@dataclass(frozen=True, slots=True)
class Services:
    requests: Requests
    repository: InvestigationRepository
    orgs: Orgs
    replies: Replies
    notices: Notices
    modals: Modals
    workspaces: Workspaces
    tasks: Tasks
    seen_alerts: SeenAlerts
    threads: ThreadReader
    cases: CaseRoom
    app_url: Callable[[str], str]  # of an org, for links
    attaching: AttachOpening
    attach_form: AttachFormListeners
    alerts: AlertRoom
    rules: RuleRepository
    permissions: Permissions  # asked before anything is started, shown or changed
    refusing: Refusing
    settings_form: SettingsForm
    status: StatusCommand
    audit: AuditCommand
    org_book: OrgRepository
    which_org: WhichOrg
    org_questions: OrgQuestions
    connecting: Connecting
    commands: Commands
    home_tabs: HomeTabs
    departures: Departures | None = None  # none with the one workspace of the settings
