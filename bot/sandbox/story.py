"""One story, told live: an alert fires, Ana clicks, and the conclusions arrive in the alert's thread."""

import asyncio
import time
from collections.abc import Callable

from bot.sandbox.datadog import FakeAlert
from bot.sandbox.slack import Channel, FakeSlack, Message, Person
from bot.sandbox.stage import BotDiedError, Stage

PATIENCE = 15.0


class Teller:
    """Prints what changes in a channel as it changes, the way its readers see it."""

    def __init__(self, slack: FakeSlack, channel: Channel) -> None:
        self._slack = slack
        self._channel = channel
        self._began = time.monotonic()
        self._told: dict[str, str] = {}

    def say(self, words: str) -> None:
        print(f"\n[{time.monotonic() - self._began:4.1f} s] {words}")

    async def tell_changes(self) -> None:
        """Runs until cancelled."""
        while True:
            await self._slack.wait_for(self.tell_new, timeout=3600)

    def tell_new(self) -> bool:
        for message in [*self._channel.messages, *self._channel.ephemerals]:
            shown = message.shown
            before = self._told.get(message.ts)
            if before != shown:
                self._told[message.ts] = shown
                self._print(message, edited=before is not None)
        return False

    def _print(self, message: Message, *, edited: bool) -> None:
        where = f"#{self._channel.name}" + (" > thread" if message.thread_ts else "")
        marks = " (edited)" if edited else " (only visible to one person)" if message.only_for else ""
        self.say(f"{where} · {message.author.name}{marks}")
        indent = "      | " if message.thread_ts else "  | "
        print("\n".join(f"{indent}{line}" for line in message.shown.splitlines()))


class Scene:
    """Who and what the story is about."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        slack, datadog = stage.slack, stage.datadog
        self.ana: Person = slack.workspace.add_user("ana")
        self.ben: Person = slack.workspace.add_user("ben")
        self.channel = stage.channel
        self.channel.members |= {self.ana.id, self.ben.id}
        self.monitor = datadog.add_monitor(
            "Checkout latency is high",
            type="metric alert",
            query="avg(last_5m):p95:trace.http.request{service:checkout} > 1.2",
            message="p95 latency of checkout is above 1.2 s.",
            tags=("service:checkout", "team:payments"),
            priority=2,
        )

    async def fire(self) -> tuple[FakeAlert, Message]:
        alert = self.stage.datadog.fire(self.monitor, group="env:prod")
        message = await self.stage.slack.post_as_datadog(
            self.channel, title=alert.slack_title, title_link=alert.link(), text=alert.text
        )
        return alert, message


async def play() -> int:
    """The exit code: 0 when the story came to its end."""
    print("Starting a local Slack, a local Datadog and the bot ...")
    try:
        async with Stage() as stage:
            await tell(Scene(stage))
    except (BotDiedError, AssertionError, TimeoutError) as error:
        print(f"\nThe story broke off: {error}")
        return 1
    print("\nThe end. `make demo` keeps this running for you to try.")
    return 0


async def tell(scene: Scene) -> None:
    teller = Teller(scene.stage.slack, scene.channel)
    telling = asyncio.create_task(teller.tell_changes())
    try:
        await tell_acts(scene, teller)
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def tell_acts(scene: Scene, teller: Teller) -> None:
    slack = scene.stage.slack
    teller.say("A monitor fires, and Datadog posts it.")
    _, message = await scene.fire()

    await slack.wait_for(lambda: message.replies, PATIENCE)
    offer = message.replies[0]
    teller.tell_new()

    teller.say("Ana clicks: Investigate.")
    await scene.ana.click("Investigate", on=offer)
    await slack.wait_for(lambda: len(message.replies) > 1, PATIENCE)

    teller.say("Ben clicks too, a moment later.")
    await scene.ben.click("Investigate", on=offer)
    await slack.wait_for(_said(message, "is what Bits AI found"), PATIENCE)
    await slack.wait_for(lambda: scene.ben.ephemerals, PATIENCE)

    teller.tell_new()
    started = len(scene.stage.datadog.triggers())
    teller.say(
        f"Two clicks, {started} investigation{'s' * (started != 1)} at Datadog, {len(message.replies)} posts in the thread."
    )
    assert started == 1, f"{started} investigations were started"


def _said(message: Message, words: str) -> Callable[[], bool]:
    return lambda: any(words in reply.shown for reply in message.replies)
