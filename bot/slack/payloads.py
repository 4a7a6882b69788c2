"""What Slack sends, read once at the door: clean, and of the shape that Bolt and every reader of ours count on, or not at all.

Only what somebody reads is looked at; Slack may add to the rest what it likes.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from bot.slack.blocks import MENU

Payload = Mapping[str, Any]

DEEPEST = 60  # Slack's own blocks nest to about ten
_ID = re.compile(r"[A-Za-z0-9_.-]{0,32}", re.ASCII)  # no longer than our tables hold
_TS = re.compile(r"[0-9]{1,16}\.[0-9]{1,9}|", re.ASCII)
_NAME, _KEY = re.compile(".{0,255}", re.DOTALL), re.compile(".{0,64}", re.DOTALL)
WORK_OBJECT = (
    "work_object"  # what an edit in the details of a Work Object is called by, which Slack gives no callback id
)
_LARGEST = 2**53  # what every reader of JSON holds exactly
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class UnreadablePayloadError(ValueError):
    """It is none of Slack's payloads; the message says why, without anything of it."""


def read_body(raw: bytes, content_type: str) -> dict[str, Any]:
    """A request's body: JSON, a form, or a form that carries JSON."""
    try:
        text = raw.decode()
        if content_type == "application/json" or text.startswith("{"):
            return read_payload(_json(text))
        form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=100))
        return read_payload(_json(form["payload"]) if "payload" in form else form)
    except UnreadablePayloadError:
        raise
    except (ValueError, RecursionError):
        raise UnreadablePayloadError("it is neither JSON nor a form") from None


def read_payload(told: object) -> dict[str, Any]:
    """The same where it is parsed already."""
    payload = _clean(told, DEEPEST)
    if not isinstance(payload, dict):
        raise UnreadablePayloadError("it is not an object")
    if missing := _unfit(payload, _PAYLOAD):
        raise UnreadablePayloadError(missing)
    if payload.get("view", {}).get("type") == "entity_detail":
        payload["view"]["callback_id"] = WORK_OBJECT
    if missing := _missing(payload):
        raise UnreadablePayloadError(missing)
    for action in payload.get("actions", ()):
        if action.get("type") == "overflow" and action.get("action_id") == MENU:
            # what was chosen in a menu of ours is the button it stands for: its option names that button and its value
            chosen = action.get("selected_option", {}).get("value", "")
            action["action_id"], _, action["value"] = chosen.partition(" ")
    return payload


def _json(text: str) -> Any:
    return json.loads(text, parse_constant=_no_number)


def _no_number(_: str) -> NoReturn:
    raise UnreadablePayloadError("it has a number that is none")


def _clean(told: Any, depth: int) -> Any:
    """Without what no database keeps, and without nulls: what is null and what is missing mean the same in Slack."""
    if not depth:
        raise UnreadablePayloadError("it is nested too deep")
    if isinstance(told, str):
        return _UNSTORABLE.sub("\ufffd", told)
    if isinstance(told, dict):
        return {_clean(name, 1): _clean(each, depth - 1) for name, each in told.items() if each is not None}
    if isinstance(told, list):
        return [_clean(each, depth - 1) for each in told if each is not None]
    if isinstance(told, float) and not math.isfinite(told):
        _no_number("")
    if isinstance(told, int) and abs(told) > _LARGEST:
        raise UnreadablePayloadError("it has too large a number")
    return told


# -- the shape ----------------------------------------------------------------------------------------------------------
# An object by the names in it ("*" for any other name), a list by what it is made of, a tuple by what it may be, text by a
# pattern, anything else by its type.

_OPTION = {"value": str}
_FIELD = {
    "value": object,
    "selected_option": _OPTION,
    "selected_options": [_OPTION],
    "selected_user": _ID,
    "selected_users": [_ID],
    "selected_conversation": _ID,
}
_ACTION = {**_FIELD, "action_id": str, "block_id": str, "type": str, "value": str}
_BLOCK = {"element": {"action_id": str, "options": [_OPTION]}}
_WHO = {"id": _ID, "team_id": _ID, "name": _NAME, "username": _NAME, "enterprise_id": _ID}

# Bolt looks for the place and the person on every level
_PLACE: dict[str, Any] = {
    "team": (_ID, _WHO),
    "user": (_ID, _WHO),
    "channel": (_ID, _WHO),
    "enterprise": (_ID, _WHO),
    **dict.fromkeys(("team_id", "user_id", "channel_id", "enterprise_id", "user_team", "app_installed_team_id"), _ID),
    **dict.fromkeys(("context_team_id", "context_enterprise_id"), _ID),
    **dict.fromkeys(("ts", "thread_ts", "message_ts"), _TS),
    **dict.fromkeys(("type", "subtype", "bot_id", "event_ts", "action_ts", "tab"), _NAME),
    "hash": _KEY,
    "external_ref": {"id": _NAME, "type": _NAME},
    "trigger_id": str,
    "edited": object,
    "tokens": {"*": object},
    "team_ids": [_ID],
}
_PLACE |= dict.fromkeys(("event", "message", "previous_message"), _PLACE)
_PLACE |= dict.fromkeys(("item", "assistant_thread"), (str, _PLACE))
_PLACE["text"] = str
_PLACE["authorizations"] = [_PLACE]
_VIEW = {
    **_PLACE,
    **dict.fromkeys(("id", "root_view_id"), _KEY),
    "callback_id": _NAME,
    "private_metadata": str,
    "blocks": [_BLOCK],
    "state": {"values": {"*": {"*": _FIELD}}},
}
_PLACE["view"] = _VIEW
_PAYLOAD: dict[str, Any] = {
    **_PLACE,
    **dict.fromkeys(("command", "callback_id", "action_id", "block_id"), _NAME),
    "event_id": _ID,
    **dict.fromkeys(("trigger_id", "response_url", "challenge", "value"), str),
    "container": _PLACE,
    "actions": [_ACTION],
    "response_urls": [{"response_url": str}],
    "event_time": (int, float),
}

