"""The webhook as a receiver meets it: filled in, escaped, tried anew, and never on a 4xx."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bot.sandbox.datadog import FakeAlert, FakeDatadog
from bot.sandbox.datadog.webhooks import TEMPLATE


@dataclass
class Receiver:
    """Takes webhooks and answers them with the planned statuses, then 202; 0 hangs up."""

    url: str = ""
    plan: list[int] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.headers.append(dict(request.headers))
        text = await request.text()
        self.bodies.append(json.loads(text) if "json" in request.content_type else text)
        status = self.plan.pop(0) if self.plan else 202
        if status == 0:
            assert request.transport
            request.transport.abort()
        return web.Response(status=status or 200)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    taker = Receiver()
    app = web.Application()
    app.router.add_post("/hook", taker.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taker.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield taker
    await runner.cleanup()


async def test_the_recommended_payload_is_filled_in(fake: FakeDatadog, alert: FakeAlert, receiver: Receiver) -> None:
    sent = await fake.webhook(alert, receiver.url, {"X-Secret": "s3cret", "X-Monitor": "$ALERT_ID"})
    assert (sent.attempts, sent.accepted) == ((202,), True)
    body = receiver.bodies[0]
    assert set(body) == set(TEMPLATE)
    assert body["v"] == 1
    assert (body["monitor_id"], body["event_id"]) == (str(alert.monitor.id), alert.event_id)
    assert (body["event_ts_ms"], body["transition"]) == (str(alert.event_ts), "Triggered")
    assert (body["priority"], body["hostname"]) == ("P2", "db-3")
    assert body["title"] == "[Triggered on {host:db-3}] Disk is filling up"
    assert body["tags"] == "monitor, service:checkout, host:db-3"
    assert body["snapshot"] == ""
    assert (receiver.headers[0]["X-Secret"], receiver.headers[0]["X-Monitor"]) == ("s3cret", str(alert.monitor.id))


async def test_quotes_and_newlines_do_not_break_the_payload(fake: FakeDatadog, receiver: Receiver) -> None:
    name = 'Disk "sda1"\n\\ is $ID full'
    alert = fake.fire(fake.add_monitor(name))
    await fake.webhook(
        alert,
        receiver.url,
        template='{"title":"$EVENT_TITLE","mine":"$OURS","odd":"$NOT_KNOWN"}',
        variables={"OURS": 'a"b'},
    )
    assert receiver.bodies[0] == {"title": f"[Triggered] {name}", "mine": 'a"b', "odd": "$NOT_KNOWN"}


async def test_one_tag_can_be_asked_for(fake: FakeDatadog, alert: FakeAlert, receiver: Receiver) -> None:
    await fake.webhook(alert, receiver.url, template={"service": "$TAGS[service]", "team": "$TAGS[team]"})
    assert receiver.bodies[0] == {"service": "checkout", "team": ""}


async def test_only_server_errors_and_lost_connections_are_tried_again(
    fake: FakeDatadog, alert: FakeAlert, receiver: Receiver
) -> None:
    cases: list[tuple[list[int], tuple[int | None, ...]]] = [
        ([503, 500], (503, 500, 202)),
        ([401], (401,)),
        ([404, 202], (404,)),
        ([0, 0], (None, None, 202)),
        ([500] * 9, (500,) * 6),
    ]
    for plan, attempts in cases:
        receiver.plan = plan
        sent = await fake.webhook(alert, receiver.url)
        assert (sent.attempts, sent.accepted) == (attempts, attempts[-1] == 202)


async def test_nobody_at_home(fake: FakeDatadog, alert: FakeAlert) -> None:
    sent = await fake.webhook(alert, "http://127.0.0.1:1/hook", waits=())
    assert sent.attempts == (None,)


async def test_basic_auth_in_the_url_and_a_form(fake: FakeDatadog, alert: FakeAlert, receiver: Receiver) -> None:
    url = receiver.url.replace("http://", "http://datadog:s3cret@")
    await fake.webhook(alert, url, template={"id": "$ID"}, as_form=True)
    assert receiver.bodies == [f"id={alert.event_id}"]
    assert receiver.headers[0]["Authorization"] == "Basic ZGF0YWRvZzpzM2NyZXQ="


async def test_a_test_notification_has_no_event(fake: FakeDatadog, receiver: Receiver) -> None:
    monitor = fake.add_monitor("Disk")
    alert = fake.fire(monitor, test=True)
    await fake.webhook(alert, receiver.url)
    assert receiver.bodies[0]["title"].startswith("[TEST] ")
    assert receiver.bodies[0]["event_id"] == ""
    assert (fake.org.alerts, monitor.overall_state) == ([], "OK")
