"""What a person left in the fields of the insights modal, read from Slack's payload without trusting it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.insights.attach_form import CaseChoice
from bot.insights.views import form as attach
from bot.insights.views.parts import CHOSEN, LEAVING

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")


@dataclass(frozen=True, slots=True)
class HandEntry:
    type: str = ""
    ref: str = ""
    id: str = ""

    @property
    def is_empty(self) -> bool:
        """A kind alone is only what the section may have started with."""
        return not self.ref.strip() and not self.id.strip()


@dataclass(frozen=True, slots=True)
class Entered:
    case: CaseChoice | None
    picked_hint: bool  # a line of the picker that is no case
    pasted: str
    hand: HandEntry
    chosen: tuple[str, ...]
    among: tuple[str, ...]  # what there was to choose from
    comment: bool
    leaving: tuple[str, ...]
    blocks: Mapping[str, str]  # action id -> block id, for errors


def read_entered(view: Mapping[str, Any]) -> Entered:
    fields = list(_fields(view))
    first = {action_id: value for _, action_id, value in reversed(fields)}
    picked = _option(first.get(attach.CASE_PICKED))
    case = _case(picked)
    return Entered(
        case=case,
        picked_hint=case is None and bool(picked),
        pasted=_text(first.get(attach.PASTED)),
        hand=HandEntry(
            _option(first.get(attach.HAND_TYPE)), _text(first.get(attach.HAND_REF)), _text(first.get(attach.HAND_ID))
        ),
        chosen=tuple(each for _, action_id, value in fields if action_id == CHOSEN for each in _options(value)),
        among=tuple(_offered(view, CHOSEN)),
        comment=bool(list(_options(first.get(attach.COMMENT)))),
        leaving=tuple(each for _, action_id, value in fields if action_id == LEAVING for each in _options(value)),
        blocks={action_id: block_id for block_id, action_id, _ in reversed(fields)},
    )


def _fields(view: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    values = (view.get("state") or {}).get("values") or {}
    for block_id, actions in values.items():
        for action_id, value in actions.items():
            yield block_id, action_id, value


def _offered(view: Mapping[str, Any], action_id: str) -> Iterator[str]:
    for block in view.get("blocks") or ():
        element = block.get("element") or {}
        if element.get("action_id") == action_id:
            yield from (str(each.get("value")) for each in element.get("options") or ())


def _text(value: Any) -> str:
    typed = value.get("value") if isinstance(value, dict) else None
    return typed if isinstance(typed, str) else ""


def _option(value: Any) -> str:
    chosen = value.get("selected_option") if isinstance(value, dict) else None
    return str(chosen.get("value") or "") if isinstance(chosen, dict) else ""


def _options(value: Any) -> Iterator[str]:
    for each in (value.get("selected_options") if isinstance(value, dict) else None) or ():
        yield str(each.get("value"))


def _case(value: str) -> CaseChoice | None:
    """Hints of the picker are no case, and neither is anything we did not offer in this form."""
    parts = value.split(" ")
    if len(parts) > 2 or not all(_ID.fullmatch(part) for part in parts):
        return None
    return CaseChoice(parts[0], parts[1] if len(parts) == 2 else "")
