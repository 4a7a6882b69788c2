"""The room of alerts put together: where they come in, what the poster asks of it, its listeners, and its workers."""

from dataclasses import dataclass

from bot.alerts.mutes import Mutes
from bot.alerts.not_started import NotStarted
from bot.alerts.notices import Intake
from bot.alerts.repository import CycleRepository
from bot.alerts.routing import AlertRouter
from bot.alerts.slack import AlertButtons, AlertCardPost, AlertMessages, DatadogMessages, NudgePost
from bot.alerts.starts import Automatic, Starts
from bot.foundation import Foundation
from bot.investigations.room import InvestigationRoom
from bot.orgs.repository import OrgRepository
from bot.rules.room import RuleRoom
from bot.slack.listeners import Listeners


@dataclass(frozen=True, slots=True)
class AlertRoom:
    cycles: CycleRepository
    intake: Intake
    messages: AlertMessages
    cards: AlertCardPost
    nudges: NudgePost
    router: AlertRouter
    starts: Starts
    mutes: Mutes
    buttons: AlertButtons
    datadog_messages: DatadogMessages

    def register(self, on: Listeners) -> None:
        self.buttons.register(on)
        self.datadog_messages.register(on)


def build(
    base: Foundation, orgs: OrgRepository, rules: RuleRoom, investigations: InvestigationRoom, automatic: Automatic
) -> AlertRoom:
    database, timing, owner, chooser = base.database, base.timing, base.owner, rules.chooser
    requests, seen_alerts = investigations.requests, investigations.seen_alerts
    cycles, not_started = CycleRepository(database), NotStarted(database)
    requests.on_begun.append(not_started.begun)
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
    mutes = Mutes(database, timing, cycles, orgs, base.replies, owner=owner)
    return AlertRoom(
        cycles=cycles,
        intake=Intake(base.inbox),
        messages=messages,
        cards=AlertCardPost(cycles, orgs, not_started),
        nudges=NudgePost(messages, seen_alerts, not_started),
        router=AlertRouter(database, timing, cycles, chooser, starts, owner=owner),
        starts=starts,
        mutes=mutes,
        buttons=AlertButtons(cycles, mutes, base.modals),
        datadog_messages=DatadogMessages(rules.rules, messages, base.senders),
    )
