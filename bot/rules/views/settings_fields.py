"""The single fields of the settings form: how each is drawn, and how what was written into it is read back."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.rules.schema import tag
from bot.slack.blocks import Block, option, plain
from bot.slack.text import clean, cut

Options = Mapping[str, str]  # value to words


# -- drawing --------------------------------------------------------------------------------------------------------


def text_field(name: str, label: str, value: str, *, hint: str = "", limit: int = 1_000) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": name, "max_length": limit}
    if value:
        element["initial_value"] = cut(value, limit)
    return _input(name, label, element, hint=hint)


def number_field(name: str, label: str, value: int | None, *, most: int, hint: str = "") -> Block:
    element: Block = {
        "type": "number_input",
        "action_id": name,
        "is_decimal_allowed": False,
        "min_value": "0",
        "max_value": str(most),
    }
    if value is not None:
        element["initial_value"] = str(value)
    return _input(name, label, element, hint=hint)


def select_field(name: str, label: str, options: Options, chosen: str, *, hint: str = "") -> Block:
    listed = [option(words, value) for value, words in options.items()]
    initial = next(one for one in listed if one["value"] == chosen)
    element: Block = {"type": "static_select", "action_id": name, "options": listed, "initial_option": initial}
    return _input(name, label, element, hint=hint, optional=False)


def boxes_field(name: str, label: str, options: Options, ticked: Iterable[str], *, hint: str = "") -> Block:
    listed = [option(words, value) for value, words in options.items()]
    wanted = set(ticked)
    initial = [one for one in listed if one["value"] in wanted]
    element: Block = {"type": "checkboxes", "action_id": name, "options": listed}
    return _input(name, label, {**element, "initial_options": initial} if initial else element, hint=hint)


def people_field(name: str, label: str, people: tuple[str, ...], *, hint: str = "") -> Block:
    element: Block = {"type": "multi_users_select", "action_id": name}
    return _input(name, label, {**element, "initial_users": list(people)} if people else element, hint=hint)


def groups_field(
    name: str, label: str, groups: tuple[str, ...], handles: Mapping[str, str], *, hint: str = ""
) -> Block:
    element: Block = {"type": "multi_external_select", "action_id": name, "min_query_length": 0}
    chosen = [group_option(group, handles.get(group, "")) for group in groups]
    return _input(name, label, {**element, "initial_options": chosen} if chosen else element, hint=hint)


def group_option(group: str, handle: str) -> Block:
    return option(f"@{handle}" if handle else group, group)


def _input(name: str, label: str, element: Block, *, hint: str = "", optional: bool = True) -> Block:
    block: Block = {"type": "input", "block_id": name, "label": plain(label), "element": element, "optional": optional}
    return {**block, "hint": plain(hint)} if hint else block


# -- reading --------------------------------------------------------------------------------------------------------


class Form:
    """What stands in a submitted form; what is wrong is collected by field, in a sentence each."""

    def __init__(self, view_state: Mapping[str, Any]) -> None:
        self._values = view_state.get("values") or {}
        self.errors: dict[str, str] = {}

    def has(self, name: str) -> bool:
        return name in self._values

    def _field(self, name: str) -> Mapping[str, Any]:
        block = self._values.get(name)
        field = block.get(name) if isinstance(block, Mapping) else None
        return field if isinstance(field, Mapping) else {}

    def text(self, name: str) -> str:
        value = self._field(name).get("value")
        return clean(value).strip() if isinstance(value, str) else ""

    def number(self, name: str, *, most: int) -> int | None:
        written = self.text(name)
        if not written:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", written) or int(written) > most:
            self.errors[name] = f"Write a whole number from 0 to {most:,}, or nothing."
            return None
        return int(written)

    def choice(self, name: str, options: Options) -> str:
        value = str((self._field(name).get("selected_option") or {}).get("value") or "")
        return value if value in options else next(iter(options))

    def ticked(self, name: str) -> frozenset[str]:
        return frozenset(str(one.get("value")) for one in self._field(name).get("selected_options") or ())

    def people(self, name: str) -> tuple[str, ...]:
        return tuple(str(one) for one in self._field(name).get("selected_users") or ())

    def tags(self, name: str) -> frozenset[str]:
        return frozenset(self._each(name, tag))

    def numbers(self, name: str) -> frozenset[int]:
        return frozenset(int(one) for one in self._each(name, _monitor_id))

    def _each(self, name: str, check: Callable[[str], str]) -> list[str]:
        try:
            return [check(word) for word in re.split(r"[\s,]+", self.text(name)) if word]
        except ValueError as error:
            self.errors[name] = f"{error}."
            return []


def _monitor_id(word: str) -> str:
    found = re.search(r"(?:\A|/monitors/)([1-9][0-9]{0,17})(?:\Z|[?#/])", word)
    if found is None:
        raise ValueError(f"{word[:60]} is no monitor; write its id or paste its link")
    return found[1]
