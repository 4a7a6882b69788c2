"""What a person did in Slack, read once from its payload: who, where, on what, and the key that is the same for a retry only."""

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256

from bot.model import Place
from bot.slack.payloads import Payload, carried_in, id_of, number_of, person_of, workspace_of


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
    value: str = ""  # of the button that was pressed, or of the option or person that was chosen
    text: str = ""  # typed after a command or mention, or into a select that searches
    message: Payload = field(default_factory=dict, repr=False)  # the one it was done on
    view: Payload = field(default_factory=dict, repr=False)  # the window it was done in

    in_thread: str = ""  # the thread in which the message stands that it was done on

    @property
    def workspace(self) -> str:
        return self.place.workspace

    @property
    def number(self) -> int:
        """The value as a row's number; 0, which no row has, for anything else."""
        return number_of(self.value)

    @property
    def view_id(self) -> str:
        return str(self.view.get("id") or "")

    @property
    def in_window(self) -> bool:
        """Whether it was done in an open window, on top of which another may come; one that was submitted closes."""
        return self.view.get("type") == "modal" and bool(self.action_id)

    @property
    def metadata(self) -> str:
        """What the window carries with it."""
        return str(self.view.get("private_metadata") or "")

    def at(self, channel: str, thread_ts: str = "") -> "Interaction":
        """The same where only its window knows the place."""
        return replace(self, place=Place(self.workspace, channel, thread_ts))


def of_message(body: Payload) -> Interaction:
    """A button, a select or a shortcut: the answer belongs into its message's thread, or into that which its window carries."""
    view = body.get("view") or {}
    container, message = body.get("container") or {}, body.get("message") or {}
    action = (body.get("actions") or [{}])[0]
    ts = message.get("ts") or container.get("message_ts") or body.get("message_ts") or ""
    told = message.get("thread_ts") or container.get("thread_ts") or ""
    thread = told or ("" if container.get("is_ephemeral") else ts)  # what only one person sees opens no thread
    channel = id_of(body.get("channel")) or container.get("channel_id") or ""
    if view and not channel:
        carried = carried_in(str(view.get("private_metadata") or ""))
        channel, thread = carried.get("channel") or "", carried.get("thread_ts") or ""
    chosen, user = action.get("selected_option") or {}, body.get("user") or {}
    name = (user.get("name") or user.get("username") or "") if isinstance(user, dict) else ""
    return Interaction(
        key=_key(body),
        place=Place(workspace_of(body), str(channel), str(thread)),
        person=person_of(body),
        person_name=str(name),
        response_url=str(body.get("response_url") or ""),
        trigger_id=str(body.get("trigger_id") or ""),
        action_id=str(action.get("action_id") or ""),
        block_id=str(action.get("block_id") or ""),
        value=str(action.get("value") or chosen.get("value") or action.get("selected_user") or ""),
        message=message,
        view=view,
        in_thread=str(told) if told != ts else "",
    )


def of_search(body: Payload) -> Interaction:
    """Somebody types into a select that searches."""
    return replace(of_message(body), text=str(body.get("value") or ""))


def of_submission(body: Payload) -> Interaction:
    """A window that was submitted; sent again it has the same key."""
    view = body.get("view") or {}
    submitted = replace(of_message(body), key=f"view:{view.get('root_view_id') or view.get('id', '')}")
    if view.get("type") != "entity_detail":
        return submitted
    thread = str(view.get("thread_ts") or view.get("message_ts") or "")  # that of a Work Object knows where it stands
    return submitted.at(id_of(view.get("channel")), thread)


def of_details(body: Payload) -> Interaction:
    """A Work Object was opened. Its message opens the thread, where it stands in none; `view` is what is known of it."""
    place, event = place_of_event(body), body.get("event") or {}
    thread = str(event.get("thread_ts") or event.get("message_ts") or "")
    return Interaction(
        key=f"details:{event.get('trigger_id') or ''}",
        place=replace(place, thread_ts=thread),
        person=person_of(event),
        trigger_id=str(event.get("trigger_id") or ""),
        view=event,
    )


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
    place, event = place_of_event(body), body.get("event") or {}
    return Interaction(
        key=f"mention:{place.workspace}:{place.channel}:{event.get('ts') or ''}",
        place=place,
        person=person_of(event),
        text=str(event.get("text") or ""),
    )


def place_of_event(body: Payload) -> Place:
    """Where it was heard: its thread, or the one that it would open.

    In a channel shared with another company that can be told as theirs; for whom we hear it is told beside it.
    """
    event = body.get("event") or {}
    heard_for = (body.get("authorizations") or [{}])[0].get("team_id")
    workspace = str(heard_for or body.get("team_id") or id_of(event.get("team")))
    return Place(workspace, id_of(event.get("channel")), str(event.get("thread_ts") or event.get("ts") or ""))


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
