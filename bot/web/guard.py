"""Watches the connections to our port: how many there may be, and how long one may take to bring a request. Knows HTTP only
by what it is told about requests."""

import asyncio
import logging
import resource
from collections.abc import Awaitable, Callable
from typing import cast

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.logs import Seldom

logger = logging.getLogger(__name__)

REQUEST_WITHIN = 10.0  # seconds from its first byte, or from the start of the connection, to the end of its headers
IDLE_FOR = 75.0  # seconds between an answer and the next request
MOST_CONNECTIONS = 512

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def most_connections() -> int:
    """A quarter of what this process may open: the database and Slack need theirs, and a burst comes before it is cut."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if files == resource.RLIM_INFINITY else max(16, min(MOST_CONNECTIONS, files // 4))


class ConnectionGuard:
    def __init__(
        self, *, most: int | None = None, request_within: float = REQUEST_WITHIN, idle_for: float = IDLE_FOR
    ) -> None:
        self.most = most or most_connections()
        self.request_within = request_within
        self.idle_for = idle_for
        self._open: dict[asyncio.BaseTransport, GuardedConnection] = {}  # who has been still for longest comes first
        self._strangers = Seldom(logger)

    def watched(self, make: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """The same protocols, under our eyes."""
        return lambda: GuardedConnection(make(), self)

    def opened(self, transport: asyncio.BaseTransport, connection: "GuardedConnection") -> None:
        self._open[transport] = connection
        if len(self._open) > self.most:
            self._strangers.warning("more than %d open connections: the stillest ones are closed", self.most)
            next(each for each in self._open.values() if not each.busy).drop()  # at worst the new one

    def closed(self, transport: asyncio.BaseTransport) -> None:
        self._open.pop(transport, None)

    def late(self, connection: "GuardedConnection") -> None:
        self._strangers.warning("a connection that brought no request in time was closed")
        connection.drop()

    def watching(self) -> Middleware:
        """The middleware that tells when a request has come and when it is answered."""

        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            transport = cast("asyncio.BaseTransport", request.transport)
            connection = self._open.get(transport)
            if connection is None:
                return await handler(request)
            connection.begin()
            try:
                return await handler(request)
            finally:
                connection.end()
                if self._open.pop(transport, None) is not None:
                    self._open[transport] = connection

        return watch


class GuardedConnection(asyncio.Protocol):
    """Hands everything on; beside it runs one timer, for what is awaited from the other side."""

    def __init__(self, inner: asyncio.Protocol, guard: ConnectionGuard) -> None:
        self._inner = inner
        self._guard = guard
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._idle = False
        self.busy = False

    def begin(self) -> None:
        self.busy, self._idle = True, False
        self._await(None, self.drop)

    def end(self) -> None:
        self.busy, self._idle = False, True
        self._await(self._guard.idle_for, self.drop)

    def drop(self) -> None:
        self._await(None, self.drop)
        if self._transport is not None:
            self._guard.closed(self._transport)
            self._transport.abort()

    def _await(self, seconds: float | None, otherwise: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        is_open = seconds is not None and self._transport is not None
        self._timer = asyncio.get_running_loop().call_later(seconds or 0, otherwise) if is_open else None

    def _await_request(self) -> None:
        self._idle = False
        self._await(self._guard.request_within, lambda: self._guard.late(self))

    # -- what asyncio tells ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._inner.connection_made(transport)
        self._await_request()
        self._guard.opened(transport, self)

    def data_received(self, data: bytes) -> None:
        if self._idle:
            self._await_request()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._await(None, self.drop)
        if self._transport is not None:
            self._guard.closed(self._transport)
        self._transport = None
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
