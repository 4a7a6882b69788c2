"""Markdown somebody else wrote, as rich_text blocks: nothing in it is live but links, and a link can't hide where it
leads. Every word survives; what Slack has no form for is shown as plain text.

A parser comes with this module: whoever starts the bot does not import it, the first conclusions do."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token

from bot.slack.blocks import (
    Block,
    pack,
    preformatted,
    rich_bullet,
    rich_link,
    rich_quote,
    rich_section,
    rich_text,
    run,
    table,
    visible_text,
)
from bot.slack.plain import plain_blocks, plain_runs
from bot.slack.text import clean, cut, is_known_url, safe_url
from bot.slack.text_table import text_table

_DEEPEST = 60  # containers inside one another; more is no text but an attack on the parser
_LONGEST = 200_000
_DEEPEST_INDENT = 8
_LARGEST_NUMBER = 9_999
_LANGUAGE = re.compile(r"[\w+#.-]{0,20}\Z")
_STYLES = {"strong": "bold", "em": "italic", "s": "strike"}
_HOST_IN_LABEL = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,}", re.UNICODE)
_MOST_COLUMNS = 20  # Slack's limit
_LONGEST_CELL = 300
_TABLE_WORDS = 3_000  # of the 10,000 that Slack takes: the message has more to say
_WRAPPED = 30
_NUMBER = re.compile(r"[-+~<>≈]?\s*\d[\d.,]*\s*(?:[%a-zA-Zµ/]{0,6})?\Z")

_PARSER = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable(["table", "strikethrough"])
_PARSER.disable(["html_block", "html_inline"])


@dataclass(slots=True, eq=False)
class _Node:
    """A part of the document with the parts inside it. markdown-it has the like, at three times the cost."""

    type: str
    token: Token
    children: list["_Node"]

    @property
    def content(self) -> str:
        return self.token.content


def _tree(tokens: Sequence[Token]) -> list[_Node]:
    roots: list[_Node] = []
    open_ones = [roots]
    for token in tokens:
        if token.nesting < 0:
            open_ones.pop()
            continue
        node = _Node(token.type.removesuffix("_open"), token, _tree(token.children) if token.children else [])
        open_ones[-1].append(node)
        if token.nesting > 0:
            open_ones.append(node.children)
    return roots


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the document a block stands, and the document's lines for what is shown as it was written."""

    lines: Sequence[str]
    indent: int = 0
    quoted: bool = False


def markdown_blocks(markdown: str) -> list[Block]:
    """Blocks of at most about 3,000 characters each; no block for an empty text."""
    source = clean(markdown)
    references: dict[str, dict[str, dict[str, str]]] = {}
    nodes = _parsed(source, references)
    if nodes is None:
        return plain_blocks(source)
    parts = list(_blocks(nodes, _Place(source.split("\n"))))
    return pack([*parts, *_unused_references(parts, references)] if references else parts)


def _parsed(source: str, references: dict[str, dict[str, dict[str, str]]]) -> list[_Node] | None:
    """None for what is an attack on the parser, or would lose words in it."""
    if len(source) > _LONGEST:
        return None
    tokens = _PARSER.parse(source, references)
    if any(token.level >= _DEEPEST - 1 for token in tokens):  # the parser drops what lies deeper
        return None
    return _tree(tokens)


@dataclass(frozen=True, slots=True)
class TableParts:
    """The first table of a document as a block of its own, and the document before and after it."""

    before: str
    table: Block
    after: str
    left_out: int  # rows


def first_table(markdown: str, *, most_rows: int) -> TableParts | None:
    """None where there is none that Slack could show with all its columns."""
    source = clean(markdown)
    lines = source.split("\n")
    for node in _parsed(source, {}) or ():
        if node.type == "table" and (cells := _cells(node, lines)) and len(cells[0]) <= _MOST_COLUMNS:
            start, end = node.token.map or (0, 0)
            shown = cells[: most_rows + 1]
            block = table(_fitting(shown), _columns(cells))
            return TableParts("\n".join(lines[:start]), block, "\n".join(lines[end:]), len(cells) - len(shown))
    return None


