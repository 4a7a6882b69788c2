"""The bot as a process of its own with a local Slack and a local Datadog, and what can be seen of it from outside."""

import asyncio
import gc
import json
import os
import re
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.datadog import FakeDatadog, Script
from bot.sandbox.playground.environment import BotProcess
from bot.sandbox.slack import FakeSlack, Message
from bot.sandbox.slack.delivery import _signed_headers
from bot.sandbox.slack.payloads import base_payload
from bot.web.metrics import FRESH_FOR
from tests.e2e.town import patient_slack

WEBHOOK_SECRET = "a-long-shared-secret-of-the-webhook"
START_WITHIN = 120.0
QUIET_FOR = 0.1  # seconds with less CPU than that of a lone timer: what was begun is done
QUIET = 0.001
_COUNTED = re.compile(r'database_seconds_count\{statement="(\w+)"\} ([\d.]+)')

Figures = dict[str, tuple[float, float | None]]
"""By what they say: ours, and the reference's."""


def free_port() -> int:
    """Below those that systems give out: nobody else gets it before a process of ours has opened it."""
    while True:
        port = secrets.randbelow(10_000) + 20_000
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def cpu(pid: int) -> float:
    """Seconds of CPU of a process to the nanosecond: its clock, as clock_getcpuclockid(3) names it."""
    return time.clock_gettime((~pid << 3) | 2)


