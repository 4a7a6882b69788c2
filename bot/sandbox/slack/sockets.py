"""Socket Mode, Slack's end: single-use URLs, hello, envelopes to one connection each in turn, acks, disconnects."""

import asyncio
import contextlib
import itertools
import json
import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import WSMsgType, web

from bot.sandbox.slack.changes import Changes
from bot.sandbox.slack.errors import ApiError, NotAcknowledged
from bot.sandbox.slack.faults import Wait, pause
from bot.sandbox.slack.render import JSON

MOST_CONNECTIONS = 10
DisconnectReason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]


@dataclass(eq=False)
class Connection:
    id: str
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None = None
    warned: bool = False
    pending: dict[str, asyncio.Future[JSON]] = field(default_factory=dict)

    def lost(self) -> None:
        """Whatever waits for an ack on this connection waits in vain."""
        for future in self.pending.values():
            if not future.done():
                future.set_exception(
                    NotAcknowledged("the connection was closed before the app answered", "connection_failed")
                )
        self.pending.clear()


class Sockets:
    def __init__(self, changes: Changes, app_id: str) -> None:
        self._changes = changes
        self._app_id = app_id
        self._tickets: set[str] = set()
        self._turn = itertools.count()
        self.connections: list[Connection] = []
        self.refused = False
        self.opened = 0
        self.base = ""

    def url(self) -> str:
        """A fresh single-use address, as apps.connections.open returns it."""
        if self.refused:
            raise ApiError("internal_error")
        ticket = secrets.token_hex(8)
        self._tickets.add(ticket)
        return f"{self.base}/link/?ticket={ticket}&app_id={self._app_id}"

    @property
    def in_use(self) -> list[Connection]:
        """Connections that get payloads: open, and not yet told to go."""
        healthy = [connection for connection in self.connections if not connection.socket.closed]
        return [connection for connection in healthy if not connection.warned] or healthy

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets or self.refused:
            return web.Response(status=404, text="unknown or used ticket")
        self._tickets.discard(ticket)
        if len(self.connections) >= MOST_CONNECTIONS:
            return web.Response(status=429, text="too_many_websockets")
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        await self._serve(Connection(secrets.token_hex(4), socket, request.transport))
        return socket

    async def _serve(self, connection: Connection) -> None:
        self.connections.append(connection)
        self.opened += 1
        try:
            with contextlib.suppress(ConnectionError):
                await self._say_hello(connection)
                await self._listen(connection)
        finally:
            self.connections.remove(connection)
            connection.lost()
            self._changes.notify()

    async def _say_hello(self, connection: Connection) -> None:
        hello = {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {
                "host": f"applink-{connection.id}",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
            "connection_info": {"app_id": self._app_id},
        }
        await connection.socket.send_str(json.dumps(hello))
        self._changes.notify()

    async def _listen(self, connection: Connection) -> None:
        async for frame in connection.socket:
            if frame.type is WSMsgType.TEXT:
                self._take_ack(connection, frame.data)

    def _take_ack(self, connection: Connection, data: str) -> None:
        try:
            ack = json.loads(data)
        except ValueError:
            return
        future = connection.pending.pop(ack.get("envelope_id", ""), None)
        if future is not None and not future.done():
            future.set_result(ack)

    async def send(self, kind: str, payload: JSON, *, more: dict[str, Any], seconds: float) -> JSON:
        """One envelope to one connection; returns the payload of its ack, `{}` when it had none."""
        connections = self.in_use
        if not connections:
            raise NotAcknowledged("the app is not connected", "connection_failed")
        connection = connections[next(self._turn) % len(connections)]
        envelope = {"envelope_id": secrets.token_hex(12), "type": kind, "payload": payload, **more}
        answered: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()
        connection.pending[envelope["envelope_id"]] = answered
        try:
            await connection.socket.send_str(json.dumps(envelope))
            self._changes.notify()
            ack = await asyncio.wait_for(answered, seconds)
        except TimeoutError:
            raise NotAcknowledged(f"no acknowledgement within {seconds:g} s", "http_timeout") from None
        except ConnectionError:
            raise NotAcknowledged("the connection broke", "connection_failed") from None
        finally:
            connection.pending.pop(envelope["envelope_id"], None)
        return ack.get("payload") or {}

    async def announce_disconnect(self, reason: DisconnectReason) -> list[Connection]:
        """Tells every connection to go; they get nothing new as soon as there are others."""
        warned = list(self.connections)
        self.refused = self.refused or reason == "link_disabled"
        disconnect = {"type": "disconnect", "reason": reason}
        for connection in warned:
            connection.warned = True
            with contextlib.suppress(ConnectionError):
                host = {"debug_info": {"host": f"applink-{connection.id}"}}
                await connection.socket.send_str(json.dumps(disconnect | host))
        return warned

    async def close_after(self, connections: list[Connection], wait: Wait) -> None:
        """Ends those that did not go by themselves."""
        await pause(wait)
        for connection in connections:
            await connection.socket.close()

    def cut(self) -> None:
        """Breaks every connection without a word."""
        for connection in list(self.connections):
            if connection.transport is not None:
                connection.transport.abort()
