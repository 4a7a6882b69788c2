"""A company's network: a proxy that writes down where everybody goes, opens encrypted traffic with an authority of its own,
and is the only one who knows the names of the outside."""

import asyncio
import re
import ssl
from base64 import b64encode
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates that nobody trusts who does not have its own, which `file` holds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._signed("A company's authority", self._key.public_key(), is_authority=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, *names: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed("A server", key.public_key(), names)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        both = self._folder / "server.pem"
        both.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        return context

    def _signed(
        self, name: str, key: ec.EllipticCurvePublicKey, hosts: tuple[str, ...] = (), *, is_authority: bool = False
    ) -> x509.Certificate:
        def named(words: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])

        now = datetime.now(UTC)
        built = x509.CertificateBuilder(
            named("A company's authority"),
            named(name),
            key,
            x509.random_serial_number(),
            now - timedelta(days=1),
            now + timedelta(days=1),
        ).add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        if hosts:
            built = built.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False
            )
        return built.sign(self._key, hashes.SHA256())


class LoggingProxy:
    """`outside` names hosts and where each really is; whoever has not `password` gets 407."""

    def __init__(self, authority: Authority, outside: dict[str, str], *, password: str = "", refuses: int = 0) -> None:
        self._tls = authority.server(*outside)
        self._outside = {host: urlsplit(url) for host, url in outside.items()}
        self._password = password
        self._refuses = refuses
        self._stack = AsyncExitStack()
        self._under_way: set[asyncio.Task[None]] = set()
        self.log: list[str] = []
        self.agents: set[str] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        server = await asyncio.start_server(self._came, "127.0.0.1", 0)
        self._stack.push_async_callback(self._close, server)
        who = f"{self._password}@" if self._password else ""
        self.url = f"http://{who}127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _close(self, server: asyncio.Server) -> None:
        server.close()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._under_way.add(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, target, _ = head.split(" ", 2)
            host, _, port = target.rpartition(":")
            if target.startswith("/"):
                return  # somebody who takes this port for another's
            self.log.append(f"{method} {target}")
            said = f"Proxy-Authorization: Basic {b64encode(self._password.encode()).decode()}"
            status = 407 if self._password and said not in head else self._refuses or 200
            status = status if host in self._outside else 403
            writer.write(f"HTTP/1.1 {status} So\r\n\r\n".encode())
            await writer.drain()
            if status == 200:
                assert port == "443"
                await writer.start_tls(self._tls)
                await self._pass_on(host, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # whoever asked does not trust us, or has gone
        finally:
            writer.close()

    def _saw(self, data: bytes) -> None:
        self.agents |= {
            told.split(b" ")[0].decode() for told in re.findall(rb"(?i)^user-agent: ([^\r]+)", data, re.MULTILINE)
        }

    async def _pass_on(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        real = self._outside[host]
        there, back = await asyncio.open_connection(real.hostname, real.port)
        ways = {
            asyncio.create_task(_pump(reader, back, self._saw)),
            asyncio.create_task(_pump(there, writer, lambda _: None)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            back.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, saw: Callable[[bytes], None]) -> None:
    while data := await source.read(65536):
        saw(data)
        target.write(data)
        await target.drain()
