"""The client over a scripted wire: what is tried again, what is not, and what never leaks. Sockets are in `test_http.py`."""

import json
import logging

import httpx
import pytest

from bot.datadog.client import Datadog
from bot.datadog.errors import (
    DatadogError,
    Forbidden,
    NoAnswer,
    NotSent,
    OtherRefusal,
    RateLimited,
    Unavailable,
    Unreadable,
    UnusableKeyError,
)
from tests.datadog.conftest import API_KEY, APP_KEY, Wire

OK = {"data": {"id": "1"}}


def ok() -> httpx.Response:
    return httpx.Response(200, json=OK)


def limited(seconds: str) -> httpx.Response:
    return httpx.Response(429, json={"errors": ["Too many requests"]}, headers={"X-RateLimit-Reset": seconds})


def broken(status: int = 503, **headers: str) -> httpx.Response:
    return httpx.Response(status, text="<html>upstream</html>", headers=headers)


async def test_a_call_carries_both_keys_and_answers_the_object(wire: Wire, datadog: Datadog) -> None:
    wire.answers(ok())

    answer = await datadog.call("GET", "/api/v2/cases/X-1", params={"page[size]": 10, "filter": 'a b&c"'})

    assert answer == OK
    assert wire.last.headers["DD-API-KEY"] == API_KEY
    assert wire.last.headers["DD-APPLICATION-KEY"] == APP_KEY
    assert wire.last.url.host == "api.datadoghq.eu"
    assert dict(wire.last.url.params) == {"page[size]": "10", "filter": 'a b&c"'}
    assert "content-type" not in wire.last.headers


async def test_a_delete_can_carry_a_body(wire: Wire, datadog: Datadog) -> None:
    wire.answers(ok())

    await datadog.call("DELETE", "/api/v2/cases/X-1/insights", json={"data": {"type": "case"}})

    assert wire.last.method == "DELETE"
    assert wire.body == {"data": {"type": "case"}}
    assert wire.last.headers["content-type"] == "application/json"


async def test_half_an_emoji_can_be_sent(wire: Wire, datadog: Datadog) -> None:
    wire.answers(ok(), ok())

    await datadog.call("POST", "/x", json={"comment": "half \ud83d an emoji"})
    assert wire.body == {"comment": "half \ud83d an emoji"}

    await datadog.call("GET", "/x", params={"filter": "half \ud83d"})
    assert wire.last.url.params["filter"] == "half ?"


async def test_a_repeatable_call_is_tried_again(wire: Wire, datadog: Datadog) -> None:
    troubles: list[httpx.Response | Exception] = [
        limited("2"),
        broken(500),
        broken(408),
        NoAnswer("slow"),
        NotSent("refused"),
    ]
    for trouble in troubles:
        wire.answers(trouble, ok())
        assert await datadog.call("GET", "/x") == OK
    for method in ("PUT", "DELETE"):
        wire.answers(broken(), ok())
        assert await datadog.call(method, "/x") == OK
    assert len(wire.slept) == len(troubles) + 2


async def test_a_post_is_tried_again_when_nothing_was_done(wire: Wire, datadog: Datadog) -> None:
    cases: list[httpx.Response | Exception] = [limited("2"), NotSent("refused")]
    for trouble in cases:
        wire.answers(trouble, ok())

        assert await datadog.call("POST", "/x", json={}) == OK


async def test_a_post_that_may_have_happened_is_never_repeated(wire: Wire, datadog: Datadog) -> None:
    cases: list[tuple[httpx.Response | Exception, type[DatadogError]]] = [
        (broken(503), Unavailable),
        (broken(408), Unavailable),
        (NoAnswer("slow"), NoAnswer),
    ]
    for trouble, kind in cases:
        wire.answers(trouble)

        with pytest.raises(kind) as caught:
            await datadog.call("POST", "/x", json={})

        assert caught.value.may_have_happened
    assert len(wire.sent) == len(cases)
    assert wire.slept == []


async def test_a_post_that_only_reads_may_be_repeated(wire: Wire, datadog: Datadog) -> None:
    wire.answers(broken(), NoAnswer("slow"), ok())

    assert await datadog.call("POST", "/search", json={}, repeatable=True) == OK


async def test_a_get_may_be_declared_unrepeatable(wire: Wire, datadog: Datadog) -> None:
    wire.answers(broken())

    with pytest.raises(Unavailable):
        await datadog.call("GET", "/x", repeatable=False)


async def test_a_refusal_is_final(wire: Wire, datadog: Datadog) -> None:
    for status in (400, 401, 403, 404, 409, 412):
        wire.answers(httpx.Response(status, json={"errors": ["no"]}))

        with pytest.raises(DatadogError) as caught:
            await datadog.call("GET", "/x")

        assert (caught.value.status, caught.value.detail) == (status, "no")
    assert len(wire.sent) == 6


