"""What a story or a demo runs in: the local Slack, the local Datadog and the unchanged bot, as a process of its own."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from bot.sandbox.datadog import FakeDatadog
from bot.sandbox.slack import FakeSlack

START_WITHIN = 20.0
STOP_WITHIN = 20.0

# a story is over in seconds; everything else runs as it does anywhere
QUICK = {"BITS_POLL_FIRST_SECONDS": "0.3", "BITS_POLL_SECONDS": "0.3", "BITS_POLL_SLOW_SECONDS": "1"}

RULES = "channels.yml"
RULES_TEXT = """channels:
  - channel: {channel}
    nudge: true   # buttons under Datadog's own messages
"""


class BotDiedError(Exception):
    """The bot ended by itself; the message is what it said last."""


class BotProcess:
    """`python -m bot run`, with nothing in its environment but what it is given."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = {"PATH": os.environ.get("PATH", ""), "PYTHONUNBUFFERED": "1", **environment}
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self.log = folder / "bot.log"

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )

    async def died(self) -> None:
        """Returns only by raising, should the bot end."""
        assert self._process is not None
        code = await self._process.wait()
        raise BotDiedError(f"the bot ended with code {code}:\n{self.log.read_text()[-3000:]}")

    async def stop(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_WITHIN)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


class Environment:
    """Everything one needs to see the bot at work, without any account."""

    def __init__(self) -> None:
        self.slack = FakeSlack()
        self.datadog = FakeDatadog()
        self.channel = self.slack.workspace.add_channel("alerts")
        self._stack = AsyncExitStack()
        self.bot: BotProcess

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bits-bot-")))
            await self.slack.start()
            stack.push_async_callback(self.slack.stop)
            await self.datadog.start()
            stack.push_async_callback(self.datadog.stop)
            (folder / RULES).write_text(RULES_TEXT.format(channel=self.channel.id))
            self.bot = BotProcess(self._settings(), folder)
            await self.bot.start()
            stack.push_async_callback(self.bot.stop)
            await self._until_connected()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _settings(self) -> dict[str, str]:
        return QUICK | {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "DD_API_KEY": self.datadog.org.api_key,
            "DD_APP_KEY": self.datadog.org.app_key,
            "DD_API_URL": self.datadog.url,
            "BITS_HTTP_PORT": "0",
            "BITS_CHANNELS_FILE": RULES,
        }

    async def _until_connected(self) -> None:
        connected = asyncio.create_task(self.slack.connected(timeout=START_WITHIN))
        died = asyncio.create_task(self.bot.died())
        done, pending = await asyncio.wait({connected, died}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        done.pop().result()
