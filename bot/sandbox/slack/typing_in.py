"""What Slack makes of typed words: escaped text with tokens for names and links, and the rich text block beside it."""

import re
from collections.abc import Mapping

from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.tokens import escape

_URL = re.compile(r"https?://[^\s<>|]+")
_PIECE = re.compile(r"<([^<>]+)>|([^<]+)")


def as_typed(words: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """The `text` of a message: &, < and > escaped, "@name" and "#name" as tokens where known, addresses in brackets."""
    text = _URL.sub(lambda found: f"<{found.group(0)}>", escape(words))
    for name in sorted(people, key=len, reverse=True):
        text = re.sub(rf"(?<![\w<])@{re.escape(name)}(?!\w)", f"<@{people[name]}>", text)
    for name in sorted(channels, key=len, reverse=True):
        text = re.sub(rf"(?<![\w<])#{re.escape(name)}(?![\w-])", f"<#{channels[name]}|{name}>", text)
    return text


def as_rich_text(text: str) -> list[JSON]:
    """The block Slack's own composer sends along with the text."""
    elements: list[JSON] = []
    for token, words in _PIECE.findall(text):
        if words:
            plain = words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
            elements.append({"type": "text", "text": plain})
        elif token.startswith("@"):
            elements.append({"type": "user", "user_id": token[1:]})
        elif token.startswith("#"):
            elements.append({"type": "channel", "channel_id": token[1:].split("|")[0]})
        else:
            elements.append({"type": "link", "url": token.replace("&amp;", "&")})
    return [
        {"type": "rich_text", "block_id": "typed", "elements": [{"type": "rich_text_section", "elements": elements}]}
    ]
