"""Is the bot's own HTTP side reached where others look for it, and is it closed to whoever has no secret?"""

import json
import secrets
import time
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession
from slack_sdk.signature import SignatureVerifier

from bot.doctor.findings import Finding, fail, ok, warn
from bot.doctor.setup import Setup

ADDRESS, SIGNATURE, WEBHOOK = "Address", "Slack signature", "Datadog webhook"

_EVENTS = "/slack/events"
_WEBHOOK = "/datadog/webhook/default"
_NO = {401, 403}
_UNREACHED = (ClientError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class _Door:
    """Where requests are sent to in this examination."""

    url: str
    is_public: bool


async def check_web(session: ClientSession, setup: Setup) -> list[Finding]:
    """Nothing where nobody has to reach the bot."""
    needs_slack, needs_webhook = not setup.app_token, bool(setup.webhook_secret)
    if not (needs_slack or needs_webhook or setup.uses_oauth):
        return [ok(WEBHOOK, "not in use: BITS_WEBHOOK_SECRET is not set")]
    door = _Door(setup.public_url or setup.http_address, bool(setup.public_url))
    address = await _check_address(session, door)
    if address.state == "fail" or (address.state == "warn" and not await _alive(session, door)):
        return [address]
    found = [address]
    if needs_slack:
        found.append(await _check_signature(session, door, setup.signing_secret))
    webhook = await _check_webhook(session, door) if needs_webhook else ok(WEBHOOK, "not in use")
    return [*found, webhook]


async def _alive(session: ClientSession, door: _Door) -> bool:
    try:
        async with session.get(f"{door.url}/healthz", allow_redirects=False) as answer:
            return answer.status == 200 and "alive" in await answer.text()
    except _UNREACHED:
        return False


async def _check_address(session: ClientSession, door: _Door) -> Finding:
    alive = await _alive(session, door)
    if alive and door.is_public:
        return ok(ADDRESS, f"the bot answers at {door.url}")
    if door.is_public:
        return fail(
            ADDRESS,
            f"no bot answers at {door.url}",
            "Is it running? Then look at DNS, certificate and proxy: they must pass all paths on, unchanged.",
        )
    unknown = "Set BITS_PUBLIC_URL to the address that Slack and Datadog use, so that it can be checked from outside."
    state = "answers" if alive else "does not run, or not"
    return warn(ADDRESS, f"BITS_PUBLIC_URL is not set; the bot {state} at {door.url}", unknown)


async def _check_signature(session: ClientSession, door: _Door, secret: str) -> Finding:
    """A signed request as Slack sends it to verify an address, and one that is forged."""
    try:
        signed = await _knock(session, door, secret)
        forged = await _knock(session, door, secrets.token_hex(16))
    except _UNREACHED as error:
        return fail(
            SIGNATURE, f"{_EVENTS} does not answer ({type(error).__name__})", "Look at the proxy before the bot."
        )
    if forged not in _NO:
        fix = "Something else answers at this path. Pass it on to the bot, headers and body unchanged."
        return fail(SIGNATURE, f"a forged request was not refused (HTTP {forged})", fix)
    if signed != 200:
        return fail(
            SIGNATURE,
            f"a request signed with SLACK_SIGNING_SECRET was refused (HTTP {signed})",
            "The running bot has another secret, its clock is off by minutes, or a proxy changes the body.",
        )
    return ok(SIGNATURE, "signed requests are taken, forged ones refused")


async def _knock(session: ClientSession, door: _Door, secret: str) -> int:
    body = json.dumps({"type": "url_verification", "challenge": secrets.token_hex(8)})
    now = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": SignatureVerifier(secret).generate_signature(timestamp=now, body=body) or "",
    }
    async with session.post(f"{door.url}{_EVENTS}", data=body, headers=headers, allow_redirects=False) as answer:
        return answer.status


async def _check_webhook(session: ClientSession, door: _Door) -> Finding:
    """Without the secret: it has to be there, and to refuse; nothing is brought in by this."""
    try:
        async with session.post(f"{door.url}{_WEBHOOK}", json={}, allow_redirects=False) as answer:
            status = answer.status
    except _UNREACHED as error:
        return fail(
            WEBHOOK, f"{_WEBHOOK} does not answer ({type(error).__name__})", "Look at the proxy before the bot."
        )
    if status in _NO:
        return ok(WEBHOOK, f"{_WEBHOOK} is reached, and refuses whoever has no secret")
    return fail(
        WEBHOOK,
        f"{_WEBHOOK} answers HTTP {status} to a request without the secret",
        "Pass the path on to the bot, and start the bot with the same BITS_WEBHOOK_SECRET.",
    )
