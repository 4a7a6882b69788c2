"""The port as a stranger meets it, over a raw socket: what is read of a request, how long it may take, how many may come."""

import asyncio
import gzip
import hmac
import logging
import select
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256

import pytest
from slack_bolt.response import BoltResponse

from bot.web.bodies import MOST_BYTES
from bot.web.guard import ConnectionGuard
from bot.web.health import HealthReport
from bot.web.server import Server
from bot.web.slack_endpoint import WINDOW

SECRET = "signing-secret"
PATH = "/slack/events"
Headers = Mapping[str, str]
NONE: Headers = {}


@dataclass
class Door:
    port: int
    read: list[bytes] = field(default_factory=list)  # bodies that came through

    async def knock(self, raw: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(raw)
        await writer.drain()
        return reader, writer

    async def hears(self, raw: bytes) -> bytes:
        """Everything that is answered, to the end of the connection or of the answer's headers and body."""
        reader, writer = await self.knock(raw)
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return answer

    async def status(self, raw: bytes) -> int:
        return int((await self.hears(raw)).split()[1])


@asynccontextmanager
async def opened(guard: ConnectionGuard | None = None) -> AsyncIterator[Door]:
    async def ready() -> list[HealthReport]:
        return []

    async def answer(body: bytes, _: str) -> BoltResponse:
        through.read.append(body)
        return BoltResponse(status=200, body="")

    server = Server("127.0.0.1", 0, ready=ready, guard=guard)
    server.serve_slack(SECRET, answer)
    await server.start()
    through = Door(server.port)
    try:
        yield through
    finally:
        await server.stop()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with opened() as door:
        yield door


def signed(body: bytes, more: Headers = NONE, *, at: float | None = None, secret: str = SECRET) -> bytes:
    """A whole request."""
    return head(body, {"Content-Length": str(len(body)), **more}, at=at, secret=secret) + body


def head(body: bytes, more: Headers, *, at: float | None = None, secret: str = SECRET) -> bytes:
    stamp = f"{time.time() if at is None else at:.0f}"
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, sha256).hexdigest()
    headers = {"Host": "bot", "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}", **more}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {PATH} HTTP/1.1\r\n{lines}\r\n".encode()


async def test_what_slack_signed_now_comes_through_as_it_is(door: Door) -> None:
    for body in (b"{}", b"payload=%7B%7D", b"\xff\x00", b"", b"x" * MOST_BYTES):
        assert await door.status(signed(body)) == 200
        assert door.read.pop() == body


async def test_a_wrong_signature_and_another_time_stay_outside(door: Door) -> None:
    now = time.time()
    wrong = [
        signed(b"{}", secret="another"),
        signed(b"{}", at=now - WINDOW - 5),
        signed(b"{}", at=now + WINDOW + 5),
        signed(b"{}").replace(b"{}", b"[]"),
    ]
    assert [await door.status(raw) for raw in wrong] == [401] * 4
    assert await door.status(signed(b"{}", at=now - WINDOW + 5)) == 200
    assert door.read == [b"{}"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=00"},
        {"X-Slack-Signature": "v0=" + "G" * 64},
        {"X-Slack-Signature": "v1=" + "0" * 64},
        {"X-Slack-Signature": "v0=" + "é" * 64},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": "9" * 400},
        {"X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Request-Timestamp": "²"},
        {"X-Slack-Request-Timestamp": "0"},
    ],
)
async def test_without_headers_that_can_be_right_no_body_is_awaited(door: Door, headers: dict[str, str]) -> None:
    """The answer comes although the body never does."""
    assert await door.status(head(b"", {"Content-Length": "100", **headers})) == 401


async def test_two_signatures_are_none(door: Door) -> None:
    raw = signed(b"{}").replace(b"X-Slack-Signature", b"X-Slack-Signature: v0=1\r\nX-Slack-Signature")
    assert await door.status(raw) == 401


async def test_too_much_and_packed_are_refused_unread(door: Door) -> None:
    assert await door.status(head(b"", {"Content-Length": str(MOST_BYTES + 1)})) == 413
    assert await door.status(head(b"", {"Content-Length": "100", "Content-Encoding": "gzip"})) == 415
    assert await door.status(signed(gzip.compress(b"{}"), {"Content-Encoding": "gzip"})) == 415
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    assert await door.status(head(b"", {"Transfer-Encoding": "chunked"}) + chunk * 5) == 413
    assert door.read == []


