"""Builders of Block Kit objects that keep Slack's limits. What stands in a mrkdwn object must have come through
bot.slack.text; a rich_text run takes any text as it is, because Slack parses nothing there.

A view hands whoever posts it a `Message`: the sentence for notifications and screen readers, and the blocks.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.slack.text import SECTION_LIMIT, URL_LIMIT, clean, cut, cut_mrkdwn, one_line, safe_url, utc

Block = dict[str, Any]
ButtonStyle = Literal["", "primary", "danger"]

VALUE_LIMIT = 2_000
BLOCK_LIMIT = 2_900
_RUN_COST = 12  # a run's JSON is far longer than its text: many tiny ones must not add up to a view too large


def plain(text: str, limit: int = SECTION_LIMIT) -> Block:
    return {"type": "plain_text", "text": cut(clean(text), limit) or " ", "emoji": False}


def mrkdwn(text: str, limit: int = SECTION_LIMIT) -> Block:
    # verbatim: a host name or URL inside somebody's text must not turn into a link by itself
    return {"type": "mrkdwn", "text": cut_mrkdwn(text, limit) or " ", "verbatim": True}


def section(text: str, *, accessory: Block | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(text)}
    return {**block, "accessory": accessory} if accessory else block


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text, 2_000) for text in texts[:10]]}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(one_line(text, 150), 150)}


def divider() -> Block:
    return {"type": "divider"}


def actions(*elements: Block, block_id: str = "") -> Block:
    block: Block = {"type": "actions", "elements": list(elements)}
    return {**block, "block_id": block_id} if block_id else block


def button(
    text: str,
    action_id: str,
    *,
    value: str = "",
    url: str = "",
    style: ButtonStyle = "",
    confirm: Block | None = None,
    label: str = "",
) -> Block:
    """`label` is what a screen reader says where several buttons share a text."""
    if len(value) > VALUE_LIMIT or len(url) > URL_LIMIT:
        raise ValueError(f"the button {action_id} carries more than Slack takes")
    element: Block = {"type": "button", "text": plain(text, 75), "action_id": action_id}
    optional = {"value": value, "url": url, "style": style, "confirm": confirm}
    optional["accessibility_label"] = one_line(label, 75)
    return element | {name: given for name, given in optional.items() if given}


def confirmation(title: str, text: str, *, confirm: str, deny: str = "Cancel", style: ButtonStyle = "") -> Block:
    dialog: Block = {"title": plain(title, 100), "text": plain(text, 300)}
    dialog |= {"confirm": plain(confirm, 30), "deny": plain(deny, 30)}
    return {**dialog, "style": style} if style else dialog


def option(text: str, value: str) -> Block:
    return {"text": plain(one_line(text, 75), 75), "value": value}


def overflow(action_id: str, *options: Block) -> Block:
    """A menu behind three dots; up to five entries."""
    return {"type": "overflow", "action_id": action_id, "options": list(options)}


MENU = "menu"  # the action id of every overflow menu: what was meant stands in its options


def menu(*items: Block) -> Block:
    """The rest of a row's buttons. An item comes back as if it was a button (`payloads.read_payload`)."""
    return overflow(MENU, *items)


def menu_item(text: str, action_id: str, *, value: str = "", url: str = "") -> Block:
    item = option(text, f"{action_id} {value}".strip())
    return {**item, "url": url} if url else item


def context_actions(*elements: Block, block_id: str = "") -> Block:
    block: Block = {"type": "context_actions", "elements": list(elements)}
    return {**block, "block_id": block_id} if block_id else block


def feedback_buttons(action_id: str, positive: tuple[str, str], negative: tuple[str, str]) -> Block:
    """Each of the two is its words and its value. Slack shows each person which one they pressed."""
    good, bad = ({"text": plain(words, 75), "value": value} for words, value in (positive, negative))
    return {"type": "feedback_buttons", "action_id": action_id, "positive_button": good, "negative_button": bad}


def image(url: str, alt_text: str) -> Block:
    """Slack fetches it for everyone who sees the message; what it may not be able to fetch is left out of `plainer`."""
    return {"type": "image", "image_url": url, "alt_text": cut(clean(alt_text), 1_000)}


def table(rows: Sequence[Sequence[Block]], columns: Sequence[Block]) -> Block:
    """A message holds one. The first row is its header."""
    return {"type": "table", "rows": [list(row) for row in rows], "column_settings": list(columns)}


def rich_text(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def rich_section(runs: Iterable[Block]) -> Block:
    return {"type": "rich_text_section", "elements": list(runs)}


def rich_quote(runs: Iterable[Block]) -> Block:
    return {"type": "rich_text_quote", "elements": list(runs)}


def rich_bullet(runs: Iterable[Block], *, indent: int = 0, number: int | None = None) -> Block:
    """A list of one item; `pack` joins neighbours."""
    style = "bullet" if number is None else "ordered"
    block: Block = {"type": "rich_text_list", "style": style, "indent": indent, "elements": [rich_section(runs)]}
    return {**block, "offset": number - 1} if number is not None and number > 1 else block


def preformatted(text: str) -> Block:
    return {"type": "rich_text_preformatted", "elements": [run(text)]}


def run(text: str, *styles: str) -> Block:
    """Text as it is, live in no way; styles are bold, italic, strike, code."""
    return _styled({"type": "text", "text": text}, styles)


def rich_link(url: str, label: str, *styles: str) -> Block:
    """A link where the URL is safe to follow; else the label and the URL as plain text."""
    if safe_url(url) is None:
        return run(f"{label} ({url})" if label and label != url else label or url, *styles)
    element: Block = {"type": "link", "url": url}
    return _styled({**element, "text": label} if label else element, styles)


def rich_date(timestamp: float, form: str) -> Block:
    """A time in the reader's own zone."""
    return {"type": "date", "timestamp": int(timestamp), "format": form, "fallback": utc(timestamp)}


def _styled(element: Block, styles: Sequence[str]) -> Block:
    return {**element, "style": dict.fromkeys(styles, True)} if styles else element


# -- messages -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    text: str
    blocks: list[Block] = field(default_factory=list)
    plainer: list[Block] = field(default_factory=list)  # without what Slack may fail to fetch, such as a picture
    broadcast: bool = False  # a reply that is also shown in the channel
    entities: list[Block] = field(
        default_factory=list
    )  # Work Objects that a new message carries; it is whole without them

    def as_arguments(self) -> dict[str, Any]:
        """As chat.postMessage, chat.update, respond() and ack() take it."""
        return {"text": self.text, "blocks": self.blocks}


def sentences(*parts: str) -> Message:
    """An answer that is only words, already mrkdwn."""
    text = " ".join(part for part in parts if part)
    return Message(text, [section(text)])


# -- rich_text parts made to fit: joined and split into blocks of a size Slack takes, and shared out over pages -----


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
