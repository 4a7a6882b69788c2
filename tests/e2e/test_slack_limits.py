"""Slack slows the bot down: nobody calls before it may, nothing is lost, nothing comes twice, and people hear what they wait for."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.datadog import Script
from bot.sandbox.slack import Message, Workspace
from bot.slack.poster import AT_ONCE
from bot.wording import AI_WRITTEN
from tests.e2e.install_town import InstallTown
from tests.e2e.town import Town
from tests.pg import ready_postgres_url

__all__ = ["ready_postgres_url"]

THREADS = 30
POST, EDIT, READ = "chat.postMessage", "chat.update", "conversations.replies"


class Limit:
    """On one method in one workspace, from now on until it is lifted. Notes when each call came."""

    def __init__(self, town: InstallTown, workspace: Workspace, method: str) -> None:
        self.calls: list[float] = []
        self._wait = 6 if method == POST else 2  # seconds; for fewer than that only the channel would wait
        self._on = True
        self._channels = {channel.id for channel in workspace.channels.values()}
        town.slack.break_next(method, times=10_000, retry_after=self._wait, when=self._counts)

    def _counts(self, args: dict[str, Any]) -> bool:
        if not self._on or args.get("channel") not in self._channels:
            return False
        self.calls.append(time.monotonic())
        return True

    async def holds(self, town: InstallTown, *, rounds: int) -> None:
        """Slack says it so often that we have to wait."""
        await town.slack.wait_for(lambda: self.rounds >= rounds)
        self._on = False

    @property
    def rounds(self) -> int:
        return (
            sum(later - earlier > self._wait / 2 for earlier, later in zip(self.calls, self.calls[1:], strict=False))
            + 1
        )


@pytest.fixture
async def replicas(ready_postgres_url: str) -> AsyncIterator[InstallTown]:
    async with InstallTown(ready_postgres_url) as town:
        await town.start_bot()
        await town.start_bot()
        yield town


@pytest.mark.timeout(300)
@pytest.mark.parametrize("method", [POST, EDIT, READ])
async def test_thirty_threads_that_have_to_wait_cost_few_calls_and_are_served_once(
    replicas: InstallTown, method: str
) -> None:
    town = replicas
    busy, calm = (town.slack.add_workspace(name) for name in ("busy", "calm"))
    ana, cleo = busy.add_user("ana"), calm.add_user("cleo")
    for workspace in (busy, calm):
        await town.install(workspace)
    channels = [busy.add_channel(f"team-{number}") for number in range(THREADS)]
    elsewhere = calm.add_channel("alerts")
    await town.all_heard()
    town.datadog.plan_always(Script.held())
    fired = town.datadog.fire(town.monitor)
    if method == READ:  # what is read for is a post whose answer got lost
        town.slack.break_next(POST, times=THREADS, drop="after", when=lambda args: args["channel"] != elsewhere.id)

    limit = Limit(town, busy, method)
    alerts = [await town.post_alert(channel, fired) for channel in channels]
    for alert in alerts:
        await ana.shortcut("investigate_message", on=alert)
    other = await town.post_alert(elsewhere, fired)
    await cleo.shortcut("investigate_message", on=other)
    await town.reads(other, "Investigating")
    (run,) = await town.datadog.wait_for(town.datadog.triggers)
    town.datadog.finish(run.id)
    await town.reads(other, AI_WRITTEN)  # nobody there waits for anything
    await limit.holds(town, rounds=2)

    for alert in alerts:
        await town.reads(alert, AI_WRITTEN)
        assert len(alert.replies) == 2, [
            (reply.ts, (reply.metadata or {}).get("event_payload")) for reply in alert.replies
        ]
    replicas_at_once = len(town.bots) * AT_ONCE
    assert len(limit.calls) <= replicas_at_once + len(town.bots)  # then each replica asks once more
    assert len(other.replies) == 2


async def test_where_threads_are_read_once_a_minute_the_second_mention_is_told_to_wait(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        town.slack.reads_limited = True
        alerts = [await _unseen_alert(town) for _ in range(2)]
        await town.ana.mention("investigate", in_=town.channel, thread=alerts[0])
        await town.reads(alerts[0], AI_WRITTEN)
        await town.ben.mention("investigate", in_=town.channel, thread=alerts[1])
        await town.slack.wait_for(lambda: "Slack lets me read threads only once a minute" in town.ben.sees)
        assert "no alert" not in town.ben.sees
        assert len(town.slack.calls_to(READ)) == 2
        town.slack.reads_limited = False


@pytest.mark.parametrize(
    ("error", "words"), [("missing_scope", "I lack a Slack permission"), ("not_in_channel", "so I may not read this")]
)
async def test_a_thread_that_may_not_be_read_is_said_to_be_that(town: Town, error: str, words: str) -> None:
    alert = await _unseen_alert(town)
    town.slack.break_next(READ, error=error)
    await town.ana.mention("investigate", in_=town.channel, thread=alert)
    await town.slack.wait_for(lambda: words in town.ana.sees)
    assert "no alert" not in town.ana.sees
    assert town.datadog.triggers() == []


async def test_of_a_long_thread_only_what_was_read_is_said_to_hold_no_alert(town: Town) -> None:
    talk = await town.ana.say("what a day", town.channel)
    for number in range(20):
        await town.ben.say(f"{number}", town.channel, thread=talk)
    town.slack.reads_limited = True
    await town.ana.mention("investigate", in_=town.channel, thread=talk)
    await town.slack.wait_for(lambda: "I read its first messages and found no alert among them" in town.ana.sees)
    assert len(town.slack.calls_to(READ)) == 1


async def _unseen_alert(town: Town) -> Message:
    """Pasted by a person: what it shows is not in our books, so its thread has to be read."""
    return await town.ana.say(town.datadog.fire(town.monitor).link(), in_=town.channel)


async def test_a_private_answer_that_has_to_wait_is_told_later(town: Town) -> None:
    put_off = town.slack.break_next("chat.postEphemeral", retry_after=2)
    directly = town.slack.break_next(POST, retry_after=1)
    await town.ana.mention("help", in_=town.channel)
    await town.slack.wait_for(lambda: "/bits investigate" in town.ana.sees)
    assert (put_off.used, directly.used) == (1, 1)
    assert town.ana.sees.count("starts Bits AI investigations") == 1


async def test_a_home_that_may_not_be_drawn_now_is_drawn_later(town: Town) -> None:
    put_off = town.slack.break_next("views.publish", times=2, retry_after=1)
    await town.ana.open_home()
    await town.slack.wait_for(lambda: town.ana.home and "All commands" in town.ana.home.text)
    assert put_off.used == 2


async def test_a_window_that_may_not_be_opened_now_says_when(town: Town) -> None:
    town.slack.break_next("views.open", retry_after=40)
    await town.ana.command("/bits", "settings", in_=town.channel)
    await town.slack.wait_for(lambda: "Click again in 40" in town.ana.sees)


async def test_a_window_that_may_not_be_drawn_now_is_drawn_in_a_moment(town: Town) -> None:
    put_off = town.slack.break_next("views.update", retry_after=1)
    await town.ana.command("/bits", "settings", in_=town.channel)
    await town.ana.waits_for_modal("Only workspace admins")
    assert put_off.used == 1
