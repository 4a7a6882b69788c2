"""A town whose workspaces install the bot themselves: a browser, Slack's consent page, and one bot or two replicas."""

import asyncio
import re
from contextlib import AsyncExitStack
from http.cookies import SimpleCookie
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import ClientSession, DummyCookieJar
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.app import Bot
from bot.config import Settings
from bot.sandbox.datadog import FakeMonitor
from bot.sandbox.slack import Channel, Message, Person, Workspace
from bot.storage.workers import Timing
from tests.e2e.town import QUICK, patient_slack, quick_datadog

PUBLIC_URL = "https://bits.example.com"


class InstallTown:
    def __init__(self, database_url: str, *, mode: str = "socket", keys: str = "", timing: Timing = QUICK) -> None:
        self.database_url = database_url
        self.timing = timing
        self.keys = keys or Fernet.generate_key().decode()
        self.mode = mode
        self.slack = patient_slack(installed=False)
        self.slack.app.redirect_urls = [f"{PUBLIC_URL}/slack/oauth_redirect"]
        self.datadog = quick_datadog()
        self.monitor: FakeMonitor = self.datadog.add_monitor("Disk almost full")
        self.bots: list[Bot] = []
        # whom the keys of the settings serve: whoever comes, where a story says nothing else
        self.named: tuple[str, ...] = tuple(f"T{number:04}" for number in range(100))
        self.left: list[str] = []  # workspaces whose data the bot was told to forget
        self._changed = asyncio.Event()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.slack)
        await self.datadog.start()
        self._stack.push_async_callback(self.datadog.stop)
        self._session = await self._stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for bot in self.bots:
            await bot.stop()
        await self._stack.aclose()

    def settings(self, **more: Any) -> Settings:
        values: dict[str, Any] = {
            "slack_client_id": self.slack.app.client_id,
            "slack_client_secret": SecretStr(self.slack.app.client_secret),
            "slack_api_url": self.slack.api_url,
            "bits_public_url": PUBLIC_URL,
            "bits_encryption_keys": self.keys,
            "dd_api_key": self.datadog.org.api_key,
            "dd_app_key": self.datadog.org.app_key,
            "dd_api_url": self.datadog.url,
            "dd_workspaces": ",".join(self.named),
            "database_url": self.database_url,
            "bits_http_port": 0,
        }
        if self.mode == "socket":
            values["slack_app_token"] = self.slack.app_token
        else:
            values["slack_signing_secret"] = self.slack.signing_secret
        return Settings(**values | more)

    async def start_bot(self) -> Bot:
        bot = Bot(self.settings(), timing=self.timing)
        try:
            await bot.start()
        except BaseException:
            await bot.stop()
            raise
        bot._workers.on_uninstall.append(self._forgotten)  # the last one: all is removed when the town hears of it
        self.bots.append(bot)
        if self.mode == "socket":
            await self.slack.connected(len(self.bots))
        else:
            await self.slack.configure(f"http://127.0.0.1:{bot.port}/slack/events")
        return bot

    async def stop_bots(self) -> None:
        for bot in self.bots:
            await bot.stop()
        self.bots.clear()

    async def _forgotten(self, workspace: str) -> None:
        self.left.append(workspace)
        self.slack.changes.notify()

    # -- a browser ----------------------------------------------------------------------------------------------

    async def install(self, workspace: Workspace, *, installer: Person | None = None, org_wide: bool = False) -> str:
        """Somebody opens the install address, presses Allow, and reads the page she ends on."""
        where, cookie = await self._begin()
        form = dict(re.findall(r'type="hidden" name="(.*?)" value="(.*?)"', await self._text(where)))
        form |= {"workspace": workspace.id, "installer": installer.id if installer else "", "decision": "allow"}
        form |= {"org_wide": "1"} if org_wide else {}
        async with self._session.post(where, data=form, allow_redirects=False) as allowed:
            back = allowed.headers["Location"]
        return await self.come_back(back, cookie)

    async def _begin(self) -> tuple[str, str]:
        async with self._session.get(f"{self._address}/slack/install", allow_redirects=False) as begun:
            (cookie,) = SimpleCookie(begun.headers["Set-Cookie"]).values()
            return begun.headers["Location"], f"{cookie.key}={cookie.value}"

    async def come_back(self, address: str, cookie: str) -> str:
        """The public address leads to the first bot, as a proxy would see to."""
        parts = urlsplit(address)
        async with self._session.get(
            f"{self._address}{parts.path}?{parts.query}", headers={"Cookie": cookie}
        ) as answered:
            return await answered.text()

    async def _text(self, address: str) -> str:
        async with self._session.get(address) as page:
            return await page.text()

    @property
    def _address(self) -> str:
        return f"http://127.0.0.1:{self.bots[0].port}"

    # -- what happens in it -------------------------------------------------------------------------------------

    async def alert(self, channel: Channel) -> Message:
        fired = self.datadog.fire(self.monitor)
        return await self.post_alert(channel, fired)

    async def post_alert(self, channel: Channel, fired: Any) -> Message:
        return await self.slack.post_as_datadog(
            channel, title=fired.slack_title, title_link=fired.link(), text=fired.text
        )

    async def reads(self, message: Message, *words: str) -> str:
        def thread() -> str:
            return "\n".join(reply.shown for reply in message.replies)

        await self.slack.wait_for(lambda: all(word in thread() for word in words))
        return thread()

    async def all_heard(self) -> None:
        """Every event so far was acknowledged, and what it brought about is done."""
        await self.slack.wait_for(
            lambda: all(one.acknowledged for one in self.slack.deliveries if one.kind == "events_api")
        )
        for bot in self.bots:
            assert bot._departures is not None
            await bot._departures.step()
