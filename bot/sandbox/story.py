"""One story, played live: an alert fires, Ana clicks, and the conclusions arrive in the alert's thread."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from bot.sandbox.datadog import FakeMonitor, Script
from bot.sandbox.playground.conclusions import LATENCY
from bot.sandbox.playground.environment import BotDiedError, Environment
from bot.sandbox.slack import Channel, FakeSlack, Message, Person

PATIENCE = 15.0


class ChannelPrinter:
    """Prints what changes in a channel as it changes, the way its readers see it."""

    def __init__(self, slack: FakeSlack, channel: Channel) -> None:
        self._slack = slack
        self._channel = channel
        self._began = time.monotonic()
        self._printed: dict[str, str] = {}

    def say(self, words: str) -> None:
        print(f"\n[{time.monotonic() - self._began:4.1f} s] {words}")

    async def print_changes(self) -> None:
        """Runs until cancelled."""
        while True:
            await self._slack.wait_for(self.print_new, timeout=3600)

    def print_new(self) -> bool:
        for message in [*self._channel.messages, *self._channel.ephemerals]:
            shown = message.shown
            before = self._printed.get(message.ts)
            if before != shown:
                self._printed[message.ts] = shown
                self._print(message, edited=before is not None)
        return False

    def _print(self, message: Message, *, edited: bool) -> None:
        where = f"#{self._channel.name}" + (" > thread" if message.thread_ts else "")
        marks = " (edited)" if edited else " (only visible to one person)" if message.only_for else ""
        self.say(f"{where} · {message.author.name}{marks}")
        indent = "      | " if message.thread_ts else "  | "
        print("\n".join(f"{indent}{line}" for line in message.shown.splitlines()))


class StoryWorld:
    """Who and what the story is about."""

    def __init__(self, environment: Environment, ana: Person, ben: Person, monitor: FakeMonitor) -> None:
        self.environment = environment
        self.channel = environment.channel
        self.ana = ana
        self.ben = ben
        self.monitor = monitor

    @classmethod
    def of_two(cls, environment: Environment) -> Self:
        """Ana and Ben, and nobody and nothing else."""
        slack, datadog = environment.slack, environment.datadog
        ana, ben = slack.workspace.add_user("ana"), slack.workspace.add_user("ben")
        environment.channel.members |= {ana.id, ben.id}
        datadog.plan_always(Script(conclusions=(LATENCY.cause,)))
        monitor = datadog.add_monitor(
            "Checkout latency is high",
            type="metric alert",
            query="avg(last_5m):p95:trace.http.request{service:checkout} by {env} > 1.2",
            message="p95 latency of checkout is above 1.2 s.",
            tags=("service:checkout", "team:payments"),
            priority=2,
        )
        return cls(environment, ana, ben, monitor)

    async def fire(self) -> Message:
        alert = self.environment.datadog.fire(self.monitor, group="env:prod", value="2.4")
        return await self.environment.slack.post_as_datadog(
            self.channel, title=alert.slack_title, title_link=alert.link(), text=alert.text
        )


async def play() -> int:
    """The exit code: 0 when the story came to its end."""
    print("Starting a local Slack, a local Datadog and the bot ...")
    try:
        async with Environment() as environment:
            world = StoryWorld.of_two(environment)
            async with printing(world) as printer:
                await tell_story(world, printer)
    except (BotDiedError, AssertionError, TimeoutError) as error:
        print(f"\nThe story broke off: {error}")
        return 1
    print("\nThe end. `make demo` keeps this running for you to try.")
    return 0


@asynccontextmanager
async def printing(world: StoryWorld) -> AsyncIterator[ChannelPrinter]:
    """Prints what changes in the story's channel until left."""
    printer = ChannelPrinter(world.environment.slack, world.channel)
    task = asyncio.create_task(printer.print_changes())
    try:
        yield printer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def tell_story(world: StoryWorld, printer: ChannelPrinter) -> None:
    slack = world.environment.slack
    printer.say("A monitor fires, and Datadog posts it.")
    message = await world.fire()

    await slack.wait_for(lambda: message.replies, PATIENCE)
    offer = message.replies[0]
    printer.print_new()

    printer.say("Ana clicks: Investigate.")
    await world.ana.click("Investigate", on=offer)
    await slack.wait_for(lambda: any("Asked by @ana" in one.shown for one in message.replies), PATIENCE)

    printer.say("Ben asks too, a moment later, from the message's menu.")
    await world.ben.shortcut("investigate_message", on=message)
    await slack.wait_for(lambda: any("AI-written" in one.shown for one in message.replies), PATIENCE)
    await slack.wait_for(lambda: world.ben.ephemerals, PATIENCE)

    printer.print_new()
    started = len(world.environment.datadog.triggers())
    printer.say(
        f"Two clicks, {started} investigation{'s' * (started != 1)} at Datadog, {len(message.replies)} posts in the thread."
    )
    assert started == 1, f"{started} investigations were started"
