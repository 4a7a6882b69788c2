"""Two workspaces that install the bot themselves: each works with its own alerts, one leaves in mid-work and comes back."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar
from cryptography.fernet import Fernet
from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from bot.investigations.tables import asks, subscribers
from bot.sandbox.slack import Channel, FakeSlack, Person, Workspace
from bot.sandbox.slack.errors import NotOnScreen
from bot.storage.tables import deliveries
from bot.workspaces.tables import installations
from tests.e2e.install_town import PUBLIC_URL
from tests.faults.campaign import PATIENCE, TRY_AGAIN_AFTER, Deed, insist
from tests.faults.deeds import Investigations
from tests.faults.figures import Figures
from tests.faults.storm import Alert, Storm

RETRY_WAITS = (0.5, *[5.0] * 20)  # seconds; Slack's reach over minutes, longer than any freeze
LEAVES_AT = (14, 30)  # which deeds these are
HELD_OF_A_WORKSPACE = (asks, subscribers, deliveries)


class InstallStorm(Storm):
    def __init__(self, folder: Path, database_url: str, *, settle: float) -> None:
        slack = FakeSlack(installed=False, ack_seconds=3.0, trigger_seconds=60.0, event_retry_waits=RETRY_WAITS)
        slack.app.redirect_urls = [f"{PUBLIC_URL}/slack/oauth_redirect"]
        slack.app.rotates_tokens = True
        super().__init__(folder, database_url, settle=settle, slack=slack)
        self.environment |= {"BITS_PUBLIC_URL": PUBLIC_URL, "BITS_ENCRYPTION_KEYS": Fernet.generate_key().decode()}

    def _in_slack(self) -> dict[str, str]:
        return {
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_CLIENT_ID": self.slack.app.client_id,
            "SLACK_CLIENT_SECRET": self.slack.app.client_secret,
        }


@dataclass
class Home:
    workspace: Workspace
    person: Person
    channels: list[Channel]
    is_in: asyncio.Event = field(default_factory=asyncio.Event)
    stays: int = 0  # how often it has come


@dataclass
class Asked:
    alert: Alert
    home: Home
    stay: int


class Workplaces(Investigations):
    def __init__(self, storm: InstallStorm, ports: list[int], leaves_at: tuple[int, ...] = LEAVES_AT) -> None:
        super().__init__(storm)
        self._leaves_at = leaves_at
        self.ports = ports
        self.homes = [self._home(storm.slack.workspace), self._home(storm.slack.add_workspace("Globex"))]
        self.asked: list[Asked] = []
        self.left_behind: list[str] = []
        storm.environment["DD_WORKSPACES"] = ",".join(home.workspace.id for home in self.homes)

    @staticmethod
    def _home(workspace: Workspace) -> Home:
        channels = [workspace.add_channel(f"alerts-of-{workspace.id.lower()}-{number}") for number in range(4)]
        return Home(workspace, workspace.add_user(f"gil-{workspace.id.lower()}"), channels)

    def __iter__(self) -> Iterator[Deed]:
        for home in self.homes:
            yield lambda home=home: self.install(home)  # type: ignore[misc]
        for number in itertools.count(1):
            if number in self._leaves_at:
                yield self.leave_and_come_back
            else:
                yield lambda home=self.homes[number % 2]: self.press_in(home)  # type: ignore[misc]

    @property
    def refreshes(self) -> int:
        return len([call for call in self.storm.slack.calls_to("oauth.v2.access") if "refresh_token" in call.args])

    async def press_in(self, home: Home) -> None:
        await home.is_in.wait()
        number, stay = len(self.storm.alerts), home.stays
        fired = self.storm.datadog.fire(self._monitors[number % len(self._monitors)], group=f"host:web-{number}")
        alert = await self.storm.post(fired, home.channels[number % len(home.channels)])
        try:
            await insist(lambda: home.person.shortcut("investigate_message", on=alert.message))
        except NotOnScreen:
            return  # they have left meanwhile
        self.asked.append(Asked(alert, home, stay))

    async def install(self, home: Home) -> None:
        """A browser goes the whole way, and begins again where a bot died under it."""
        async with ClientSession(cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=5)) as browser:
            for port in itertools.cycle(self.ports):
                try:
                    if await self._goes_through(browser, f"http://127.0.0.1:{port}", home):
                        break
                except (ClientError, TimeoutError):
                    pass
                await asyncio.sleep(TRY_AGAIN_AFTER)
        for channel in home.channels:  # where it is no member it can't look whether a post of its own stands there
            await home.person.invite_app(channel)
        home.stays += 1
        home.is_in.set()

    async def _goes_through(self, browser: ClientSession, address: str, home: Home) -> bool:
        async with browser.get(f"{address}/slack/install", allow_redirects=False) as begun:
            if begun.status != 302:
                return False
            (cookie,) = SimpleCookie(begun.headers["Set-Cookie"]).values()
            where = begun.headers["Location"]
        back = urlsplit(self.storm.slack.oauth.approve(where, home.workspace, installer=home.person.id))
        headers = {"Cookie": f"{cookie.key}={cookie.value}"}
        async with browser.get(f"{address}{back.path}?{back.query}", headers=headers) as ended:
            return "Bits Bot is installed" in await ended.text()

    async def leave_and_come_back(self) -> None:
        home = self.homes[1]
        await home.is_in.wait()
        home.is_in.clear()
        assert home.workspace.install is not None
        self.storm.slack.uninstall(home.workspace.install)
        try:
            async with asyncio.timeout(PATIENCE):
                while await self._held(home.workspace.id):  # noqa: ASYNC110  a database tells nobody
                    await asyncio.sleep(TRY_AGAIN_AFTER)
        except TimeoutError:
            self.left_behind.append(f"{await self._held(home.workspace.id)} of {home.workspace.id}, which has left")
        await self.install(home)

    async def _held(self, workspace: str) -> list[str]:
        """The tables that still know of it."""
        engine = create_async_engine(self.storm.database_url)
        async with engine.connect() as connection:
            found = [
                table.name
                for table in HELD_OF_A_WORKSPACE
                if (await connection.execute(select(table.c.id).where(table.c.workspace == workspace))).first()
            ]
            if any(workspace in str(row) for row in await connection.execute(select(installations.c.home))):
                found.append(installations.name)
        await engine.dispose()
        return found

    async def judge(self, figures: Figures) -> None:
        """What a workspace had asked for before it left is gone with it; else all is as it is for one workspace."""
        figures.stuck += self.left_behind
        self.storm.alerts = [one.alert for one in self.asked if one.stay == one.home.stays]
        await super().judge(figures)
        theirs = {one.alert.message.channel.id: one.home for one in self.asked}
        for one in self.asked:
            events = {other.alert.fired.event_id for other in self.asked if other.home is not one.home}
            shown = "\n".join(reply.shown for reply in one.alert.message.replies)
            if any(f"Cause of event {event}." in shown for event in events):
                figures.wrong.append(
                    f"something of another workspace in {theirs[one.alert.message.channel.id]}: {shown}"
                )
