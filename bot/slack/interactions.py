"""What a person did in Slack, read once from its payload: who, where, on what, and the key that is the same for a retry only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from bot.model import Place

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Interaction:
    """A click, a choice, a shortcut, a submitted or searched form, a slash command or a mention."""

    key: str
    place: Place
    person: str
    person_name: str = ""  # untrusted
    response_url: str = ""
    trigger_id: str = ""
    action_id: str = ""
    block_id: str = ""
    value: str = ""  # of the button that was pressed, or of the option that was chosen
    text: str = ""  # typed after a command or mention, or into a select that searches
    message: Payload = field(default_factory=dict, repr=False)  # the one it was done on
    view: Payload = field(default_factory=dict, repr=False)  # the window it was done in

    @property
    def workspace(self) -> str:
        return self.place.workspace

    @property
    def number(self) -> int:
        """The value as a row's number; 0, which no row has, for anything else."""
        value = self.value
        return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else 0

    @property
    def view_id(self) -> str:
        return str(self.view.get("id") or "")

    @property
    def metadata(self) -> str:
        """What the window carries with it."""
        return str(self.view.get("private_metadata") or "")

    def at(self, channel: str, thread_ts: str = "") -> "Interaction":
        """The same where only its window knows the place."""
        return replace(self, place=Place(self.workspace, channel, thread_ts))


def workspace_of(body: Payload) -> str:
    """The workspace it happened in, which an org-wide install may not tell: then that of the window or message it was done
    in. A person's own counts only for what was done in no message: theirs is not the one whose message they clicked."""
    team, user = body.get("team") or {}, body.get("user") or {}
    message, view = body.get("message") or {}, body.get("view") or {}
    told = (
        _team(view.get("app_installed_team_id")),  # a window that was opened from another company's channel
        team.get("id") if isinstance(team, dict) else team,
        body.get("team_id"),
        view.get("team_id"),
        message.get("team"),
        user.get("team_id") if isinstance(user, dict) and not message else "",
    )
    return next((str(workspace) for workspace in told if workspace), "")


def _team(team: object) -> str:
    """A workspace's id; an org-wide install may be named by its enterprise."""
    return team if isinstance(team, str) and team.startswith("T") else ""


def of_message(body: Payload) -> Interaction:
    """A button, a select or a shortcut: the answer belongs into its message's thread."""
    container, message = body.get("container") or {}, body.get("message") or {}
    action = (body.get("actions") or [{}])[0]
    ts = message.get("ts") or container.get("message_ts") or body.get("message_ts") or ""
    thread = message.get("thread_ts") or container.get("thread_ts") or ts
    channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or ""
    chosen, user = action.get("selected_option") or {}, body.get("user") or {}
    return Interaction(
        key=_key(body),
        place=Place(workspace_of(body), str(channel), str(thread)),
        person=str(user.get("id") or ""),
        person_name=str(user.get("name") or user.get("username") or ""),
        response_url=str(body.get("response_url") or ""),
        trigger_id=str(body.get("trigger_id") or ""),
        action_id=str(action.get("action_id") or ""),
        block_id=str(action.get("block_id") or ""),
        value=str(action.get("value") or chosen.get("value") or ""),
        message=message,
        view=body.get("view") or {},
    )


def of_search(body: Payload) -> Interaction:
    """Somebody types into a select that searches."""
    return replace(of_message(body), text=str(body.get("value") or ""))


def of_submission(body: Payload) -> Interaction:
    """A window that was submitted; sent again it has the same key."""
    view = body.get("view") or {}
    key = f"view:{view.get('root_view_id') or view.get('id', '')}"
    return replace(of_message(body), key=key)


def of_command(body: Payload) -> Interaction:
    return Interaction(
        key=_key(body),
        place=Place(str(body.get("team_id") or ""), str(body.get("channel_id") or "")),
        person=str(body.get("user_id") or ""),
        response_url=str(body.get("response_url") or ""),
        trigger_id=str(body.get("trigger_id") or ""),
        text=str(body.get("text") or ""),
    )


def of_mention(body: Payload) -> Interaction:
    """A mention is answered in its thread; one in the channel opens a thread under itself."""
    event = body.get("event") or {}
    ts, channel = str(event.get("ts") or ""), str(event.get("channel") or "")
    workspace = str(body.get("team_id") or event.get("team") or "")
    return Interaction(
        key=f"mention:{workspace}:{channel}:{ts}",
        place=Place(workspace, channel, str(event.get("thread_ts") or ts)),
        person=str(event.get("user") or ""),
        text=str(event.get("text") or ""),
    )


def _key(body: Payload) -> str:
    """From everything a redelivery repeats and a second one does not; hashed, a response URL is a key to answer."""
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
