"""Builders of Block Kit objects that keep Slack's limits. What stands in a mrkdwn object must have come through
bot.slack.text; a rich_text run takes any text as it is, because Slack parses nothing there.

A view hands whoever posts it a `Message`: the sentence for notifications and screen readers, and the blocks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.slack.text import SECTION_LIMIT, URL_LIMIT, clean, cut, cut_mrkdwn, one_line, safe_url

Block = dict[str, Any]
ButtonStyle = Literal["", "primary", "danger"]

VALUE_LIMIT = 2_000


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


def rich_text(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def rich_section(runs: Iterable[Block]) -> Block:
    return {"type": "rich_text_section", "elements": list(runs)}


def rich_quote(runs: Iterable[Block]) -> Block:
    return {"type": "rich_text_quote", "elements": list(runs)}


def rich_bullet(runs: Iterable[Block], *, indent: int = 0, number: int | None = None) -> Block:
    """A list of one item; bot.slack.packing joins neighbours."""
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


def _styled(element: Block, styles: Sequence[str]) -> Block:
    return {**element, "style": dict.fromkeys(styles, True)} if styles else element


# -- messages -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    text: str
    blocks: list[Block] = field(default_factory=list)
    plainer: list[Block] = field(default_factory=list)  # without what Slack may fail to fetch, such as a picture
    broadcast: bool = False  # a reply that is also shown in the channel

    def as_arguments(self) -> dict[str, Any]:
        """As chat.postMessage, chat.update, respond() and ack() take it."""
        return {"text": self.text, "blocks": self.blocks}


def sentences(*parts: str) -> Message:
    """An answer that is only words, already mrkdwn."""
    text = " ".join(part for part in parts if part)
    return Message(text, [section(text)])
