"""Everything that Slack sends meets Bolt here, over HTTP and over the socket alike: read once, answered whatever it is."""

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

from aiohttp import ClientSession
from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from sqlalchemy.exc import DataError, SQLAlchemyError

from bot.deadline import within
from bot.logs import Seldom, described
from bot.slack.blocks import Message, sentences
from bot.slack.payloads import UnreadablePayloadError, read_body, read_payload
from bot.slack.response_urls import answer_at
from bot.storage.workers import Tasks

logger = logging.getLogger(__name__)

NOT_KEPT = 503  # Slack sends it again
KEPT_WITHIN = 2.0  # seconds from its arrival: Slack waits for three before it shows an error
SAY_AGAIN_AFTER = (0.5, 2.0, 8.0)  # seconds
NOBODYS = 404
NOT_HANDLED = 422  # sent again it would end no better
BOLT_WAITS = 3.0  # seconds; then Bolt takes a handler that is still at work for none at all


# -- how long a handler has: what can't be kept by then is not begun, so that nothing costs what looked like a failure -----

_by: ContextVar[float | None] = ContextVar("answered by", default=None)


@contextmanager
def arrived() -> Iterator[None]:
    """From here on the time runs, also for tasks that are begun in it."""
    token = _by.set(asyncio.get_running_loop().time() + KEPT_WITHIN)
    try:
        yield
    finally:
        _by.reset(token)


@asynccontextmanager
async def in_time() -> AsyncIterator[None]:
    """TimeoutError when an acknowledgement would come too late; what was being written is undone."""
    by = _by.get()
    async with within(math.inf if by is None else by - asyncio.get_running_loop().time()):
        yield


class SlackRequests:
    def __init__(self, app: AsyncApp, session: ClientSession, tasks: Tasks) -> None:
        """`session` and `tasks` for what a person is told whose click could not be kept."""
        self._app = app
        self._session = session
        self._tasks = tasks
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
            with arrived():
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

    async def _failed(
        self, error: Exception, body: dict[str, Any], response: BoltResponse | None
    ) -> BoltResponse | None:
        """What Bolt calls for every error of a handler."""
        if isinstance(error, BoltUnhandledRequestError):
            return BoltResponse(status=NOBODYS, body="")
        answer = _response_to(error)
        if response is None:
            return None  # acknowledged already
        if answer.status == NOT_KEPT and _is_asked_once(body) and (url := str(body.get("response_url") or "")):
            self._tasks.spawn(self._say_so(url), "an answer")
            return BoltResponse(status=200, body="")
        return answer

    async def _say_so(self, url: str) -> None:
        """Nothing else tells them: better twice than never."""
        for wait in (0.0, *SAY_AGAIN_AFTER):
            await asyncio.sleep(wait)
            if await answer_at(self._session, url, _nothing_begun()):
                return


def _is_asked_once(body: dict[str, Any]) -> bool:
    """Of what Slack does not send again; a window that is not taken stays open with what was typed."""
    return "command" in body or body.get("type") in {"block_actions", "message_action"}


def _nothing_begun() -> Message:
    return sentences("I can't write anything down just now, so nothing was started.", "Try again in a minute.")


def _response_to(error: Exception) -> BoltResponse:
    logger.error("something that Slack sent could not be handled: %s", described(error))
    return BoltResponse(status=NOT_KEPT if _may_pass(error) else NOT_HANDLED, body="")


def _may_pass(error: Exception) -> bool:
    """The database is away or slow; where it can't even be connected to, its driver's errors come as they are."""
    is_drivers = type(error).__module__.partition(".")[0] == "asyncpg"
    return is_drivers or (isinstance(error, SQLAlchemyError | OSError) and not isinstance(error, DataError))
