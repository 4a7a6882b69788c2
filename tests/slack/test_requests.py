"""What is answered when a handler fails: what may work later is asked for again, the rest is not, and nobody's words are told."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession
from asyncpg.exceptions import CannotConnectNowError  # type: ignore[import-untyped]
from slack_bolt.async_app import AsyncApp
from sqlalchemy.exc import DataError, OperationalError

from bot.logs import keep_bodies_out
from bot.network import WayOut
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.errors import NotAcknowledged
from bot.slack.requests import SlackRequests
from bot.slack.socket import SlackSocket
from bot.storage.workers import Tasks
from tests.sandbox.slack.harness import client_of
from tests.slack.test_payloads import CLICK, MENTION

PRIVATE = "words of a person"


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


def app_that(slack: FakeSlack, handle: Callable[[], None]) -> AsyncApp:
    keep_bodies_out()
    app = AsyncApp(
        name="trial",
        client=client_of(slack),
        signing_secret="signing-secret",
        raise_error_for_unhandled_request=True,
    )

    async def listener(ack: Callable[[], Awaitable[Any]]) -> None:
        handle()
        await ack()

    app.action("card:run_again")(listener)
    return app


def raising(error: Exception) -> Callable[[], None]:
    def handle() -> None:
        raise error

    return handle


BROKEN: list[tuple[Exception, int]] = [
    (OperationalError("SELECT", {"text": PRIVATE}, Exception(PRIVATE)), 503),
    (TimeoutError(PRIVATE), 503),
    (ConnectionRefusedError(PRIVATE), 503),  # a database that is away, before there is a connection
    (CannotConnectNowError(PRIVATE), 503),
    (DataError("INSERT", {"text": PRIVATE}, Exception(PRIVATE)), 422),
    (KeyError(PRIVATE), 422),
    (RecursionError(PRIVATE), 422),
]


@pytest.mark.parametrize(("error", "status"), BROKEN)
async def test_a_failing_handler_is_one_line_without_anybodys_words(
    slack: FakeSlack, session: ClientSession, caplog: pytest.LogCaptureFixture, error: Exception, status: int
) -> None:
    requests = SlackRequests(app_that(slack, raising(error)), session, Tasks())
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    answer = await requests.answer_body(json.dumps(CLICK | {"text": PRIVATE}).encode(), "application/json")
    assert (answer.status, answer.body) == (status, "")
    (told,) = [record for record in caplog.records if record.name.startswith(("bot", "slack"))]
    assert f"{type(error).__name__} at test_requests.py" in told.getMessage()
    assert told.exc_info is None
    assert PRIVATE not in caplog.text


async def test_what_is_late_is_not_acknowledged(
    slack: FakeSlack, session: ClientSession, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Bolt takes it for a request that nobody deals with; acknowledged and then killed, the bot would have lost it."""
    ends, late, now = asyncio.Event(), 0.0, time.time
    app = AsyncApp(client=client_of(slack), signing_secret="signing-secret", raise_error_for_unhandled_request=True)

    @app.action("card:run_again")
    async def listener(ack: Callable[[], Awaitable[Any]]) -> None:
        nonlocal late
        late = 3.5
        await ends.wait()
        await ack()

    monkeypatch.setattr(time, "time", lambda: now() + late)
    answer = await SlackRequests(app, session, Tasks()).answer(CLICK)
    ends.set()
    assert answer.status == 503
    assert "longer than Slack waits" in caplog.text


async def test_what_nobody_deals_with_is_a_plain_no(
    slack: FakeSlack, session: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    requests = SlackRequests(app_that(slack, lambda: None), session, Tasks())
    for _ in range(20):
        unknown = CLICK | {"actions": [{"action_id": PRIVATE}]}
        assert (await requests.answer(unknown)).status == 404
        assert (await requests.answer({"type": PRIVATE})).status == 200
    assert len([record for record in caplog.records if record.name == "bot.slack.requests"]) == 2
    assert PRIVATE not in caplog.text


async def test_over_the_socket_only_what_slack_is_to_send_again_stays_open(
    slack: FakeSlack, session: ClientSession
) -> None:
    for error, status in [*BROKEN, (None, 200)]:
        app = app_that(slack, raising(error) if error else lambda: None)
        requests = SlackRequests(app, session, Tasks())
        socket = SlackSocket(slack.app_token, client_of(slack), requests, WayOut())
        await socket.connect()  # type: ignore[no-untyped-call]
        await slack.connected()
        payloads: list[Any] = [CLICK, MENTION, [], "words"]
        for payload in payloads:
            is_open = payload is CLICK and status == 503
            try:
                await slack.sockets.send("interactive", payload, more={}, seconds=0.2 if is_open else 30)
                acknowledged = True
            except NotAcknowledged:
                acknowledged = False
            assert acknowledged is not is_open, (error, payload)
        await socket.close()  # type: ignore[no-untyped-call]
        await slack.wait_for(lambda: not slack.sockets.connections)
