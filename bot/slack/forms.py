"""Windows with fields: how one is framed, how its fields are drawn, and how what was put into them is read back.

What comes back is read without trusting its shape: a field that is missing or strange is empty.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.slack.blocks import Block, plain
from bot.slack.text import clean, cut, one_line

MOST_OPTIONS = 100  # in one select


def modal(
    title: str, callback_id: str, blocks: Sequence[Block], *, metadata: str = "", submit: str = "", close: str = "Close"
) -> Block:
    """`metadata` is all that the window carries with it."""
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, 24),
        "close": plain(close, 24),
        "private_metadata": metadata,
        "blocks": list(blocks),
    }
    return {**view, "submit": plain(submit, 24)} if submit else view


def field(
    name: str, label: str, element: Block, *, hint: str = "", optional: bool = False, dispatch: bool = False
) -> Block:
    """`dispatch`: a change of it is sent at once."""
    block: Block = {"type": "input", "block_id": name, "label": plain(label), "element": element, "optional": optional}
    more = {"hint": plain(hint)} if hint else {}
    return {**block, **more, **({"dispatch_action": True} if dispatch else {})}


def text_input(action_id: str, initial: str, limit: int, *, multiline: bool = False) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": action_id, "max_length": limit}
    shown = cut(clean(initial).strip(), limit) if multiline else one_line(initial, limit)
    return {**element, **({"multiline": True} if multiline else {}), **({"initial_value": shown} if shown else {})}


def select(action_id: str, options: Sequence[Block], chosen: str = "", *, placeholder: str = "") -> Block:
    """`chosen` is the value of the option it starts with; nothing is chosen where none has it."""
    element: Block = {"type": "static_select", "action_id": action_id, "options": list(options)}
    if placeholder:
        element["placeholder"] = plain(placeholder, 150)
    initial = next((each for each in options if each["value"] == chosen), None)
    return {**element, "initial_option": initial} if initial else element


class EnteredFields:
    """What stands in a window's fields, by the action id of each."""

    def __init__(self, view: Mapping[str, Any]) -> None:
        state = view.get("state")
        values = state.get("values") if isinstance(state, Mapping) else None
        self._values: Mapping[str, Any] = values if isinstance(values, Mapping) else {}

    def block_of(self, action_id: str) -> str:
        """The block an error belongs to."""
        return next((str(name) for name, fields in self._values.items() if action_id in fields), action_id)

    def text(self, action_id: str) -> str:
        value = self._field(action_id).get("value")
        return clean(value).strip() if isinstance(value, str) else ""

    def chosen(self, action_id: str) -> str:
        option = self._field(action_id).get("selected_option")
        return str(option.get("value") or "") if isinstance(option, Mapping) else ""

    def person(self, action_id: str) -> str:
        return str(self._field(action_id).get("selected_user") or "")

    def _field(self, action_id: str) -> Mapping[str, Any]:
        fields = self._values.get(self.block_of(action_id))
        found = fields.get(action_id) if isinstance(fields, Mapping) else None
        return found if isinstance(found, Mapping) else {}
