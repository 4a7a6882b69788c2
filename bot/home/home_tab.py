"""Home tabs: what stands in one person's, when it is drawn, and its button to the rules.

Drawn when one is opened, and while it is open when something in it has changed. Who has it open is in the database, so that
whichever replica makes a change draws it.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from json import dumps

from slack_sdk.errors import SlackApiError
from sqlalchemy import Select, String, and_, cast, literal, select, update

from bot.cases.repository import CaseRepository
from bot.home import view as home
from bot.home.status import UNDER_WAY, HealthReader, health_lines
from bot.home.tables import OPEN_FOR, home_tabs
from bot.home.view import (
    MOST_CASES,
    MOST_CHANNELS,
    MOST_INVESTIGATIONS,
    HomeAdmin,
    HomeCase,
    HomeContent,
    HomeInvestigation,
)
from bot.investigations.model import Investigation
from bot.investigations.records import read_investigation
from bot.investigations.tables import CARD, investigations, subscribers
from bot.model import Place
from bot.orgs.model import OrgEntry
from bot.orgs.repository import OrgRepository
from bot.orgs.tables import orgs
from bot.rules.budget import Budget
from bot.rules.gatekeeper import RuleGatekeeper
from bot.rules.permissions import Allowed, Permissions
from bot.rules.repository import RuleRepository
from bot.rules.slack import SettingsForm
from bot.rules.tables import channel_rules
from bot.slack.blocks import Block
from bot.slack.clients import BotClient, Workspaces
from bot.slack.errors import CALL_ERRORS, RATE_LIMITED, error_code, trouble_of
from bot.slack.gates import Judged, May, Right
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners
from bot.slack.payloads import Payload, person_of
from bot.slack.replies import Replies
from bot.slack.text import escape
from bot.storage.engine import Database
from bot.storage.outbox import posted
from bot.storage.tables import deliveries
from bot.storage.workers import Tasks
from bot.wording import INVESTIGATIONS

logger = logging.getLogger(__name__)

_PACE = 1.0  # seconds between two looks at all that are open
_MOST_LINKS = 5_000

_LOOK = May(Right.LOOK, f"see {INVESTIGATIONS} in Home")

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
    gatekeeper: RuleGatekeeper

    async def asked(self, workspace: str, person: str) -> list[AskedInvestigation]:
        """What this person has asked for: what runs first, then the latest."""
        by_person = and_(subscribers.c.workspace == workspace, subscribers.c.requester == person)
        runs = investigations.c.state.in_(UNDER_WAY)
        most = MOST_INVESTIGATIONS * 2
        running = await self.database.all(_asked().where(by_person, runs).limit(most))
        latest = await self.database.all(_asked().where(by_person).limit(most))
        asked: dict[int, AskedInvestigation] = {}
        for row in (*running, *latest):  # asked for in two threads, told once
            ts = row.card_ts or row.thread_ts
            asked.setdefault(row.id, AskedInvestigation(read_investigation(row), row.channel, ts))
        return list(asked.values())[:MOST_INVESTIGATIONS]

    async def content(
        self, workspace: str, person: str, asked: list[AskedInvestigation], threads: Mapping[CardPlace, str]
    ) -> HomeContent:
        """`threads` are the links to the cards, as far as they are known."""
        refusal = await self.gatekeeper(_LOOK, Place(workspace, ""), person)
        if refusal is not None:
            return HomeContent(refusal=refusal.text)
        entries = await self.orgs.of_workspace(workspace)
        channels = await self._channels(workspace, person)
        is_admin = await self.permissions.is_admin(Place(workspace, ""), person)
        return HomeContent(
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
    return (
        select(investigations, subscribers.c.channel, subscribers.c.thread_ts, deliveries.c.ts.label("card_ts"))
        .join(subscribers, subscribers.c.investigation_id == investigations.c.id)
        .outerjoin(deliveries, card)
        .order_by(subscribers.c.id.desc())
    )


# -- drawing it -----------------------------------------------------------------------------------------------------


@dataclass(eq=False, repr=False)
class HomeTabs:
    database: Database
    workspaces: Workspaces
    replies: Replies
    tasks: Tasks
    reader: HomeReader
    settings: SettingsForm
    _links: OrderedDict[tuple[str, str, str], str] = field(default_factory=OrderedDict, init=False)
    _locks: dict[tuple[str, str], asyncio.Lock] = field(default_factory=dict, init=False)
    _looked_at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        # what people see of a change is a card that is due, rules or organisations: nothing else stands in a Home
        self.alarm = self.database.alarm(deliveries, posted(CARD), channel_rules, orgs)

    def register(self, on: Listeners) -> None:
        on.event("app_home_opened", self._opened, Judged("the reader: everybody has a Home, with what they may see"))
        on.action(home.CHANNEL_SETTINGS, self._change_rules, Judged("the settings form, once it is open"))

    async def _change_rules(self, click: Interaction) -> After:
        return await self.settings.open(click.at(click.value))

    async def _opened(self, body: Payload) -> None:
        """Drawn in the background: Slack need not wait for it."""
        event = body["event"]
        if event.get("tab") == "home":
            view_hash = str((event.get("view") or {}).get("hash") or "")
            workspace, person = str(body.get("team_id") or ""), person_of(event)
            self.tasks.spawn(self.opened(workspace, person, view_hash), "a Home that was opened")

    async def opened(self, workspace: str, person: str, view_hash: str) -> None:
        """The person looks at it now. `view_hash` is of what stands there."""
        values = {
            "workspace": workspace,
            "person": person,
            "opened_at": self.database.now,
            "view_hash": view_hash,
            "digest": "",
        }
        await self.database.write(self.database.upsert(home_tabs, values, key=("workspace", "person")))
        await self._draw(workspace, person)

    async def step(self) -> None:
        """Something has changed somewhere: draw anew what is open and shows it."""
        if (early := self._looked_at + _PACE - time.monotonic()) > 0:
            self.alarm.ring(early)
            return
        self._looked_at = time.monotonic()
        for row in await self.database.all(self.database.once(_open), self.database.at_moment):
            await self._draw(row.workspace, row.person)

    async def _draw(self, workspace: str, person: str) -> None:
        if await self._draw_once(workspace, person):
            await self._draw_once(workspace, person)  # now with the links to threads

    async def _draw_once(self, workspace: str, person: str) -> bool:
        """True when links were looked up after it: there is more to show."""
        lock = self._locks.setdefault((workspace, person), asyncio.Lock())
        async with lock:
            bot_client = await self.workspaces.bot_client(workspace)
            if bot_client is None:
                return False
            asked = await self.reader.asked(workspace, person)
            links = {(each.channel, each.ts): self._links.get((workspace, each.channel, each.ts), "") for each in asked}
            view = home.home_view(await self.reader.content(workspace, person, asked, links))
            await self._publish(bot_client, workspace, person, view)
        if not lock.locked():
            self._locks.pop((workspace, person), None)
        return await self._look_up_links(workspace, asked)

    async def _publish(self, bot_client: BotClient, workspace: str, person: str, view: Block) -> None:
        here = (home_tabs.c.workspace == workspace, home_tabs.c.person == person)
        digest = sha256(dumps(view, sort_keys=True).encode()).hexdigest()
        shown = await self.database.first(select(home_tabs.c.view_hash, home_tabs.c.digest).where(*here))
        if shown is None or shown.digest == digest:
            return
        try:
            view_hash = await _published(bot_client, person, view, shown.view_hash)
        except CALL_ERRORS as error:
            trouble = trouble_of(error)
            logger.info("a Home was not drawn: %s", trouble.code)
            if trouble.code == RATE_LIMITED:
                self.alarm.ring(trouble.wait)
            return
        await self.database.write(update(home_tabs).where(*here).values(view_hash=view_hash, digest=digest))

    async def _look_up_links(self, workspace: str, asked: list[AskedInvestigation]) -> bool:
        places = {(workspace, each.channel, each.ts) for each in asked if each.ts}
        missing = [place for place in places if place not in self._links]
        found = await asyncio.gather(*(self.replies.permalink(*place) for place in missing))
        self._links.update((place, link) for place, link in zip(missing, found, strict=True) if link is not None)
        while len(self._links) > _MOST_LINKS:
            self._links.popitem(last=False)
        return any(found)


def _open(database: Database) -> Select[tuple[str, str]]:
    table = home_tabs.c
    return select(table.workspace, table.person).where(table.opened_at > database.moment - OPEN_FOR)


async def _published(bot_client: BotClient, person: str, view: Block, known_hash: str) -> str:
    """The hash of what stands there now."""
    try:
        answer = await bot_client.client.views_publish(user_id=person, view=view, hash=known_hash or None)
    except SlackApiError as error:
        if not known_hash or error_code(error) != "hash_conflict":
            raise
        # somebody else has drawn it meanwhile, perhaps from what was known before
        return await _published(bot_client, person, view, "")
    return str((answer.get("view") or {}).get("hash") or "")
