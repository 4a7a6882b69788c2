"""What stands in one person's Home, read from our own tables only."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Select, String, and_, case, cast, literal, select

from bot.cases.repository import CaseRepository
from bot.home.status import health_lines
from bot.home.view import (
    MOST_CASES,
    MOST_CHANNELS,
    MOST_INVESTIGATIONS,
    UNDER_WAY,
    HomeAdmin,
    HomeCase,
    HomeContent,
    HomeInvestigation,
)
from bot.investigations.health import HealthReader
from bot.investigations.model import Investigation
from bot.investigations.records import read_investigation
from bot.investigations.tables import CARD, investigations, subscribers
from bot.model import Place
from bot.orgs.model import OrgEntry
from bot.orgs.repository import OrgRepository
from bot.rules.budget import Budget
from bot.rules.permissions import Permissions
from bot.rules.policy import Allowed
from bot.rules.repository import RuleRepository
from bot.slack.commands import Commands
from bot.slack.text import escape
from bot.storage.engine import Database
from bot.storage.tables import deliveries

CardPlace = tuple[str, str]  # channel and ts


@dataclass(frozen=True, slots=True)
class AskedInvestigation:
    """One that somebody waits for or has waited for."""

    investigation: Investigation
    channel: str
    ts: str  # of its card, or of the thread while there is none


@dataclass(frozen=True, slots=True)
class HomeReader:
    database: Database
    cases: CaseRepository
    orgs: OrgRepository
    rules: RuleRepository
    permissions: Permissions
    budget: Budget
    health: HealthReader
    commands: Commands

    async def asked(self, workspace: str, person: str) -> list[AskedInvestigation]:
        """What this person has asked for: what runs first, then the latest."""
        by_person = and_(subscribers.c.workspace == workspace, subscribers.c.requester == person)
        async with self.database.transaction() as connection:
            rows = (await connection.execute(_asked().where(by_person).limit(MOST_INVESTIGATIONS * 2))).all()
        asked: dict[int, AskedInvestigation] = {}
        for row in rows:  # asked for in two threads, told once
            ts = row.card_ts or row.thread_ts
            asked.setdefault(row.id, AskedInvestigation(read_investigation(row), row.channel, ts))
        return list(asked.values())[:MOST_INVESTIGATIONS]

    async def content(
        self, workspace: str, person: str, asked: list[AskedInvestigation], threads: Mapping[CardPlace, str]
    ) -> HomeContent:
        """`threads` are the links to the cards, as far as they are known."""
        entries = await self.orgs.of_workspace(workspace)
        channels = await self._channels(workspace, person)
        is_admin = await self.permissions.is_admin(Place(workspace, ""), person)
        return HomeContent(
            usage=self.commands.usage,
            investigations=tuple(
                self._investigation(each, entries, threads.get((each.channel, each.ts), "")) for each in asked
            ),
            cases=await self._cases(workspace, person, entries),
            channels=tuple(channels[:MOST_CHANNELS]),
            more_channels=max(0, len(channels) - MOST_CHANNELS),
            connected=bool(entries),
            admin=await self._admin(workspace, entries) if is_admin else None,
        )

    def _investigation(self, asked: AskedInvestigation, entries: list[OrgEntry], thread: str) -> HomeInvestigation:
        inv = asked.investigation
        name = next((entry.name for entry in entries if entry.id == inv.org), "") if len(entries) > 1 else ""
        return HomeInvestigation(inv, self.orgs.app_url(inv.org), name, thread)

    async def _cases(self, workspace: str, person: str, entries: list[OrgEntry]) -> tuple[HomeCase, ...]:
        found: list[HomeCase] = []
        for entry in entries:
            cases = await self.cases.recent(entry.id, workspace=workspace, channel="", person=person, limit=MOST_CASES)
            found += [HomeCase(case, entry.app_url) for case in cases]
        return tuple(found[:MOST_CASES])

    async def _channels(self, workspace: str, person: str) -> list[str]:
        """Those with rules of their own that the person may change; what stands in the rules file is changed there."""
        return [
            rules.channel
            for rules in await self.rules.all()
            if rules.workspace == workspace
            and not rules.from_file
            and isinstance(await self.permissions.may_manage_by(rules, person), Allowed)
        ]

    async def _admin(self, workspace: str, entries: list[OrgEntry]) -> HomeAdmin:
        place = Place(workspace, "")
        health: list[str] = []
        slack = ""
        for entry in entries:
            datadog, slack = health_lines(await self.health.of(place, entry.id))
            health.append(f"{escape(entry.name)} - {datadog}")
        return HomeAdmin(
            usage=await self.budget.usage(place),
            orgs=tuple(entries),
            can_connect=self.orgs.can_connect,
            health=(*health, slack) if slack else (),
        )


def _asked() -> Select[tuple[object, ...]]:
    card = and_(
        deliveries.c.kind == CARD,
        deliveries.c.subject_id == investigations.c.id,
        deliveries.c.lane == literal("thread:") + cast(subscribers.c.id, String),
    )
    running_first = case((investigations.c.state.in_(UNDER_WAY), 0), else_=1)
    return (
        select(investigations, subscribers.c.channel, subscribers.c.thread_ts, deliveries.c.ts.label("card_ts"))
        .join(subscribers, subscribers.c.investigation_id == investigations.c.id)
        .outerjoin(deliveries, card)
        .order_by(running_first, subscribers.c.id.desc())
    )
