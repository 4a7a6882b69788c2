"""One HTTP client for one Datadog organisation: keys, pooled connections, time limits, retries and errors; and how its
answers are read.

It knows no endpoint; those live beside it, one file a product. Bodies, keys and query text are never logged.
"""

import asyncio
import json as jsonlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import cache
from typing import Any, Self
from urllib.parse import quote

import httpx

from bot import meters
from bot.datadog.answers import Answers
from bot.datadog.errors import (
    DatadogError,
    NoAnswer,
    NotFound,
    NotSent,
    RateLimited,
    Refused,
    Unavailable,
    Unreadable,
    UnusableKeyError,
    error_for,
    request_id_of,
)
from bot.deadline import refuse_if_late

log = logging.getLogger(__name__)
# httpx logs whole URLs, and a query may hold what people typed or their e-mail address.
logging.getLogger("httpx").setLevel(logging.WARNING)

TIMEOUT = httpx.Timeout(connect=3, read=10, write=10, pool=5)
LONGEST_WAIT = 10.0  # seconds a caller is kept waiting for a rate limit before it is told
LARGEST_BODY = 8 * 1024 * 1024
_LARGEST_ERROR_BODY = 64 * 1024
_RESET_MARGIN = 0.5  # a reset is told in whole seconds; a try right on it may come too early
_BACKOFF = (0.5, 2.0, 5.0)
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

Params = Mapping[str, str | int]
JsonObject = dict[str, Any]


class Datadog:
    """Calls to one organisation. `deadline` bounds one attempt, however slowly its answer drips in."""

    def __init__(
        self,
        api_url: str,
        api_key: str,
        app_key: str,
        *,
        app_url: str,
        timeout: httpx.Timeout = TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        attempts: int = 3,
        deadline: float = 30.0,
    ) -> None:
        self.api_url = api_url.rstrip("/")
        self.app_url = app_url.rstrip("/")
        self.answers = Answers()
        self._sleep = sleep
        self._attempts = attempts
        self._deadline = deadline
        self._http = httpx.AsyncClient(
            base_url=self.api_url,
            headers=_headers(api_key, app_key),
            timeout=timeout,
            transport=transport,
            verify=_tls(),
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=30),
            follow_redirects=False,
            trust_env=False,
        )

    def __repr__(self) -> str:
        return f"Datadog({self.api_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: JsonObject | None = None,
        permission: str = "",
        repeatable: bool | None = None,
        attempts: int | None = None,
    ) -> JsonObject:
        """Datadog's answer as an object; an empty one for an answer without a body. Raises DatadogError.

        A call that is not repeatable is tried again only when it is certain that the last try did nothing.
        `attempts` is for callers that wait on their own.
        """
        repeats = method in _REPEATABLE if repeatable is None else repeatable
        tries = 1
        while True:
            try:
                answer = await self._attempt(method, path, params, json, permission)
            except DatadogError as error:
                self._met(error)
                wait = _wait_before_retry(error, tries, repeatable=repeats)
                if wait is None or tries >= (attempts or self._attempts):
                    raise
                log.info("Trying %s %s again in %.1f s: %s", method, path, wait, type(error).__name__)
            else:
                self._met(None)
                return answer
            await self._sleep(wait)
            tries += 1

    def _met(self, error: DatadogError | None) -> None:
        self.answers.note(error)
        if isinstance(error, RateLimited):
            meters.RATE_WAITS.add("datadog", by=error.wait)
        meters.CALLS.add("datadog", _outcome(error))

    async def _attempt(
        self, method: str, path: str, params: Params | None, json: JsonObject | None, permission: str
    ) -> JsonObject:
        request = self._request(method, path, params, json)
        try:
            async with asyncio.timeout(self._deadline):
                status, headers, body = await self._exchange(request)
        except _NOTHING_SENT as error:
            reason = type(error).__name__
            raise NotSent(f"{method} {path} did not reach Datadog: {reason}") from error
        except (httpx.TransportError, TimeoutError) as error:
            reason = type(error).__name__
            raise NoAnswer(f"no answer to {method} {path}: {reason}") from error
        if 200 <= status < 300:
            return _parsed(status, headers, body, method=method, path=path)
        raise error_for(status, headers, body or b"", method=method, path=path, permission=permission)

    def _request(self, method: str, path: str, params: Params | None, json: JsonObject | None) -> httpx.Request:
        cleaned = {name: text(value) for name, value in (params or {}).items()}
        if json is None:
            return self._http.build_request(method, path, params=cleaned, extensions=_EXTENSIONS)
        # Escaped to ASCII: half an emoji, which people's clients do send, has no UTF-8 form.
        content = jsonlib.dumps(json).encode("ascii")
        headers = {"Content-Type": "application/json"}
        return self._http.build_request(
            method, path, params=cleaned, content=content, headers=headers, extensions=_EXTENSIONS
        )

    async def _exchange(self, request: httpx.Request) -> tuple[int, httpx.Headers, bytes | None]:
        """Status, headers and body; None for a body that is broken or larger than anything we asked for."""
        response = await self._http.send(request, stream=True)
        try:
            limit = LARGEST_BODY if response.is_success else _LARGEST_ERROR_BODY
            return response.status_code, response.headers, await _read(response, limit)
        finally:
            await response.aclose()


