"""Draws Home tabs: when one is opened, and while it is open when something in it has changed. All from our own books.

Who has it open is in the database, so that whichever replica makes a change draws it.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from json import dumps

from slack_sdk.errors import SlackApiError
from sqlalchemy import select, update

from bot.cases.repository import CaseRepository
from bot.home.asked import Asked, AskedInvestigations
from bot.home.health import HealthReader
from bot.home.status import health_lines
from bot.home.tables import OPEN_FOR, home_tabs
from bot.home.view import (
    MOST_CASES,
    MOST_CHANNELS,
    MOST_INVESTIGATIONS,
    HomeAdmin,
    HomeCase,
    HomeContent,
    HomeInvestigation,
    home_view,
)
from bot.investigations.tables import CARD
from bot.model import Place
from bot.orgs.model import OrgEntry
from bot.orgs.repository import OrgRepository
from bot.orgs.tables import orgs
from bot.rules.budget import Budget
from bot.rules.permissions import Permissions
from bot.rules.policy import Allowed
from bot.rules.repository import RuleRepository
from bot.rules.tables import channel_rules
from bot.slack.blocks import Block
from bot.slack.clients import BotClient, Workspaces
from bot.slack.commands import Commands
from bot.slack.errors import CALL_ERRORS, error_code
from bot.slack.text import escape
from bot.storage.engine import Database
from bot.storage.outbox import posted
from bot.storage.tables import deliveries

logger = logging.getLogger(__name__)

_PACE = 1.0  # seconds between two looks at all that are open
_MOST_LINKS = 5_000


@dataclass(frozen=True, slots=True)
class HomeData:
    """The books a Home is drawn from."""

    mine: AskedInvestigations
    cases: CaseRepository
    orgs: OrgRepository
    rules: RuleRepository
    permissions: Permissions
    budget: Budget
    health: HealthReader
    commands: Commands


class HomeTabs:
    def __init__(self, database: Database, workspaces: Workspaces, sources: HomeData) -> None:
        self._database = database
        self._workspaces = workspaces
        self._from = sources
        self._links: OrderedDict[tuple[str, str, str], str] = OrderedDict()
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}
        self._looked_at = 0.0
        # what people see of a change is a card that is due, rules or organisations: nothing else stands in a Home
        self.alarm = database.alarm(deliveries, posted(CARD), channel_rules, orgs)

    async def opened(self, workspace: str, person: str, view_hash: str) -> None:
        """She looks at it now. `view_hash` is of what stands there."""
        values = {
            "workspace": workspace,
            "person": person,
            "opened_at": self._database.now,
            "view_hash": view_hash,
            "digest": "",
        }
        async with self._database.transaction() as connection:
            await connection.execute(self._database.upsert(home_tabs, values, key=("workspace", "person")))
        if await self._draw(workspace, person):
            await self._draw(workspace, person)  # now with the links to threads

    async def step(self) -> None:
        """Something has changed somewhere: draw anew what is open and shows it."""
        if (early := self._looked_at + _PACE - time.monotonic()) > 0:
            self.alarm.ring(early)
            return
        self._looked_at = time.monotonic()
        query = select(home_tabs.c.workspace, home_tabs.c.person).where(
            home_tabs.c.opened_at > self._database.now - OPEN_FOR
        )
        async with self._database.transaction() as connection:
            rows = (await connection.execute(query)).all()
        for workspace, person in rows:
            if await self._draw(workspace, person):
                await self._draw(workspace, person)

    # -- drawing ------------------------------------------------------------------------------------------------

    async def _draw(self, workspace: str, person: str) -> bool:
        """True when links were looked up after it: there is more to show."""
        lock = self._locks.setdefault((workspace, person), asyncio.Lock())
        async with lock:
            bot_client = await self._workspaces.bot_client(workspace)
            if bot_client is None:
                return False
            asked = await self._from.mine.of(workspace, person, limit=MOST_INVESTIGATIONS)
            view = home_view(await self._content(workspace, person, asked))
            await self._publish(bot_client, workspace, person, view)
        if not lock.locked():
            self._locks.pop((workspace, person), None)
        return await self._look_up_links(bot_client, workspace, asked)

    async def _publish(self, bot_client: BotClient, workspace: str, person: str, view: Block) -> None:
        here = (home_tabs.c.workspace == workspace, home_tabs.c.person == person)
        digest = sha256(dumps(view, sort_keys=True).encode()).hexdigest()
        async with self._database.transaction() as connection:
            shown = (await connection.execute(select(home_tabs.c.view_hash, home_tabs.c.digest).where(*here))).first()
        if shown is None or shown.digest == digest:
            return
        view_hash = await _published(bot_client, person, view, shown.view_hash)
        if view_hash is None:
            return
        async with self._database.transaction() as connection:
            await connection.execute(update(home_tabs).where(*here).values(view_hash=view_hash, digest=digest))

    async def _look_up_links(self, bot_client: BotClient, workspace: str, asked: list[Asked]) -> bool:
        places = {(workspace, each.channel, each.ts) for each in asked if each.ts}
        missing = [place for place in places if place not in self._links]
        found = await asyncio.gather(*(_permalink(bot_client, channel, ts) for _, channel, ts in missing))
        self._links.update(zip(missing, found, strict=True))
        while len(self._links) > _MOST_LINKS:
            self._links.popitem(last=False)
        return any(found)

    # -- what stands in it --------------------------------------------------------------------------------------

    async def _content(self, workspace: str, person: str, asked: list[Asked]) -> HomeContent:
        entries = await self._from.orgs.of_workspace(workspace)
        channels = await self._channels(workspace, person)
        is_admin = await self._from.permissions.is_admin(Place(workspace, ""), person)
        return HomeContent(
            usage=self._from.commands.usage,
            investigations=tuple(self._investigation(workspace, each, entries) for each in asked),
            cases=await self._cases(workspace, person, entries),
            channels=tuple(channels[:MOST_CHANNELS]),
            more_channels=max(0, len(channels) - MOST_CHANNELS),
            connected=bool(entries),
            admin=await self._admin(workspace, entries) if is_admin else None,
        )

    def _investigation(self, workspace: str, asked: Asked, entries: list[OrgEntry]) -> HomeInvestigation:
        inv = asked.investigation
        name = next((entry.name for entry in entries if entry.id == inv.org), "") if len(entries) > 1 else ""
        thread = self._links.get((workspace, asked.channel, asked.ts), "")
        return HomeInvestigation(inv, self._from.orgs.app_url(inv.org), name, thread)

    async def _cases(self, workspace: str, person: str, entries: list[OrgEntry]) -> tuple[HomeCase, ...]:
        found: list[HomeCase] = []
        for entry in entries:
            hers = await self._from.cases.recent(
                entry.id, workspace=workspace, channel="", person=person, limit=MOST_CASES
            )
            found += [HomeCase(case, entry.app_url) for case in hers]
        return tuple(found[:MOST_CASES])

    async def _channels(self, workspace: str, person: str) -> list[str]:
        """Those with rules of their own that she may change; what stands in the rules file is changed there."""
        decided = [rules for rules in await self._from.rules.all() if rules.workspace == workspace]
        hers = []
        for rules in decided:
            verdict = await self._from.permissions.may_manage(Place(workspace, rules.channel), person)
            if isinstance(verdict, Allowed) and not rules.from_file:
                hers.append(rules.channel)
        return hers

    async def _admin(self, workspace: str, entries: list[OrgEntry]) -> HomeAdmin:
        place = Place(workspace, "")
        health: list[str] = []
        slack = ""
        for entry in entries:
            datadog, slack = health_lines(await self._from.health.of(place, entry.id))
            health.append(f"{escape(entry.name)} - {datadog}")
        return HomeAdmin(
            usage=await self._from.budget.usage(place),
            orgs=tuple(entries),
            can_connect=self._from.orgs.can_connect,
            health=(*health, slack) if slack else (),
        )


async def _published(bot_client: BotClient, person: str, view: Block, known_hash: str) -> str | None:
    """The hash of what stands there now; None when it could not be drawn."""
    try:
        answer = await bot_client.client.views_publish(user_id=person, view=view, hash=known_hash or None)
    except SlackApiError as error:
        if known_hash and error_code(error) == "hash_conflict":
            # somebody else has drawn it meanwhile, perhaps from older books
            return await _published(bot_client, person, view, "")
        logger.info("a Home was not drawn: %s", error_code(error))
        return None
    except CALL_ERRORS as error:
        logger.info("a Home was not drawn: %s", type(error).__name__)
        return None
    return str((answer.get("view") or {}).get("hash") or "")


async def _permalink(bot_client: BotClient, channel: str, ts: str) -> str:
    try:
        answer = await bot_client.client.chat_getPermalink(channel=channel, message_ts=ts)
    except CALL_ERRORS:
        return ""
    return str(answer.get("permalink") or "")