async def test_it_gives_up_after_three_tries(wire: Wire, datadog: Datadog) -> None:
    wire.answers(broken(500), broken(502), broken(504))

    with pytest.raises(Unavailable) as caught:
        await datadog.call("GET", "/x")

    assert caught.value.status == 504
    assert wire.slept == [0.5, 2.0]


async def test_nothing_sent_is_told_apart(wire: Wire, datadog: Datadog) -> None:
    wire.answers(*(NotSent("refused") for _ in range(3)))

    with pytest.raises(NotSent) as caught:
        await datadog.call("POST", "/x", json={})

    assert not caught.value.may_have_happened


async def test_it_waits_as_long_as_the_rate_limit_says(wire: Wire, datadog: Datadog) -> None:
    wire.answers(limited("4"), limited("0"), ok())

    await datadog.call("POST", "/x", json={})

    assert wire.slept == [4.5, 0.5]


async def test_a_long_rate_limit_is_told_and_not_slept(wire: Wire, datadog: Datadog) -> None:
    wire.answers(limited("42"))

    with pytest.raises(RateLimited) as caught:
        await datadog.call("GET", "/x")

    assert caught.value.wait == 42
    assert wire.slept == []


async def test_an_outage_that_names_its_end_is_believed(wire: Wire, datadog: Datadog) -> None:
    wire.answers(broken(503, **{"Retry-After": "3"}), ok())
    await datadog.call("GET", "/x")
    assert wire.slept == [3]

    wire.answers(broken(503, **{"Retry-After": "120"}))
    with pytest.raises(Unavailable) as caught:
        await datadog.call("GET", "/x")
    assert caught.value.wait == 120


async def test_each_retry_is_logged_with_its_reason_and_nothing_private(
    wire: Wire, datadog: Datadog, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wire.answers(limited("1"), broken(), ok())

    await datadog.call("PUT", "/api/v2/cases", params={"filter": "jane@example.com"}, json={"comment": "private"})

    assert [record.getMessage() for record in caplog.records if record.name == "bot.datadog.client"] == [
        "Trying PUT /api/v2/cases again in 1.5 s: RateLimited",
        "Trying PUT /api/v2/cases again in 2.0 s: Unavailable",
    ]
    for secret in (API_KEY, APP_KEY, "jane", "private"):
        assert secret not in caplog.text


async def test_no_key_shows_in_a_repr_or_an_error(wire: Wire, datadog: Datadog) -> None:
    wire.answers(httpx.Response(403, json={"errors": ["Forbidden"]}))

    with pytest.raises(Forbidden) as caught:
        await datadog.call("GET", "/x", permission="cases_read")

    assert caught.value.permission == "cases_read"
    assert repr(datadog) == "Datadog('https://api.datadoghq.eu')"
    assert API_KEY not in repr(caught.value)


def test_a_key_that_cannot_be_one_is_refused_without_repeating_it() -> None:
    for key in ("", "abc\n", "a b", "schlüssel", "tab\tkey", "\u200babc"):
        for keys in ((key, APP_KEY), (API_KEY, key)):
            with pytest.raises(UnusableKeyError) as caught:
                Datadog("https://api.datadoghq.com", *keys, app_url="https://app.datadoghq.com")
            assert not key or key not in str(caught.value)
        assert "application key" in str(caught.value)


async def test_json_is_read_whatever_it_is_called(wire: Wire, datadog: Datadog) -> None:
    for content_type in ("application/json", "application/vnd.api+json", "text/plain", ""):
        wire.answers(httpx.Response(201, content=json.dumps(OK).encode(), headers={"content-type": content_type}))

        assert await datadog.call("GET", "/x") == OK


async def test_an_empty_success_is_an_empty_object(wire: Wire, datadog: Datadog) -> None:
    for status in (202, 204):
        wire.answers(httpx.Response(status))

        assert await datadog.call("DELETE", "/x") == {}


async def test_a_success_that_makes_no_sense_is_unreadable(wire: Wire, datadog: Datadog) -> None:
    for body in (b"", b"<html>", b"[1]", b'"text"', b"{", b"\xff\xfe\x00", b"[" * 50_000, b"1" * 5000):
        wire.answers(httpx.Response(200, content=body))

        with pytest.raises(Unreadable) as caught:
            await datadog.call("GET", "/x")

        assert caught.value.may_have_happened
        assert caught.value.status == 200


async def test_a_redirect_is_a_refusal(wire: Wire, datadog: Datadog) -> None:
    wire.answers(httpx.Response(301, headers={"location": "https://elsewhere.example/"}))

    with pytest.raises(OtherRefusal):
        await datadog.call("POST", "/x", json={})
