"""rich_text parts made to fit: joined and split into blocks of a size Slack takes, and blocks shared out over pages."""

import json
from collections.abc import Iterable, Iterator, Sequence

from bot.slack.blocks import Block, rich_section, rich_text, run

BLOCK_LIMIT = 2_900
_RUN_COST = 12  # a run's JSON is far longer than its text: many tiny ones must not add up to a view too large


def pack(parts: Iterable[Block]) -> list[Block]:
    blocks: list[list[Block]] = []
    room = 0
    for part in (piece for whole in parts for piece in _pieces(whole)):
        size = _size(part)
        if size > room:
            blocks.append([part])
            room = BLOCK_LIMIT - size
            continue
        _append(blocks[-1], part)
        room -= size
    return [rich_text(*elements) for elements in blocks]


def pages(blocks: Iterable[Block], *, max_blocks: int = 90, max_bytes: int = 200_000) -> list[list[Block]]:
    """The blocks in order, in groups that each fit one view; at least one page, which may be empty."""
    grouped: list[list[Block]] = [[]]
    room = max_bytes
    for block in blocks:
        size = len(json.dumps(block)) + 2
        if grouped[-1] and (len(grouped[-1]) >= max_blocks or size > room):
            grouped.append([])
            room = max_bytes
        grouped[-1].append(block)
        room -= size
    return grouped


def visible_text(blocks: object) -> str:
    """All the text in blocks or rich_text elements, as a reader meets it: for limits, fallbacks and tests."""
    if isinstance(blocks, dict):
        own = [str(blocks[key]) for key in ("text", "url") if isinstance(blocks.get(key), str)]
        nested = (visible_text(value) for value in blocks.values() if isinstance(value, dict | list))
        return " ".join(text for text in [*own, *nested] if text)
    if isinstance(blocks, list):
        return " ".join(text for text in map(visible_text, blocks) if text)
    return ""


def _append(elements: list[Block], part: Block) -> None:
    last = elements[-1]
    if last["type"] == part["type"] and part["type"] in {"rich_text_section", "rich_text_quote"}:
        elements[-1] = {**last, "elements": [*last["elements"], run("\n\n"), *part["elements"]]}
    elif _continues(last, part):
        elements[-1] = {**last, "elements": [*last["elements"], *part["elements"]]}
    else:
        elements.append(part)


def _continues(one: Block, other: Block) -> bool:
    if one["type"] != "rich_text_list" or other["type"] != "rich_text_list":
        return False
    same = all(one.get(key) == other.get(key) for key in ("style", "indent", "border"))
    follows = one["style"] == "bullet" or one.get("offset", 0) + len(one["elements"]) == other.get("offset", 0)
    return same and follows


def _size(part: Block) -> int:
    if part["type"] == "rich_text_list":
        return sum(_size(item) for item in part["elements"])
    return sum(_run_size(element) for element in part["elements"]) + _RUN_COST


def _run_size(element: Block) -> int:
    return len(element.get("text", "")) + len(element.get("url", "")) + _RUN_COST


def _pieces(part: Block) -> Iterator[Block]:
    """The part, or several of its kind that each fit a block; the rest of a list item goes on as a paragraph."""
    if _size(part) <= BLOCK_LIMIT:
        yield part
    elif part["type"] == "rich_text_list":
        head, *rest = _split_runs(part["elements"][0]["elements"])
        yield {**part, "elements": [rich_section(head)]}
        yield from (rich_section(runs) for runs in rest)
    else:
        yield from ({**part, "elements": runs} for runs in _split_runs(part["elements"]))


def _split_runs(runs: Sequence[Block]) -> list[list[Block]]:
    groups: list[list[Block]] = [[]]
    room = BLOCK_LIMIT - _RUN_COST
    for piece in (piece for element in runs for piece in _split_run(element)):
        size = _run_size(piece)
        if size > room and groups[-1]:
            groups.append([])
            room = BLOCK_LIMIT - _RUN_COST
        groups[-1].append(piece)
        room -= size
    return groups


def _split_run(element: Block) -> Iterator[Block]:
    """A long text at its last line end or space; a link with much to say becomes text, so that all of it is read."""
    longest = BLOCK_LIMIT - 3 * _RUN_COST
    if _run_size(element) <= longest:
        yield element
        return
    style = {"style": element["style"]} if "style" in element else {}
    words = element.get("text", "")
    text = f"{words} ({element['url']})" if element["type"] == "link" and words else words or element["url"]
    while text:
        end = _break_point(text, longest - _RUN_COST)
        yield {"type": "text", "text": text[:end], **style}
        text = text[end:]


def _break_point(text: str, limit: int) -> int:
    if len(text) <= limit:
        return len(text)
    for boundary in ("\n", " "):
        found = text.rfind(boundary, limit // 2, limit)
        if found >= 0:
            return found + 1
    return limit
