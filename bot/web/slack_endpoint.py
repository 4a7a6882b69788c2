"""The door for Slack's requests over HTTP: who did not sign is sent away unread, and nobody parses what is not signed."""

import hmac
import logging
import re
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.response import BoltResponse

from bot.logs import Seldom
from bot.web.bodies import body_of

PATH = "/slack/events"
WINDOW = 300  # seconds; what is older may be somebody's copy

Answer = Callable[[bytes, str], Awaitable[BoltResponse]]
"""To a body that Slack signed, with its content type."""

logger = logging.getLogger(__name__)

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


class SlackEndpoint:
    def __init__(self, signing_secret: str, answer: Answer, *, clock: Callable[[], float] = time.time) -> None:
        self._secret = signing_secret.encode()
        self._answer = answer
        self._clock = clock
        self._strangers = Seldom(logger)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        signed = self._signed(request)
        if signed is None:
            return self._refused("without a signature of now")
        timestamp, signature = signed
        body = await body_of(request)
        if not hmac.compare_digest(signature, self._signature(timestamp, body)):
            return self._refused("with a wrong signature")
        return await to_aiohttp_response(await self._answer(body, request.content_type))

    def _signed(self, request: web.Request) -> tuple[str, str] | None:
        """The timestamp and the signature, if a right one could look so."""
        timestamps = request.headers.getall("X-Slack-Request-Timestamp", [])
        signatures = request.headers.getall("X-Slack-Signature", [])
        if len(timestamps) != 1 or len(signatures) != 1:
            return None
        if not _TIMESTAMP.fullmatch(timestamps[0]) or not _SIGNATURE.fullmatch(signatures[0]):
            return None
        is_now = abs(self._clock() - int(timestamps[0])) <= WINDOW
        return (timestamps[0], signatures[0]) if is_now else None

    def _signature(self, timestamp: str, body: bytes) -> str:
        return f"v0={hmac.new(self._secret, f'v0:{timestamp}:'.encode() + body, sha256).hexdigest()}"

    def _refused(self, why: str) -> web.Response:
        self._strangers.warning("a request %s was refused", why)
        return web.Response(status=401, text="invalid request")
