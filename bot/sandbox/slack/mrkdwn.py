"""Slack's control sequences in text: `<@U1>`, `<!here>`, `<url|label>`; who is pinged by them, and how people see them."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

NameOf = Callable[[str], str]
"""From the id of a user, channel or group to the name people see."""

_TOKEN = re.compile(r"<([^<>\n]+)>")
_BROADCASTS = ("here", "channel", "everyone")
_PLAIN_BROADCAST = re.compile(r"(?<![\w@])@(here|channel|everyone|group)\b")
_LONGEST_LINK = 72


@dataclass(frozen=True)
class Ping:
    """Somebody's phone buzzed: `kind` is user, usergroup, here, channel or everyone."""

    kind: str
    target: str
    channel: str
    ts: str

    @property
    def is_broadcast(self) -> bool:
        return self.kind != "user"


def pinged_in_text(text: str, *, linked_names: bool = False) -> Iterator[tuple[str, str]]:
    """(kind, target) of each live mention. With `linked_names` a bare @here counts too, as parse=full makes it."""
    for token in _TOKEN.findall(text):
        body = token.split("|")[0]
        if body.startswith("@"):
            yield "user", body[1:]
        elif body.startswith("!subteam^"):
            yield "usergroup", body.removeprefix("!subteam^")
        elif body[1:] in _BROADCASTS and body[0] == "!":
            yield body[1:], body[1:]
    if linked_names:
        yield from ((name, name) for name in _PLAIN_BROADCAST.findall(text))


_RICH = {"user": "user_id", "usergroup": "usergroup_id"}


def pinged_in_blocks(value: Any) -> Iterator[tuple[str, str]]:
    """Live mentions anywhere in blocks or attachments: mrkdwn texts, markdown blocks, rich text elements."""
    if isinstance(value, list):
        for entry in value:
            yield from pinged_in_blocks(entry)
    elif isinstance(value, dict):
        kind, text = value.get("type"), value.get("text")
        if kind == "mrkdwn" and isinstance(text, str):
            yield from pinged_in_text(text)
        elif kind == "markdown" and isinstance(text, str):
            yield from pinged_in_text(_MARKDOWN_ESCAPE.sub("", text))
        elif kind in _RICH:
            yield kind, value.get(_RICH[kind], "")
        elif kind == "broadcast":
            yield value["range"], value["range"]
        for entry in value.values():
            yield from pinged_in_blocks(entry)


def pinged_in_attachments(attachments: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for attachment in attachments:
        for name in ("pretext", "text"):
            yield from pinged_in_text(str(attachment.get(name, "")))
        for field in attachment.get("fields", []):
            yield from pinged_in_text(str(field.get("value", "")))
        yield from pinged_in_blocks(attachment.get("blocks", []))


def escape(text: str) -> str:
    """What a person's own typing looks like in a payload."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def short_url(url: str) -> str:
    """Host and path, as far as a person would read it."""
    parts = urlsplit(html.unescape(url))
    shown = f"{parts.netloc}{parts.path}".rstrip("/") if parts.netloc else url
    return shown if len(shown) <= _LONGEST_LINK else f"{shown[: _LONGEST_LINK - 1]}…"


def link(url: str, label: str) -> str:
    return short_url(url) if not label or label == url else f"{label} ({short_url(url)})"


def flatten(text: str, name_of: NameOf) -> str:
    """Mrkdwn as people read it: mentions named, links with their host, formatting gone, entities decoded."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(_shown_token(match.group(1), name_of))
        return chr(0xE000 + len(kept) - 1)

    return _restored(unescape(_without_formatting(_TOKEN.sub(keep, text))), kept)


_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_FORMATS = [
    re.compile(rf"(?<![\w{mark}]){mark}(\S|\S[^\n]*?\S){mark}(?![\w{mark}])") for mark in (r"\*", "_", "~", "`")
]


def _without_formatting(text: str) -> str:
    text = _FENCE.sub(r"\1", text)
    for pattern in _FORMATS:
        text = pattern.sub(r"\1", text)
    return text


def _shown_token(token: str, name_of: NameOf) -> str:
    body, _, label = token.partition("|")
    if body.startswith("@"):
        return f"@{name_of(body[1:])}"
    if body.startswith("#"):
        return f"#{name_of(body[1:])}"
    if body.startswith("!subteam^"):
        return f"@{name_of(body.removeprefix('!subteam^'))}"
    if body.startswith("!"):
        return label if body.startswith("!date^") else f"@{body[1:]}"
    return link(body.removeprefix("mailto:"), unescape(label))


_MARKDOWN_LINK = re.compile(r"!?\[([^\]\n]*)\]\(([^)\s]+)\)")
_MARKDOWN_HEADING = re.compile(r"^#{1,6} +", re.MULTILINE)
_MARKDOWN_FENCE = re.compile(r"^```[\w-]*\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
_MARKDOWN_FORMATS = [
    re.compile(pattern) for pattern in (r"\*\*(\S.*?)\*\*", r"__(\S.*?)__", r"~~(\S.*?)~~", r"`([^`\n]+)`")
]
_MARKDOWN_ITALIC = re.compile(r"(?<![\w*])\*(\S[^*\n]*?)\*(?![\w*])")
_MARKDOWN_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~])")


def flatten_markdown(text: str, name_of: NameOf) -> str:
    """Standard Markdown as people read it. Slack's own tokens are live in it, entities are not."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match.group(1))
        return chr(0xE000 + len(kept) - 1)

    text = _MARKDOWN_FENCE.sub(r"\1", _MARKDOWN_ESCAPE.sub(keep, text))
    text = _MARKDOWN_LINK.sub(lambda found: link(found.group(2), found.group(1)), text)
    text = _TOKEN.sub(lambda found: _shown_token(found.group(1), name_of), text)
    text = _MARKDOWN_HEADING.sub("", text)
    for pattern in [*_MARKDOWN_FORMATS, _MARKDOWN_ITALIC]:
        text = pattern.sub(r"\1", text)
    return _restored(text, kept)


def _restored(text: str, kept: list[str]) -> str:
    for index, shown in enumerate(kept):
        text = text.replace(chr(0xE000 + index), shown)
    return text
