"""Forms in windows: the frame, the fields, and what stands in them when Slack sends them back. Knows no feature.

A field is asked for by its action id. Its block may have another id: Slack keeps what was typed as long as a block keeps
its name, so a block under a new name is an empty field.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bot.slack.blocks import Block, plain
from bot.slack.text import clean, cut, one_line

# -- drawing ----------------------------------------------------------------------------------------------------------


def modal(
    title: str, blocks: Sequence[Block], *, callback_id: str, metadata: str = "", submit: str = "", close: str = ""
) -> Block:
    """Without a word for its submit button it has none. Its other button says Cancel beside one, else Close."""
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(one_line(title, 24), 24),
        "close": plain(close or ("Cancel" if submit else "Close"), 24),
        "private_metadata": metadata,
        "blocks": list(blocks),
    }
    return {**view, "submit": plain(submit, 24)} if submit else view


def form_field(
    label: str,
    element: Block,
    *,
    block_id: str = "",
    hint: str = "",
    optional: bool = False,
    sends_changes: bool = False,
) -> Block:
    """`block_id` is the element's action id unless told; `sends_changes`: each change arrives as an action of its own."""
    block: Block = {
        "type": "input",
        "block_id": block_id or element["action_id"],
        "label": plain(label),
        "element": element,
        "optional": optional,
    }
    if sends_changes:
        block["dispatch_action"] = True
    return {**block, "hint": plain(hint)} if hint else block


def text_input(
    action_id: str, initial: str = "", *, limit: int, multiline: bool = False, placeholder: str = ""
) -> Block:
    """`initial` may be anybody's text: it is cleaned and cut to what the field takes."""
    element: Block = {"type": "plain_text_input", "action_id": action_id, "max_length": limit}
    element |= {"multiline": True} if multiline else {}
    element |= {"placeholder": plain(placeholder, 150)} if placeholder else {}
    shown = cut(clean(initial).strip(), limit) if multiline else one_line(initial, limit)
    return {**element, "initial_value": shown} if shown else element


def select(action_id: str, options: Sequence[Block], chosen: str = "") -> Block:
    """One of the options; at first the one with the value `chosen`, if there is such a one."""
    element: Block = {"type": "static_select", "action_id": action_id, "options": list(options)}
    initial = next((each for each in options if each["value"] == chosen), None)
    return {**element, "initial_option": initial} if initial else element


def channel_select(action_id: str) -> Block:
    """A channel to post into. Slack can't tell us in advance which of them take a post of ours."""
    return {
        "type": "conversations_select",
        "action_id": action_id,
        "placeholder": plain("A channel"),
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }


def multi_select(action_id: str, options: Sequence[Block], chosen: Iterable[str] = ()) -> Block:
    return _several("multi_static_select", action_id, options, chosen)


def checkboxes(action_id: str, options: Sequence[Block], chosen: Iterable[str] = ()) -> Block:
    return _several("checkboxes", action_id, options, chosen)


def radio_buttons(action_id: str, options: Sequence[Block]) -> Block:
    return {"type": "radio_buttons", "action_id": action_id, "options": list(options)}


def _several(kind: str, action_id: str, options: Sequence[Block], chosen: Iterable[str]) -> Block:
    element: Block = {"type": kind, "action_id": action_id, "options": list(options)}
    wanted = frozenset(chosen)
    initial = [each for each in options if each["value"] in wanted]
    return {**element, "initial_options": initial} if initial else element


# -- reading ----------------------------------------------------------------------------------------------------------


class FormState:
    """What stands in the fields of a window as Slack sent it. A field that is not there is an empty one."""

    def __init__(self, view: Mapping[str, Any]) -> None:
        self._blocks: Sequence[Mapping[str, Any]] = view.get("blocks") or ()
        self._block_ids: dict[str, str] = {}  # of the first field of each action id
        self._fields: list[tuple[str, Mapping[str, Any]]] = []
        for block_id, fields in ((view.get("state") or {}).get("values") or {}).items():
            for action_id, value in fields.items():
                self._block_ids.setdefault(action_id, block_id)
                self._fields.append((action_id, value or {}))

    def block_id(self, action_id: str) -> str:
        """Where a sentence about the field belongs; the action id itself where no such field was sent."""
        return self._block_ids.get(action_id, action_id)

    def has(self, action_id: str) -> bool:
        """Whether such a field was sent, an empty one too."""
        return action_id in self._block_ids

    def typed(self, action_id: str) -> str:
        """Exactly as typed."""
        value = self._first(action_id).get("value")
        return value if isinstance(value, str) else ""

    def text(self, action_id: str) -> str:
        """What was typed, as far as a reader sees it."""
        return clean(self.typed(action_id)).strip()

    def choice(self, action_id: str) -> str:
        """The value of the option that is chosen; empty for none."""
        return _value_of(self._first(action_id).get("selected_option"))

    def choices(self, action_id: str) -> tuple[str, ...]:
        """The values of all that are chosen, of every field with this action id."""
        fields = (field for name, field in self._fields if name == action_id)
        return tuple(_value_of(option) for field in fields for option in field.get("selected_options") or ())

    def person(self, action_id: str) -> str:
        return str(self._first(action_id).get("selected_user") or "")

    def conversation(self, action_id: str) -> str:
        return str(self._first(action_id).get("selected_conversation") or "")

    def people(self, action_id: str) -> tuple[str, ...]:
        return tuple(str(each) for each in self._first(action_id).get("selected_users") or ())

    def offered(self, action_id: str) -> Iterator[str]:
        """The values there were to choose from."""
        for block in self._blocks:
            element = block.get("element") or {}
            if element.get("action_id") == action_id:
                yield from (_value_of(option) for option in element.get("options") or ())

    def _first(self, action_id: str) -> Mapping[str, Any]:
        return next((field for name, field in self._fields if name == action_id), {})


def _value_of(option: Mapping[str, Any] | None) -> str:
    return str(option.get("value") or "") if option else ""
