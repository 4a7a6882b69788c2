"""What a failed call to Slack means for what we do next."""

from typing import Any

from aiohttp import ClientConnectorError, ServerDisconnectedError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.errors import Meaning, SlackTrouble, error_code, trouble_of


def _refused(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> SlackApiError:
    response = AsyncSlackResponse(
        client=AsyncWebClient(),
        http_verb="POST",
        api_url="",
        req_args={},
        data=data,
        headers=headers or {},
        status_code=status,
    )
    return SlackApiError("no", response)  # type: ignore[no-untyped-call]


def test_each_answer_has_its_meaning() -> None:
    cases: list[tuple[Any, int, Meaning]] = [
        ({"ok": False, "error": "not_in_channel"}, 200, Meaning.REFUSED),
        ({"ok": False, "error": "something_new"}, 200, Meaning.REFUSED),
        ({"ok": False, "error": "invalid_blocks"}, 200, Meaning.MALFORMED),
        ({"ok": False, "error": "message_not_found"}, 200, Meaning.GONE),
        ({"ok": False, "error": "internal_error"}, 200, Meaning.OPEN),
        ({"ok": False, "error": "ratelimited"}, 429, Meaning.WAIT),
        ("<html>Bad gateway</html>", 502, Meaning.OPEN),
        ("", 503, Meaning.OPEN),
        ({}, 200, Meaning.OPEN),
        (None, 500, Meaning.OPEN),
    ]
    for data, status, meaning in cases:
        assert trouble_of(_refused(data, status)).meaning is meaning


def test_slacks_wait_is_kept() -> None:
    cases: list[tuple[dict[str, str], float]] = [
        ({"Retry-After": "30"}, 30.0),
        ({"retry-after": "30"}, 30.0),
        ({"Retry-After": "nan"}, 1.0),
        ({}, 1.0),
    ]
    for headers, wait in cases:
        trouble = trouble_of(_refused({"ok": False, "error": "ratelimited"}, 429, headers))
        assert trouble == SlackTrouble(Meaning.WAIT, "ratelimited", wait)


def test_no_connection_means_nothing_was_sent() -> None:
    assert trouble_of(ClientConnectorError(None, OSError())).meaning is Meaning.WAIT  # type: ignore[arg-type]


def test_a_lost_answer_leaves_it_open() -> None:
    cases: list[Exception] = [ServerDisconnectedError(), TimeoutError()]
    for error in cases:
        assert trouble_of(error).meaning is Meaning.OPEN


def test_a_page_in_place_of_an_answer_has_no_code() -> None:
    assert error_code(_refused("<html>", 502)) == ""
