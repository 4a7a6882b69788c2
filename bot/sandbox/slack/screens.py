"""What each person has open: the stack of modals, and the Home tab. Opening, pushing and updating go by Slack's rules."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.blockkit import LARGEST_VIEW, check_view, stored_blocks, view_size
from bot.sandbox.slack.blockkit.layout import Surface
from bot.sandbox.slack.changes import Ids
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.render import JSON, Values
from bot.sandbox.slack.values import starting_values
from bot.sandbox.slack.world import as_json

DEEPEST_STACK = 3


@dataclass(frozen=True)
class Viewer:
    """In front of whom a view stands, and whose view it is."""

    user_id: str
    team_id: str
    app_id: str
    bot_id: str


@dataclass(eq=False)
class View:
    id: str
    viewer: Viewer
    surface: Surface
    definition: JSON
    hash: str
    root_id: str = ""
    previous_id: str | None = None
    values: Values = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)  # block id -> the sentence under the field
    origin: str = ""  # the channel it was opened from

    @property
    def user_id(self) -> str:
        return self.viewer.user_id

    @property
    def team_id(self) -> str:
        return self.viewer.team_id

    @property
    def blocks(self) -> list[JSON]:
        blocks: list[JSON] = self.definition["blocks"]
        return blocks

    @property
    def title(self) -> str:
        return str(self.definition.get("title", {}).get("text", ""))

    @property
    def callback_id(self) -> str:
        return str(self.definition.get("callback_id", ""))

    @property
    def private_metadata(self) -> str:
        return str(self.definition.get("private_metadata", ""))

    def to_json(self) -> JSON:
        shown: JSON = {
            "id": self.id,
            "team_id": self.team_id,
            "type": self.surface,
            "blocks": self.blocks,
            "private_metadata": self.private_metadata,
            "callback_id": self.callback_id,
            "external_id": self.definition.get("external_id", ""),
            "state": {"values": self.values},
            "hash": self.hash,
            "root_view_id": self.root_id or self.id,
            "previous_view_id": self.previous_id,
            "app_id": self.viewer.app_id,
            "app_installed_team_id": self.team_id,
            "bot_id": self.viewer.bot_id,
            "clear_on_close": self.definition.get("clear_on_close", False),
            "notify_on_close": self.definition.get("notify_on_close", False),
        }
        for name in ("title", "submit", "close"):
            shown[name] = self.definition.get(name)
        copied: JSON = as_json(shown)
        return copied


def checked(definition: Any, surface: Surface) -> JSON:
    """The view as Slack would store it, or Slack's refusal."""
    if view_size(definition) > LARGEST_VIEW:
        raise ApiError("view_too_large")
    problems = check_view(definition, surface)
    if problems:
        raise ApiError.because("invalid_arguments", problems)
    return {**definition, "blocks": stored_blocks(definition["blocks"])}


class Screens:
    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}

    def top(self, user_id: str) -> View | None:
        stack = self.stacks.get(user_id)
        return stack[-1] if stack else None

    def open(self, definition: Any, viewer: Viewer, origin: str = "") -> View:
        view = self._new(checked(definition, "modal"), "modal", viewer)
        view.origin = origin
        self.stacks[viewer.user_id] = [view]
        return view

    def push(self, definition: Any, below: View) -> View:
        stack = self.stacks.get(below.user_id, [])
        if below not in stack:
            raise ApiError("not_found")
        if len(stack) >= DEEPEST_STACK:
            raise ApiError("push_limit_reached")
        view = self._new(checked(definition, "modal"), "modal", below.viewer)
        view.root_id, view.previous_id, view.origin = stack[0].id, stack[-1].id, below.origin
        stack.append(view)
        return view

    def update(self, view: View, definition: Any, known_hash: str = "") -> View:
        if known_hash and known_hash != view.hash:
            raise ApiError("hash_conflict")
        ready = checked(definition, view.surface)
        if ready.get("external_id") != view.definition.get("external_id"):
            self._refuse_taken(ready, view.team_id)
        view.definition, view.hash = ready, self._hash()
        view.values = starting_values(view.blocks, view.values)
        view.errors = {}
        return view

    def publish(self, definition: Any, viewer: Viewer, known_hash: str = "") -> View:
        known = self.homes.get(viewer.user_id)
        if known is not None:
            return self.update(known, definition, known_hash)
        self.homes[viewer.user_id] = self._new(checked(definition, "home"), "home", viewer)
        return self.homes[viewer.user_id]

    def find(self, view_id: str = "", external_id: str = "") -> View:
        for view in self._all():
            if view.id == view_id or (external_id and view.definition.get("external_id") == external_id):
                return view
        raise ApiError("not_found")

    def close(self, view: View, *, whole_stack: bool = False) -> list[View]:
        """Takes the view away, and with `whole_stack` those below; gives back what was closed, topmost first."""
        stack = self.stacks.get(view.user_id, [])
        if view not in stack:
            return []
        keep = 0 if whole_stack else stack.index(view)
        closed = stack[keep:]
        del stack[keep:]
        return closed[::-1]

    def _all(self) -> list[View]:
        return [*(view for stack in self.stacks.values() for view in stack), *self.homes.values()]

    def _refuse_taken(self, definition: JSON, team_id: str) -> None:
        wanted = definition.get("external_id")
        if wanted and any(
            view.definition.get("external_id") == wanted and view.team_id == team_id for view in self._all()
        ):
            raise ApiError("duplicate_external_id")

    def _new(self, ready: JSON, surface: Surface, viewer: Viewer) -> View:
        self._refuse_taken(ready, viewer.team_id)
        view = View(self._ids.next("V"), viewer, surface, ready, self._hash())
        view.values = starting_values(view.blocks)
        return view

    def _hash(self) -> str:
        return f"{self._ids.next('')}.{secrets.token_hex(4)}"
