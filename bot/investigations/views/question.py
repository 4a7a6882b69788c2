"""The modal for a question in one's own words, and what was written into it."""

from collections.abc import Mapping
from typing import Any

from bot.investigations.questions import Unclear, question, read_tags
from bot.model import Question
from bot.slack.blocks import Block, context, option, plain
from bot.slack.text import clean, cut
from bot.wording import COSTS, DATADOG, INVESTIGATE, PRODUCT

CALLBACK = "question"
TEXT = "question"  # block and action ids of the fields are the same word
TAGS = "tags"
WINDOW = "window"

_TEXT_LIMIT = 3_000
_WINDOWS = {
    "0": f"{DATADOG}'s default (last 4 hours)",
    "900": "Last 15 minutes",
    "3600": "Last hour",
    "14400": "Last 4 hours",
    "86400": "Last 24 hours",
    "604800": "Last 7 days",
}


def question_modal(prefill: str, private_metadata: str) -> Block:
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain(f"Ask {PRODUCT}", 24),
        "submit": plain(INVESTIGATE, 24),
        "close": plain("Cancel", 24),
        "private_metadata": private_metadata,
        "blocks": [
            _input(TEXT, "What should it look into?", _text_field(prefill)),
            _input(TAGS, "Tags", _tags_field(), optional=True, hint="Separated by spaces: service:web env:prod"),
            _input(WINDOW, "Time window", _window_field(), optional=True),
            context(COSTS),
        ],
    }


def read_question(view_state: Mapping[str, Any], now: float) -> Question | dict[str, str]:
    """The question, or what is wrong with it by block id, as an answer of `response_action: errors` takes it."""
    values = view_state.get("values", view_state)
    tags = read_tags(_typed(values, TAGS))
    if isinstance(tags, Unclear):
        return {TAGS: tags.reason}
    asked = question(_typed(values, TEXT), tags, _chosen_window(values), now)
    return {TEXT: asked.reason.replace("`", "")} if isinstance(asked, Unclear) else asked


def _input(name: str, label: str, element: Block, *, optional: bool = False, hint: str = "") -> Block:
    block: Block = {"type": "input", "block_id": name, "label": plain(label), "element": element, "optional": optional}
    return {**block, "hint": plain(hint)} if hint else block


def _text_field(prefill: str) -> Block:
    field: Block = {"type": "plain_text_input", "action_id": TEXT, "multiline": True, "max_length": _TEXT_LIMIT}
    initial = cut(clean(prefill).strip(), _TEXT_LIMIT)
    return {**field, "initial_value": initial} if initial else field


def _tags_field() -> Block:
    return {"type": "plain_text_input", "action_id": TAGS, "max_length": 1_000}


def _window_field() -> Block:
    options = [option(text, seconds) for seconds, text in _WINDOWS.items()]
    return {"type": "static_select", "action_id": WINDOW, "options": options, "initial_option": options[0]}


def _typed(values: Mapping[str, Any], name: str) -> str:
    value = _field(values, name).get("value")
    return clean(value).strip() if isinstance(value, str) else ""


def _chosen_window(values: Mapping[str, Any]) -> int | None:
    chosen = _field(values, WINDOW).get("selected_option")
    seconds = chosen.get("value") if isinstance(chosen, Mapping) else None
    return int(seconds) or None if isinstance(seconds, str) and seconds in _WINDOWS else None


def _field(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    block = values.get(name)
    field = block.get(name) if isinstance(block, Mapping) else None
    return field if isinstance(field, Mapping) else {}
