"""Everything that Slack sends meets Bolt here, over HTTP and over the socket alike: read once, answered whatever it is."""

import logging
import time
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from sqlalchemy.exc import DataError, SQLAlchemyError

from bot.logs import Seldom, described
from bot.slack.payloads import UnreadablePayloadError, read_body, read_payload

logger = logging.getLogger(__name__)

NOT_KEPT = 503  # Slack sends it again
NOBODYS = 404
NOT_HANDLED = 422  # sent again it would end no better
BOLT_WAITS = 3.0  # seconds; then Bolt takes a handler that is still at work for none at all


class SlackRequests:
    def __init__(self, app: AsyncApp) -> None:
        self._app = app
        self._dropped = Seldom(logger)
        app.error(self._failed)

    async def answer_body(self, raw: bytes, content_type: str) -> BoltResponse:
        """To a body whose signature is right."""
        try:
            payload = read_body(raw, content_type)
        except UnreadablePayloadError as error:
            return self._drop(error)
        return await self._dispatch(payload)

    async def answer(self, told: object) -> BoltResponse:
        """To what came over the socket."""
        try:
            payload = read_payload(told)
        except UnreadablePayloadError as error:
            return self._drop(error)
        return await self._dispatch(payload)

    async def _dispatch(self, payload: dict[str, Any]) -> BoltResponse:
        began = time.time()  # Bolt's clock, set forward and back as it may be
        try:
            # Bolt verifies what is in mode "http" only; ours is signed or came over our own socket
            answer = await self._app.async_dispatch(AsyncBoltRequest(body=payload, mode="socket_mode"))
        except Exception as error:  # noqa: BLE001  of Bolt's own reading
            return _response_to(error)
        return self._of_nobody(payload, time.time() - began) if answer.status == NOBODYS else answer

    def _of_nobody(self, payload: dict[str, Any], lasted: float) -> BoltResponse:
        """Acknowledged is only what is kept: nobody knows what becomes of a handler that is late."""
        kind = "command" if "command" in payload else payload.get("type")
        if lasted >= BOLT_WAITS:
            self._dropped.warning(f"this {kind} takes longer than Slack waits, and is not acknowledged")
            return BoltResponse(status=NOT_KEPT, body="")
        self._dropped.warning(f"nobody here deals with this {kind}")
        return BoltResponse(status=NOBODYS, body="")

    def _drop(self, error: UnreadablePayloadError) -> BoltResponse:
        self._dropped.warning(f"something that Slack sent was acknowledged and dropped: {error}")
        return BoltResponse(status=200, body="")

    async def _failed(self, error: Exception, response: BoltResponse | None) -> BoltResponse | None:
        """What Bolt calls for every error of a handler."""
        if isinstance(error, BoltUnhandledRequestError):
            return BoltResponse(status=NOBODYS, body="")
        answer = _response_to(error)
        return answer if response is not None else None  # None: acknowledged already


def _response_to(error: Exception) -> BoltResponse:
    logger.error("something that Slack sent could not be handled: %s", described(error))
    # a database that is away answers with an OSError, as long as there is no connection
    is_kept_later = isinstance(error, SQLAlchemyError | OSError) and not isinstance(error, DataError)
    return BoltResponse(status=NOT_KEPT if is_kept_later else NOT_HANDLED, body="")
