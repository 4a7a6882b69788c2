"""The client over a scripted wire: what is tried again, what is not, and what never leaks."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.datadog.client import LARGEST_BODY, Datadog
from bot.datadog.errors import (
    BadRequest,
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
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("hung up"),
        httpx.ConnectError("refused"),
        httpx.PoolTimeout("busy"),
    ]
    for trouble in troubles:
        wire.answers(trouble, ok())
        assert await datadog.call("GET", "/x") == OK
    for method in ("PUT", "DELETE"):
        wire.answers(broken(), ok())
        assert await datadog.call(method, "/x") == OK
    assert len(wire.slept) == len(troubles) + 2


async def test_a_post_is_tried_again_when_nothing_was_done(wire: Wire, datadog: Datadog) -> None:
    cases: list[httpx.Response | Exception] = [limited("2"), httpx.ConnectError("refused"), httpx.ConnectTimeout("far")]
    for trouble in cases:
        wire.answers(trouble, ok())

        assert await datadog.call("POST", "/x", json={}) == OK


async def test_a_post_that_may_have_happened_is_never_repeated(wire: Wire, datadog: Datadog) -> None:
    cases: list[tuple[httpx.Response | Exception, type[DatadogError]]] = [
        (broken(503), Unavailable),
        (broken(408), Unavailable),
        (httpx.ReadTimeout("slow"), NoAnswer),
        (httpx.WriteTimeout("slow"), NoAnswer),
        (httpx.ReadError("reset"), NoAnswer),
        (httpx.RemoteProtocolError("hung up"), NoAnswer),
    ]
    for trouble, kind in cases:
        wire.answers(trouble)

        with pytest.raises(kind) as caught:
            await datadog.call("POST", "/x", json={})

        assert caught.value.may_have_happened
    assert len(wire.sent) == len(cases)
    assert wire.slept == []


async def test_a_post_that_only_reads_may_be_repeated(wire: Wire, datadog: Datadog) -> None:
    wire.answers(broken(), httpx.ReadTimeout("slow"), ok())

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
    wire.answers(*(httpx.ConnectError("refused") for _ in range(3)))

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


class Endless(httpx.AsyncByteStream):
    """A body that never ends; it counts how much of it was taken."""

    def __init__(self) -> None:
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.taken += 1024 * 1024
            yield b" " * 1024 * 1024


async def test_a_huge_body_is_not_read_whole(wire: Wire, datadog: Datadog) -> None:
    body = Endless()
    wire.answers(httpx.Response(200, stream=body))

    with pytest.raises(Unreadable):
        await datadog.call("GET", "/x")

    assert body.taken <= LARGEST_BODY + 1024 * 1024


async def test_a_huge_refusal_is_still_a_refusal(wire: Wire, datadog: Datadog) -> None:
    wire.answers(httpx.Response(400, stream=Endless()))

    with pytest.raises(BadRequest):
        await datadog.call("GET", "/x")


async def test_a_compressed_answer_is_read_and_a_broken_one_is_not(wire: Wire, datadog: Datadog) -> None:
    packed = gzip.compress(json.dumps(OK).encode())
    headers = {"content-encoding": "gzip"}
    wire.answers(httpx.Response(200, content=_stream(packed), headers=headers))
    assert await datadog.call("GET", "/x") == OK

    wire.answers(httpx.Response(200, content=_stream(b"not gzip"), headers=headers))
    with pytest.raises(Unreadable):
        await datadog.call("GET", "/x")


async def _stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def test_an_answer_that_drips_forever_is_given_up() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with Datadog(
        "https://api.datadoghq.com", API_KEY, APP_KEY, app_url="", transport=httpx.MockTransport(never), deadline=0.01
    ) as datadog:
        with pytest.raises(NoAnswer):
            await datadog.call("POST", "/x", json={})


async def test_the_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")

    async with Datadog("https://api.datadoghq.com", API_KEY, APP_KEY, app_url="") as datadog:
        assert datadog._http._mounts == {}


class LocalServer:
    """A real socket that answers each request with the same bytes; it counts connections."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answer and await reader.readuntil(b"\r\n\r\n"):
                writer.write(self.answer)
                await writer.drain()
            if not self.answer:
                await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def _against(local: LocalServer, calls: int) -> list[Any]:
    server = await asyncio.start_server(local.serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Datadog(url, API_KEY, APP_KEY, app_url="", attempts=1) as datadog:
            return [await datadog.call("GET", "/x") for _ in range(calls)]


async def test_calls_share_one_connection() -> None:
    local = LocalServer(b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"ok":"y"}')

    assert await _against(local, 3) == [{"ok": "y"}] * 3
    assert local.connections == 1


async def test_a_connection_dropped_without_an_answer_may_have_happened() -> None:
    with pytest.raises(NoAnswer):
        await _against(LocalServer(b""), 1)


async def test_a_closed_port_means_nothing_was_sent() -> None:
    server = await asyncio.start_server(LocalServer(b"").serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()

    async with Datadog(f"http://127.0.0.1:{port}", API_KEY, APP_KEY, app_url="", attempts=1) as datadog:
        with pytest.raises(NotSent):
            await datadog.call("POST", "/x", json={})


async def test_httpx_does_not_log_whole_urls(wire: Wire, datadog: Datadog, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    wire.answers(ok())

    await datadog.call("GET", "/x", params={"filter": "jane@example.com"})

    assert caplog.records == []


async def test_a_redirect_is_a_refusal(wire: Wire, datadog: Datadog) -> None:
    wire.answers(httpx.Response(301, headers={"location": "https://elsewhere.example/"}))

    with pytest.raises(OtherRefusal):
        await datadog.call("POST", "/x", json={})
