"""Slack's judgement on blocks and views: what is wrong with them, and how Slack stores them once they are right."""

import copy
import itertools
import json
from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.blockkit.layout import Surface, check_block
from bot.sandbox.slack.blockkit.objects import OPTION_GROUPS, OPTIONS, TYPE, plain
from bot.sandbox.slack.blockkit.rules import Check, Problems, anything, boolean, entries, exactly_one, obj, string

MOST_TEXT_IN_A_MESSAGE = 13_200
MOST_MARKDOWN_IN_A_MESSAGE = 12_000
MOST_TABLE_TEXT = 10_000
LARGEST_VIEW = 250_000

__all__ = [
    "LARGEST_VIEW",
    "MOST_TEXT_IN_A_MESSAGE",
    "check_blocks",
    "check_options",
    "check_view",
    "interactive_elements",
    "stored_blocks",
    "text_length",
    "view_size",
]


def check_blocks(blocks: Any, surface: Surface, where: str = "/blocks") -> list[str]:
    problems = Problems()
    most = 50 if surface == "message" else 100
    if not isinstance(blocks, list):
        problems.add(where, "must be an array")
        return problems.found
    if len(blocks) > most:
        problems.add(where, f"no more than {most} items allowed")
    for index, block in enumerate(blocks):
        check_block(block, f"{where}/{index}", problems, surface)
    _check_unique_block_ids(blocks, where, problems)
    if surface == "message":
        _check_message_sums(blocks, where, problems)
    return problems.found


def _check_unique_block_ids(blocks: list[Any], where: str, problems: Problems) -> None:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        name = block.get("block_id") if isinstance(block, dict) else None
        if name is None:
            continue
        if str(name) in seen:
            problems.add(f"{where}/{index}/block_id", f"block_id already exists: {name}")
        seen.add(str(name))


def _check_message_sums(blocks: list[Any], where: str, problems: Problems) -> None:
    kinds = [block.get("type") for block in blocks if isinstance(block, dict)]
    if kinds.count("table") > 1:
        problems.add(where, "only one table is allowed in a message")
    markdown = [block for block in blocks if isinstance(block, dict) and block.get("type") == "markdown"]
    if text_length(markdown) > MOST_MARKDOWN_IN_A_MESSAGE:
        problems.add(where, f"markdown text must be less than {MOST_MARKDOWN_IN_A_MESSAGE + 1} characters in sum")
    tables = [block for block in blocks if isinstance(block, dict) and block.get("type") == "table"]
    if text_length(tables) > MOST_TABLE_TEXT:
        problems.add(where, f"table text must be less than {MOST_TABLE_TEXT + 1} characters in sum")


def text_length(value: Any) -> int:
    """How many characters of text stand in these blocks, wherever they stand."""
    if isinstance(value, list):
        return sum(map(text_length, value))
    if not isinstance(value, dict):
        return 0
    own = value.get("text")
    inner = sum(text_length(entry) for key, entry in value.items() if key != "text" or isinstance(entry, dict))
    return inner + (len(own) if isinstance(own, str) else 0)


_MODAL: Check = obj(
    {"type": TYPE, "title": plain(24), "blocks": anything},
    {
        "submit": plain(24),
        "close": plain(24),
        "private_metadata": string(3000, shortest=0),
        "callback_id": string(255, shortest=0),
        "external_id": string(255, shortest=0),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
)
_HOME: Check = obj(
    {"type": TYPE, "blocks": anything},
    {
        "private_metadata": string(3000, shortest=0),
        "callback_id": string(255, shortest=0),
        "external_id": string(255, shortest=0),
    },
)


def check_view(view: Any, surface: Surface) -> list[str]:
    problems = Problems()
    if not isinstance(view, dict) or view.get("type") != surface:
        problems.add("/view/type", f"must be {surface}")
        return problems.found
    (_MODAL if surface == "modal" else _HOME)(view, "/view", problems)
    problems.found += check_blocks(view.get("blocks"), surface, "/view/blocks")
    kinds = [block.get("type") for block in entries(view.get("blocks")) if isinstance(block, dict)]
    if surface == "modal" and "input" in kinds and "submit" not in view:
        problems.add("/view", "missing required field: submit (there is an input block)")
    if sum("focus_on_load" in json.dumps(block) for block in entries(view.get("blocks"))) > 1:
        problems.add("/view/blocks", "only one element may have focus_on_load")
    return problems.found


def view_size(view: Any) -> int:
    return len(json.dumps(view, ensure_ascii=False).encode())


_SUGGESTIONS: Check = obj(
    {},
    {"options": OPTIONS, "option_groups": OPTION_GROUPS},
    also=[exactly_one("options", "option_groups")],
)


def check_options(answer: Any) -> list[str]:
    """The app's answer to somebody typing into an external select; no options at all is a fair answer."""
    problems = Problems()
    if answer in ({"options": []}, {"option_groups": []}):
        return []
    _SUGGESTIONS(answer, "", problems)
    return problems.found


_fresh = itertools.count(1)


def stored_blocks(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks as Slack gives them back: every block and element has an id, every text says all of itself."""
    stored = copy.deepcopy(blocks)
    for block in stored:
        if block["type"] == "markdown":
            block.pop("block_id", None)
        block.setdefault("block_id", f"blk{next(_fresh)}")
        for element in interactive_elements(block):
            element.setdefault("action_id", f"act{next(_fresh)}")
        _complete_texts(block)
    return stored


def _complete_texts(value: Any) -> None:
    if isinstance(value, list):
        for entry in value:
            _complete_texts(entry)
    elif isinstance(value, dict):
        if value.get("type") == "plain_text":
            value.setdefault("emoji", True)
        if value.get("type") == "mrkdwn":
            value.setdefault("verbatim", False)
        for entry in value.values():
            _complete_texts(entry)


def interactive_elements(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The things one can click or fill in a block, in the order they are shown."""
    for name in ("accessory", "element"):
        if name in block and block[name].get("type") != "image":
            yield block[name]
    if block["type"] in ("actions", "context_actions"):
        yield from block["elements"]
    if block["type"] == "card":
        yield from block.get("actions", [])
    for child in [*block.get("child_blocks", []), *(block["elements"] if block["type"] == "carousel" else [])]:
        yield from interactive_elements(child)
