"""The way out of this machine, the same for every client of Slack and Datadog: through which proxy, trusting whom, under which
name. And why it does not lead there, so that a proxy's trouble is not taken for theirs."""

import ipaddress
import ssl
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientHandlerType,
    ClientHttpProxyError,
    ClientMiddlewareType,
    ClientProxyConnectionError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    TCPConnector,
)
from aiohttp.abc import AbstractStreamWriter
from aiohttp.connector import Connection
from yarl import URL

from bot.deadline import refuse_if_late
from bot.wording import version

USER_AGENT = f"bits-bot/{version()}"


class NeverLate(ClientRequest):
    """Nothing is sent over a connection, new or kept, once the time of the work in hand is over."""

    async def send(self, conn: Connection) -> ClientResponse:
        refuse_if_late()
        return await super().send(conn)

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> None:
        """With a body the headers wait for it, and a task of its own may come to its turn after the process was frozen."""
        try:
            refuse_if_late()
        except TimeoutError as error:
            if conn.protocol is not None:
                conn.protocol.set_exception(error)
            return
        await super().write_bytes(writer, conn, content_length)


@dataclass(frozen=True)
class WayOut:
    """Straight, and trusting whom Python trusts, where nothing is given."""

    proxy: str = field(default="", repr=False)  # it may hold a password
    no_proxy: str = ""
    trusted: Path | None = None  # a file of certificates, in place of the machine's own
    trusted_too: Path | None = None  # one besides

    def session(
        self, *, limit: int, keepalive: float = 15.0, first: ClientMiddlewareType | None = None, **how: Any
    ) -> ClientSession:
        """Whatever a client of a library says about proxies, this way is taken."""
        return ClientSession(
            connector=TCPConnector(limit=limit, keepalive_timeout=keepalive, ssl=self._trust),
            middlewares=(*((first,) if first else ()), self._take),
            request_class=how.pop("request_class", NeverLate),
            headers={"User-Agent": USER_AGENT} | how.pop("headers", {}),
            trust_env=False,
            **how,
        )

    def proxy_for(self, url: URL) -> URL | None:
        host = url.host or ""
        if not self.proxy or _is_this_machine(host) or _is_excepted(url, self.no_proxy):
            return None
        return URL(self.proxy)

    @cached_property
    def _trust(self) -> ssl.SSLContext | bool:
        return trusting(self.trusted, self.trusted_too) if self.trusted or self.trusted_too else True

    async def _take(self, request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
        request.proxy = self.proxy_for(request.url)
        return await send(request)


def trusting(only: Path | None, too: Path | None) -> ssl.SSLContext:
    """OSError where a file has no certificates."""
    context = ssl.create_default_context(cafile=only)
    if too is not None:
        context.load_verify_locations(too)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # many a company's own authority lacks what Python 3.13 insists on
    return context


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_excepted(url: URL, no_proxy: str) -> bool:
    """As curl and Go read NO_PROXY: names with all that ends in them, networks, * for everything."""
    words = filter(None, (word.strip().lower() for word in no_proxy.split(",")))
    return any(word == "*" or _covers(word, (url.host or "").lower(), url.port) for word in words)


def _covers(word: str, host: str, port: int | None) -> bool:
    name = word.removeprefix("*").removeprefix(".").removesuffix(f":{port}")
    return host == name or host.endswith(f".{name}") or _is_in(host, name)


def _is_in(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Both are for the person who runs the bot."""

    what: str
    fix: str


def obstacle(error: BaseException) -> Obstacle | None:
    """What stands in the way; None where no more is known than that nothing came back."""
    proxy = "Correct HTTPS_PROXY, or name the host in NO_PROXY if no proxy is needed to reach it."
    match error:
        case ClientHttpProxyError(status=407):
            return Obstacle(
                "the proxy wants a user name and a password (HTTP 407)",
                "HTTPS_PROXY takes them: http://user:password@host:port.",
            )
        case ClientHttpProxyError(status=status):
            return Obstacle(
                f"the proxy does not let us through (HTTP {status})", f"Ask whoever runs the proxy to allow it. {proxy}"
            )
        case ClientProxyConnectionError():
            return Obstacle("the proxy can't be reached", proxy)
        case ClientConnectorCertificateError(certificate_error=reason):
            told = getattr(reason, "verify_message", "") or "not valid"
            return Obstacle(
                f"its certificate is not trusted ({told})",
                "If a proxy opens encrypted traffic, put its authority's certificate (PEM) into a file and name that in BITS_CA_FILE.",
            )
        case ClientConnectorDNSError():
            return Obstacle("its name is not known (DNS)", "Check DNS on this machine; with a proxy, set HTTPS_PROXY.")
    return None
