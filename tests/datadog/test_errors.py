"""Every refusal Datadog was recorded to give, and garbage, become one error with Datadog's own words in it."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.errors import (
    BadRequest,
    Conflict,
    DatadogError,
    Forbidden,
    NotFound,
    OtherRefusal,
    RateLimited,
    Refused,
    Unauthorized,
    Unavailable,
    error_detail,
    error_for,
)


def error(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> DatadogError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_for(status, headers or {}, raw, method="GET", path="/api/v2/cases/X-1", permission="cases_read")


def test_each_status_has_its_kind() -> None:
    cases: list[tuple[int, type[DatadogError], bool]] = [
        (302, OtherRefusal, False),
        (400, BadRequest, False),
        (401, Unauthorized, False),
        (403, Forbidden, False),
        (404, NotFound, False),
        (408, Unavailable, True),
        (409, Conflict, False),
        (412, OtherRefusal, False),
        (429, RateLimited, False),
        (500, Unavailable, True),
        (504, Unavailable, True),
    ]
    for status, kind, may_have_happened in cases:
        told = error(status)

        assert type(told) is kind
        assert told.may_have_happened is may_have_happened
        assert isinstance(told, Refused) is not may_have_happened
        assert (told.status, str(told)) == (status, f"Datadog answered {status} to GET /api/v2/cases/X-1")


def test_the_words_are_datadogs_own() -> None:
    cases: list[tuple[Any, str]] = [
        ({"errors": [{"code": "resource_not_found", "title": "case not found"}]}, "case not found"),
        ({"errors": [{"status": "400", "title": "Bad Request"}]}, "Bad Request"),
        (
            {"errors": [{"title": "Generic Error", "detail": "invalid priority P1234", "meta": {}}]},
            "invalid priority P1234",
        ),
        ({"errors": ["Monitor not found"]}, "Monitor not found"),
        ({"errors": ["All values must have a key", "Second"]}, "All values must have a key; Second"),
        ({"status": "error", "code": 403, "errors": ["Forbidden"], "email": "support@example.com"}, "Forbidden"),
        ({"errors": [{"code": "teapot"}]}, "teapot"),
        ({"errors": [{"detail": None, "title": "  "}, None, 7]}, ""),
        ({"errors": "just text"}, "just text"),
        ({"errors": ["twice", "twice"]}, "twice"),
        ({"errors": ["line\nbreak\tand\u0000more"]}, "line break and more"),
        ({"errors": []}, ""),
        (b"<html><body>502 Bad Gateway</body></html>", ""),
        (b"", ""),
        (b"[" * 100_000, ""),
    ]
    for body, detail in cases:
        assert error(400, body).detail == detail


def test_forbidden_names_the_permission_that_is_missing() -> None:
    told = error(403, {"errors": ["Forbidden"]})

    assert isinstance(told, Forbidden)
    assert told.permission == "cases_read"


def test_a_rate_limit_says_how_long_it_lasts() -> None:
    cases: list[tuple[dict[str, str], float]] = [
        ({"x-ratelimit-reset": "7", "retry-after": "99"}, 7),
        ({"retry-after": "12"}, 12),
        ({"x-ratelimit-reset": "soon", "retry-after": "2.5"}, 2.5),
        ({"x-ratelimit-reset": "0"}, 0),
        ({"x-ratelimit-reset": "-3"}, 1),
        ({"retry-after": "nan"}, 1),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 1),
        ({}, 1),
    ]
    for headers, wait in cases:
        told = error(429, {"errors": ["Rate limited"]}, headers)

        assert isinstance(told, RateLimited)
        assert told.wait == wait


def test_the_request_id_is_kept_for_support() -> None:
    assert error(500, headers={"dd-request-id": "abc"}).request_id == "abc"
    assert error(500).request_id == ""


def test_the_message_is_safe_to_log() -> None:
    told = error(400, {"errors": ["the question was: why is checkout slow?"]})

    assert str(told) == "Datadog answered 400 to GET /api/v2/cases/X-1"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["detail", "errors"]), inner),
    max_leaves=4,
)
error_members = st.dictionaries(st.sampled_from(["detail", "title", "code", "message", "source"]), json_values)


@given(body=json_values | st.fixed_dictionaries({"errors": json_values | st.lists(error_members | json_values)}))
def test_no_json_breaks_the_parser(body: Any) -> None:
    detail = error_detail(json.dumps(body).encode())

    assert len(detail) <= 1000
    assert detail.isprintable() or "\n" not in detail


@given(
    status=st.integers(300, 999),
    body=st.binary(),
    headers=st.dictionaries(
        st.sampled_from(["x-ratelimit-reset", "retry-after", "x-ratelimit-name", "x-request-id"]), st.text()
    ),
)
def test_no_answer_breaks_the_parser(status: int, body: bytes, headers: dict[str, str]) -> None:
    told = error(status, body, headers)

    assert told.status == status
    if isinstance(told, RateLimited):
        assert 0 <= told.wait < float("inf")


@given(text=st.text(alphabet=st.characters(codec=None, categories=("L", "N", "P", "Z", "Cc", "Cs"))))
def test_words_can_always_be_stored_and_sent_on(text: str) -> None:
    detail = error_detail(json.dumps({"errors": [text]}).encode())

    assert detail.encode("utf-8").decode("utf-8") == detail
    assert "\x00" not in detail
