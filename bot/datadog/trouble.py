"""Why something did not work, told apart by what a person can do about it. Rooms keep it in their rows; the sentences
for each kind stand in bot/slack/errors.py."""

from collections.abc import Awaitable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import AliasChoices, Field

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
from bot.deadline import within

T = TypeVar("T")


class TroubleKind(StrEnum):
    BAD_REQUEST = "bad_request"  # 400, the reason is Datadog's own
    UNAUTHORIZED = "unauthorized"  # 401
    FORBIDDEN = "forbidden"  # 403, `permission` names what is missing
    NOT_FOUND = "not_found"  # 404
    CONFLICT = "conflict"  # 409
    RATE_LIMITED = "rate_limited"  # 429, `wait` says for how long
    REFUSED = "refused"  # any other definite no
    NOT_REACHED = "not_reached"  # nothing was sent
    UNCLEAR = "unclear"  # it may have happened
    NO_ORG = "no_org"  # no Datadog organisation is connected
    NO_PROJECT = "no_project"  # there is nothing to put a case into
    NO_EMAIL = "no_email"  # Slack does not tell us the address of the person in `about`
    NO_USER = "no_user"  # nobody in Datadog has that address
    NO_ALERT = "no_alert"  # the monitor has not alerted lately, or the event is no alert
    BITS_FAILED = "bits_failed"  # Bits itself reported a failed run
    VANISHED = "vanished"  # the running investigation is gone from Datadog
    INTERNAL = "internal"  # ours; the reference stands in the log

    @classmethod
    def _missing_(cls, value: object) -> "TroubleKind":
        """Rows of older versions have other words for some; what a newer one wrote is not clear to us."""
        older = {"case_gone": cls.NOT_FOUND, "unavailable": cls.NOT_REACHED}
        return older.get(str(value), cls.UNCLEAR)


@dataclass(frozen=True, slots=True)
class Trouble:
    kind: Annotated[TroubleKind, Field(validation_alias=AliasChoices("kind", "why", "cause"))]  # rows have all three
    detail: str = ""  # Datadog's own words, untrusted
    permission: str = ""
    wait: float | None = None  # seconds after which the same again makes sense
    about: str = ""  # the Slack user it is about, where that is not plain; of a 403, the site that does not offer it
    request_id: str = ""

    @property
    def may_pass(self) -> bool:
        """Whether the same again may work in a while."""
        return self.kind in _PASSING


_PASSING = {TroubleKind.RATE_LIMITED, TroubleKind.NOT_REACHED, TroubleKind.UNCLEAR, TroubleKind.CONFLICT}
_KINDS: dict[type[DatadogError], TroubleKind] = {
    BadRequest: TroubleKind.BAD_REQUEST,
    Unauthorized: TroubleKind.UNAUTHORIZED,
    Forbidden: TroubleKind.FORBIDDEN,
    NotFound: TroubleKind.NOT_FOUND,
    Conflict: TroubleKind.CONFLICT,
    RateLimited: TroubleKind.RATE_LIMITED,
    NotSent: TroubleKind.NOT_REACHED,
    Refused: TroubleKind.REFUSED,
}


def trouble_of(error: DatadogError | TimeoutError) -> Trouble:
    kind = next((kind for each, kind in _KINDS.items() if isinstance(error, each)), TroubleKind.UNCLEAR)
    if isinstance(error, TimeoutError):
        return Trouble(kind)
    return Trouble(
        kind,
        detail=error.detail,
        permission=error.permission if isinstance(error, Forbidden) else "",
        about=error.site if isinstance(error, Forbidden) else "",
        wait=error.wait if isinstance(error, RateLimited) else None,
        request_id=error.request_id,
    )


async def or_trouble(work: Awaitable[T], seconds: float) -> T | Trouble:
    """What it brings in time, or why it brings nothing."""
    try:
        async with within(seconds):
            return await work
    except (DatadogError, TimeoutError) as error:
        return trouble_of(error)
