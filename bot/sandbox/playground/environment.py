"""What a story or a demo runs in: the local Slack, the local Datadog and the unchanged bot, as a process of its own."""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Literal, Self

from bot.sandbox.datadog import FakeDatadog
from bot.sandbox.slack import FakeSlack, NotAcknowledged

Mode = Literal["socket", "http"]
BotState = Literal["starting", "running", "stopped", "died"]

START_WITHIN = 120.0  # a busy machine
STOP_WITHIN = 30.0  # more than the bot gives itself
MOST_LOG_READ = 16 * 1024
WEBHOOK_SECRET = "only-for-this-sandbox"

# a story is over in seconds; everything else runs as it does anywhere
QUICK = {
    "BITS_POLL_FIRST_SECONDS": "0.3",
    "BITS_POLL_SECONDS": "0.3",
    "BITS_POLL_SLOW_SECONDS": "1",
    "BITS_SETTLE_SECONDS": "8",  # who kills the bot sees it go on while still looking
}
# Slack's own are up to five minutes
EVENT_RETRY_WAITS = (0.0, 3.0, 10.0, 30.0)

RULES = "channels.yml"
RULES_TEXT = """channels:
  - channel: {channel}
    nudge: true   # buttons under Datadog's own messages
    default: true # cards for what Datadog's webhook tells
"""


class BotDiedError(Exception):
    """The bot ended by itself; the message is what it said last."""


class BotProcess:
    """`python -m bot run`, with nothing in its environment but what it is given; started anew in the same folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._ready = False
        self._wanted = False
        self.log = folder / "bot.log"

    @property
    def state(self) -> BotState:
        if not self._wanted:
            return "stopped"
        if self._process is not None and self._process.returncode is not None:
            return "died"
        return "running" if self._ready else "starting"

    async def start(self, settings: Mapping[str, str]) -> None:
        environment = {"PATH": os.environ.get("PATH", ""), "PYTHONUNBUFFERED": "1", **settings}
        self._process, self._wanted, self._ready = None, True, False
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", cwd=self._folder, env=environment, stdout=log, stderr=log
            )

    def is_ready(self) -> None:
        self._ready = True

    async def died(self) -> None:
        """Returns only by raising, should the bot end."""
        assert self._process is not None
        code = await self._process.wait()
        raise BotDiedError(f"the bot ended with code {code}:\n{self.log.read_text()[-3000:]}")

    async def kill(self) -> None:
        """SIGKILL: nothing is said, nothing is put away."""
        self._wanted = False
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        self._wanted = False
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_WITHIN)
        except TimeoutError:
            await self.kill()

    def last_lines(self, number: int) -> list[str]:
        """What it wrote last, as far as that stands at the end of the file."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - MOST_LOG_READ))
            return log.read().decode(errors="replace").splitlines()[-number:]


class Environment:
    """Everything one needs to see the bot at work, without any account."""

    def __init__(self, mode: Mode = "socket", manifest: Mapping[str, Any] | None = None) -> None:
        self.mode: Mode = mode
        self.slack = FakeSlack(event_retry_waits=EVENT_RETRY_WAITS)
        if manifest is not None:
            self.slack.use_manifest(dict(manifest))
        self.datadog = FakeDatadog()
        self.channel = self.slack.workspace.add_channel("alerts")
        self._stack = AsyncExitStack()
        self._folder = tempfile.TemporaryDirectory(prefix="bits-bot-")
        self.bot = BotProcess(Path(self._folder.name))
        self._port = 0
        self._app_key = self.datadog.org.app_key

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(self._folder))
            await self.slack.start()
            stack.push_async_callback(self.slack.stop)
            await self.datadog.start()
            stack.push_async_callback(self.datadog.stop)
            (folder / RULES).write_text(RULES_TEXT.format(channel=self.channel.id))
            stack.push_async_callback(self.bot.stop)
            await self.start_bot()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def start_bot(self) -> None:
        """Returns once it serves Slack; a bot that was there before finds its database again."""
        self._port = _free_port()
        await self.bot.start(self._settings())
        serving = asyncio.create_task(self._serving())
        died = asyncio.create_task(self.bot.died())
        done, pending = await asyncio.wait({serving, died}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        done.pop().result()
        self.bot.is_ready()

    @property
    def webhook_url(self) -> str:
        """Where Datadog's webhook of this bot's one organisation goes."""
        return f"http://127.0.0.1:{self._port}/datadog/webhook/default"

    def _settings(self) -> dict[str, str]:
        mode = (
            {"SLACK_APP_TOKEN": self.slack.app_token}
            if self.mode == "socket"
            else {"SLACK_SIGNING_SECRET": self.slack.signing_secret}
        )
        return (
            QUICK
            | mode
            | {
                "SLACK_BOT_TOKEN": self.slack.bot_token,
                "SLACK_API_URL": self.slack.api_url,
                "DD_API_KEY": self.datadog.org.api_key,
                "DD_APP_KEY": self._app_key,
                "DD_API_URL": self.datadog.url,
                "BITS_WEBHOOK_SECRET": WEBHOOK_SECRET,
                "BITS_HTTP_PORT": str(self._port),
                "BITS_CHANNELS_FILE": RULES,
            }
        )

    async def _serving(self) -> None:
        if self.mode == "socket":
            await self.slack.connected(timeout=START_WITHIN)
            return
        async with asyncio.timeout(START_WITHIN):
            while not await self._reached():  # noqa: ASYNC110 - a process of its own opens the port, without a word
                await asyncio.sleep(0.1)

    async def _reached(self) -> bool:
        try:
            await self.slack.configure(f"http://127.0.0.1:{self._port}/slack/events")
        except NotAcknowledged:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
