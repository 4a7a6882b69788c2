"""What goes over a real socket: one request each, its limits in time and size, and what is known when something breaks."""

import asyncio
import gzip
import json
import logging
import socket
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import aiohttp.connector
import pytest
from aiohttp import ClientTimeout
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.datadog import http
from bot.datadog.errors import NoAnswer, NotSent
from bot.datadog.http import LARGEST_BODY, Answer, Http

OK = b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\nset-cookie: a=b\r\n\r\n{"ok":"y"}'
METHODS = ("GET", "PUT", "DELETE", "POST")
MEGABYTE = b" " * 1024 * 1024

Reply = Callable[["Local", asyncio.StreamWriter], Awaitable[None]]


def with_length(body: bytes, *, status: str = "200 OK", headers: str = "", length: int | None = None) -> bytes:
    said = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\n{headers}content-length: {said}\r\n\r\n".encode() + body


class Local:
    """A server on loopback; it keeps what it was sent and replies as it is told."""

    def __init__(self, reply: bytes | Reply) -> None:
        self._reply = reply
        self.requests: list[str] = []
        self.connections = 0
        self.came = asyncio.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                _, _, length = head.lower().partition("content-length: ")
                body = await reader.readexactly(int(length.split()[0]) if length else 0)
                self.requests.append(head + body.decode())
                self.came.set()
                if isinstance(self._reply, bytes):
                    writer.write(self._reply)
                else:
                    await self._reply(self, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(reply: bytes | Reply, tls: ssl.SSLContext | None = None) -> AsyncIterator[Local]:
    local = Local(reply)
    server = await asyncio.start_server(local.serve, "127.0.0.1", 0, ssl=tls)
    local.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield local
    server.close()


@asynccontextmanager
async def using(limits: ClientTimeout = http.TIMEOUT) -> AsyncIterator[Http]:
    client = Http(limits)
    yield client
    await client.close()


async def asked(url: str, method: str = "GET", *, limits: ClientTimeout = http.TIMEOUT, calls: int = 1) -> Answer:
    """The last answer."""
    async with using(limits) as client:
        for _ in range(calls):
            answer = await client.send(method, url, {"DD-API-KEY": "key"}, b"{}" if method == "POST" else None)
    return answer


async def hang_up(_: Local, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def say_nothing(_: Local, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate for 127.0.0.1, signed by nobody."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - timedelta(days=1), now + timedelta(days=1)
    ).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    made = built.sign(key, hashes.SHA256())
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "both.pem"
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_what_stands_in_a_request() -> None:
    async with serving(OK) as local, using() as client:
        for method in METHODS:
            await client.send(method, f"{local.url}/a%2Fb?page%5Bsize%5D=1", {"Accept": "x", "User-Agent": "y"}, None)
        await client.send("POST", local.url, {"Content-Type": "application/json"}, b"{}")

    host = local.url.removeprefix("http://")
    heads = [set(request.split("\r\n")) - {""} for request in local.requests]
    for method, head in zip(METHODS, heads[:-1], strict=True):
        expected = {
            f"{method} /a%2Fb?page%5Bsize%5D=1 HTTP/1.1",
            f"Host: {host}",
            "Accept: x",
            "User-Agent: y",
            "Accept-Encoding: gzip",
        }
        assert head - {"Content-Length: 0"} == expected
    assert {"Content-Type: application/json", "Content-Length: 2", "{}"} <= heads[-1]
    assert not any("cookie" in request.lower() for request in local.requests)


async def test_calls_share_one_connection() -> None:
    async with serving(OK) as local:
        assert (await asked(local.url, calls=3)).body == b'{"ok":"y"}'
    assert local.connections == 1


async def test_what_got_no_answer_may_have_happened_and_is_sent_once() -> None:
    async def only_once(local: Local, writer: asyncio.StreamWriter) -> None:
        writer.write(OK) if len(local.requests) == 1 else writer.close()

    for method in METHODS:
        for reply, calls in ((hang_up, 1), (only_once, 2)):
            async with serving(reply) as local:
                with pytest.raises(NoAnswer):
                    await asked(local.url, method, calls=calls)
            assert len(local.requests) == calls


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_connection_that_was_closed_while_nobody_looked_is_not_used_again(
    scheme: str, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = ssl.create_default_context(cafile=certificate)
    trusting.check_hostname = False
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", trusting)
    came: list[bytes] = []
    closed = Event()

    def serve(listening: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listening.accept()
            with tls.wrap_socket(connection, server_side=True) if scheme == "https" else connection as stream:
                came.append(stream.recv(65536))
                stream.sendall(OK)
            closed.set()

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        server = Thread(target=serve, args=(listening,))
        server.start()
        async with using() as client:
            url = f"{scheme}://127.0.0.1:{listening.getsockname()[1]}/"
            await client.send("POST", url, {}, b"1")
            closed.wait()  # and the loop with it
            assert (await client.send("POST", url, {}, b"2")).status == 200
        await asyncio.to_thread(server.join)
    assert len(came) == 2


async def test_what_never_left_is_told_apart(tls: ssl.SSLContext) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/", "ftp://127.0.0.1/", "http:///x"):
        with pytest.raises(NotSent):
            await asked(url, "POST")
    async with serving(OK, tls) as stranger:
        with pytest.raises(NotSent):
            await asked(stranger.url, "POST")
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf, pytest.raises(NotSent):
        await asked(f"https://127.0.0.1:{deaf.getsockname()[1]}/", "POST", limits=ClientTimeout(sock_connect=0.05))


async def test_it_does_not_wait_long_for_a_free_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_MOST_CONNECTIONS", 1)
    async with serving(say_nothing) as local, using(ClientTimeout(connect=0.2)) as client:
        first = asyncio.create_task(client.send("POST", local.url, {}, None))
        await local.came.wait()
        with pytest.raises(NotSent):
            await client.send("POST", local.url, {}, None)
        first.cancel()
    assert len(local.requests) == 1


async def test_silence_and_an_answer_without_end_are_given_up() -> None:
    async def drip(_: Local, writer: asyncio.StreamWriter) -> None:
        writer.write(with_length(b"", length=100_000))
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0)

    for reply, limit in ((say_nothing, ClientTimeout(sock_read=0.05)), (drip, ClientTimeout(total=0.2))):
        async with serving(reply) as local:
            with pytest.raises(NoAnswer):
                await asked(local.url, "POST", limits=limit)


async def test_a_huge_body_is_not_read_whole() -> None:
    sent = 0

    async def without_end(_: Local, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
        while not writer.is_closing():
            writer.write(MEGABYTE)
            sent += len(MEGABYTE)
            await writer.drain()

    for status, most in ((200, LARGEST_BODY), (400, len(MEGABYTE))):
        sent = 0
        async with serving(without_end) as local:
            answer = await asked(local.url)
        assert (answer.status, answer.body) == (status, None)
        assert sent < most + 16 * len(MEGABYTE)  # what sockets hold


async def test_a_packed_answer_is_read_and_a_broken_one_is_not() -> None:
    packed = gzip.compress(b'{"ok":"y"}')
    cases: list[tuple[bytes, str, bytes | None]] = [
        (packed, "gzip", b'{"ok":"y"}'),
        (packed, "GZIP", b'{"ok":"y"}'),
        (b"plain", "identity", b"plain"),
        (b"not gzip", "gzip", None),
        (packed[:-9], "gzip", None),
        (packed, "br", None),
        (gzip.compress(bytes(LARGEST_BODY)), "gzip", bytes(LARGEST_BODY)),
        (gzip.compress(bytes(LARGEST_BODY + 1)), "gzip", None),
    ]
    for body, encoding, read in cases:
        async with serving(with_length(body, headers=f"content-encoding: {encoding}\r\n")) as local:
            assert (await asked(local.url)).body == read


async def test_an_answer_that_breaks_off_or_is_none_is_no_answer() -> None:
    async def break_off(_: Local, writer: asyncio.StreamWriter) -> None:
        writer.write(with_length(b"{", length=10))
        writer.close()

    for reply in (break_off, b"no HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: " + bytes(200_000)):
        async with serving(reply) as local:
            with pytest.raises(NoAnswer):
                await asked(local.url, "POST")


async def test_long_headers_are_read() -> None:
    async with serving(with_length(b"{}", headers=f"content-security-policy: {'x' * 20_000}\r\n")) as local:
        assert (await asked(local.url)).body == b"{}"


async def test_a_redirect_is_not_followed() -> None:
    async with serving(with_length(b"", status="307 Elsewhere", headers="location: /elsewhere\r\n")) as local:
        for method in METHODS:
            assert (await asked(local.url, method)).status == 307
    assert len(local.requests) == len(METHODS)


async def test_the_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(OK) as local:
        assert (await asked(local.url)).status == 200


@pytest.fixture
def noisy(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    caplog.set_level(logging.DEBUG)
    yield caplog
    assert "jane" not in caplog.text
    assert "s3cret" not in caplog.text


async def test_neither_logs_nor_errors_tell_what_was_asked(noisy: pytest.LogCaptureFixture) -> None:
    async def fails(url: str, kind: type[Exception]) -> None:
        url, headers = f"{url}/x?filter=jane@example.com", {"DD-API-KEY": "s3cret"}
        async with using(ClientTimeout(sock_connect=0.05)) as client:
            with pytest.raises(kind) as caught:
                await client.send("GET", url, headers, None)
        told = "".join(traceback.format_exception(caught.value))
        assert "GET /x" in told
        assert "jane" not in told
        assert "s3cret" not in told

    async with serving(hang_up) as local:
        await fails(local.url, NoAnswer)
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        await fails(f"https://127.0.0.1:{deaf.getsockname()[1]}", NotSent)
    await fails("ftp://x:s3cret@127.0.0.1", NotSent)
    async with serving(OK) as local, using() as client:
        await client.send("GET", f"{local.url}/x?filter=jane@example.com", {"DD-API-KEY": "s3cret"}, None)
    assert json.dumps([record.getMessage() for record in noisy.records if record.levelno > logging.DEBUG]) == "[]"


async def test_a_closed_client_asks_nothing_more() -> None:
    async with serving(OK) as local:
        async with using() as client:
            pass
        with pytest.raises(RuntimeError):
            await client.send("GET", local.url, {}, None)
    assert local.requests == []