def _cells(node: _Node, lines: Sequence[str]) -> list[list[_Node]]:
    """Nothing where a row has more cells than the header: the parser drops them."""
    rows = [list(row.children) for part in node.children for row in part.children]
    first, last = node.token.map or (0, 0)
    return [] if not rows or any(_has_more_cells(line.strip(), len(rows[0])) for line in lines[first:last]) else rows


def _fitting(rows: Sequence[Sequence[_Node]]) -> list[list[Block]]:
    """Long words are cut so that the whole stays under what a message's table may hold."""
    most = min(_LONGEST_CELL, _TABLE_WORDS // max(1, sum(len(row) for row in rows)))
    return [[_cell(cell, most, is_head=number == 0) for cell in row] for number, row in enumerate(rows)]


def _cell(node: _Node, most: int, *, is_head: bool) -> Block:
    words, runs = " ".join(_words(node, targets=True).split()), _runs(node)
    if is_head or len(words) > most or all(each["type"] == "text" and "style" not in each for each in runs):
        return {"type": "raw_text", "text": cut(words, most) or "-"}
    return rich_text(rich_section(runs))


def _columns(rows: Sequence[Sequence[_Node]]) -> list[Block]:
    """Numbers to the right where the author says so or all of them are; long words wrap."""
    return [_column([row[at] for row in rows]) for at in range(len(rows[0]))]


def _column(cells: Sequence[_Node]) -> Block:
    words = [_words(cell, targets=True).strip() for cell in cells[1:]]
    style = str(cells[0].token.attrs.get("style", ""))
    numeric = bool(words) and all(_NUMBER.match(word) for word in words)
    align = style.removeprefix("text-align:") if style else "right" if numeric else "left"
    return {"align": align, "is_wrapped": any(len(word) > _WRAPPED for word in words)}


def _blocks(nodes: Iterable[_Node], place: _Place) -> Iterator[Block]:
    for node in nodes:
        yield from _block(node, place)


def _block(node: _Node, place: _Place) -> Iterator[Block]:
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
            yield from _table_as_text(node, place)
        case "hr":
            yield from _paragraph([run("―" * 12)], place)
        case _:
            yield from _paragraph(plain_runs(node.content), place)


def _runs(node: _Node, *styles: str) -> list[Block]:
    return [element for inline in node.children for element in _inline_runs(inline.children, styles)]


def _paragraph(runs: Sequence[Block], place: _Place) -> Iterator[Block]:
    if runs:
        yield rich_quote(runs) if place.quoted else rich_section(runs)


def _code(node: _Node, place: _Place) -> Iterator[Block]:
    info = node.token.info.strip()
    heading = "" if _LANGUAGE.match(info) else f"{info}\n"
    text = (heading + node.content).rstrip("\n")
    if text.strip():
        yield _bordered(preformatted(text), place)


def _list(node: _Node, place: _Place) -> Iterator[Block]:
    """Slack's lists hold single sections: what else an item holds stands after it, and the numbering goes on."""
    ordered = node.type == "ordered_list"
    start = max(1, int(node.token.attrs.get("start", 1))) if ordered else 1
    for number, item in enumerate(node.children, start):
        yield from _item(item, number if ordered else None, place)


def _item(item: _Node, number: int | None, place: _Place) -> Iterator[Block]:
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


# -- the words inside one block --------------------------------------------------------------------------------------


def _inline_runs(nodes: Iterable[_Node], styles: Sequence[str]) -> list[Block]:
    """Neighbours of one style are joined, so that a block stays small."""
    joined: list[Block] = []
    for element in (element for node in nodes for element in _node(node, styles)):
        last = joined[-1] if joined else {"type": ""}
        if last["type"] == element["type"] == "text" and last.get("style") == element.get("style"):
            joined[-1] = {**last, "text": last["text"] + element["text"]}
        else:
            joined.append(element)
    return joined


def _node(node: _Node, styles: Sequence[str]) -> list[Block]:
    match node.type:
        case "strong" | "em" | "s":
            return _inline_runs(node.children, _with(styles, _STYLES[node.type]))
        case "code_inline":
            return [run(node.content, *_with(styles, "code"))] if node.content else []
        case "link" | "image":
            # a label is one string in Slack: emphasis inside it is given up, its words are not
            return _link(_target(node), _words(node, targets=False), str(node.token.attrs.get("title", "")), styles)
        case "softbreak" | "hardbreak":
            return [run("\n", *styles)]
        case _:
            return plain_runs(node.content, styles)


def _with(styles: Sequence[str], style: str) -> Sequence[str]:
    return styles if style in styles else (*styles, style)


def _target(node: _Node) -> str:
    return str(node.token.attrs.get("href") or node.token.attrs.get("src") or "")


def _words(node: _Node, *, targets: bool) -> str:
    """What is written there as one string, with or without where its links lead."""
    if node.type in {"softbreak", "hardbreak"}:
        return " "
    children = node.children
    words = "".join(_words(child, targets=targets) for child in children) if children else node.content
    target = _target(node) if targets else ""
    return f"{words} ({target})" if target and target != words else words


def _link(url: str, label: str, title: str, styles: Sequence[str]) -> list[Block]:
    after = f" ({title})" if title else ""
    words = label.strip()
    if safe_url(url) is None:
        shown = f"{words} ({url})" if url and words != url else words or url
        return [run(shown + after, *styles)] if shown + after else []
    if not words or words == url:
        return [rich_link(url, "", *styles), *([run(after, *styles)] if after else [])]
    told = after if _is_honest(words, url) else f" ({urlsplit(url).hostname}){after}"
    return [rich_link(url, words, *styles), *([run(told, *styles)] if told else [])]


def _is_honest(label: str, url: str) -> bool:
    """Whether a reader of the label knows where the link goes: to Datadog or Slack, and naming no other host."""
    host = urlsplit(url).hostname or ""
    named = {name.lower() for name in _HOST_IN_LABEL.findall(label)}
    return named <= {host} and (is_known_url(url) or bool(named))


# -- tables, aligned in a fixed width: every Slack client shows that ---------------------------------------------------


def _table_as_text(node: _Node, place: _Place) -> Iterator[Block]:
    """Its links stand below it by number: an address in a column would leave no room for the others, and nothing is live
    in there. As it was written where a row has more cells than the header."""
    rows = _cells(node, place.lines)
    if not rows:
        first, last = node.token.map or (0, 0)
        yield _bordered(preformatted("\n".join(line.strip() for line in place.lines[first:last])), place)
        return
    targets: dict[str, int] = {}
    words = [[_numbered(cell, targets) for cell in row] for row in rows]
    right = [column["align"] == "right" for column in _columns(rows)]
    yield _bordered(preformatted(text_table(words, right=right)), place)
    told = (
        (run(f"[{number}] " if number == 1 else f"\n[{number}] "), rich_link(url, ""))
        for url, number in targets.items()
    )
    yield from _paragraph([each for pair in told for each in pair], place)


def _numbered(cell: _Node, targets: dict[str, int]) -> str:
    words = " ".join(_words(cell, targets=False).split())
    numbers = [targets.setdefault(url, len(targets) + 1) for url in _targets(cell)]
    return " ".join([words, *(f"[{number}]" for number in numbers)]).strip()


def _targets(node: _Node) -> Iterator[str]:
    if url := _target(node):
        title = str(node.token.attrs.get("title", ""))
        yield f"{url} ({title})" if title else url
    for child in node.children:
        yield from _targets(child)


def _has_more_cells(line: str, most: int) -> bool:
    inner = line.removeprefix("|").removesuffix("|")
    return inner.count("|") >= most and len(escapedSplit(inner)) > most
