"""One request to Datadog and its answer, over connections that are kept: time limits, sizes, and what is known when it fails.

Each request leaves once at most, and never after its time; whether it is tried again is for the client to say.
"""

import select
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientHttpProxyError,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    InvalidURL,
    NonHttpUrlClientError,
    ServerDisconnectedError,
)
from aiohttp.connector import Connection
from yarl import URL

from bot.datadog.errors import NoAnswer, NotSent
from bot.network import NeverLate, WayOut, obstacle

# until there is a connection, of these to make one, between two pieces of an answer, and altogether
TIMEOUT = ClientTimeout(connect=5, sock_connect=3, sock_read=10, total=30)
LARGEST_BODY = 8 * 1024 * 1024
_LARGEST_ERROR_BODY = 64 * 1024
_LARGEST_HEADER = 64 * 1024
_MOST_CONNECTIONS = 20
_KEPT = 30.0  # seconds without a request
_HUNG_UP = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes | None  # None when it is broken, or larger than anything we asked for

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Http:
    """Raises NotSent where nothing has left, NoAnswer where something may have. Neither tells of queries, which may hold what
    people typed; nor do the errors of aiohttp reach a traceback, for some of them do."""

    def __init__(self, timeout: ClientTimeout = TIMEOUT, way: WayOut | None = None) -> None:
        self._timeout = timeout
        self._way = way or WayOut()
        self._session: ClientSession | None = None
        self.closed = False

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        target = URL(url, encoded=True)
        said = f"{method} {target.raw_path}"
        try:
            return await self._exchange(method, target, headers, body)
        except _NOTHING_SENT as error:
            sentence = f"{said} did not reach Datadog: {type(error).__name__}"
            raise NotSent(sentence, obstacle=obstacle(error)) from None
        except (ClientError, TimeoutError) as error:
            raise NoAnswer(f"no answer to {said}: {type(error.__cause__ or error).__name__}") from None

    async def _exchange(self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None) -> Answer:
        async with self._opened().request(method, url, headers=headers, data=body, allow_redirects=False) as response:
            limit = LARGEST_BODY if response.status < 300 else _LARGEST_ERROR_BODY
            return Answer(response.status, response.headers, await _read(response, limit))

    def _opened(self) -> ClientSession:
        if self.closed:
            raise RuntimeError("This client is closed.")
        if self._session is None:
            self._session = self._way.session(
                limit=_MOST_CONNECTIONS,
                keepalive=_KEPT,
                first=_once,
                request_class=_Request,
                headers={"Accept-Encoding": "gzip"},
                skip_auto_headers={"Content-Type"},
                cookie_jar=DummyCookieJar(),
                timeout=self._timeout,
                auto_decompress=False,
                max_line_size=_LARGEST_HEADER,
                max_field_size=_LARGEST_HEADER,
            )
        return self._session

    async def close(self) -> None:
        self.closed = True
        if self._session is not None:
            await self._session.close()


class _HungUpError(ClientError):
    """The other side had hung up before."""


class _DroppedError(ClientError):
    """The connection broke with the request under way."""


_NOTHING_SENT = (
    _HungUpError,
    ClientConnectorError,
    ClientHttpProxyError,  # it was asked for a way to Datadog, and gave none
    ConnectionTimeoutError,
    InvalidURL,
    NonHttpUrlClientError,
)


async def _once(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    """Over a connection that lives. Left to itself, aiohttp repeats what HTTP takes for repeatable once a connection breaks."""
    for _ in range(_MOST_CONNECTIONS):
        try:
            return await send(request)
        except _HungUpError:
            continue
        except ClientConnectorError:
            raise
        except (ServerDisconnectedError, ClientOSError) as error:
            raise _DroppedError from error
    raise _HungUpError


class _Request(NeverLate):
    async def send(self, conn: Connection) -> ClientResponse:
        if _has_hung_up(conn):
            raise _HungUpError
        return await super().send(conn)


def _has_hung_up(connection: Connection) -> bool:
    """The loop hears of it only after everything that was ready has run: a request would be lost, and its outcome unknown."""
    if connection.transport is None:
        return True
    socket = connection.transport.get_extra_info("socket")
    poll = select.poll()
    poll.register(socket.fileno(), _HUNG_UP)
    return bool(poll.poll(0))


async def _read(response: ClientResponse, limit: int) -> bytes | None:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            return None
    packing = response.headers.get("Content-Encoding", "identity").lower()
    return _unpacked(body, limit) if packing == "gzip" else bytes(body) if packing == "identity" else None


def _unpacked(body: bytearray, limit: int) -> bytes | None:
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS + 16)  # gzip
    try:
        unpacked = unpacking.decompress(body, limit + 1)
    except zlib.error:
        return None
    return unpacked if unpacking.eof and len(unpacked) <= limit else None
