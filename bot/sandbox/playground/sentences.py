"""What somebody just did, as one sentence over the calls that follow from it."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.playground.seed import KINDS, Stage
from bot.sandbox.slack import Person
from bot.sandbox.slack.blockkit import interactive_elements
from bot.sandbox.slack.places import InMessage, InView, Place
from bot.sandbox.slack.render import element_label

_LONGEST = 60
_BOT = {
    "kill": "The bot is killed.",
    "stop": "The bot is stopped.",
    "start": "The bot starts.",
    "restart": "The bot restarts.",
}
_CHANGES = {"warn": "An alert goes to warning.", "alert": "An alert fires again.", "recover": "An alert recovers."}


Say = Callable[[Person, Mapping[str, Any], Stage], str]


def sentence(person: Person, kind: str, args: Mapping[str, Any], stage: Stage) -> str:
    if kind in _HAPPENINGS:
        return _HAPPENINGS[kind](person, args, stage)
    deed = _DEEDS.get(kind)
    return f"{person.user.real_name} {deed(person, args, stage) if deed else 'does something'}"


def _fires(_person: Person, args: Mapping[str, Any], _stage: Stage) -> str:
    found = next((one for one in KINDS if one.id == args.get("kind")), None)
    return f"{found.name} fires: {found.monitor}." if found else "An alert fires."


def _uses(_person: Person, args: Mapping[str, Any], stage: Stage) -> str:
    shortcuts = stage.manifest.get("features", {}).get("shortcuts", [])
    name = next((one["name"] for one in shortcuts if one["callback_id"] == args.get("callback_id")), "a shortcut")
    return f"uses the shortcut “{name}”"


def _titled(person: Person, args: Mapping[str, Any]) -> str:
    view = _view_of(person, args.get("view"))
    return f"“{view.view.title}”" if view else "a window"


_HAPPENINGS: dict[str, Say] = {
    "fire": _fires,
    "change_alert": lambda _person, args, _stage: _CHANGES.get(str(args.get("to")), "An alert changes."),
    "bot": lambda _person, args, _stage: _BOT.get(str(args.get("do")), "The bot changes."),
    "fault": lambda _person, args, _stage: "Something breaks." if args.get("on") else "Something is mended.",
    "case_change": lambda _person, _args, _stage: "Somebody changes a case in Datadog.",
    "finish": lambda _person, _args, _stage: "An investigation ends.",
}
_DEEDS: dict[str, Say] = {
    "say": lambda _person, args, _stage: f"writes “{_short(args.get('text'))}”",
    "command": lambda _person, args, _stage: f"runs {_short([args.get('command'), args.get('text')])}",
    "shortcut": _uses,
    "click": lambda person, args, stage: f"presses “{_label(person, args, stage)}”",
    "choose": lambda person, args, stage: f"chooses at “{_label(person, args, stage)}”",
    "search": lambda _person, args, _stage: f"looks for “{_short(args.get('text'))}”",
    "submit": lambda person, args, _stage: f"submits {_titled(person, args)}",
    "close": lambda person, args, _stage: f"closes {_titled(person, args)}",
    "open_home": lambda _person, _args, _stage: "opens the app's Home",
    "react": lambda _person, _args, _stage: "reacts to a message",
    "invite_app": lambda _person, _args, _stage: "invites the app",
    "join": lambda _person, _args, _stage: "joins a channel",
}


def _short(words: Any) -> str:
    said = words if isinstance(words, list) else [words]
    text = " ".join(" ".join(str(part or "") for part in said).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _label(person: Person, args: Mapping[str, Any], stage: Stage) -> str:
    """What stands on it, as far as it is there."""
    place = _place(person, args, stage)
    for block in place.blocks if place else []:
        for element in interactive_elements(block):
            if element.get("action_id") == args.get("action_id") and args.get("block_id") in (
                None,
                block.get("block_id"),
            ):
                return element_label(element) if element["type"] != "overflow" else "More"
    return "something"


def _place(person: Person, args: Mapping[str, Any], stage: Stage) -> Place | None:
    surface = args.get("surface") or {"message": args}
    if not isinstance(surface, Mapping):
        return None
    if surface.get("view"):
        return _view_of(person, surface["view"])
    where = surface.get("message")
    channel = stage.slack.workspace.channels.get(str(where.get("channel"))) if isinstance(where, Mapping) else None
    if channel is None or not isinstance(where, Mapping):
        return None
    seen = [*channel.messages, *channel.ephemerals]
    return next((InMessage(one) for one in seen if one.ts == where.get("ts")), None)


def _view_of(person: Person, view_id: Any) -> InView | None:
    return next((InView(view) for view in person.views if view.id == view_id), None)
