"""A process that was frozen in mid-work, and wakes when its time is over, sends nothing any more."""

from collections.abc import Awaitable, Callable
from itertools import count

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot import deadline
from bot.datadog.client import Datadog
from bot.datadog.errors import NoAnswer
from bot.datadog.investigations import BitsInvestigations
from bot.deadline import within
from bot.network import WayOut
from bot.sandbox.datadog import FakeDatadog
from bot.sandbox.slack import FakeSlack
from bot.storage.workers import Tasks

LIMIT = 15.0


@pytest.fixture
def sleep_for(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """The process stands still for so long: its clock goes on, and none of its timers has been looked at yet."""
    slept = [0.0]
    now = deadline._now
    monkeypatch.setattr(deadline, "_now", lambda: now() + slept[0])
    return lambda seconds: slept.__setitem__(0, slept[0] + seconds)


async def send_late(send: Callable[[], Awaitable[object]], sleep_for: Callable[[float], None], seconds: float) -> None:
    async with within(LIMIT):
        sleep_for(seconds)
        await send()


async def test_no_post_leaves_late(sleep_for: Callable[[float], None]) -> None:
    async with FakeSlack() as slack, WayOut().session(limit=10) as session:
        channel = slack.workspace.add_channel("alerts")
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, session=session)

        async def post() -> None:
            await client.chat_postMessage(channel=channel.id, text="Hello")

        for _ in ("over a new connection", "over a kept one"):
            posted = len(slack.calls_to("chat.postMessage"))
            with pytest.raises(TimeoutError):
                await send_late(post, sleep_for, LIMIT + 1)
            assert len(slack.calls_to("chat.postMessage")) == posted
            await send_late(post, sleep_for, LIMIT - 1)


async def test_no_post_leaves_when_its_time_is_over_while_it_waits_to_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = count()
    async with FakeSlack() as slack, WayOut().session(limit=10) as session:
        channel = slack.workspace.add_channel("alerts")
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, session=session)
        with monkeypatch.context() as patch:
            patch.setattr(deadline, "_now", lambda: next(looks) * LIMIT * 0.6)
            async with within(LIMIT):
                with pytest.raises(TimeoutError):
                    await client.chat_postMessage(channel=channel.id, text="Hello")
        assert slack.calls_to("chat.postMessage") == []
        await client.chat_postMessage(channel=channel.id, text="Hello")
        assert len(slack.calls_to("chat.postMessage")) == 1


async def test_no_start_leaves_late(sleep_for: Callable[[float], None]) -> None:
    async with FakeDatadog() as datadog:
        alert = datadog.fire(datadog.add_monitor("Disk is full"))
        keys = datadog.api_key, datadog.app_key
        async with Datadog(datadog.url, *keys, app_url="https://app.datadoghq.com") as client:
            bits = BitsInvestigations(client)

            async def start() -> None:
                await bits.trigger_alert(alert.monitor.id, alert.event_id, alert.event_ts)

            for number in range(2):
                with pytest.raises(NoAnswer):
                    await send_late(start, sleep_for, LIMIT + 1)
                assert len(datadog.triggers()) == number
                await send_late(start, sleep_for, LIMIT - 1)


async def test_no_start_leaves_when_its_time_is_over_while_it_waits_to_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = count()
    monkeypatch.setattr(deadline, "_now", lambda: next(looks) * LIMIT * 0.6)
    async with FakeDatadog() as datadog:
        alert = datadog.fire(datadog.add_monitor("Disk is full"))
        async with Datadog(datadog.url, datadog.api_key, datadog.app_key, app_url="") as client, within(LIMIT):
            with pytest.raises(NoAnswer):
                await BitsInvestigations(client).trigger_alert(alert.monitor.id, alert.event_id, alert.event_ts)
        assert datadog.triggers() == []


async def test_what_is_begun_but_not_waited_for_has_its_own_time(sleep_for: Callable[[float], None]) -> None:
    tasks, done = Tasks(), []

    async def work() -> None:
        deadline.refuse_if_late()
        done.append("work")

    async with within(LIMIT):
        sleep_for(LIMIT + 1)
        tasks.spawn(work(), "an answer")
        with pytest.raises(TimeoutError):
            deadline.refuse_if_late()
    await tasks.finish(1)
    assert done == ["work"]
