"""Slack's socket: every envelope is acknowledged, whatever is in it, unless Slack is to send it again."""

import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

from aiohttp import ClientError, ClientTimeout
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.logs import Seldom
from bot.network import WayOut, obstacle
from bot.slack.errors import trouble_of
from bot.slack.requests import NOT_KEPT, SlackRequests

PING_EVERY = 10.0
CONNECT = ClientTimeout(total=None, connect=20.0, sock_connect=10.0, sock_read=10.0)

logger = logging.getLogger(__name__)


class _Log(Seldom):
    """What the SDK tells of the connection: without traceback, and without addresses, which let in whoever has them."""

    def __init__(self, failed: Callable[[BaseException], bool]) -> None:
        super().__init__(logger)
        self._failed = failed

    @property
    def level(self) -> int:
        """What the SDK and Bolt ask a logger for before they tell more than we want to hear."""
        return logging.WARNING

    def exception(self, *_: object, **__: object) -> None:
        error = sys.exc_info()[1]
        if error is not None and not self._failed(error):
            what = known.what if (known := obstacle(error)) else type(error).__name__
            super().log(logging.WARNING, f"Slack's socket can't be opened ({what}): trying again")

    def log(self, level: int, msg: object, *_: object, **__: object) -> None:
        super().log(level, str(msg).split(":")[0].replace("%", "%%"))


class SlackSocket(SocketModeClient):
    """Of the SDK's client the connection; what comes over it is ours to read, or its errors would print it."""

    def __init__(self, app_token: str, client: AsyncWebClient, requests: SlackRequests, way: WayOut) -> None:
        log: Any = _Log(self._failed_to_connect)
        super().__init__(app_token, web_client=client, ping_interval=PING_EVERY, logger=log)
        self.aiohttp_client_session.detach()
        self.aiohttp_client_session = way.session(limit=100, timeout=CONNECT)
        self._opening: asyncio.Future[None] | None = None
        self._requests = requests
        self._odd = Seldom(logger)
        self._under_way: set[asyncio.Task[None]] = set()
        self._heard_at = time.time()

    async def open(self) -> None:
        """The first time, what stands in the way is raised; after that the SDK tries until it is out of it."""
        self.wss_uri = await self.ask_for_url()
        self._opening = asyncio.get_running_loop().create_future()
        connecting = asyncio.ensure_future(self.connect())  # type: ignore[no-untyped-call]
        try:
            await asyncio.wait({connecting, self._opening}, return_when=asyncio.FIRST_COMPLETED)
            if self._opening.done():
                self._opening.result()
        finally:
            self._opening = None
            if not connecting.done():
                connecting.cancel()

    def _failed_to_connect(self, error: BaseException) -> bool:
        """Whether somebody waits to hear of it."""
        self.wss_uri = None  # an address serves one connection, and not for long
        if self._opening is None or self._opening.done():
            return False
        self._opening.set_exception(error)
        return True

    @property
    def silent_for(self) -> float:
        """Seconds since Slack last said something, if only that it is there."""
        return time.time() - max(self._heard_at, self.last_ping_pong_time or 0.0)

    async def enqueue_message(self, message: str) -> None:
        self._heard_at = time.time()
        await super().enqueue_message(message)

    async def ask_for_url(self) -> str:
        answer = await self.web_client.apps_connections_open(app_token=self.app_token)
        return str(answer["url"])

    async def issue_new_wss_url(self) -> str:
        """As the SDK calls it for a new connection; its own does not bear a page that a proxy answers in Slack's place."""
        while True:
            try:
                return await self.ask_for_url()
            except SlackApiError as error:
                trouble = trouble_of(error)
                if trouble.code != "ratelimited":
                    raise
                await asyncio.sleep(trouble.wait)

    async def process_message(self) -> None:
        raw = await self.message_queue.get()
        try:
            message = json.loads(raw)
        except (ValueError, TypeError, RecursionError):
            message = None
        if not isinstance(message, dict):
            self._odd.warning("Slack's socket brought something that is no message")
            return
        task = asyncio.create_task(self.run_message_listeners(message, ""), name="an envelope")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        del raw_message
        if message.get("type") == "disconnect":
            await self.connect_to_new_endpoint(force=True)
        elif isinstance(envelope_id := message.get("envelope_id"), str):
            await self._acknowledge(envelope_id, await self._requests.answer(message.get("payload")))

    async def _acknowledge(self, envelope_id: str, answer: BoltResponse) -> None:
        if answer.status == NOT_KEPT:
            return
        envelope = SocketModeRequest("", envelope_id, {})
        said = answer if answer.status == 200 else BoltResponse(status=200, body="")
        try:
            await send_async_response(self, envelope, said, time.time())
        except (OSError, ClientError) as error:
            self._odd.warning("an answer did not reach Slack (%s)", type(error).__name__)
