"""The parts of this room, put together: what comes in, what becomes of it, and what runs in the background."""

from dataclasses import dataclass
from typing import Self

from bot.alerts.messages import AlertMessages
from bot.alerts.mutes import Mutes
from bot.alerts.notices import Intake
from bot.alerts.repository import CycleRepository
from bot.alerts.routing import AlertRouter
from bot.alerts.starts import Automatic, Starts
from bot.investigations.requests import Requests
from bot.investigations.seen_alerts import SeenAlerts
from bot.orgs.repository import OrgRepository
from bot.rules.org_choice import OrgChooser
from bot.rules.repository import RuleRepository
from bot.slack.replies import Replies
from bot.storage.engine import Database
from bot.storage.timing import Timing

MUTES_END_WITHIN = 15.0


@dataclass(frozen=True, slots=True)
class AlertRoom:
    book: CycleRepository
    intake: Intake
    messages: AlertMessages
    mutes: Mutes
    sorter: AlertRouter
    starts: Starts

    @classmethod
    def on(
        cls,
        database: Database,
        timing: Timing,
        *,
        rules: RuleRepository,
        chooser: OrgChooser,
        automatic: Automatic,
        requests: Requests,
        orgs: OrgRepository,
        seen_alerts: SeenAlerts,
        replies: Replies,
        owner: str,
    ) -> Self:
        book = CycleRepository(database)
        starts = Starts(database, rules, chooser, automatic, requests, orgs, seen_alerts, timing, owner=owner)
        return cls(
            book=book,
            intake=Intake(database),
            messages=AlertMessages(database, chooser, starts),
            mutes=Mutes(book, orgs, replies, timing, owner=owner),
            sorter=AlertRouter(book, chooser, starts, timing, owner=owner),
            starts=starts,
        )
