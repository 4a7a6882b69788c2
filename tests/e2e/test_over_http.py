"""The same over HTTP: signed requests, events with their challenge, and nothing for anyone without the secret."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier

from bot.wording import AI_WRITTEN
from tests.e2e.town import Town

BODY = "payload=%7B%22type%22%3A%22block_actions%22%7D"


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with Town(tmp_path, mode="http") as town:
        yield town


async def test_an_alert_is_investigated_over_http(town: Town) -> None:
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, "Answered in", "Asked by @ana", AI_WRITTEN)


async def test_a_mention_and_a_command_over_http(town: Town) -> None:
    fired = town.datadog.fire(town.monitor)
    said = await town.ana.mention(f"investigate {fired.link()}", in_=town.channel)
    await town.reads(said, AI_WRITTEN)
    seen = await town.ana.command("/bits", "help", in_=town.channel)
    assert "/bits investigate" in seen.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Request-Timestamp": "soon", "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "1", "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": f"{time.time():.0f}", "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "9" * 400, "X-Slack-Signature": "v0=00"},
    ],
)
async def test_requests_nobody_signed_are_refused(town: Town, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(trust_env=False) as stranger:
        answer = await stranger.post(f"http://127.0.0.1:{town.bot.port}/slack/events", content=BODY, headers=headers)
    assert answer.status_code == 401
    assert "Traceback" not in answer.text


async def test_an_old_request_sent_again_is_refused(town: Town) -> None:
    then = f"{time.time() - 3600:.0f}"
    signature = SignatureVerifier(town.slack.signing_secret).generate_signature(timestamp=then, body=BODY)
    headers = {"X-Slack-Request-Timestamp": then, "X-Slack-Signature": signature or ""}
    async with httpx.AsyncClient(trust_env=False) as thief:
        answer = await thief.post(f"http://127.0.0.1:{town.bot.port}/slack/events", content=BODY, headers=headers)
    assert answer.status_code == 401


async def test_health_is_told_to_whoever_asks(town: Town) -> None:
    async with httpx.AsyncClient(trust_env=False, base_url=f"http://127.0.0.1:{town.bot.port}") as probe:
        assert (await probe.get("/healthz")).json() == {"alive": True}
        ready = (await probe.get("/readyz")).json()
        assert (ready["ready"], ready["problem"]) == (True, "")
        assert (await probe.get("/nothing")).status_code == 404
