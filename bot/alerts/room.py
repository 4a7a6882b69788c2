"""The parts of this room, put together: what comes in, what becomes of it, and what runs in the background."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

from sqlalchemy import delete

from bot.alerts.intake import Intake
from bot.alerts.messages import AlertMessages
from bot.alerts.mutes import Mutes
from bot.alerts.ports import Asking, Automatic, Chooser, MutableOrgs, Rules, Teller
from bot.alerts.repository import CycleRepository
from bot.alerts.routing import AlertRouter
from bot.alerts.starts import Starts
from bot.alerts.tables import alert_messages, alert_mutes, alert_starts
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

    async def forget_old(self) -> None:
        await asyncio.gather(self.sorter.forget_old(), self.starts.forget_old())


async def _forget(database: Database, workspace: str) -> None:
    async with database.transaction() as connection:
        for table in (alert_messages, alert_starts, alert_mutes):
            await connection.execute(delete(table).where(table.c.workspace == workspace))


def forget_alerts(database: Database) -> Callable[[str], Awaitable[None]]:
    """What a workspace that has left is no longer owed; its cycles are the organisation's own."""
    return partial(_forget, database)
