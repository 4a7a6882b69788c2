"""The room of investigations put together: what other rooms use of it, its listeners, its workers and its posts."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.foundation import Foundation
from bot.investigations.alert_resolver import AlertResolver
from bot.investigations.ask_worker import AskWorker
from bot.investigations.asking import AskAnswers, StartRequests
from bot.investigations.commands import InvestigationCommands
from bot.investigations.earlier_answers import EarlierAnswerPost, EarlierAnswers
from bot.investigations.findings import Findings
from bot.investigations.message_alerts import MessagesOfApps, SeenAlerts, SubjectOfCard, ThreadReader
from bot.investigations.model import ThreadCase
from bot.investigations.poll_worker import PollWorker
from bot.investigations.posts import ConclusionsPost, ShownInvestigations, StatusCardPost
from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import Requests
from bot.investigations.results import FollowUps, ReportWindows, ResultListeners, RunAgain
from bot.investigations.seen_before import SeenBeforeReader
from bot.investigations.shares import ShareBook, ShareListeners, SharePost
from bot.investigations.slack import DoubtButtons, OverBudgetButton, StartListeners
from bot.investigations.trigger_worker import TriggerWorker
from bot.investigations.vote_book import VoteBook
from bot.investigations.votes import VoteListeners
from bot.model import Place
from bot.orgs.repository import OrgRepository
from bot.rules.room import RuleRoom
from bot.slack.interactions import Interaction
from bot.slack.listeners import Listeners


class CasesOfThread(Protocol):
    """Of the room above: the case that stands in a thread."""

    async def link_in(self, place: Place) -> ThreadCase | None: ...

    async def comment(self, window: Interaction, words: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class InvestigationRoom:
    repository: InvestigationRepository
    requests: Requests
    seen_alerts: SeenAlerts
    seen_before: SeenBeforeReader
    threads: ThreadReader
    findings: Findings
    commands: InvestigationCommands
    card_post: StatusCardPost
    conclusions_post: ConclusionsPost
    earlier_post: EarlierAnswerPost
    share_post: SharePost
    ask_worker: AskWorker
    alert_resolver: AlertResolver
    trigger_worker: TriggerWorker
    poll_worker: PollWorker
    app_messages: MessagesOfApps
    start_listeners: StartListeners
    result_listeners: ResultListeners
    over_budget: OverBudgetButton
    doubts: DoubtButtons
    earlier_answers: EarlierAnswers
    votes: VoteListeners
    follow_ups: FollowUps
    run_again: RunAgain
    shares: ShareListeners

    def register(self, on: Listeners) -> None:
        self.app_messages.register(on)
        self.start_listeners.register(on)
        self.result_listeners.register(on)
        self.over_budget.register(on)
        self.doubts.register(on)
        self.earlier_answers.register(on)
        self.votes.register(on)
        self.follow_ups.register(on)
        self.run_again.register(on)
        self.shares.register(on)
        self.commands.register(on)


def build(
    base: Foundation,
    orgs: OrgRepository,
    rules: RuleRoom,
    is_command: Callable[[str], bool],
    cases: CasesOfThread,
    subject_of_card: SubjectOfCard,
) -> InvestigationRoom:
    database, timing, owner, replies, modals = base.database, base.timing, base.owner, base.replies, base.modals
    repository = InvestigationRepository(database, timing)
    requests = Requests(repository, rules.budget, base.inbox)
    seen_alerts, seen_before = SeenAlerts(database), SeenBeforeReader(database)
    threads = ThreadReader(base.workspaces, seen_alerts, subject_of_card)
    findings = Findings(database, base.workspaces, seen_alerts, threads, base.senders)
    permissions, which_org, chooser = rules.permissions, rules.which_org, rules.chooser
    person = AskAnswers(repository, permissions, rules.rules, which_org, replies, modals)
    starts, shown = StartRequests(requests, person), ShownInvestigations(repository, orgs)
    votes, share_book = VoteBook(database), ShareBook(database)
    reports = ReportWindows(repository, votes, modals, cases.link_in, orgs.app_url)
    return InvestigationRoom(
        repository=repository,
        requests=requests,
        seen_alerts=seen_alerts,
        seen_before=seen_before,
        threads=threads,
        findings=findings,
        commands=InvestigationCommands(
            starts, permissions, which_org, orgs, replies, repository, rules.budget, is_command, clock=time.time
        ),
        card_post=StatusCardPost(repository, seen_before, shown, replies, orgs.app_url),
        conclusions_post=ConclusionsPost(
            repository, replies, shown, base.outbox, orgs.app_url, rules.rules, cases.link_in, votes
        ),
        earlier_post=EarlierAnswerPost(repository, shown, base.outbox, orgs.app_url, cases.link_in, votes),
        ask_worker=AskWorker(
            database, timing, requests, repository, threads, permissions, chooser, findings, person, owner=owner
        ),
        alert_resolver=AlertResolver(database, timing, requests, threads, findings, orgs, person, owner=owner),
        trigger_worker=TriggerWorker(database, timing, repository, orgs, owner=owner),
        poll_worker=PollWorker(repository, orgs, timing),
        app_messages=MessagesOfApps(seen_alerts, base.senders),
        start_listeners=StartListeners(starts),
        result_listeners=ResultListeners(repository, shown, reports),
        over_budget=OverBudgetButton(requests, permissions),
        doubts=DoubtButtons(starts),
        earlier_answers=EarlierAnswers(repository),
        follow_ups=FollowUps(starts, repository, rules.budget, modals),
        share_post=SharePost(share_book, shown, votes, chooser, replies, orgs.app_url),
        shares=ShareListeners(share_book, shown, permissions, chooser, modals),
        run_again=RunAgain(starts, repository, modals),
        votes=VoteListeners(repository, votes, reports, permissions, modals, cases.link_in, cases.comment),
    )
