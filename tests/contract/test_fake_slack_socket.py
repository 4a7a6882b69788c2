"""slack_sdk's Socket Mode client, bare and under Bolt, against the local Slack: envelopes, acks, goodbyes, redelivery."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self

import aiohttp
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.sandbox.slack import Channel, FakeSlack, NotAcknowledged, Person
from tests.sandbox.slack.harness import bolt, client_of, error_of, over_socket


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(ack_seconds=30.0, event_retry_waits=(0.0, 0.0)) as fake:
        yield fake


class Listener:
    """The bare client; keeps every request, and acknowledges the first `deaf` ones not at all."""

    def __init__(self, slack: FakeSlack, *, deaf: int = 0) -> None:
        self.requests: list[SocketModeRequest] = []
        self.payload: dict[str, Any] | None = None
        self._deaf = deaf
        self.client: Any = SocketModeClient(app_token=slack.app_token, web_client=client_of(slack), ping_interval=0.05)
        self.client.socket_mode_request_listeners.append(self._take)

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        self.requests.append(request)
        if len(self.requests) > self._deaf:
            answer = SocketModeResponse(envelope_id=request.envelope_id, payload=self.payload)
            await client.send_socket_mode_response(answer)

    async def __aenter__(self) -> Self:
        await self.client.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()


async def test_each_kind_of_envelope_and_its_acknowledgement(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    async with Listener(slack) as listener:
        await slack.connected()
        listener.payload = {"text": "answered"}
        command = await ana.command("/bits", "help", in_=channel)
        listener.payload = None
        message = await ana.say("hello", channel)
        await ana.shortcut("investigate_message", on=message)
        await ana.global_shortcut("attach_insights")

    assert [request.type for request in listener.requests] == [
        "slash_commands",
        "events_api",
        "interactive",
        "interactive",
    ]
    assert [request.payload["type"] for request in listener.requests[1:]] == [
        "event_callback",
        "message_action",
        "shortcut",
    ]
    assert [request.accepts_response_payload for request in listener.requests] == [True, False, True, True]
    assert command.text == "answered"
    assert [record.attempts for record in slack.deliveries] == [["acknowledged"]] * 4


async def test_an_event_nobody_acknowledged_comes_again_with_its_marks(
    slack: FakeSlack, channel: Channel, ana: Person
) -> None:
    slack.delivery.ack_seconds = 0.3
    async with Listener(slack, deaf=2) as listener:
        await slack.connected()
        await ana.say("hello", channel)
        await slack.wait_for(lambda: slack.deliveries[0].acknowledged)

    assert [(request.retry_attempt, request.retry_reason) for request in listener.requests] == [
        (0, ""),
        (1, "http_timeout"),
        (2, "http_timeout"),
    ]
    assert len({request.payload["event_id"] for request in listener.requests}) == 1


async def test_an_acknowledged_event_delivered_once_more_on_purpose(
    slack: FakeSlack, channel: Channel, ana: Person
) -> None:
    async with Listener(slack) as listener:
        await slack.connected()
        await ana.say("hello", channel)
        event_id = listener.requests[0].payload["event_id"]
        await slack.redeliver(event_id)

    assert [request.payload["event_id"] for request in listener.requests] == [event_id] * 2
    assert (listener.requests[1].retry_attempt, listener.requests[1].retry_reason) == (1, "http_timeout")


async def test_connections_take_turns(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    async with Listener(slack) as one, Listener(slack) as other:
        await slack.connected(2)
        for _ in range(4):
            await ana.command("/bits", in_=channel)

    assert (len(one.requests), len(other.requests)) == (2, 2)


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
async def test_after_a_goodbye_the_client_is_back(slack: FakeSlack, channel: Channel, ana: Person, reason: Any) -> None:
    async with Listener(slack) as listener:
        await slack.connected()
        await slack.disconnect_all(reason)
        await slack.wait_for(lambda: slack.sockets.opened == 2)
        await slack.connected()
        await ana.command("/bits", in_=channel)

    assert len(listener.requests) == 1


async def test_after_a_cut_the_client_is_back(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    async with Listener(slack) as listener:
        await slack.connected()
        slack.cut_connections()
        await slack.wait_for(lambda: slack.sockets.opened == 2)
        await slack.connected()
        await ana.command("/bits", in_=channel)

    assert len(listener.requests) == 1


async def test_an_interaction_is_lost_with_its_connection(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    async with Listener(slack, deaf=1) as listener:
        await slack.connected()
        interaction = asyncio.create_task(ana.command("/bits", in_=channel))
        await slack.wait_for(lambda: slack.sockets.connections[0].pending)
        slack.cut_connections()

        with pytest.raises(NotAcknowledged, match="the connection was closed"):
            await interaction
    assert len(listener.requests) <= 1


async def test_an_address_is_good_for_one_connection(slack: FakeSlack) -> None:
    opened = await client_of(slack).apps_connections_open(app_token=slack.app_token)
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(opened["url"]) as socket:
            hello = await socket.receive_json()
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(opened["url"])
        slack.refuse_connections()
        refused = client_of(slack).apps_connections_open(app_token=slack.app_token)
        assert await error_of(refused) == "internal_error"

    assert hello["type"] == "hello"
    assert (hello["num_connections"], hello["connection_info"]["app_id"]) == (1, "A0BITS")


async def test_ten_connections_are_the_most(slack: FakeSlack) -> None:
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(slack.sockets.url()) for _ in range(10)]
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(slack.sockets.url())
        for socket in sockets:
            await socket.close()


async def test_bolt_sees_the_marks_of_a_retry_as_headers(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    app = bolt(slack)
    seen: list[tuple[str, Any]] = []

    @app.use
    async def watch(body: dict[str, Any], request: Any, next_: Any) -> None:
        seen.append((body.get("event_id", ""), request.headers.get("x-slack-retry-num")))
        await next_()

    async with over_socket(slack, app):
        await ana.say("hello", channel)
        await slack.redeliver(slack.deliveries[-1].payload["event_id"])

    assert [number for _, number in seen] == [["0"], ["1"]]
    assert seen[0][0] == seen[1][0]