async def test_no_answer_says_what_it_is_made_with(door: Door) -> None:
    for raw in (
        signed(b"{}"),
        head(b"", {"Content-Length": "9", "X-Slack-Signature": ""}),
        b"GET /healthz HTTP/1.1\r\nHost: bot\r\n\r\n",
        b"GET /nothing HTTP/1.1\r\nHost: bot\r\n\r\n",
        b"PUT /healthz HTTP/1.1\r\nHost: bot\r\n\r\n",
        b"what is this?\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: bot\r\nContent-Length: many\r\n\r\n",
    ):
        answer = (await door.hears(raw)).lower()
        assert b"server:" not in answer
        assert b"aiohttp" not in answer


async def test_a_request_that_comes_too_slowly_ends_its_connection(caplog: pytest.LogCaptureFixture) -> None:
    async with opened(ConnectionGuard(request_within=0.05)) as door:
        for beginning in (b"", b"G", b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nX-A: "):
            reader, writer = await door.knock(beginning)
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await reader.readuntil(b"\r\n\r\n")
            writer.close()
        # the time runs from the first byte: single ones do not lengthen it
        reader, writer = await door.knock(b"GET /")
        while not await is_closed(reader, within=0.005):
            writer.write(b"a")
        writer.close()
    assert len([line for line in caplog.messages if "in time" in line]) == 1


async def is_closed(reader: asyncio.StreamReader, *, within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            return await reader.read() == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


async def test_a_connection_serves_many_requests_and_ends_when_it_is_idle() -> None:
    async with opened(ConnectionGuard(idle_for=0.05)) as door:
        reader, writer = await door.knock()
        for _ in range(3):
            writer.write(signed(b"{}"))
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
    assert len(door.read) == 3


async def test_a_body_that_comes_too_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.bodies.body_of.__kwdefaults__", {"within": 0.05})
    async with opened() as door:
        assert await door.status(head(b"{}", {"Content-Length": "2"}) + b"{") == 408


async def test_many_idle_connections_keep_nobody_out(caplog: pytest.LogCaptureFixture) -> None:
    async with opened(ConnectionGuard(most=20)) as door:
        crowd = [await door.knock(b"POST /slack") for _ in range(100)]
        assert [await door.status(signed(b"{}")) for _ in range(20)] == [200] * 20
        for _, writer in crowd:
            writer.close()
    assert len(caplog.records) == 1


async def test_who_is_being_answered_is_not_sent_away_for_a_newcomer() -> None:
    goes_on, begun = asyncio.Event(), asyncio.Event()

    async def slowly() -> list[HealthReport]:
        begun.set()
        await goes_on.wait()
        return []

    server = Server("127.0.0.1", 0, ready=slowly, guard=ConnectionGuard(most=1))
    await server.start()
    door = Door(server.port)
    asked = asyncio.create_task(door.status(b"GET /readyz HTTP/1.1\r\nHost: bot\r\n\r\n"))
    await begun.wait()
    reader, writer = await door.knock()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await reader.readuntil(b"\r\n\r\n")
    writer.close()
    goes_on.set()
    assert await asked == 200
    await server.stop()


async def test_whoever_comes_in_a_burst_is_let_in_while_the_bot_looks_elsewhere(door: Door) -> None:
    """Nothing here is awaited: who is not let in now would try again a second later."""
    burst = [socket.socket() for _ in range(300)]
    for each in burst:
        each.setblocking(False)
        each.connect_ex(("127.0.0.1", door.port))
    connected = select.poll()
    for each in burst:
        connected.register(each, select.POLLOUT)
    number = len(connected.poll(0))
    for each in burst:
        each.close()
    assert number == 300


async def test_a_thousand_bad_requests_are_a_line_of_each_kind(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(100):
        await door.status(signed(b"{}", secret="secret-of-another"))
        await door.status(head(b"", {"X-Slack-Signature": "in-the-header"}))
        await door.status(b"words of a stranger\r\n\r\n")
    told = [record for record in caplog.records if not record.name.startswith("asyncio")]
    assert len(told) <= 3
    assert all(record.levelno <= logging.WARNING and record.exc_info is None for record in told)
    assert not any(word in caplog.text for word in ("in-the-header", "stranger\r", "secret-of"))
