"""What fits through the door: all that Slack sends, and nothing that a reader behind it would stumble over."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from bot.slack.blocks import MENU, menu_item
from bot.slack.payloads import UnreadablePayloadError, carried_in, number_of, read_body, read_payload

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
CLICK: dict[str, Any] = {
    "type": "block_actions",
    "team": {"id": "T1", "domain": "acme"},
    "user": {"id": "U1", "name": "ana", "team_id": "T1"},
    "channel": {"id": "C1", "name": "alerts"},
    "container": {"type": "message", "message_ts": "10.1", "channel_id": "C1", "is_ephemeral": False},
    "message": {
        "ts": "10.1",
        "bot_id": "B1",
        "attachments": [{"id": 1, "ts": 1_700_000_000, "fields": [{"value": 5}]}],
    },
    "actions": [{"action_id": "card:run_again", "action_ts": "11.1", "value": "7", "type": "button"}],
    "enterprise": None,
    "is_enterprise_install": False,
}
MENTION: dict[str, Any] = {
    "type": "event_callback",
    "team_id": "T1",
    "event": {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "10.1", "text": "help", "team": "T1"},
    "authorizations": [{"enterprise_id": None, "team_id": "T1", "user_id": "U9", "is_bot": True}],
}
WINDOW: dict[str, Any] = {
    "type": "view_submission",
    "team": None,
    "user": {"id": "U1", "team_id": "T1"},
    "view": {
        "id": "V1",
        "type": "modal",
        "callback_id": "settings",
        "private_metadata": "[]",
        "state": {"values": {"team": {"user": {"type": "plain_text_input", "value": None}}}},
    },
}
COMMAND = {"command": "/bits", "team_id": "T1", "user_id": "U1", "channel_id": "C1", "text": "help"}


def test_whatever_way_it_travels_it_is_read_alike() -> None:
    told = json.dumps(CLICK)
    assert read_body(told.encode(), JSON) == read_body(f"payload={quote(told)}".encode(), FORM) == read_payload(CLICK)
    assert read_body(b"command=%2Fbits&team_id=T1&user_id=U1&channel_id=C1&text=", FORM)["text"] == ""


def test_what_is_chosen_in_a_menu_of_ours_is_the_button_it_stands_for() -> None:
    item = menu_item("Attach to case", "conclusions:attach", value="7")
    chosen = {"type": "overflow", "action_id": MENU, "action_ts": "11.1", "selected_option": item}
    (action,) = read_payload(CLICK | {"actions": [chosen]})["actions"]
    assert (action["action_id"], action["value"]) == ("conclusions:attach", "7")

    link = menu_item("Open", "conclusions:open", url="https://app.datadoghq.com")
    (action,) = read_payload(CLICK | {"actions": [chosen | {"selected_option": link}]})["actions"]
    assert (action["action_id"], action["value"]) == ("conclusions:open", "")

    (others,) = read_payload(CLICK | {"actions": [chosen | {"action_id": "another"}]})["actions"]
    assert others["action_id"] == "another"


@pytest.mark.parametrize("payload", [CLICK, MENTION, WINDOW, COMMAND])
def test_what_slack_sends_fits_and_so_does_what_it_may_add(payload: dict[str, Any]) -> None:
    assert read_payload(payload | {"brand_new": {"id": [1, {"text": {}}]}})


def test_null_is_the_same_as_nothing() -> None:
    assert "enterprise" not in read_payload(CLICK)
    assert read_payload(WINDOW)["view"]["state"]["values"] == {"team": {"user": {"type": "plain_text_input"}}}


def test_what_no_database_keeps_is_replaced_in_names_too() -> None:
    told = read_payload(MENTION | {"event": MENTION["event"] | {"text": "a\0b \ud83d 🙂", "\0": 1}})
    assert told["event"]["text"] == "a\ufffdb \ufffd 🙂"
    assert "\ufffd" in told["event"]


def with_(payload: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Names with __ lead into objects."""
    told: dict[str, Any] = json.loads(json.dumps(payload))
    for path, value in changes.items():
        *way, last = path.split("__")
        holder = told
        for name in way:
            holder = holder[name]
        holder[last] = value
    return told


def any_of(*values: Any) -> tuple[Any, ...]:
    return values


DEEP: Any = "deep"
for _ in range(100):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "payload",
    [
        *([], None, "text", 5, {}, {"type": "nothing"}, {"type": []}),
        *(
            with_(CLICK, user=None),
            with_(CLICK, user={"id": ""}),
            with_(CLICK, user={"id": "U" * 33}),
            with_(CLICK, user=5),
        ),
        with_(CLICK, team=None, user={"id": "U1"}),  # of no workspace
        with_(CLICK, channel=None, container=None),  # on a message that stands nowhere
        *(with_(CLICK, actions=each) for each in any_of([], {}, None, [None], [[]], ["x"], [{}], [{"action_id": 5}])),
        *(with_(CLICK, message=[]), with_(CLICK, message={"ts": 5}), with_(CLICK, message={"ts": "x"})),
        with_(CLICK, authorizations=[5]),
        with_(CLICK, authorizations=[{"authorizations": [{"team": 5}]}]),
        with_(CLICK, response_url=5),
        with_(CLICK, response_urls=[5]),
        with_(CLICK, actions=[{"action_id": "a", "selected_option": "x"}]),
        *(with_(MENTION, event=each) for each in any_of([], None, {}, {"type": 5}, "x")),
        *(with_(MENTION, event__channel=""), with_(MENTION, event__channel={}), with_(MENTION, event__ts=None)),
        *(with_(MENTION, event_time="soon"), with_(MENTION, event_time=1e400), with_(MENTION, event_time=10**30)),
        *(with_(WINDOW, view=each) for each in any_of([], None, {}, {"callback_id": "settings"})),
        *(with_(WINDOW, view__state=each) for each in any_of([], "x", {"values": []}, {"values": {"a": []}})),
        with_(WINDOW, view__state={"values": {"a": {"b": {"selected_options": ["x"]}}}}),
        with_(WINDOW, view__blocks=[{"element": {"options": {}}}]),
        with_(WINDOW, view__type="workflow_step"),
        *({**COMMAND, name: ""} for name in ("team_id", "user_id", "channel_id")),
        with_(CLICK, deep=DEEP),
    ],
)
def test_what_a_reader_would_stumble_over_stays_outside(payload: Any) -> None:
    with pytest.raises(UnreadablePayloadError):
        read_payload(payload)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b"payload=" + b"[" * 100_000,
        b"{",
        b'{"a":NaN}',
        b"a&" * 500,
        b'{"a":' + b"9" * 9_000 + b"}",
    ],
)
def test_what_is_no_body_stays_outside(raw: bytes) -> None:
    for kind in (JSON, FORM, ""):
        with pytest.raises(UnreadablePayloadError):
            read_body(raw, kind)


def test_what_a_window_carries_is_ours_or_nothing() -> None:
    assert carried_in('{"case": 5}') == {"case": 5}
    assert [carried_in(each) for each in any_of("", "[]", "5", "{", "[" * 100_000)] == [{}] * 5
    assert [number_of(each) for each in any_of(5, "5", "0", None, -5, "-5", 1.5, "²", "9" * 16, [])] == [5, 5] + [0] * 8
