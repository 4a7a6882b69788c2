"""What an error means for a person, and what earlier versions have written down of it."""

import asyncio
from typing import Any

from pydantic import TypeAdapter

from bot.datadog.errors import (
    BadRequest,
    Conflict,
    DatadogError,
    Forbidden,
    NoAnswer,
    NotFound,
    NotSent,
    OtherRefusal,
    RateLimited,
    Unauthorized,
    Unavailable,
    Unreadable,
)
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble, trouble_of

TROUBLE = TypeAdapter(Trouble)


def test_every_error_is_some_trouble() -> None:
    cases: list[tuple[DatadogError | TimeoutError, TroubleKind]] = [
        (BadRequest("x"), TroubleKind.BAD_REQUEST),
        (Unauthorized("x"), TroubleKind.UNAUTHORIZED),
        (NotFound("x"), TroubleKind.NOT_FOUND),
        (Conflict("x"), TroubleKind.CONFLICT),
        (OtherRefusal("x"), TroubleKind.REFUSED),
        (NotSent("x"), TroubleKind.NOT_REACHED),
        (Unavailable("x"), TroubleKind.UNCLEAR),
        (NoAnswer("x"), TroubleKind.UNCLEAR),
        (Unreadable("x"), TroubleKind.UNCLEAR),
        (TimeoutError(), TroubleKind.UNCLEAR),
    ]
    for error, kind in cases:
        assert trouble_of(error) == Trouble(kind)


def test_what_is_known_of_an_error_is_kept() -> None:
    forbidden = Forbidden("x", detail="no", request_id="r-1")
    forbidden.permission = "cases_write"
    assert trouble_of(forbidden) == Trouble(TroubleKind.FORBIDDEN, "no", "cases_write", request_id="r-1")
    limited = RateLimited("x")
    limited.wait = 30.0
    assert trouble_of(limited) == Trouble(TroubleKind.RATE_LIMITED, wait=30.0)


def test_rows_of_other_versions_are_read() -> None:
    cases: list[tuple[dict[str, Any], Trouble]] = [
        (
            {"why": "no_email", "detail": "d", "permission": "p", "wait": None, "about": "U5"},
            Trouble(TroubleKind.NO_EMAIL, "d", "p", about="U5"),
        ),
        (
            {"cause": "case_gone", "detail": "d", "permission": "", "wait": 1.0, "request_id": "r"},
            Trouble(TroubleKind.NOT_FOUND, "d", wait=1.0, request_id="r"),
        ),
        ({"kind": "unavailable", "detail": "", "permission": ""}, Trouble(TroubleKind.NOT_REACHED)),
        ({"kind": "not yet thought of", "colour": "red"}, Trouble(TroubleKind.UNCLEAR)),
    ]
    for record, trouble in cases:
        assert TROUBLE.validate_python(record) == trouble


def test_what_is_written_down_is_read_back() -> None:
    for kind in list(TroubleKind):
        trouble = Trouble(kind, "d", "p", 1.5, "U5", "r")
        assert TROUBLE.validate_python(TROUBLE.dump_python(trouble, mode="json")) == trouble


async def test_what_is_asked_comes_back_or_why_it_does_not() -> None:
    async def answered() -> int:
        return 7

    async def refused() -> int:
        raise NotFound("x")

    assert await or_trouble(answered(), 5) == 7
    assert await or_trouble(refused(), 5) == Trouble(TroubleKind.NOT_FOUND)
    assert await or_trouble(asyncio.Event().wait(), 0) == Trouble(TroubleKind.UNCLEAR)
