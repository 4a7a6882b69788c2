"""What can be made to go wrong, and that it goes wrong as it says."""

import asyncio

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Channel, FakeSlack, NeverHappened
from tests.sandbox.slack.harness import error_of, refusal


async def post(client: AsyncWebClient, channel: Channel, text: str = "x") -> None:
    await client.chat_postMessage(channel=channel.id, text=text)


async def test_an_error_as_often_as_told(slack: FakeSlack, client: AsyncWebClient, channel: Channel) -> None:
    slack.break_next("chat.postMessage", error="fatal_error", times=2)

    assert await error_of(post(client, channel)) == "fatal_error"
    assert await error_of(post(client, channel)) == "fatal_error"
    await post(client, channel)
    assert len(channel.messages) == 1
    assert [call.error for call in slack.calls_to("chat.postMessage")] == ["fatal_error", "fatal_error", ""]


async def test_a_rate_limit_and_a_broken_server(slack: FakeSlack, client: AsyncWebClient, channel: Channel) -> None:
    slack.break_next("*", retry_after=7)
    slack.break_next("chat.postMessage", status=503)

    assert (await refusal(post(client, channel))).response.status_code == 503
    assert (await refusal(post(client, channel))).response.headers["Retry-After"] == "7"


@pytest.mark.parametrize(("drop", "posted"), [("before", 0), ("after", 1)])
async def test_a_dropped_connection(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel, drop: str, posted: int
) -> None:
    slack.break_next("chat.postMessage", drop="before" if drop == "before" else "after")

    with pytest.raises(aiohttp.ClientConnectionError):
        await post(client, channel)

    assert len(channel.messages) == posted
    await post(client, channel)


async def test_a_request_that_lands_after_its_connection_is_gone(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel
) -> None:
    gate = asyncio.Event()
    slack.break_next("chat.postMessage", lands_after=gate)
    with pytest.raises(aiohttp.ClientConnectionError):
        await post(client, channel, "late")
    await post(client, channel, "second")

    gate.set()
    await slack.wait_for(lambda: channel.find("late"))

    assert [message.shown for message in channel.messages] == ["second", "late"]


async def test_only_calls_that_are_meant(slack: FakeSlack, client: AsyncWebClient, channel: Channel) -> None:
    fault = slack.break_next("chat.postMessage", error="oops", when=lambda call: call["text"] == "bad")

    await post(client, channel, "good")
    assert await error_of(post(client, channel, "bad")) == "oops"
    assert fault.used == 1


async def test_a_slow_answer_waits_for_its_gate(slack: FakeSlack, client: AsyncWebClient, channel: Channel) -> None:
    gate = asyncio.Event()
    slack.break_next("chat.postMessage", delay=gate)
    posting = asyncio.create_task(post(client, channel))
    await client.auth_test()
    assert channel.messages == []

    gate.set()
    await posting
    assert len(channel.messages) == 1


async def test_heal_takes_all_of_it_back(slack: FakeSlack, client: AsyncWebClient, channel: Channel) -> None:
    slack.break_next("*", error="oops", times=99)
    slack.heal()

    await post(client, channel)


async def test_waiting_in_vain_shows_what_there_is(slack: FakeSlack, client: AsyncWebClient, channel: Channel) -> None:
    await post(client, channel, "all I can say")

    with pytest.raises(NeverHappened, match="Bits Bot: all I can say"):
        await slack.wait_for(lambda: channel.find("never said"), timeout=0.01)
