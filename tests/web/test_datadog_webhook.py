"""The door of Datadog's webhook: who gets in, what is answered, and that nothing it was told shows in the log."""

import base64
import gzip
import json
import logging
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientSession

from bot.alerts.notices import read_notice
from bot.web.bodies import MOST_BYTES
from bot.web.datadog_webhook import HEADER, TEMPLATE, DatadogWebhook
from bot.web.health import HealthReport
from bot.web.server import Server

SECRET = "a-long-shared-secret-of-the-webhook"
ORG = "/datadog/webhook/default"
ALERT = {"monitor_id": "42", "event_id": "7", "transition": "Triggered", "title": "[Triggered] Disk"}

Client = ClientSession


@dataclass
class OnStage:
    """Plays the part that stores."""

    taken: list[tuple[str, str]] = field(default_factory=list)
    known: bool = False

    async def take(self, org: str, body: bytes, content_type: str) -> bool:
        notice = read_notice(body, content_type, received_at=1_700_000_000.0)
        self.taken.append((org, notice.name))
        return not self.known


@pytest.fixture
def inlet() -> OnStage:
    return OnStage()


@pytest.fixture
async def client(inlet: OnStage) -> AsyncIterator[Client]:
    async with serving(DatadogWebhook(open_door, find_org=find_org, take=inlet.take)) as client:
        yield client


@asynccontextmanager
async def serving(webhook: DatadogWebhook) -> AsyncIterator[Client]:
    server = Server("127.0.0.1", 0, ready=nothing_wrong)
    server.serve(webhook.routes())
    await server.start()
    async with ClientSession(f"http://127.0.0.1:{server.port}") as client:
        yield client
    await server.stop()


async def nothing_wrong() -> list[HealthReport]:
    return []


SECRETS = {"default": SECRET, "acme-23456789": "the-secret-of-acme", "gone-23456789": "the-secret-of-who-left"}


async def open_door(org: str, offered: Iterable[str]) -> bool | None:
    assert "\0" not in org, "no database can be asked for it"
    return SECRETS.get(org) in set(offered)


async def no_door(_org: str, _offered: Iterable[str]) -> bool | None:
    return None


async def find_org(org: str) -> str | None:
    assert "\0" not in org, "no database can be asked for it"
    return org if org in {"default", "acme-23456789"} else None


def basic(password: str, user: str = "datadog") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def test_the_header_lets_in(client: Client, inlet: OnStage) -> None:
    answer = await client.post(ORG, json=ALERT, headers={HEADER: SECRET})
    assert (answer.status, await answer.text()) == (202, "accepted")
    assert inlet.taken == [("default", "Disk")]


async def test_basic_authentication_lets_in_with_any_user(client: Client) -> None:
    for user in ("", "datadog", "täg"):
        assert (await client.post(ORG, json=ALERT, headers=basic(SECRET, user))).status == 202


async def test_what_is_known_is_a_success_too_or_datadog_would_send_it_again(client: Client, inlet: OnStage) -> None:
    inlet.known = True
    answer = await client.post(ORG, json=ALERT, headers={HEADER: SECRET})
    assert (answer.status, await answer.text()) == (202, "known already")


async def test_everybody_else_stays_outside_without_a_reason(client: Client, inlet: OnStage) -> None:
    cases: list[dict[str, str]] = [
        {},
        {HEADER: ""},
        {HEADER: "wrong"},
        {HEADER: SECRET + "x"},
        {HEADER: SECRET[:-1]},
        {HEADER: "sécret"},
        basic("wrong"),
        basic("", user=SECRET),
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic"},
        {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()},
    ]
    for headers in cases:
        answer = await client.post(ORG, json=ALERT, headers=headers)
        assert (answer.status, await answer.text()) == (401, "unauthorized")
        assert "WWW-Authenticate" not in answer.headers
        assert inlet.taken == []


async def test_each_connected_organisation_has_a_path_and_a_secret_of_its_own(client: Client, inlet: OnStage) -> None:
    for org, other in (("default", "acme-23456789"), ("acme-23456789", "default")):
        path = f"/datadog/webhook/{org}"
        assert (await client.post(path, json=ALERT, headers={HEADER: SECRETS[other]})).status == 401
        assert (await client.post(path, json=ALERT, headers={HEADER: SECRETS[org]})).status == 202
    assert inlet.taken == [("default", "Disk"), ("acme-23456789", "Disk")]


