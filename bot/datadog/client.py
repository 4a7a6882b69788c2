"""One client for one Datadog organisation: keys, retries and errors; and how its answers are read. Requests leave through
`http.py`.

It knows no endpoint; those live beside it, one file a product. Bodies, keys and query text are never logged.
"""

import asyncio
import json as jsonlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Protocol, Self
from urllib.parse import quote, urlencode

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
    not_offered,
    request_id_of,
)
from bot.datadog.http import Answer, Http
from bot.datadog.links import home_of
from bot.network import WayOut

log = logging.getLogger(__name__)

LONGEST_WAIT = 10.0  # seconds a caller is kept waiting for a rate limit before it is told
_CASES = "/api/v2/cases"
_PAGES = "/api/v2/on-call/pages"  # taken by a host of its own
# Paths of no single thing: a 404 there says that there is no such product.
_WHOLE = {"/api/v2/bits-ai/investigations", _CASES, f"{_CASES}/projects", f"{_CASES}/types", _PAGES}
_RESET_MARGIN = 0.5  # a reset is told in whole seconds; a try right on it may come too early
_BACKOFF = (0.5, 2.0, 5.0)
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})

Params = Mapping[str, str | int]
JsonObject = dict[str, Any]


class Sender(Protocol):
    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer: ...

    async def close(self) -> None: ...


class Datadog:
    """Calls to one organisation."""

    def __init__(
        self,
        api_url: str,
        api_key: str,
        app_key: str,
        *,
        app_url: str,
        http: Sender | None = None,
        way: WayOut | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        attempts: int = 3,
    ) -> None:
        self.api_url = api_url.rstrip("/")
        self.app_url = app_url.rstrip("/")
        self.answers = Answers()
        self._site = home_of(self.app_url).site
        self._headers = _headers(api_key, app_key)
        self._http = http or Http(way=way)
        self._sleep = sleep
        self._attempts = attempts

    def __repr__(self) -> str:
        return f"Datadog({self.api_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.close()

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
        headers, body = self._headers, None
        if json is not None:
            headers = headers | {"Content-Type": "application/json"}
            # Escaped to ASCII: half an emoji, which people's clients do send, has no UTF-8 form.
            body = jsonlib.dumps(json).encode("ascii")
        answer = await self._http.send(method, self._url(path, params), headers, body)
        if answer.is_success:
            return _parsed(answer, method=method, path=path)
        error = error_for(
            answer.status, answer.headers, answer.body or b"", method=method, path=path, permission=permission
        )
        raise error if self._site.offers(path) else not_offered(error, self._site.region, whole=path in _WHOLE)

    def _url(self, path: str, params: Params | None) -> str:
        query = urlencode({name: text(value) for name, value in params.items()}) if params else ""
        # where somebody has named another host for the API, it takes pages too
        of_its_own = path == _PAGES and self.api_url == self._site.api_url
        host = f"https://{self._site.on_call}" if of_its_own else self.api_url
        return f"{host}{path}?{query}" if query else f"{host}{path}"


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


def _parsed(answer: Answer, *, method: str, path: str) -> JsonObject:
    if answer.body == b"" and (answer.status in {202, 204} or method == "DELETE"):
        return {}
    parsed = _json(answer.body)
    if isinstance(parsed, dict):
        return parsed
    unreadable = f"Datadog's answer to {method} {path} can't be read"
    raise Unreadable(unreadable, status=answer.status, request_id=request_id_of(answer.headers))


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


def _headers(api_key: str, app_key: str) -> dict[str, str]:
    return {
        "DD-API-KEY": _usable(api_key, "API key"),
        "DD-APPLICATION-KEY": _usable(app_key, "application key"),
        "Accept": "application/json",
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
