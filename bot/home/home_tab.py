"""Home tabs: drawn when one is opened, and while it is open when something in it has changed; and their button to the rules.

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

from bot.home import view as home
from bot.home.content import AskedInvestigation, HomeReader
from bot.home.tables import OPEN_FOR, home_tabs
from bot.investigations.tables import CARD
from bot.orgs.tables import orgs
from bot.rules.slack import SettingsForm
from bot.rules.tables import channel_rules
from bot.slack.blocks import Block
from bot.slack.clients import BotClient, Workspaces
from bot.slack.errors import CALL_ERRORS, error_code
from bot.slack.interactions import Interaction, Payload
from bot.slack.listeners import After, Listeners
from bot.slack.replies import Replies
from bot.storage.engine import Database
from bot.storage.outbox import posted
from bot.storage.tables import deliveries
from bot.storage.workers import Tasks

logger = logging.getLogger(__name__)

_PACE = 1.0  # seconds between two looks at all that are open
_MOST_LINKS = 5_000


class HomeTabs:
    def __init__(self, database: Database, workspaces: Workspaces, replies: Replies, reader: HomeReader) -> None:
        self._database = database
        self._workspaces = workspaces
        self._replies = replies
        self._reader = reader
        self._links: OrderedDict[tuple[str, str, str], str] = OrderedDict()
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}
        self._looked_at = 0.0
        # what people see of a change is a card that is due, rules or organisations: nothing else stands in a Home
        self.alarm = database.alarm(deliveries, posted(CARD), channel_rules, orgs)

    async def opened(self, workspace: str, person: str, view_hash: str) -> None:
        """The person looks at it now. `view_hash` is of what stands there."""
        values = {
            "workspace": workspace,
            "person": person,
            "opened_at": self._database.now,
            "view_hash": view_hash,
            "digest": "",
        }
        async with self._database.transaction() as connection:
            await connection.execute(self._database.upsert(home_tabs, values, key=("workspace", "person")))
        await self._draw(workspace, person)

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
            await self._draw(workspace, person)

    async def _draw(self, workspace: str, person: str) -> None:
        if await self._draw_once(workspace, person):
            await self._draw_once(workspace, person)  # now with the links to threads

    async def _draw_once(self, workspace: str, person: str) -> bool:
        """True when links were looked up after it: there is more to show."""
        lock = self._locks.setdefault((workspace, person), asyncio.Lock())
        async with lock:
            bot_client = await self._workspaces.bot_client(workspace)
            if bot_client is None:
                return False
            asked = await self._reader.asked(workspace, person)
            links = {(each.channel, each.ts): self._links.get((workspace, each.channel, each.ts), "") for each in asked}
            view = home.home_view(await self._reader.content(workspace, person, asked, links))
            await self._publish(bot_client, workspace, person, view)
        if not lock.locked():
            self._locks.pop((workspace, person), None)
        return await self._look_up_links(workspace, asked)

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

    async def _look_up_links(self, workspace: str, asked: list[AskedInvestigation]) -> bool:
        places = {(workspace, each.channel, each.ts) for each in asked if each.ts}
        missing = [place for place in places if place not in self._links]
        found = await asyncio.gather(*(self._replies.permalink(*place) for place in missing))
        self._links.update(zip(missing, found, strict=True))
        while len(self._links) > _MOST_LINKS:
            self._links.popitem(last=False)
        return any(found)


async def _published(bot_client: BotClient, person: str, view: Block, known_hash: str) -> str | None:
    """The hash of what stands there now; None when it could not be drawn."""
    try:
        answer = await bot_client.client.views_publish(user_id=person, view=view, hash=known_hash or None)
    except SlackApiError as error:
        if known_hash and error_code(error) == "hash_conflict":
            # somebody else has drawn it meanwhile, perhaps from what was known before
            return await _published(bot_client, person, view, "")
        logger.info("a Home was not drawn: %s", error_code(error))
        return None
    except CALL_ERRORS as error:
        logger.info("a Home was not drawn: %s", type(error).__name__)
        return None
    return str((answer.get("view") or {}).get("hash") or "")


@dataclass(frozen=True, slots=True)
class HomeListeners:
    tabs: HomeTabs
    settings: SettingsForm
    tasks: Tasks

    def register(self, on: Listeners) -> None:
        on.event("app_home_opened", self.opened)
        on.action(home.CHANNEL_SETTINGS, self.change_rules)

    async def opened(self, body: Payload) -> None:
        """Drawn in the background: Slack need not wait for it."""
        event = body["event"]
        if event.get("tab") == "home":
            view_hash = str((event.get("view") or {}).get("hash") or "")
            workspace, person = str(body.get("team_id") or ""), str(event.get("user") or "")
            self.tasks.spawn(self.tabs.opened(workspace, person, view_hash), "a Home that was opened")

    async def change_rules(self, click: Interaction) -> After:
        return await self.settings.open(click.at(click.value))
