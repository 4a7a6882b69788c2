"""The room of investigations put together: what other rooms use of it, its listeners, its workers and its posts."""

import time
from dataclasses import dataclass

from bot.investigations.alert_resolver import AlertResolver
from bot.investigations.commands import InvestigationCommands
from bot.investigations.poll_worker import PollWorker
from bot.investigations.posts import ConclusionsPost, StatusCardPost
from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import Requests
from bot.investigations.seen_alerts import MessagesOfApps, SeenAlerts, ThreadReader
from bot.investigations.slack import ResultListeners, StartListeners
from bot.investigations.start_requests import StartRequests
from bot.investigations.trigger_worker import TriggerWorker
from bot.orgs.repository import OrgRepository
from bot.rules.budget import Budget
from bot.rules.org_choice import OrgChooser, WhichOrg
from bot.rules.permissions import Permissions
from bot.rules.repository import RuleRepository
from bot.slack.clients import Workspaces
from bot.slack.listeners import Listeners
from bot.slack.modals import Modals
from bot.slack.replies import Replies
from bot.storage.engine import Database
from bot.storage.outbox import Outbox
from bot.storage.timing import Timing


@dataclass(frozen=True, slots=True)
class InvestigationRoom:
    repository: InvestigationRepository
    requests: Requests
    seen_alerts: SeenAlerts
    threads: ThreadReader
    commands: InvestigationCommands
    card_post: StatusCardPost
    conclusions_post: ConclusionsPost
    alert_resolver: AlertResolver
    trigger_worker: TriggerWorker
    poll_worker: PollWorker
    app_messages: MessagesOfApps
    start_listeners: StartListeners
    result_listeners: ResultListeners

    def register(self, on: Listeners) -> None:
        self.app_messages.register(on)
        self.start_listeners.register(on)
        self.result_listeners.register(on)


def build(
    database: Database,
    timing: Timing,
    orgs: OrgRepository,
    rules: RuleRepository,
    budget: Budget,
    permissions: Permissions,
    chooser: OrgChooser,
    which_org: WhichOrg,
    workspaces: Workspaces,
    replies: Replies,
    modals: Modals,
    outbox: Outbox,
    *,
    owner: str,
) -> InvestigationRoom:
    repository = InvestigationRepository(database, timing)
    requests = Requests(repository, budget)
    seen_alerts = SeenAlerts(database)
    threads = ThreadReader(workspaces, seen_alerts)
    starts = StartRequests(requests, repository, permissions, rules, which_org, replies)
    return InvestigationRoom(
        repository=repository,
        requests=requests,
        seen_alerts=seen_alerts,
        threads=threads,
        commands=InvestigationCommands(starts, permissions, which_org, orgs, replies, clock=time.time),
        card_post=StatusCardPost(repository, replies, orgs.app_url),
        conclusions_post=ConclusionsPost(repository, outbox, orgs.app_url, rules),
        alert_resolver=AlertResolver(database, requests, starts, threads, chooser, orgs, timing, owner=owner),
        trigger_worker=TriggerWorker(repository, orgs, timing, owner=owner),
        poll_worker=PollWorker(repository, orgs, timing),
        app_messages=MessagesOfApps(seen_alerts),
        start_listeners=StartListeners(starts, threads, modals),
        result_listeners=ResultListeners(repository, modals),
    )
