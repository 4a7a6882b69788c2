"""What the listeners lean on, in one hand."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.alerts.room import AlertRoom
from bot.cases.acts import Acts
from bot.cases.book import CaseBook
from bot.cases.catalog import Catalogs
from bot.cases.orders import Orders
from bot.cases.ports import CaseOrgs
from bot.investigations.audit import AuditTrail
from bot.investigations.automatic import Automatic
from bot.investigations.budget import Accounts
from bot.investigations.desk import Desk
from bot.investigations.ledger import Ledger
from bot.investigations.loops import Tasks
from bot.investigations.org_book import OrgBook
from bot.investigations.ports import Orgs
from bot.investigations.rule_book import RuleBook
from bot.investigations.sightings import Sightings
from bot.investigations.standing import Standings
from bot.slack.attaching import Attaching
from bot.slack.case_front import CaseFront
from bot.slack.connecting import Connecting
from bot.slack.gate import Gate
from bot.slack.homes import Homes
from bot.slack.lifecycle import Lifecycle
from bot.slack.org_questions import OrgQuestions
from bot.slack.people import People
from bot.slack.refusing import Refusing
from bot.slack.threads import ThreadReader
from bot.slack.voice import Voice
from bot.slack.which_org import WhichOrg
from bot.slack.workspaces import Workspaces


@dataclass(frozen=True, slots=True)
class CaseServices:
    book: CaseBook
    orders: Orders
    acts: Acts
    catalogs: Catalogs
    orgs: CaseOrgs
    front: CaseFront


@dataclass(frozen=True, slots=True)
class Services:
    desk: Desk
    ledger: Ledger
    orgs: Orgs
    voice: Voice
    workspaces: Workspaces
    tasks: Tasks
    sightings: Sightings
    threads: ThreadReader
    cases: CaseServices
    app_url: Callable[[str], str]  # of an org, for links
    keep_watching: Callable[[], None]  # wakes whoever has to act on a change
    attaching: Attaching
    alerts: AlertRoom
    rules: RuleBook
    gate: Gate  # asked before anything is started, shown or changed
    people: People
    refusing: Refusing
    accounts: Accounts
    trail: AuditTrail
    standings: Standings
    automatic: Automatic
    org_book: OrgBook
    which_org: WhichOrg
    org_questions: OrgQuestions
    connecting: Connecting
    homes: Homes
    lifecycle: Lifecycle | None = None  # none with the one workspace of the settings
