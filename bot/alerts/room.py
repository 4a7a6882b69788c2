"""The room of alerts put together: where they come in, what the poster asks of it, its listeners, and its workers."""

from dataclasses import dataclass

from bot.alerts.messages import AlertMessages, DatadogMessages, NudgePost
from bot.alerts.mutes import Mutes
from bot.alerts.notices import Intake
from bot.alerts.repository import CycleRepository
from bot.alerts.routing import AlertRouter
from bot.alerts.slack import AlertButtons, AlertCardPost
from bot.alerts.starts import Automatic, Starts
from bot.investigations.requests import Requests
from bot.investigations.seen_alerts import SeenAlerts
from bot.orgs.repository import OrgRepository
from bot.rules.org_choice import OrgChooser
from bot.rules.permissions import Permissions
from bot.rules.repository import RuleRepository
from bot.slack.listeners import Listeners
from bot.slack.modals import Modals
from bot.slack.replies import Replies
from bot.storage.engine import Database
from bot.storage.timing import Timing

MUTES_END_WITHIN = 15.0


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
    database: Database,
    timing: Timing,
    orgs: OrgRepository,
    rules: RuleRepository,
    chooser: OrgChooser,
    permissions: Permissions,
    requests: Requests,
    automatic: Automatic,
    seen_alerts: SeenAlerts,
    replies: Replies,
    modals: Modals,
    *,
    owner: str,
) -> AlertRoom:
    cycles = CycleRepository(database)
    starts = Starts(database, rules, chooser, automatic, requests, orgs, seen_alerts, timing, owner=owner)
    messages = AlertMessages(database, chooser, starts)
    mutes = Mutes(cycles, orgs, replies, timing, owner=owner)
    return AlertRoom(
        cycles=cycles,
        intake=Intake(database),
        messages=messages,
        cards=AlertCardPost(cycles, orgs.app_url),
        nudges=NudgePost(messages, seen_alerts),
        router=AlertRouter(cycles, chooser, starts, timing, owner=owner),
        starts=starts,
        mutes=mutes,
        buttons=AlertButtons(cycles, mutes, permissions, modals),
        datadog_messages=DatadogMessages(rules, messages),
    )
