"""Slack's socket: every envelope is acknowledged, whatever is in it, unless Slack is to send it again."""

import asyncio
import json
import logging
import time
from typing import Any

from aiohttp import ClientError
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.logs import Seldom
from bot.slack.errors import trouble_of
from bot.slack.requests import NOT_KEPT, SlackRequests

PING_EVERY = 10.0

logger = logging.getLogger(__name__)


class SlackSocket(SocketModeClient):
    """Of the SDK's client the connection; what comes over it is ours to read, or its errors would print it."""

    def __init__(self, app_token: str, client: AsyncWebClient, requests: SlackRequests) -> None:
        super().__init__(app_token, web_client=client, ping_interval=PING_EVERY)
        self._requests = requests
        self._odd = Seldom(logger)
        self._under_way: set[asyncio.Task[None]] = set()
        self._heard_at = time.time()

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
