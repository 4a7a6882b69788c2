"""A room of alerts on a fresh database, whose parts move only when a test says so."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from bot.alerts.model import KnownCycle, Notice, Transition
from bot.alerts.room import AlertRoom, build
from bot.alerts.starts import Automatic
from bot.alerts.tables import ALERT_CARD, alert_cycles, alert_mutes, alert_notices, alert_starts
from bot.cases.actions import CaseActions
from bot.cases.repository import CaseRepository
from bot.cases.requests import CaseRequests
from bot.cases.room import CaseRoom
from bot.datadog.monitors import Monitor
from bot.foundation import Foundation
from bot.insights.room import InsightRoom
from bot.investigations.findings import Findings
from bot.investigations.message_alerts import SeenAlerts
from bot.investigations.requests import Outcome, Reception
from bot.investigations.room import InvestigationRoom
from bot.model import AlertRef, Ask, ExistingRun, Place
from bot.orgs.model import NoOrg
from bot.orgs.repository import OrgRepository
from bot.rules.budget import Terms
from bot.rules.model import AlertFacts, AlertFilter, ChannelRules
from bot.rules.room import RuleRoom
from bot.slack.blocks import Message
from bot.slack.replies import Replies
from bot.storage.engine import Database
from bot.storage.inbox import Inbox
from bot.storage.tables import deliveries
from bot.storage.workers import Timing
from tests.clock import Clock
from tests.pg import database_url, ready, ready_postgres_url

__all__ = ["both_rooms", "clock", "database_url", "ready_postgres_url", "room"]

WORKSPACE = "T1"
NOW_MS = 1_700_000_000_000


def notice(transition: Transition = Transition.ALERT, at: int = 0, **more: Any) -> Notice:
    """`at` in seconds; each event has an id of its own."""
    told: dict[str, Any] = {
        "event_ts": NOW_MS + at * 1000,
        "word": transition,
        "monitor_id": 42,
        "event_id": str(10_000_000 + at * 10 + list(Transition).index(transition)),
        "cycle": "c1",
        "group": "host:web-1",
        "group_key": "host:web-1",
        "name": "Disk almost full",
        "tags": ("team:core",),
    }
    return Notice(transition=transition, **{**told, **more})


def channel(name: str = "C1", **rules: Any) -> ChannelRules:
    return ChannelRules(WORKSPACE, name, **({"route": AlertFilter()} | rules))


@dataclass
class RulesOnPaper:
    written: list[ChannelRules] = field(default_factory=lambda: [channel()])

    async def of(self, workspace: str, channel: str) -> ChannelRules:
        known = (rules for rules in self.written if (rules.workspace, rules.channel) == (workspace, channel))
        return next(known, ChannelRules(workspace, channel))


@dataclass
class OrgsOnPaper:
    """Plays the chooser: what it answers for every place, and whose alerts the channels take."""

    rules: RulesOnPaper
    choice: str | NoOrg = "default"
    asked: list[tuple[Place, str]] = field(default_factory=list)

    async def choose(self, place: Place, host: str, *, chosen: str = "") -> str | NoOrg:
        if chosen:
            return chosen
        self.asked.append((place, host))
        return self.choice

    async def channels_of(self, org: str) -> list[ChannelRules]:
        return [rules for rules in self.rules.written if (rules.org or "default") == org]


@dataclass
class Considered:
    """Plays the part that judges automatic starts, and takes requests."""

    starts: list[tuple[Place, AlertRef, AlertFacts]] = field(default_factory=list)
    orgs: list[str] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    reason: str | None = None  # why it does not start
    on_begun: list[object] = field(default_factory=list)

    async def consider(self, place: Place, alert: AlertRef, facts: AlertFacts, org: str) -> str | None:
        self.starts.append((place, alert, facts))
        self.orgs.append(org)
        return self.reason

    async def ask(self, ask: Ask, terms: Terms) -> Outcome:  # noqa: ARG002
        self.asks.append(ask)
        return Outcome(Reception.STARTED)


@dataclass
class Downtimes:
    """Plays Datadog, as far as monitors go."""

    made: list[dict[str, Any]] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)
    looks: int = 0
    permissions: asyncio.Event | None = None

    @property
    def monitors(self) -> "Downtimes":
        return self

    def app_url(self, org: str) -> str:
        return f"https://{org}.example"

    async def withholds(self, _org: str, _workspace: str) -> bool:
        return False

    async def get(self, monitor_id: Any, _workspace: str = "") -> Any:
        """Both the organisation by its name and the monitor by its number."""
        if isinstance(monitor_id, str):
            return self
        self.looks += 1
        self._stumble()
        return Monitor("Disk almost full", tags=("env:prod",), priority=1)

    async def mute(self, monitor_id: int, *, until: datetime, scope: str, message: str) -> str:
        if self.permissions:
            await self.permissions.wait()
        self._stumble()
        self.made.append({"monitor": monitor_id, "until": until, "scope": scope, "message": message})
        return f"downtime-{len(self.made)}"

    async def unmute(self, downtime_id: str) -> None:
        self._stumble()
        self.taken_back.append(downtime_id)

    def _stumble(self) -> None:
        if self.trouble:
            raise self.trouble.pop(0)


@dataclass
class Told:
    """Plays private replies."""

    said: list[tuple[str, Message]] = field(default_factory=list)

    async def tell(self, place: Place, person: str, message: Message) -> bool:
        assert place.channel
        self.said.append((person, message))
        return True


class SilentThreads(Findings):
    """Their only findings are those we heard of."""

    async def look(self, place: Place, alert: AlertRef) -> AlertRef | ExistingRun:  # noqa: ARG002
        return alert


class RoomOnStage:
    """The room, with what a test does to it and sees of it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.rules = RulesOnPaper()
        self.chooser = OrgsOnPaper(self.rules)
        self.considered = Considered()
        self.datadog = Downtimes()
        self.told = Told()
        self.seen_alerts = SeenAlerts(database)
        self.filling: Any = None  # of cases that a rule wants
        self.room = self.another("one")

    def another(self, owner: str) -> AlertRoom:
        """What a second process would run on the same database."""
        nobody: Any = None  # nobody clicks here, and the poster is not run
        base = Foundation(
            nobody,
            self.database,
            Inbox(self.database),
            Timing(settle=10),
            owner,
            nobody,
            nobody,
            cast(Replies, self.told),
            nobody,
            nobody,
            nobody,
            nobody,
        )
        rules = SimpleNamespace(rules=self.rules, chooser=self.chooser, permissions=nobody)
        findings = SilentThreads(self.database, nobody, self.seen_alerts, nobody, nobody)
        shown = SimpleNamespace(openers=[], on_concluded=[])
        investigations = SimpleNamespace(
            requests=self.considered,
            seen_alerts=self.seen_alerts,
            seen_before=nobody,
            findings=findings,
            repository=shown,
        )
        known_cases = CaseRepository(self.database, lambda _: None)
        cases = SimpleNamespace(
            cases=known_cases,
            requests=CaseRequests(self.database, known_cases),
            actions=CaseActions(self.database, known_cases),
            filling=self.filling,
            form_listeners=SimpleNamespace(from_alert=nobody),
        )
        return build(
            base,
            cast(OrgRepository, self.datadog),
            cast(RuleRoom, rules),
            cast(InvestigationRoom, investigations),
            cast(CaseRoom, cases),
            cast(InsightRoom, SimpleNamespace(buttons=SimpleNamespace(from_alert=nobody))),
            cast(Automatic, self.considered),
        )

    # -- what happens -------------------------------------------------------------------------------------------

    async def take(self, *notices: Notice) -> None:
        """They are told one after the other, each sorted before the next."""
        for each in notices:
            await self.room.intake.keep("default", each)
            await self.settle()

    async def settle(self) -> None:
        """Everything that is due is done."""
        await self.room.cycles.end_mutes()
        for part in (self.room.router, self.room.starts, self.room.mutes):
            await part.step()
            await part._tasks.finish(10)

    async def post(self, channel: str = "C1") -> None:
        """The poster has been there: what is owed to a channel stands in it."""
        table = deliveries.c
        async with self.database.transaction() as connection:
            await connection.execute(
                update(deliveries)
                .where(table.channel == channel)
                .values(ts="1700000000.000100", state="sent", shown=table.wanted)
            )

    # -- what is there ------------------------------------------------------------------------------------------

    async def cycles(self) -> list[KnownCycle]:
        async with self.database.transaction() as connection:
            ids = (await connection.execute(select(alert_cycles.c.id).order_by(alert_cycles.c.id))).scalars().all()
        return [known for each in ids if (known := await self.room.cycles.get(each))]

    async def only_cycle(self) -> KnownCycle:
        (known,) = await self.cycles()
        return known

    async def cards(self) -> list[str]:
        """The channels that are owed a card, once for each card."""
        async with self.database.transaction() as connection:
            query = select(deliveries.c.channel).where(deliveries.c.kind == ALERT_CARD)
            return sorted((await connection.execute(query)).scalars().all())

    async def column(self, column: Any) -> list[Any]:
        async with self.database.transaction() as connection:
            return list((await connection.execute(select(column).order_by(column.table.c.id))).scalars().all())

    async def notice_states(self) -> list[str]:
        return await self.column(alert_notices.c.state)

    async def decisions(self) -> list[str]:
        return await self.column(alert_starts.c.decision)

    async def mute_states(self) -> list[str]:
        return await self.column(alert_mutes.c.state)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def room(clock: Clock) -> AsyncIterator[RoomOnStage]:
    async with ready(Database("sqlite+aiosqlite:///:memory:", clock=clock)) as database:
        yield RoomOnStage(database, clock)


@pytest.fixture
async def both_rooms(database_url: str, clock: Clock) -> AsyncIterator[RoomOnStage]:
    """On SQLite and on PostgreSQL, where the databases themselves matter."""
    async with ready(Database(database_url, clock=clock)) as database:
        yield RoomOnStage(database, clock)
