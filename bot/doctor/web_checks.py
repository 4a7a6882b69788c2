"""Is the bot's own HTTP side reached where others look for it, and is it closed to whoever has no secret?"""

import json
import secrets
import time
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession
from slack_sdk.signature import SignatureVerifier

from bot.doctor.model import Finding, Setup, fail, ok, warn

ADDRESS, SIGNATURE, WEBHOOK = "Address", "Slack signature", "Datadog webhook"

_EVENTS = "/slack/events"
_WEBHOOK = "/datadog/webhook/default"
_NO = {401, 403}
_UNREACHED = (ClientError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class _Address:
    """Where requests are sent to in this examination."""

    url: str
    is_public: bool


async def check_web(session: ClientSession, setup: Setup) -> list[Finding]:
    """Nothing where nobody has to reach the bot."""
    needs_slack, needs_webhook = not setup.app_token, bool(setup.webhook_secret)
    if not (needs_slack or needs_webhook or setup.uses_oauth):
        return [ok(WEBHOOK, "not in use: BITS_WEBHOOK_SECRET is not set")]
    address = _Address(setup.public_url or setup.http_address, bool(setup.public_url))
    alive = await _alive(session, address)
    found = [_reached(address, alive=alive)]
    if alive and needs_slack:
        found.append(await _check_signature(session, address, setup.signing_secret))
    if alive:
        found.append(await _check_webhook(session, address) if needs_webhook else ok(WEBHOOK, "not in use"))
    return found


async def _alive(session: ClientSession, address: _Address) -> bool:
    try:
        async with session.get(f"{address.url}/healthz", allow_redirects=False) as answer:
            return answer.status == 200 and "alive" in await answer.text()
    except _UNREACHED:
        return False


def _reached(address: _Address, *, alive: bool) -> Finding:
    if not address.is_public:
        unknown = (
            "Set BITS_PUBLIC_URL to the address that Slack and Datadog use, so that it can be checked from outside."
        )
        state = "answers" if alive else "does not run, or not"
        return warn(ADDRESS, f"BITS_PUBLIC_URL is not set; the bot {state} at {address.url}", unknown)
    if alive:
        return ok(ADDRESS, f"the bot answers at {address.url}")
    fix = "Is it running? Then look at DNS, certificate and proxy: they must pass all paths on, unchanged."
    return fail(ADDRESS, f"no bot answers at {address.url}", fix)


async def _check_signature(session: ClientSession, address: _Address, secret: str) -> Finding:
    """A signed request as Slack sends it to verify an address, and one that is forged."""
    try:
        signed = await _challenge(session, address, secret)
        forged = await _challenge(session, address, secrets.token_hex(16))
    except _UNREACHED as error:
        return _silent(SIGNATURE, _EVENTS, error)
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


async def _challenge(session: ClientSession, address: _Address, secret: str) -> int:
    body = json.dumps({"type": "url_verification", "challenge": secrets.token_hex(8)})
    now = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": SignatureVerifier(secret).generate_signature(timestamp=now, body=body) or "",
    }
    async with session.post(f"{address.url}{_EVENTS}", data=body, headers=headers, allow_redirects=False) as answer:
        return answer.status


async def _check_webhook(session: ClientSession, address: _Address) -> Finding:
    """Without the secret: it has to be there, and to refuse; nothing is brought in by this."""
    try:
        async with session.post(f"{address.url}{_WEBHOOK}", json={}, allow_redirects=False) as answer:
            status = answer.status
    except _UNREACHED as error:
        return _silent(WEBHOOK, _WEBHOOK, error)
    if status in _NO:
        return ok(WEBHOOK, f"{_WEBHOOK} is reached, and refuses whoever has no secret")
    return fail(
        WEBHOOK,
        f"{_WEBHOOK} answers HTTP {status} to a request without the secret",
        "Pass the path on to the bot, and start the bot with the same BITS_WEBHOOK_SECRET.",
    )


def _silent(name: str, path: str, error: Exception) -> Finding:
    return fail(name, f"{path} does not answer ({type(error).__name__})", "Look at the proxy before the bot.")
