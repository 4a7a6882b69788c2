"""How payloads reach the app: over its sockets, or signed to its request URL, with Slack's three seconds and its retries."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.slack.changes import Background, Changes
from bot.sandbox.slack.errors import NotAcknowledged
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.sockets import Sockets

Kind = Literal["interactive", "slash_commands", "events_api"]
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


@dataclass(eq=False)
class Delivered:
    """One payload sent to the app, and what came of each attempt: "acknowledged" or the reason why not."""

    kind: Kind
    payload: JSON
    attempts: list[str] = field(default_factory=list)
    answer: JSON = field(default_factory=dict)
    at: float = field(default_factory=time.time)
    seconds: float = 0.0  # until the last attempt was over

    @property
    def acknowledged(self) -> bool:
        return "acknowledged" in self.attempts


class Deliveries:
    def __init__(
        self,
        changes: Changes,
        sockets: Sockets,
        signing_secret: str,
        *,
        ack_seconds: float,
        retry_waits: Sequence[float],
    ) -> None:
        self._changes = changes
        self._sockets = sockets
        self._secret = signing_secret
        self.ack_seconds = ack_seconds
        self._retry_waits = retry_waits
        self._session: aiohttp.ClientSession | None = None
        self._background = Background()
        self.request_url = ""
        self.log: list[Delivered] = []

    async def stop(self) -> None:
        await self._background.stop()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def interact(self, kind: Kind, payload: JSON) -> JSON:
        """An interaction or a command: one attempt, answered in time or lost."""
        record = Delivered(kind, payload)
        self.log.append(record)
        await self._attempt(record)
        return record.answer

    def emit(self, payload: JSON) -> asyncio.Future[None]:
        """An event, with retries in the background; the future is done after the first attempt."""
        record = Delivered("events_api", payload)
        self.log.append(record)
        return self._start(record)

    def redeliver(self, event_id: str, *, attempt: int = 1, reason: str = "http_timeout") -> asyncio.Future[None]:
        """The same event once more, as Slack does when an ack was lost on the way."""
        known = next(record for record in self.log if record.payload.get("event_id") == event_id)
        record = Delivered("events_api", known.payload)
        self.log.append(record)
        return self._start(record, first=attempt, reason=reason)

    def _start(self, record: Delivered, *, first: int = 0, reason: str = "") -> asyncio.Future[None]:
        tried: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._background.start(self._deliver_event(record, tried, first, reason))
        return tried

    async def _deliver_event(self, record: Delivered, tried: asyncio.Future[None], first: int, reason: str) -> None:
        for attempt, wait in enumerate((0.0, *self._retry_waits), first):
            await asyncio.sleep(wait)
            try:
                await self._attempt(record, retry=attempt, reason=reason)
                return
            except NotAcknowledged as lost:
                reason = lost.reason
                if record.answer.get("no_retry"):
                    return
            finally:
                if not tried.done():
                    tried.set_result(None)

    async def _attempt(self, record: Delivered, *, retry: int = 0, reason: str = "") -> None:
        try:
            record.answer = await self._send(record, retry, reason)
            record.attempts.append("acknowledged")
        except NotAcknowledged as lost:
            record.attempts.append(str(lost))
            raise
        finally:
            record.seconds = time.time() - record.at
            self._changes.notify()

    async def _send(self, record: Delivered, retry: int, reason: str) -> JSON:
        if self.request_url and not self._sockets.connections:
            return await self._post(record, retry, reason)
        is_event = record.kind == "events_api"
        more: dict[str, Any] = {"accepts_response_payload": not is_event}
        if is_event:
            more |= {"retry_attempt": retry, "retry_reason": reason if retry else ""}
        return await self._sockets.send(record.kind, record.payload, more=more, seconds=self.ack_seconds)

    async def _post(self, record: Delivered, retry: int, reason: str) -> JSON:
        body, content_type = _encoded(record)
        headers = _signed_headers(self._secret, body) | {"Content-Type": content_type}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        try:
            async with asyncio.timeout(self.ack_seconds):
                status, text, answered = await self._exchange(body, headers)
        except TimeoutError:
            raise NotAcknowledged(f"no acknowledgement within {self.ack_seconds:g} s", "http_timeout") from None
        except aiohttp.ClientError as broken:
            raise NotAcknowledged(
                f"the request URL could not be reached ({type(broken).__name__})", "connection_failed"
            ) from None
        if not 200 <= status < 300:
            record.answer = {"no_retry": "x-slack-no-retry" in answered}
            raise NotAcknowledged(f"the app answered HTTP {status}", "http_error")
        return _answer(text)

    async def _exchange(self, body: str, headers: dict[str, str]) -> tuple[int, str, set[str]]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with self._session.post(
            self.request_url, data=body.encode(), headers=headers, max_redirects=2
        ) as response:
            return response.status, await response.text(), {name.lower() for name in response.headers}

    async def verify_request_url(self, url: str) -> None:
        """Sets the address after the handshake that Slack's settings page does."""
        self.request_url = url
        challenge = {
            "type": "url_verification",
            "token": "legacy-verification-token",
            "challenge": "3eZbrw1aBm2rZgRNFdxV",
        }
        record = Delivered("events_api", challenge)
        answer = await self._post(record, 0, "")
        if answer.get("challenge", answer.get("text")) != challenge["challenge"]:
            self.request_url = ""
            raise NotAcknowledged("the request URL did not return the challenge")


def _signed_headers(secret: str, body: str) -> dict[str, str]:
    """Slack's v0 request signature."""
    timestamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}", "User-Agent": "Slackbot 1.0"}


def _encoded(record: Delivered) -> tuple[str, str]:
    if record.kind == "events_api":
        return json.dumps(record.payload), _JSON
    if record.kind == "slash_commands":
        return urlencode(record.payload), _FORM
    return urlencode({"payload": json.dumps(record.payload)}), _FORM


def _answer(text: str) -> JSON:
    """What the app said with its acknowledgement; plain words are a message to the person."""
    if not text.strip():
        return {}
    try:
        said = json.loads(text)
    except ValueError:
        return {"text": text}
    return said if isinstance(said, dict) else {"text": text}
