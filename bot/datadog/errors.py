"""What can go wrong between us and Datadog, told apart by whether the call may have had an effect. No calls here.

DatadogError
  x Refused            a definite no: nothing was done
    - BadRequest         400
    - Unauthorized       401
    - Forbidden          403, `permission` names what the call needs
    - NotFound           404
    - Conflict           409
    - RateLimited        429, `wait` says for how long
    - OtherRefusal       any other 3xx or 4xx
  x NotSent            no connection: nothing reached Datadog
  x Unavailable        5xx: it may have happened
  x NoAnswer           sent, then silence or a dropped connection: it may have happened
  x Unreadable         a success whose body we do not understand: it has happened

UnusableKeyError stands apart: a key that can't even be sent.
"""
# ruff: noqa: N818 - the names say what Datadog did, and read well after `except`

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.network import Obstacle

DEFAULT_RATE_LIMIT_WAIT = 1.0
_DETAIL_LIMIT = 1000
_REQUEST_ID_HEADERS = ("x-request-id", "dd-request-id", "x-datadog-trace-id")


class DatadogError(Exception):
    """The message holds status, method and path only; Datadog's own words, untrusted, are in `detail`."""

    may_have_happened: bool = True

    def __init__(self, message: str, *, status: int | None = None, detail: str = "", request_id: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail
        self.request_id = request_id


class Refused(DatadogError):
    may_have_happened = False


class BadRequest(Refused):
    pass


class Unauthorized(Refused):
    pass


class Forbidden(Refused):
    permission: str = ""
    site: str = ""  # where Datadog's documents do not offer it at all


class NotFound(Refused):
    pass


class Conflict(Refused):
    pass


class RateLimited(Refused):
    wait: float = DEFAULT_RATE_LIMIT_WAIT  # seconds


class OtherRefusal(Refused):
    pass


class NotSent(DatadogError):
    may_have_happened = False

    def __init__(self, message: str, *, obstacle: Obstacle | None = None) -> None:
        super().__init__(message)
        self.obstacle = obstacle  # what is known of why


class Unavailable(DatadogError):
    wait: float | None = None  # seconds, when Datadog named a time


class NoAnswer(DatadogError):
    pass


class Unreadable(DatadogError):
    pass


class UnusableKeyError(ValueError):
    """A key that can't be one of Datadog's. The message names which key, never its text."""


_REFUSALS: dict[int, type[Refused]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}


def not_offered(error: DatadogError, region: str, *, whole: bool) -> DatadogError:
    """The same on a site where Datadog's documents do not offer what was asked for: that is why, whatever its words are.

    A 404 of a single thing says that it is gone; of a `whole` product, that there is none.
    """
    if not isinstance(error, Forbidden) and not (whole and isinstance(error, NotFound)):
        return error
    refused = Forbidden(str(error), status=error.status, detail=error.detail, request_id=error.request_id)
    refused.site = region
    return refused


# A gateway may say 408 after it has passed the request on, so it is no definite refusal.
_REQUEST_TIMEOUT = 408


def error_for(
    status: int, headers: Mapping[str, str], body: bytes, *, method: str, path: str, permission: str = ""
) -> DatadogError:
    """The error behind an answer that is not a success. Never fails itself, whatever the body is."""
    unclear = status == _REQUEST_TIMEOUT or status >= 500
    kind: type[DatadogError] = Unavailable if unclear else _REFUSALS.get(status, OtherRefusal)
    said = f"Datadog answered {status} to {method} {path}"
    error = kind(said, status=status, detail=error_detail(body), request_id=request_id_of(headers))
    wait = wait_of(headers)
    if isinstance(error, Forbidden):
        error.permission = permission
    elif isinstance(error, Unavailable):
        error.wait = wait
    elif isinstance(error, RateLimited):
        error.wait = DEFAULT_RATE_LIMIT_WAIT if wait is None else wait
    return error


def request_id_of(headers: Mapping[str, str]) -> str:
    return next((headers[name][:100] for name in _REQUEST_ID_HEADERS if headers.get(name)), "")


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Seconds until a new try makes sense. `X-RateLimit-Reset` counts seconds from now, it is no epoch."""
    told = (_seconds(headers.get(name, "")) for name in ("x-ratelimit-reset", "retry-after"))
    return next((seconds for seconds in told if seconds is not None), None)


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def error_detail(body: bytes) -> str:
    """Datadog's own words out of any of its error bodies; empty for HTML, silence or garbage."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(parsed, dict):
        return ""
    said = [_one_line(words) for words in _words(parsed)]
    return "; ".join(dict.fromkeys(words for words in said if words))[:_DETAIL_LIMIT]


def _words(body: dict[str, Any]) -> Iterator[str]:
    errors = body.get("errors") or body.get("error") or body.get("message")
    for error in errors if isinstance(errors, list) else [errors]:
        if isinstance(error, str):
            yield error
        elif isinstance(error, dict):
            told = (error.get(member) for member in ("detail", "title", "message", "code"))
            yield next((words for words in told if isinstance(words, str) and words.strip()), "")


def _one_line(words: str) -> str:
    printable = words.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", printable).strip()