def memory(pid: int) -> float:
    """Megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def answers(url: str, within: float = START_WITHIN) -> None:
    async with asyncio.timeout(within), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.005)


class Clicks:
    """Shortcuts on messages as Slack sends them, signed, over connections that are kept."""

    def __init__(self, url: str, secret: str, pid: int, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.pid = pid
        self._secret = secret
        self._session = session

    async def send(self, payload: str) -> float:
        """Seconds until it was acknowledged."""
        body = urlencode({"payload": payload})
        headers = _signed_headers(self._secret, body) | {"Content-Type": "application/x-www-form-urlencoded"}
        began = time.perf_counter()
        async with self._session.post(self.url, data=body.encode(), headers=headers) as response:
            await response.read()
            if response.status != 200:
                raise RuntimeError(f"a click was answered with {response.status}")
        return time.perf_counter() - began

    async def lone(self, payloads: Iterable[str]) -> tuple[list[float], list[float]]:
        """One after the other, each once all is quiet: CPU and seconds until each was acknowledged."""
        used, waited = [], []
        for payload in payloads:
            await quiet(self.pid)
            before = cpu(self.pid)
            waited.append(await self.send(payload))
            used.append(cpu(self.pid) - before)
        return used, waited

    async def at_once(self, payloads: Sequence[str], number: int = 8) -> float:
        """Acknowledged a second, with so many on their way at any time."""
        queue = iter(payloads)

        async def some() -> None:
            for payload in queue:
                await self.send(payload)

        await quiet(self.pid)
        began = time.perf_counter()
        await asyncio.gather(*(some() for _ in range(number)))
        return len(payloads) / (time.perf_counter() - began)

    async def at_rate(self, payloads: Sequence[str], rate: float) -> list[float]:
        """Seconds until each was acknowledged, from when it was due, however the others fare."""

        async def one(number: int, payload: str) -> float:
            due = began + number / rate
            await asyncio.sleep(due - time.perf_counter())
            await self.send(payload)
            return time.perf_counter() - due

        with _nothing_collected():
            began = time.perf_counter()
            return await asyncio.gather(*(one(number, payload) for number, payload in enumerate(payloads)))


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Here, where thousands of messages stand in memory: a tenth of a second in which nobody clicks is no wait of the bot's."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def quiet(pid: int, within: float = 120.0) -> None:
    async with asyncio.timeout(within):
        before = cpu(pid)
        while True:
            await asyncio.sleep(QUIET_FOR)
            now = cpu(pid)
            if now - before < QUIET:
                return
            before = now


class Outside:
    """One bot over HTTP and SQLite at the settings of production, but for those that are given."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.slack: FakeSlack = patient_slack()
        self.datadog = FakeDatadog()
        self.ana = self.slack.workspace.add_user("ana")
        self.channel = self.slack.workspace.add_channel("alerts")
        self.monitor = self.datadog.add_monitor("Disk almost full")
        self.bot = BotProcess(folder)
        self.port = free_port()
        self._settings = settings
        self._clicked = 0
        self._reading: int | None = None  # what it takes to tell

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self.slack.start()
            stack.push_async_callback(self.slack.stop)
            await self.datadog.start()
            stack.push_async_callback(self.datadog.stop)
            self.datadog.plan_always(Script.held())
            stack.push_async_callback(self.bot.stop)
            connector = aiohttp.TCPConnector(limit=500)
            self.session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def database_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.folder}/bits.sqlite3"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.bot._process
        return self.bot._process.pid

    async def start(self) -> float:
        """Seconds until it serves Slack."""
        began = time.perf_counter()
        await self.bot.start(
            {
                "SLACK_BOT_TOKEN": self.slack.bot_token,
                "SLACK_SIGNING_SECRET": self.slack.signing_secret,
                "SLACK_API_URL": self.slack.api_url,
                "DD_API_KEY": self.datadog.api_key,
                "DD_APP_KEY": self.datadog.app_key,
                "DD_API_URL": self.datadog.url,
                "DATABASE_URL": self.database_url,
                "BITS_WEBHOOK_SECRET": WEBHOOK_SECRET,
                "BITS_HTTP_PORT": str(self.port),
                "BITS_LOG_LEVEL": "WARNING",
            }
            | self._settings
        )
        died, ready = asyncio.create_task(self.bot.died()), asyncio.create_task(answers(f"{self.url}/healthz"))
        done, others = await asyncio.wait({died, ready}, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        done.pop().result()
        return time.perf_counter() - began

    def clicks(self) -> Clicks:
        return Clicks(f"{self.url}/slack/events", self.slack.signing_secret, self.pid, self.session)

    async def alert(self) -> Message:
        fired = self.datadog.fire(self.monitor, group=f"host:web-{self._clicked}-{time.monotonic_ns()}")
        return await self.slack.post_as_datadog(
            self.channel, title=fired.slack_title, title_link=fired.link(), text=fired.text
        )

    def click(self, message: Message) -> str:
        """“Investigate with Bits” on it, a gesture of its own each time."""
        self._clicked += 1
        told = base_payload(self.ana, "message_action", channel_id=message.channel.id) | {
            "callback_id": "investigate_message",
            "action_ts": f"{time.time():.0f}.{self._clicked:06}",
            "message_ts": message.ts,
            "message": message.to_json(metadata=True),
            "channel": {"id": message.channel.id, "name": message.channel.name},
            "response_url": self.slack.response_urls.issue(message.channel, self.ana.id, message),
        }
        return json.dumps(told)

    async def clicks_that_start(self, number: int) -> list[str]:
        return [self.click(await self.alert()) for _ in range(number)]

    async def asked_of_the_database(self, since: int = 0) -> int:
        """Statements, as `/metrics` tells them; what the last reading took is left out."""
        if self._reading is None:
            readings = [await self._counted() for _ in range(3)]
            self._reading = min(after - before for before, after in pairwise(readings))
            return readings[-1]
        return await self._counted() - since - self._reading

    async def _counted(self) -> int:
        await asyncio.sleep(FRESH_FOR + 0.1)
        async with self.session.get(f"{self.url}/metrics") as response:
            text = await response.text()
        return sum(int(float(number)) for kind, number in _COUNTED.findall(text) if kind != "other")


@asynccontextmanager
async def reference(name: str, folder: Path, *arguments: str) -> AsyncIterator[tuple[str, int, float]]:
    """A bare server of `references` as a process of its own: its address, its pid and how long it took to start."""
    port, began = free_port(), time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.benchmarks.references", name, str(port), str(folder), *arguments),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        await answers(url)
        yield url, process.pid, time.perf_counter() - began
    finally:
        process.terminate()
        await process.wait()
