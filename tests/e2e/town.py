"""The town the stories play in: a local Slack with Ana and Ben, a local Datadog, and the bot between them."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from bot.app import Bot
from bot.config import Settings
from bot.sandbox.datadog import FakeAlert, FakeDatadog, FakeMonitor, Script
from bot.sandbox.slack import Channel, FakeSlack, Message, Person
from bot.storage.workers import Timing
from tests.timing import StoryTiming

QUICK = StoryTiming(
    settle=0.3, sweep=0.25, poll_first=0.05, poll=0.05, poll_slow=0.1, slow_after=600, deadline=60, patience=3, pace=0
)


def patient_slack(*, installed: bool = True) -> FakeSlack:
    """Slack's three seconds are too few for a busy machine; what comes too late is made so by a test."""
    return FakeSlack(installed=installed, ack_seconds=60.0, trigger_seconds=60.0)


def quick_datadog() -> FakeDatadog:
    """Its investigations end soon where a story says nothing else."""
    datadog = FakeDatadog()
    datadog.plan_always(Script(states=(("pending", 0.02), ("in progress", 0.05))))
    return datadog


class Town:
    def __init__(self, folder: Path, *, timing: Timing = QUICK, mode: str = "socket", **settings: Any) -> None:
        self.folder = folder
        self.slack = patient_slack()
        self.datadog = quick_datadog()
        self.timing = timing
        self._mode = mode
        self._more_settings = settings
        self._stack = AsyncExitStack()
        self.ana = self.slack.workspace.add_user("ana")
        self.ben = self.slack.workspace.add_user("ben")
        self.channel: Channel = self.slack.workspace.add_channel("alerts")
        self.monitor: FakeMonitor = self.datadog.add_monitor("Disk almost full", priority=2, tags=("team:core",))
        self.bot: Bot

    async def __aenter__(self) -> Self:
        await self.slack.start()
        self._stack.push_async_callback(self.slack.stop)
        await self.datadog.start()
        self._stack.push_async_callback(self.datadog.stop)
        await self.start_bot()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.datadog.heal()  # a stop waits for what is under way
        self.slack.heal()
        await self.bot.stop()
        await self._stack.aclose()

    def settings(self) -> Settings:
        values: dict[str, Any] = {
            "slack_bot_token": self.slack.bot_token,
            "slack_api_url": self.slack.api_url,
            "dd_api_key": self.datadog.org.api_key,
            "dd_app_key": self.datadog.org.app_key,
            "dd_api_url": self.datadog.url,
            "database_url": f"sqlite+aiosqlite:///{self.folder}/bits.sqlite3",
            "bits_http_port": 0,
        }
        if self._mode == "socket":
            values["slack_app_token"] = self.slack.app_token
        else:
            values["slack_signing_secret"] = self.slack.signing_secret
        return Settings(**values | self._more_settings)

    async def start_bot(self) -> None:
        self.bot = Bot(self.settings(), timing=self.timing)
        await self.bot.start()
        if self._mode == "socket":
            await self.slack.connected()
        else:
            await self.slack.configure(f"http://127.0.0.1:{self.bot.port}/slack/events")

    # -- what happens in it -------------------------------------------------------------------------------------

    async def alert(self, monitor: FakeMonitor | None = None, *, group: str = "") -> "AlertMessage":
        """A monitor fires, and Datadog's own app posts it to the channel."""
        fired = self.datadog.fire(monitor or self.monitor, group=group)
        message = await self.slack.post_as_datadog(
            self.channel, title=fired.slack_title, title_link=fired.link(), text=fired.text
        )
        return AlertMessage(fired, message)

    async def runs_again(self, person: Person, on: Message) -> None:
        """From the menu of an answer, cost agreed to."""
        await person.click("Run again", on=on)
        await person.waits_for_modal("Run again")
        await person.submit()

    def thread(self, message: Message) -> str:
        """What stands under a message, as everyone reads it."""
        return "\n".join(line for reply in message.replies for line in (f"{reply.author.name}: {reply.shown}",))

    async def reads(self, message: Message, *words: str) -> str:
        """Wait until a thread says all these words, in this order; then everything it says."""
        await self.slack.wait_for(lambda: _in_order(self.thread(message), words))
        return self.thread(message)


class AlertMessage:
    def __init__(self, fired: FakeAlert, message: Message) -> None:
        self.fired = fired
        self.message = message


def _in_order(text: str, words: tuple[str, ...]) -> bool:
    at = 0
    for word in words:
        found = text.find(word, at)
        if found < 0:
            return False
        at = found + len(word)
    return True
