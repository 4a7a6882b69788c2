"""The modal with everything Bits wrote, paged so that a view never grows past what Slack takes."""

import json
from collections.abc import Iterator

from bot.datadog.investigations import Conclusion
from bot.investigations.model import Investigation
from bot.investigations.views.subject import subject_name
from bot.slack.blocks import Block, actions, button, context, divider, plain, rich_section, rich_text, run, section
from bot.slack.markdown import markdown_blocks, plain_blocks
from bot.slack.richtext import pages
from bot.slack.text import one_line
from bot.wording import DISCLAIMER, PRODUCT

CALLBACK = "details"
PAGE = "details:page"  # both buttons' ids begin with it; their value is the page they lead to
PREVIOUS = f"{PAGE}:previous"
NEXT = f"{PAGE}:next"

_BLOCKS_A_PAGE = 40
_BYTES_A_PAGE = 120_000


def details_modal(inv: Investigation, page: int = 0) -> Block:
    paged = pages(_content(inv), max_blocks=_BLOCKS_A_PAGE, max_bytes=_BYTES_A_PAGE)
    shown = min(max(page, 0), len(paged) - 1)
    blocks = [
        context(DISCLAIMER),
        *(paged[shown] or [section(f"{PRODUCT} wrote no conclusions for this one.")]),
        *_turning(shown, len(paged)),
    ]
    return _modal("Conclusions", blocks, json.dumps({"investigation": inv.id, "page": shown}))


def read_details_metadata(private_metadata: str) -> tuple[int, int] | None:
    """The investigation's id and the page; None for anything we did not write."""
    try:
        told = json.loads(private_metadata)
        return int(told["investigation"]), int(told["page"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def loading_modal(title: str) -> Block:
    """Opened at once, because a trigger lives three seconds; replaced when the data is there."""
    return _modal(title, [section("One moment…")], "")


def notice_modal(title: str, text: str) -> Block:
    """For what can't be shown after all; the text is mrkdwn."""
    return _modal(title, [section(text)], "")


def _modal(title: str, blocks: list[Block], private_metadata: str) -> Block:
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain(one_line(title, 24), 24),
        "close": plain("Close", 24),
        "private_metadata": private_metadata,
        "blocks": blocks,
    }


def _content(inv: Investigation) -> Iterator[Block]:
    if inv.conclusions:
        yield rich_text(rich_section([run(subject_name(inv), "bold")]))
    for number, conclusion in enumerate(inv.conclusions, 1):
        yield divider()
        yield from _conclusion(conclusion, number if len(inv.conclusions) > 1 else 0)


def _conclusion(conclusion: Conclusion, number: int) -> Iterator[Block]:
    title = " ".join(conclusion.title.split()) or "Conclusion"
    yield from plain_blocks(f"{number}. {title}" if number else title, "bold")
    yield from markdown_blocks(conclusion.summary)
    if conclusion.description.strip() != conclusion.summary.strip():
        yield from markdown_blocks(conclusion.description)


def _turning(page: int, count: int) -> list[Block]:
    if count < 2:
        return []
    previous = [button("Previous", PREVIOUS, value=str(page - 1))] if page > 0 else []
    following = [button("Next", NEXT, value=str(page + 1))] if page < count - 1 else []
    return [context(f"Page {page + 1} of {count}"), actions(*previous, *following)]