def _outcome(error: DatadogError | None) -> str:
    match error:
        case None:
            return "ok"
        case RateLimited():
            return "limited"
        case Refused():
            return "refused"
        case _:
            return "failed"


async def _in_time(event: str, _about: object) -> None:
    if event.endswith("send_request_headers.started"):
        refuse_if_late()


_EXTENSIONS = {"trace": _in_time}


async def _read(response: httpx.Response, limit: int) -> bytes | None:
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > limit:
                return None
    except httpx.DecodingError:
        return None
    return bytes(body)


def _parsed(status: int, headers: httpx.Headers, body: bytes | None, *, method: str, path: str) -> JsonObject:
    if body == b"" and (status in {202, 204} or method == "DELETE"):
        return {}
    parsed = _json(body)
    if isinstance(parsed, dict):
        return parsed
    unreadable = f"Datadog's answer to {method} {path} can't be read"
    raise Unreadable(unreadable, status=status, request_id=request_id_of(headers))


def _json(body: bytes | None) -> Any:
    try:
        return None if body is None else jsonlib.loads(body)
    except (ValueError, RecursionError):
        return None


def _wait_before_retry(error: DatadogError, tries: int, *, repeatable: bool) -> float | None:
    """Seconds to wait before a new try, None when there should be none."""
    backoff = _BACKOFF[min(tries, len(_BACKOFF)) - 1]
    match error:
        case RateLimited():
            return error.wait + _RESET_MARGIN if error.wait <= LONGEST_WAIT else None
        case NotSent():
            return backoff
        case Unavailable() if repeatable:
            wait = backoff if error.wait is None else error.wait
            return wait if wait <= LONGEST_WAIT else None
        case NoAnswer() if repeatable:
            return backoff
    return None


@cache
def _tls() -> ssl.SSLContext:
    """One for all organisations: reading the certificates takes a tenth of a second in which nothing else runs."""
    return httpx.create_ssl_context(trust_env=False)


def _headers(api_key: str, app_key: str) -> dict[str, str]:
    return {
        "DD-API-KEY": _usable(api_key, "API key"),
        "DD-APPLICATION-KEY": _usable(app_key, "application key"),
        "Accept": "application/json",
        "User-Agent": "bits-bot",
    }


def _usable(key: str, name: str) -> str:
    if not key:
        raise UnusableKeyError(f"The Datadog {name} is empty.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UnusableKeyError(f"The Datadog {name} holds a space, a line break or a strange character. Copy it again.")
    return key


# -- reading answers without trusting their shape: absent, null and mistyped members become empty values --------------


_INT64 = range(-(2**63), 2**63)
_LARGEST_NUMBER = 10**20
_LONGEST_ID = 300


def member(value: Any, *path: str) -> Any:
    """What stands at the end of the path, None as soon as a step is missing."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def text(value: Any, *path: str) -> str:
    """Text at the path. Numbers are taken for ids; what no database or message can hold is dropped."""
    found = member(value, *path)
    if isinstance(found, str):
        return found.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found) if -_LARGEST_NUMBER < found < _LARGEST_NUMBER else ""
    return ""


def whole(value: Any, *path: str) -> int | None:
    """A whole number at the path, also one written as text or as 3.0."""
    found = member(value, *path)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        number = int(found)
    except (ValueError, OverflowError):
        return None
    return number if number in _INT64 and (not isinstance(found, float) or number == found) else None


def flag(value: Any, *path: str) -> bool:
    return member(value, *path) is True


def objects(value: Any, *path: str) -> Iterator[JsonObject]:
    """The objects of a list at the path, without whatever else stands in it."""
    found = member(value, *path)
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict):
            yield item


def texts(value: Any, *path: str) -> tuple[str, ...]:
    """The texts of a list at the path; a single text counts as a list of one."""
    found = member(value, *path)
    items = found if isinstance(found, list) else [found]
    return tuple(item for item in map(text, items) if item)


def segment(identifier: str) -> str:
    """An id as one segment of a path. Text that would change the path names nothing Datadog has."""
    if identifier.strip() in {"", ".", ".."} or len(identifier) > _LONGEST_ID:
        raise NotFound("what was asked for is no id of Datadog's")
    return quote(text(identifier), safe="")