async def test_nobody_else_learns_that_an_organisation_is_not_connected(
    client: Client, inlet: OnStage, caplog: pytest.LogCaptureFixture
) -> None:
    gone = "gone-23456789"
    assert (await client.post(f"/datadog/webhook/{gone}", json=ALERT, headers={HEADER: SECRETS[gone]})).status == 404
    for org in ("other", "acme", "DEFAULT", "default%20", "default%00", "x" * 2_000):
        path = f"/datadog/webhook/{org}"
        for headers in ({}, {HEADER: "wrong"}, {HEADER: SECRET}):
            assert (await client.post(path, json=ALERT, headers=headers)).status == 401
        assert inlet.taken == []
        assert "x" * 100 not in caplog.text


async def test_without_a_secret_there_is_no_webhook_at_all(inlet: OnStage) -> None:
    async with serving(DatadogWebhook(no_door, find_org=find_org, take=inlet.take)) as client:
        for headers in ({}, {HEADER: ""}):
            assert (await client.post(ORG, json=ALERT, headers=headers)).status == 404


async def test_only_posts_are_taken(client: Client) -> None:
    assert (await client.get(ORG, headers={HEADER: SECRET})).status == 405


async def test_a_form_is_taken_too(client: Client, inlet: OnStage) -> None:
    assert (await client.post(ORG, data=ALERT, headers={HEADER: SECRET})).status == 202
    assert inlet.taken == [("default", "Disk")]


async def test_too_much_is_refused_with_and_without_a_length(client: Client, inlet: OnStage) -> None:
    body = json.dumps({**ALERT, "text": "x" * MOST_BYTES}).encode()

    async def in_pieces() -> AsyncIterator[bytes]:
        yield body

    for data in (body, in_pieces()):
        assert (await client.post(ORG, data=data, headers={HEADER: SECRET})).status == 413
    assert inlet.taken == []


async def test_what_is_packed_is_refused_and_not_unpacked(client: Client, inlet: OnStage) -> None:
    for body in (gzip.compress(b"x" * (20 * MOST_BYTES)), b"not gzip", b"{}"):
        answer = await client.post(ORG, data=body, headers={HEADER: SECRET, "Content-Encoding": "gzip"})
        assert answer.status == 415
    assert inlet.taken == []


async def test_the_largest_body_we_take(client: Client) -> None:
    room = MOST_BYTES - len(json.dumps({**ALERT, "text": ""}))
    body = json.dumps({**ALERT, "text": "x" * room}).encode()
    assert len(body) == MOST_BYTES
    assert (await client.post(ORG, data=body, headers={HEADER: SECRET})).status == 202


async def test_malformed_bodies(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """Of hundreds none is a success, none makes us stumble, and the log has nothing of what came in."""
    caplog.set_level(logging.DEBUG)
    dice = random.Random(20_261_121)
    kinds = ("application/json", "application/x-www-form-urlencoded", "text/plain", "application/json; charset=latin-9")
    told = set()
    for _ in range(200):
        headers = {HEADER: SECRET, "Content-Type": dice.choice(kinds)}
        answer = await client.post(ORG, data=_malformed(dice), headers=headers)
        told.add(answer.status)
    assert told == {400}
    assert SECRET not in caplog.text
    assert "in-the-body" not in caplog.text


def _malformed(dice: random.Random) -> bytes:
    """A filled template, spoilt in one way or another, that names no alert any more."""
    wrong: list[object] = [None, "", "$ALERT_ID", [], {}, True, -1, 0, 1.5, "NaN", "\x00"]
    fields = {name: dice.choice(wrong) for name in TEMPLATE} | {"hostname": "secret-in-the-body"}
    fields |= dict.fromkeys(("title", "link", "text"), dice.choice([None, [], {}]))
    whole = json.dumps(fields).encode()
    match dice.randrange(6):
        case 0:
            return whole[: dice.randrange(len(whole))]
        case 1:
            return bytes(dice.randrange(256) for _ in range(dice.randrange(300)))
        case 2:
            return b"[" * dice.randrange(1, 5_000)
        case 3:
            return json.dumps([fields]).encode()
        case 4:
            at = dice.randrange(len(whole))
            return whole[:at] + bytes([dice.choice(b'"{}[],:\\\x00\xff')]) * dice.randrange(1, 9) + whole[at:]
        case _:
            return whole
