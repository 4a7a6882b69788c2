"""Markdown somebody else wrote, as rich_text blocks: nothing in it is live but links, and a link can't hide where it
leads. Every word survives; what Slack has no form for is shown as plain text."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.slack.blocks import Block, preformatted, rich_bullet, rich_link, rich_quote, rich_section, run
from bot.slack.richtext.inline import inline_runs, plain_runs
from bot.slack.richtext.packing import pack
from bot.slack.richtext.tables import table_text
from bot.slack.text import clean

_DEEPEST = 60  # containers inside one another; more is no text but an attack on the parser
_LONGEST = 200_000
_DEEPEST_INDENT = 8
_LARGEST_NUMBER = 9_999
_LANGUAGE = re.compile(r"[\w+#.-]{0,20}\Z")

_PARSER = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable(["table", "strikethrough"])
_PARSER.disable(["html_block", "html_inline"])


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the document a block stands, and the document's lines for what is shown as it was written."""

    lines: Sequence[str]
    indent: int = 0
    quoted: bool = False


def markdown_blocks(markdown: str) -> list[Block]:
    """Blocks of at most about 3,000 characters each; no block for an empty text."""
    source = clean(markdown)
    if len(source) > _LONGEST:
        return plain_blocks(source)
    references: dict[str, dict[str, dict[str, str]]] = {}
    tokens = _PARSER.parse(source, references)
    if any(token.level >= _DEEPEST - 1 for token in tokens):  # the parser drops what lies deeper
        return plain_blocks(source)
    parts = list(_blocks(SyntaxTreeNode(tokens).children, _Place(source.split("\n"))))
    return pack([*parts, *_unused_references(parts, references)])


def plain_blocks(text: str, *styles: str) -> list[Block]:
    """Text that is no Markdown, such as a title: its signs are shown, not obeyed."""
    source = clean(text).strip()
    return pack([rich_section(plain_runs(source, styles))]) if source else []


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


def _blocks(nodes: Iterable[SyntaxTreeNode], place: _Place) -> Iterator[Block]:
    for node in nodes:
        yield from _block(node, place)


def _block(node: SyntaxTreeNode, place: _Place) -> Iterator[Block]:
    match node.type:
        case "paragraph":
            yield from _paragraph(_runs(node), place)
        case "heading":
            yield from _paragraph(_runs(node, "bold"), place)
        case "bullet_list" | "ordered_list":
            yield from _list(node, place)
        case "blockquote":
            yield from _blocks(node.children, replace(place, quoted=True))
        case "fence" | "code_block":
            yield from _code(node, place)
        case "table":
            yield _bordered(preformatted(table_text(node, place.lines)), place)
        case "hr":
            yield from _paragraph([run("―" * 12)], place)
        case _:
            yield from _paragraph(plain_runs(node.content), place)


def _runs(node: SyntaxTreeNode, *styles: str) -> list[Block]:
    return [element for inline in node.children for element in inline_runs(inline.children, styles)]


def _paragraph(runs: Sequence[Block], place: _Place) -> Iterator[Block]:
    if runs:
        yield rich_quote(runs) if place.quoted else rich_section(runs)


def _code(node: SyntaxTreeNode, place: _Place) -> Iterator[Block]:
    info = node.info.strip()
    heading = "" if _LANGUAGE.match(info) else f"{info}\n"
    text = (heading + node.content).rstrip("\n")
    if text.strip():
        yield _bordered(preformatted(text), place)


def _list(node: SyntaxTreeNode, place: _Place) -> Iterator[Block]:
    """Slack's lists hold single sections: what else an item holds stands after it, and the numbering goes on."""
    ordered = node.type == "ordered_list"
    start = max(1, int(node.attrs.get("start", 1))) if ordered else 1
    for number, item in enumerate(node.children, start):
        yield from _item(item, number if ordered else None, place)


def _item(item: SyntaxTreeNode, number: int | None, place: _Place) -> Iterator[Block]:
    words: list[Block] = []
    for child in item.children:
        if child.type in {"paragraph", "heading"}:
            words += [run("\n")] if words else []
            words += _runs(child, *(["bold"] if child.type == "heading" else []))
            continue
        if words:
            yield _list_of_one(words, number, place)
        words = []
        yield from _block(child, replace(place, indent=place.indent + 1))
    if words:
        yield _list_of_one(words, number, place)


def _list_of_one(words: Sequence[Block], number: int | None, place: _Place) -> Block:
    indent = min(place.indent, _DEEPEST_INDENT)
    if number is not None and number > _LARGEST_NUMBER:
        return _bordered(rich_bullet([run(f"{number}. "), *words], indent=indent), place)
    return _bordered(rich_bullet(words, indent=indent, number=number), place)


def _bordered(block: Block, place: _Place) -> Block:
    """The bar of a quote, for what can't stand inside Slack's quotes."""
    return {**block, "border": 1} if place.quoted else block


def _unused_references(parts: Sequence[Block], references: dict[str, dict[str, dict[str, str]]]) -> Iterator[Block]:
    """Definitions like `[1]: https://…` that no text points to: the parser swallows them, a reader may want them."""
    shown = visible_text(list(parts))
    for label, target in references.get("references", {}).items():
        if target["href"] not in shown:
            title = target["title"]
            yield rich_section([run(f"{label.lower()}: "), rich_link(target["href"], "")])
            if title:
                yield rich_section(plain_runs(title))
