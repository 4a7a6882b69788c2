"""Text that is no Markdown, as rich_text: its signs are shown, not obeyed; only bare links are live."""

import re
from collections.abc import Sequence

from bot.slack.blocks import Block, pack, rich_link, rich_section, run
from bot.slack.text import clean, safe_url

_URL = re.compile(r"https?://[^\s<>\"'`|\\^{}]+")
_TRAILING = ".,;:!?)]*_~"


def plain_blocks(text: str, *styles: str) -> list[Block]:
    """Such as a title."""
    source = clean(text).strip()
    return pack([rich_section(plain_runs(source, styles))]) if source else []


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
