"""The case room put together: what other rooms use of it, its listeners, and its workers."""

from dataclasses import dataclass

from bot.cases.actions import CaseActions, CaseActionWorker
from bot.cases.batches import CaseBatches
from bot.cases.case_windows import CaseWindows
from bot.cases.catalog import Catalogs
from bot.cases.comments import CaseCommentPost, CaseComments, CaseTalk
from bot.cases.creation import CaseMaker
from bot.cases.escalation import Escalator
from bot.cases.escalation_windows import EscalationWindows
from bot.cases.escalations import CaseEscalations
from bot.cases.filling import CaseFilling
from bot.cases.following import CaseFollower
from bot.cases.follows import CaseHints
from bot.cases.form import CaseForms
from bot.cases.listing import CaseFinder, CaseLists
from bot.cases.posts import CaseCards, CaseReplies
from bot.cases.repository import CaseRepository
from bot.cases.requests import CaseRequests
from bot.cases.slack import CaseCardListeners, CaseCommands, CaseFormListeners
from bot.cases.work_object_slack import CaseWorkObjects
from bot.foundation import Foundation
from bot.investigations.room import InvestigationRoom
from bot.orgs.repository import OrgRepository
from bot.rules.room import RuleRoom
from bot.slack.listeners import Listeners
from bot.slack.panes import Panes


@dataclass(frozen=True, slots=True)
class CaseRoom:
    cases: CaseRepository
    requests: CaseRequests
    actions: CaseActions
    filling: CaseFilling
    forms: CaseForms
    commands: CaseCommands
    cards: CaseCards
    maker: CaseMaker
    action_worker: CaseActionWorker
    follower: CaseFollower
    hints: CaseHints
    talk: CaseTalk
    comments: CaseCommentPost
    form_listeners: CaseFormListeners
    card_listeners: CaseCardListeners
    windows: CaseWindows
    escalation_windows: EscalationWindows
    escalator: Escalator
    lists: CaseLists
    work_objects: CaseWorkObjects

    def register(self, on: Listeners) -> None:
        self.form_listeners.register(on)
        self.card_listeners.register(on)
        self.windows.register(on)
        self.talk.register(on)
        self.escalation_windows.register(on)
        self.lists.register(on)
        self.work_objects.register(on)


def build(
    base: Foundation, orgs: OrgRepository, rules: RuleRoom, room: InvestigationRoom, catalogs: Catalogs
) -> CaseRoom:
    database, timing, owner, replies, modals = base.database, base.timing, base.owner, base.replies, base.modals
    cases = CaseRepository(database, catalogs.known, look_within=timing.follow)
    requests, actions = CaseRequests(database, cases), CaseActions(database, cases)
    case_replies = CaseReplies(cases, base.workspaces, replies, modals, orgs.app_url)
    investigations = room.repository
    filling = CaseFilling(requests, catalogs, case_replies, investigations, orgs, rules.rules, replies)
    forms = CaseForms(
        cases, requests, catalogs, case_replies, filling, orgs, rules.permissions, rules.which_org, modals, replies
    )
    batches = CaseBatches(database, replies, modals)
    finder = CaseFinder(cases, catalogs, orgs, rules.rules, case_replies)
    commands = CaseCommands(forms, cases, catalogs, orgs, rules.permissions, rules.which_org, replies)
    windows = CaseWindows(cases, actions, catalogs, orgs, rules.permissions, modals)
    escalations = CaseEscalations(database, cases)
    escalation_windows = EscalationWindows(cases, escalations, orgs, rules.permissions, modals)
    return CaseRoom(
        cases=cases,
        requests=requests,
        actions=actions,
        filling=filling,
        forms=forms,
        commands=commands,
        cards=CaseCards(cases, base.outbox, replies, orgs, escalations, work_objects=base.settings.bits_work_objects),
        maker=CaseMaker(database, timing, requests, cases, orgs, catalogs, case_replies, owner=owner),
        action_worker=CaseActionWorker(
            database, timing, actions, orgs, case_replies, base.people, batches, owner=owner
        ),
        follower=CaseFollower(database, timing, cases, orgs, CaseComments(database, rules.rules), owner=owner),
        hints=CaseHints(database, timing.gather),
        talk=CaseTalk(cases, actions, rules.permissions, base.people),
        comments=CaseCommentPost(cases, orgs),
        form_listeners=CaseFormListeners(forms, requests, catalogs, investigations, modals),
        card_listeners=CaseCardListeners(cases, actions, rules.permissions, modals, windows, escalation_windows),
        windows=windows,
        escalation_windows=escalation_windows,
        escalator=Escalator(database, timing, escalations, cases, orgs, base.people, owner=owner),
        work_objects=CaseWorkObjects(cases, actions, orgs, rules.permissions, Panes(base.workspaces)),
        lists=CaseLists(
            finder,
            cases,
            actions,
            batches,
            windows,
            commands,
            orgs,
            rules.permissions,
            rules.which_org,
            modals,
            replies,
        ),
    )
