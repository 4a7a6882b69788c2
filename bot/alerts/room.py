"""The room of alerts put together: where they come in, what the poster asks of it, its listeners, and its workers."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.case_rows import RuleCases
from bot.alerts.case_words import RuleCasePost
from bot.alerts.case_worker import CaseRuleWorker
from bot.alerts.mutes import Mutes
from bot.alerts.not_started import NotStarted
from bot.alerts.notices import Intake
from bot.alerts.repository import CycleRepository
from bot.alerts.routing import AlertRouter
from bot.alerts.slack import AlertButtons, AlertCardPost, AlertMessages, DatadogMessages, NudgePost, RecoveredPost
from bot.alerts.starts import Automatic, Starts
from bot.alerts.tables import ALERT_CARD
from bot.cases.room import CaseRoom
from bot.foundation import Foundation
from bot.insights.room import InsightRoom
from bot.investigations.room import InvestigationRoom
from bot.model import Ask
from bot.orgs.repository import OrgRepository
from bot.rules.room import RuleRoom
from bot.slack.listeners import Listeners
from bot.storage.outbox import show_opener


@dataclass(frozen=True, slots=True)
class AlertRoom:
    cycles: CycleRepository
    intake: Intake
    messages: AlertMessages
    cards: AlertCardPost
    nudges: NudgePost
    recoveries: RecoveredPost
    router: AlertRouter
    starts: Starts
    mutes: Mutes
    rule_cases: CaseRuleWorker
    rule_case_posts: RuleCasePost
    buttons: AlertButtons
    datadog_messages: DatadogMessages

    def register(self, on: Listeners) -> None:
        self.buttons.register(on)
        self.datadog_messages.register(on)


def build(
    base: Foundation,
    orgs: OrgRepository,
    rules: RuleRoom,
    investigations: InvestigationRoom,
    cases: CaseRoom,
    insights: InsightRoom,
    automatic: Automatic,
) -> AlertRoom:
    database, timing, owner, chooser = base.database, base.timing, base.owner, rules.chooser
    requests, seen_alerts = investigations.requests, investigations.seen_alerts
    seen_before = investigations.seen_before
    cycles, not_started = CycleRepository(database), NotStarted(database)
    requests.on_begun += [not_started.begun, _begun_below]
    for below in (investigations.repository, cases.cases):
        below.openers.append(ALERT_CARD)
    starts = Starts(
        database,
        timing,
        rules.rules,
        chooser,
        automatic,
        requests,
        orgs,
        investigations.findings,
        not_started,
        owner=owner,
    )
    messages = AlertMessages(database, chooser, starts)
    rule_cases = RuleCases(database, cases.requests)
    investigations.repository.on_concluded.append(rule_cases.concluded)
    mutes = Mutes(database, timing, cycles, orgs, base.replies, owner=owner)
    return AlertRoom(
        cycles=cycles,
        intake=Intake(base.inbox),
        messages=messages,
        cards=AlertCardPost(cycles, orgs, not_started, investigations.repository, seen_before, cases.cases),
        nudges=NudgePost(messages, seen_alerts, seen_before, chooser, not_started, investigations.repository),
        recoveries=RecoveredPost(cycles, orgs, base.outbox),
        router=AlertRouter(database, timing, cycles, chooser, starts, rule_cases, owner=owner),
        starts=starts,
        mutes=mutes,
        rule_cases=CaseRuleWorker(
            database,
            timing,
            rule_cases,
            cycles,
            cases.cases,
            cases.requests,
            cases.actions,
            cases.filling,
            rules.rules,
            orgs,
            owner=owner,
        ),
        rule_case_posts=RuleCasePost(rule_cases, cases.cases, rules.rules, orgs),
        buttons=AlertButtons(
            cycles,
            mutes,
            base.modals,
            base.people,
            create_case=cases.form_listeners.from_alert,
            attach=insights.buttons.from_alert,
        ),
        datadog_messages=DatadogMessages(rules.rules, messages, base.senders),
    )


async def _begun_below(connection: AsyncConnection, ask: Ask) -> None:
    """In a card's thread: the card says so."""
    await show_opener(connection, ALERT_CARD, ask.place)
