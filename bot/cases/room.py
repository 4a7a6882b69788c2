"""The case room put together: what other rooms use of it, its listeners, and its workers."""

from dataclasses import dataclass

from bot.cases.actions import CaseActions, CaseActionWorker
from bot.cases.catalog import Catalogs
from bot.cases.creation import CaseMaker
from bot.cases.form import CaseForms
from bot.cases.posts import CaseCards, CaseReplies
from bot.cases.repository import CaseRepository
from bot.cases.requests import CaseRequests
from bot.cases.slack import CaseCardListeners, CaseCommands, CaseFormListeners
from bot.investigations.repository import InvestigationRepository
from bot.orgs.repository import OrgRepository
from bot.rules.org_choice import WhichOrg
from bot.rules.permissions import Permissions
from bot.rules.repository import RuleRepository
from bot.slack.clients import Workspaces
from bot.slack.listeners import Listeners
from bot.slack.modals import Modals
from bot.slack.replies import Replies
from bot.storage.engine import Database
from bot.storage.outbox import Outbox
from bot.storage.timing import Timing
from bot.storage.workers import Tasks


@dataclass(frozen=True, slots=True)
class CaseRoom:
    cases: CaseRepository
    requests: CaseRequests
    forms: CaseForms
    commands: CaseCommands
    cards: CaseCards
    maker: CaseMaker
    action_worker: CaseActionWorker
    form_listeners: CaseFormListeners
    card_listeners: CaseCardListeners

    def register(self, on: Listeners) -> None:
        self.form_listeners.register(on)
        self.card_listeners.register(on)


def build(
    database: Database,
    timing: Timing,
    orgs: OrgRepository,
    investigations: InvestigationRepository,
    rules: RuleRepository,
    permissions: Permissions,
    which_org: WhichOrg,
    workspaces: Workspaces,
    replies: Replies,
    modals: Modals,
    outbox: Outbox,
    tasks: Tasks,
    *,
    owner: str,
) -> CaseRoom:
    catalogs = Catalogs(orgs, tasks)
    cases = CaseRepository(database, catalogs.known)
    requests, actions = CaseRequests(database, cases), CaseActions(database, cases)
    case_replies = CaseReplies(cases, workspaces, replies, modals, orgs.app_url)
    forms = CaseForms(
        cases,
        requests,
        catalogs,
        case_replies,
        investigations,
        orgs,
        rules,
        permissions,
        which_org,
        modals,
        replies,
    )
    return CaseRoom(
        cases=cases,
        requests=requests,
        forms=forms,
        commands=CaseCommands(forms, cases, catalogs, orgs, permissions, which_org, replies),
        cards=CaseCards(cases, outbox, replies, orgs.app_url),
        maker=CaseMaker(requests, cases, orgs, catalogs, case_replies, timing, owner=owner),
        action_worker=CaseActionWorker(actions, orgs, case_replies, timing, owner=owner),
        form_listeners=CaseFormListeners(forms, requests, catalogs, investigations, modals),
        card_listeners=CaseCardListeners(cases, actions, permissions, modals),
    )
