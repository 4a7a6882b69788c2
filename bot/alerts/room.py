"""The parts of this room, put together: what comes in, what becomes of it, and what runs in the background."""

from dataclasses import dataclass
from typing import Self

from bot.alerts.intake import Intake
from bot.alerts.messages import AlertMessages
from bot.alerts.mutes import Mutes
from bot.alerts.ports import Asking, Automatic, Chooser, MutableOrgs, Rules, Teller
from bot.alerts.repository import CycleRepository
from bot.alerts.routing import AlertRouter
from bot.alerts.starts import Starts
from bot.investigations.seen_alerts import SeenAlerts
from bot.storage.engine import Database
from bot.storage.timing import Timing

MUTES_END_WITHIN = 15.0


@dataclass(frozen=True, slots=True)
class AlertRoom:
    rules: Rules
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
        rules: Rules,
        chooser: Chooser,
        automatic: Automatic,
        requests: Asking,
        orgs: MutableOrgs,
        seen_alerts: SeenAlerts,
        teller: Teller,
        owner: str,
    ) -> Self:
        book = CycleRepository(database)
        starts = Starts(database, rules, chooser, automatic, requests, orgs, seen_alerts, timing, owner=owner)
        return cls(
            rules=rules,
            book=book,
            intake=Intake(database),
            messages=AlertMessages(database, chooser, starts),
            mutes=Mutes(book, orgs, teller, timing, owner=owner),
            sorter=AlertRouter(book, chooser, starts, timing, owner=owner),
            starts=starts,
        )
