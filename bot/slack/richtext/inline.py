"""The words inside one Markdown block, as rich_text runs: emphasis, code, links and images. Blocks are not known here."""

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from markdown_it.tree import SyntaxTreeNode

from bot.slack.blocks import Block, rich_link, run
from bot.slack.text import is_known_url, safe_url

_STYLES = {"strong": "bold", "em": "italic", "s": "strike"}
_URL = re.compile(r"https?://[^\s<>\"'`|\\^{}]+")
_TRAILING = ".,;:!?)]*_~"
_HOST_IN_LABEL = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,}", re.UNICODE)


def inline_runs(nodes: Iterable[SyntaxTreeNode], styles: Sequence[str] = ()) -> list[Block]:
    """Neighbours of one style are joined, so that a block stays small."""
    return _joined(element for node in nodes for element in _node(node, styles))


def plain_runs(text: str, styles: Sequence[str] = ()) -> list[Block]:
    """Text as it is; a bare http(s) URL in it becomes a link, which shows exactly what it opens."""
    runs: list[Block] = []
    end = 0
    for found in _URL.finditer(text):
        url = found[0].rstrip(_TRAILING)
        if safe_url(url) is None:
            continue
        before = text[end : found.start()]
        runs += [run(before, *styles)] if before else []
        runs.append(rich_link(url, "", *styles))
        end = found.start() + len(url)
    rest = text[end:]
    return [*runs, run(rest, *styles)] if rest else runs


def _node(node: SyntaxTreeNode, styles: Sequence[str]) -> list[Block]:
    match node.type:
        case "strong" | "em" | "s":
            return inline_runs(node.children, _with(styles, _STYLES[node.type]))
        case "code_inline":
            return [run(node.content, *_with(styles, "code"))] if node.content else []
        case "link":
            return _link(str(node.attrs.get("href", "")), _text_of(node), str(node.attrs.get("title", "")), styles)
        case "image":
            return _link(str(node.attrs.get("src", "")), _text_of(node), str(node.attrs.get("title", "")), styles)
        case "softbreak" | "hardbreak":
            return [run("\n", *styles)]
        case _:
            return plain_runs(node.content, styles)


def _with(styles: Sequence[str], style: str) -> Sequence[str]:
    return styles if style in styles else (*styles, style)


def _text_of(node: SyntaxTreeNode) -> str:
    """A label is one string in Slack: emphasis inside it is given up, its words are not."""
    if node.type in {"softbreak", "hardbreak"}:
        return " "
    return node.content if not node.children else "".join(_text_of(child) for child in node.children)


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


def _joined(elements: Iterable[Block]) -> list[Block]:
    return list(_joining(elements))


def _joining(elements: Iterable[Block]) -> Iterator[Block]:
    waiting: Block | None = None
    for element in elements:
        if waiting and _same_kind(waiting, element):
            waiting = {**waiting, "text": waiting["text"] + element["text"]}
            continue
        if waiting:
            yield waiting
        waiting = element
    if waiting:
        yield waiting


def _same_kind(one: Block, other: Block) -> bool:
    return one["type"] == other["type"] == "text" and one.get("style") == other.get("style")