Shape = Mapping[str, Any] | list[Any] | tuple[Any, ...] | re.Pattern[str] | type


def _unfit(told: Any, shape: Shape, name: str = "") -> str:
    """What does not fit, in words of ours; empty when all does."""
    if isinstance(shape, tuple):
        return min((_unfit(told, each, name) for each in shape), key=len)
    if isinstance(shape, list) and isinstance(told, list):
        return next(filter(None, (_unfit(each, shape[0], name) for each in told)), "")
    if isinstance(shape, Mapping) and isinstance(told, dict):
        return _unfit_member(told, shape)
    if isinstance(shape, re.Pattern) and isinstance(told, str) and shape.fullmatch(told):
        return ""
    if isinstance(shape, type) and isinstance(told, shape):
        return ""
    return f"{name or 'a field'} is not what Slack puts there"


def _unfit_member(told: dict[str, Any], shape: Mapping[str, Any]) -> str:
    others = shape.get("*", object)
    members = (_unfit(each, shape.get(name, others), name if name in shape else "") for name, each in told.items())
    return next(filter(None, members), "")


# -- what each kind can't do without ------------------------------------------------------------------------------------


def _missing(payload: Payload) -> str:
    kind = payload.get("type", "")
    if "command" in payload:
        needed = all(payload.get(name) for name in ("team_id", "user_id", "channel_id"))
    elif kind == "url_verification":
        needed = bool(payload.get("challenge"))
    elif kind == "event_callback":
        needed = _is_event(payload.get("event", {}))
    elif kind in _INTERACTIONS:
        needed = bool(_INTERACTIONS[kind](payload) and person_of(payload) and workspace_of(payload))
    else:
        return "it is nothing that we listen to"
    return "" if needed else "it lacks what it can't do without"


def _view_of(payload: Payload) -> bool:
    view = payload.get("view", {})
    of_entity = view.get("type") == "entity_detail" and bool(view.get("external_ref", {}).get("id"))
    return bool(view.get("callback_id") and (of_entity or view.get("type") in {"modal", "home"}))


def _is_event(event: Payload) -> bool:
    is_placed = bool(event.get("channel") and event.get("ts"))
    is_opened = bool(event.get("trigger_id") and person_of(event))
    needed = {"app_mention": is_placed, "entity_details_requested": is_opened}
    return bool(event.get("type")) and needed.get(str(event["type"]), True)


def _is_action(payload: Payload) -> bool:
    named = payload.get("actions") and payload["actions"][0].get("action_id")
    return bool(named and (payload.get("view") or _is_on_message(payload)))


def _is_on_message(payload: Payload) -> bool:
    container = payload.get("container", {})
    ts = payload.get("message", {}).get("ts") or payload.get("message_ts") or container.get("message_ts")
    return bool(ts and (id_of(payload.get("channel")) or container.get("channel_id")))


_INTERACTIONS: Mapping[str, Callable[[Payload], bool]] = {
    "block_actions": _is_action,
    "block_suggestion": lambda payload: bool(payload.get("action_id")),
    "view_submission": _view_of,
    "view_closed": _view_of,
    "shortcut": lambda payload: bool(payload.get("callback_id")),
    "message_action": lambda payload: bool(payload.get("callback_id") and _is_on_message(payload)),
}


def id_of(told: object) -> str:
    """Slack names a team, a person or a channel by its id, or by an object that has it."""
    named = told.get("id") if isinstance(told, Mapping) else told
    return str(named or "")


def number_of(told: object) -> int:
    """A row's number; 0, which no row has, for anything else."""
    digits = str(told) if isinstance(told, str | int) else ""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else 0


def is_reply(message: Payload) -> bool:
    """Whether it stands in a thread that another message opens."""
    return bool((message.get("thread_ts") or message.get("ts")) != message.get("ts"))


def carried_in(metadata: str) -> Payload:
    """What a window of ours carries with it; nothing where we did not write it."""
    try:
        told = json.loads(metadata)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def person_of(body: Payload) -> str:
    return id_of(body.get("user"))


def workspace_of(body: Payload) -> str:
    """The workspace it happened in, which an org-wide install may not tell: then that of the window or message it was done
    in. A person's own counts only for what was done in no message: theirs is not the one whose message they clicked."""
    user, message, view = body.get("user") or {}, body.get("message") or {}, body.get("view") or {}
    installed_in = str(view.get("app_installed_team_id") or "")  # an org-wide install may be named by its enterprise
    told = (
        installed_in if installed_in.startswith("T") else "",  # a window that was opened from another company's channel
        id_of(body.get("team")),
        body.get("team_id"),
        view.get("team_id"),
        id_of(message.get("team")),
        user.get("team_id") if isinstance(user, dict) and not message else "",
    )
    return next((str(workspace) for workspace in told if workspace), "")
