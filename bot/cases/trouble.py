"""Why something about a case did not work, told apart by what the person can do about it. Sentences stand with the views."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from bot.datadog.errors import (
    BadRequest,
    Conflict,
    DatadogError,
    Forbidden,
    NotFound,
    NotSent,
    RateLimited,
    Refused,
    Unauthorized,
)


class Why(StrEnum):
    NO_ORG = "no_org"
    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    REFUSED = "refused"
    NOT_REACHED = "not_reached"
    UNCLEAR = "unclear"  # it may have happened
    NO_PROJECT = "no_project"  # there is nothing to put a case into
    NO_EMAIL = "no_email"  # Slack does not tell us the person's address
    NO_USER = "no_user"  # nobody in Datadog has that address


@dataclass(frozen=True, slots=True)
class Trouble:
    why: Why
    detail: str = ""  # Datadog's own words, untrusted
    permission: str = ""
    wait: float | None = None  # seconds Datadog asked for
    about: str = ""  # whom or what it is about, where that is not plain

    @property
    def may_pass(self) -> bool:
        """Whether the same again may work in a while."""
        return self.why in _PASSING


_PASSING = {Why.RATE_LIMITED, Why.NOT_REACHED, Why.UNCLEAR, Why.CONFLICT}
_KINDS: dict[type[DatadogError], Why] = {
    BadRequest: Why.BAD_REQUEST,
    Unauthorized: Why.UNAUTHORIZED,
    Forbidden: Why.FORBIDDEN,
    NotFound: Why.NOT_FOUND,
    Conflict: Why.CONFLICT,
    RateLimited: Why.RATE_LIMITED,
    NotSent: Why.NOT_REACHED,
    Refused: Why.REFUSED,
}


def trouble_of(error: DatadogError | TimeoutError) -> Trouble:
    why = next((why for kind, why in _KINDS.items() if isinstance(error, kind)), Why.UNCLEAR)
    detail = error.detail if isinstance(error, DatadogError) else ""
    permission = error.permission if isinstance(error, Forbidden) else ""
    wait = error.wait if isinstance(error, RateLimited) else None
    return Trouble(why, detail, permission, wait)


def trouble_record(trouble: Trouble) -> dict[str, Any]:
    return asdict(trouble)


def read_trouble(record: dict[str, Any] | None) -> Trouble | None:
    return Trouble(**{**record, "why": Why(record["why"])}) if record else None
