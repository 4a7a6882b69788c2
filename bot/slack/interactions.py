"""Reads what a person did from Slack's payloads: who, where, and the key that is the same for a retry of it only."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bot.model import Place


@dataclass(frozen=True, slots=True)
class Interaction:
    key: str
    place: Place
    person: str
    response_url: str = ""
    trigger_id: str = ""


def workspace_of(body: dict[str, Any]) -> str:
    """The workspace it happened in; for an org-wide install the person's own."""
    team = body.get("team") or {}
    user = body.get("user") or {}
    return str(
        (team.get("id") if isinstance(team, dict) else team)
        or body.get("team_id")
        or (user.get("team_id") if isinstance(user, dict) else "")
        or ""
    )


def of_message(body: dict[str, Any]) -> Interaction:
    """A button or shortcut on a message: the answer belongs into that message's thread."""
    container, message = body.get("container") or {}, body.get("message") or {}
    ts = message.get("ts") or container.get("message_ts") or body.get("message_ts") or ""
    thread = message.get("thread_ts") or container.get("thread_ts") or ts
    channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or ""
    return Interaction(
        key=_key(body),
        place=Place(workspace_of(body), str(channel), str(thread)),
        person=str((body.get("user") or {}).get("id", "")),
        response_url=str(body.get("response_url") or ""),
        trigger_id=str(body.get("trigger_id") or ""),
    )


def of_command(body: dict[str, Any]) -> Interaction:
    return Interaction(
        key=_key(body),
        place=Place(str(body.get("team_id") or ""), str(body.get("channel_id") or "")),
        person=str(body.get("user_id") or ""),
        response_url=str(body.get("response_url") or ""),
        trigger_id=str(body.get("trigger_id") or ""),
    )


def _key(body: dict[str, Any]) -> str:
    """From everything a redelivery repeats and a second gesture does not; hashed, a response URL is a key to answer."""
    actions = [[action.get("action_id"), action.get("action_ts")] for action in body.get("actions") or ()]
    told = [
        body.get("trigger_id"),
        body.get("response_url"),
        body.get("user_id") or body.get("user"),
        body.get("channel_id") or body.get("channel"),
        body.get("text"),
        body.get("callback_id"),
        body.get("action_ts"),
        body.get("message_ts"),
        actions,
    ]
    return f"gesture:{sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()}"


def of_mention(body: dict[str, Any]) -> Interaction:
    """A mention is answered in its thread; one in the channel opens a thread under itself."""
    event = body.get("event") or {}
    ts, channel = str(event.get("ts") or ""), str(event.get("channel") or "")
    workspace = str(body.get("team_id") or event.get("team") or "")
    return Interaction(
        key=f"mention:{workspace}:{channel}:{ts}",
        place=Place(workspace, channel, str(event.get("thread_ts") or ts)),
        person=str(event.get("user") or ""),
    )


def of_view(body: dict[str, Any], place: Place) -> Interaction:
    view = body.get("view") or {}
    return Interaction(
        key=f"view:{view.get('root_view_id') or view.get('id', '')}",
        place=place,
        person=str((body.get("user") or {}).get("id", "")),
        trigger_id=str(body.get("trigger_id") or ""),
    )


def first_action(body: dict[str, Any]) -> dict[str, Any]:
    actions = body.get("actions") or [{}]
    return dict(actions[0])
