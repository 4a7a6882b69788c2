"""The parts of this room, put together: what comes in, what becomes of it, and what runs in the background."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, Self

from sqlalchemy import delete

from bot.alerts.messages import AlertMessages
from bot.alerts.mutes import Mutes
from bot.alerts.notices import Intake
from bot.alerts.repository import CycleRepository
from bot.alerts.routing import AlertRouter
from bot.alerts.starts import Automatic, Starts
from bot.alerts.tables import alert_messages, alert_mutes, alert_starts
from bot.investigations.requests import Requests
from bot.investigations.seen_alerts import SeenAlerts
from bot.orgs.repository import OrgRepository
from bot.rules.org_choice import OrgChooser
from bot.rules.repository import RuleRepository
from bot.slack.replies import Replies
from bot.storage.engine import Database
from bot.storage.timing import Timing
from bot.storage.workers import Loop

AN_HOUR = 3600.0
MUTES_END_WITHIN = 15.0
_SORTING = "alerts"


class Bell:
    """Wakes one loop and no other: a storm of notices must not have everybody look for work at each of them."""

    def __init__(self) -> None:
        self._sleepers: list[asyncio.Event] = []

    def wakes(self, sleeper: asyncio.Event) -> None:
        self._sleepers.append(sleeper)

    def ring(self) -> None:
        for sleeper in self._sleepers:
            sleeper.set()


class Part(Protocol):
    async def step(self) -> float | None: ...
    async def recover(self) -> None: ...
    async def close(self, within: float) -> None: ...


@dataclass(frozen=True, slots=True)
class AlertRoom:
    book: CycleRepository
    intake: Intake
    messages: AlertMessages
    mutes: Mutes
    sorter: AlertRouter
    starts: Starts
    bell: Bell

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
        wake: Callable[[], None],
    ) -> Self:
        book, bell = CycleRepository(database), Bell()
        starts = Starts(database, rules, chooser, automatic, requests, orgs, seen_alerts, timing, owner=owner)
        return cls(
            book=book,
            intake=Intake(database, bell.ring),
            messages=AlertMessages(database, chooser, starts),
            mutes=Mutes(book, orgs, replies, timing, owner=owner, wake=wake),
            sorter=AlertRouter(book, chooser, starts, timing, owner=owner, wake=wake),
            starts=starts,
            bell=bell,
        )

    @property
    def _parts(self) -> dict[str, Part]:
        return {_SORTING: self.sorter, "automatic starts": self.starts, "mutes": self.mutes}

    def loops(self, every: float) -> list[Loop]:
        parts = {name: Loop(name, part.step, every=every) for name, part in self._parts.items()}
        self.bell.wakes(parts[_SORTING].wake)
        over = Loop("mutes that end", self.book.end_mutes, every=MUTES_END_WITHIN, steady=True)
        return [*parts.values(), over, Loop("old alerts", self._forget_old, every=AN_HOUR, steady=True)]

    def closers(self) -> list[Callable[[float], Awaitable[None]]]:
        return [part.close for part in self._parts.values()]

    async def recover(self) -> None:
        """On the only process of a database."""
        await asyncio.gather(*(part.recover() for part in self._parts.values()))

    async def _forget_old(self) -> None:
        await asyncio.gather(self.sorter.forget_old(), self.starts.forget_old())


async def _forget(database: Database, workspace: str) -> None:
    async with database.transaction() as connection:
        for table in (alert_messages, alert_starts, alert_mutes):
            await connection.execute(delete(table).where(table.c.workspace == workspace))


def forget_alerts(database: Database) -> Callable[[str], Awaitable[None]]:
    """What a workspace that has left is no longer owed; its cycles are the organisation's own."""
    return partial(_forget, database)
