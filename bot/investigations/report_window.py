"""The window behind Full report: all that was found, with what can be done about it. It has pages, so that a view never grows
past what Slack takes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.datadog.investigations import Conclusion
from bot.investigations.conclusions_view import case_button, rest_menu
from bot.investigations.follow_up import follow_up_button
from bot.investigations.model import NO_VOTES, Investigation, ThreadCase, Votes
from bot.investigations.report import markdown
from bot.investigations.subject_view import subject_name
from bot.investigations.vote_views import judged, vote_buttons
from bot.model import Place
from bot.slack.blocks import Block, actions, button, context, divider, pages, rich_section, rich_text, run, section
from bot.slack.forms import modal
from bot.slack.payloads import carried_in, number_of
from bot.slack.plain import plain_blocks
from bot.wording import COSTS, DISCLAIMER, FULL_REPORT, PRODUCT, RUN_AGAIN

CALLBACK = "details"
RUN_AGAIN_CALLBACK = "run_again"
PAGE = "details:page"  # both buttons' ids begin with it; their value is the page they lead to

_BLOCKS_A_PAGE = 40
_BYTES_A_PAGE = 120_000
_MOST_KEPT = 32  # investigations whose pages are at hand


@dataclass(frozen=True, slots=True)
class ReadIn:
    """Where a report is read, and what is known there."""

    place: Place  # what is done in the window belongs there
    awaits: bool = False  # its thread asked for this one: what goes on from it starts there
    case: ThreadCase | None = None
    votes: Votes = NO_VOTES
    own_vote: bool | None = None  # of who reads it


def report_modal(inv: Investigation, page: int = 0, *, read_in: ReadIn, app_url: str) -> Block:
    paged, place = _pages(subject_name(inv), inv.conclusions), read_in.place
    shown = min(max(page, 0), len(paged) - 1)
    blocks = [
        context(DISCLAIMER),
        actions(*_buttons(inv, read_in, app_url)),
        *(paged[shown] or [section(f"{PRODUCT} wrote no conclusions for this one.")]),
        actions(*vote_buttons(inv, read_in.own_vote)),
        *judged(read_in.votes),
        *_turning(shown, len(paged)),
    ]
    at = {"investigation": inv.id, "page": shown, "channel": place.channel, "thread_ts": place.thread_ts}
    return modal(FULL_REPORT, blocks, callback_id=CALLBACK, metadata=json.dumps(at))


def _buttons(inv: Investigation, read_in: ReadIn, app_url: str) -> list[Block]:
    """Those of the answer's message."""
    follow = [follow_up_button(inv)] if read_in.awaits else []
    return [case_button(inv, read_in.case), *follow, rest_menu(inv, app_url, starts=read_in.awaits)]


def read_metadata(metadata: str) -> tuple[int, int]:
    """The investigation's number and the page; 0, which none has, for anything we did not write."""
    told = carried_in(metadata)
    return number_of(told.get("investigation")), number_of(told.get("page"))


# whoever turns a page waits for no parser: these very words were paged before, whatever else became of the row
@lru_cache(_MOST_KEPT)
def _pages(name: str, conclusions: tuple[Conclusion, ...]) -> list[list[Block]]:
    return pages(_content(name, conclusions), max_blocks=_BLOCKS_A_PAGE, max_bytes=_BYTES_A_PAGE)


def _content(name: str, conclusions: tuple[Conclusion, ...]) -> Iterator[Block]:
    if conclusions:
        yield rich_text(rich_section([run(name, "bold")]))
    for number, conclusion in enumerate(conclusions, 1):
        yield divider()
        yield from _full_conclusion(conclusion, number if len(conclusions) > 1 else 0)


def _full_conclusion(conclusion: Conclusion, number: int) -> Iterator[Block]:
    title = " ".join(conclusion.title.split()) or "Conclusion"
    yield from plain_blocks(f"{number}. {title}" if number else title, "bold")
    yield from markdown(conclusion.summary)
    if conclusion.description.strip() != conclusion.summary.strip():
        yield from markdown(conclusion.description)


def _turning(page: int, count: int) -> list[Block]:
    if count < 2:
        return []
    previous = [button("Previous", f"{PAGE}:previous", value=str(page - 1))] if page > 0 else []
    following = [button("Next", f"{PAGE}:next", value=str(page + 1))] if page < count - 1 else []
    return [context(f"Page {page + 1} of {count}"), actions(*previous, *following)]


# -- once more --------------------------------------------------------------------------------------------------------


def run_again_modal(inv: Investigation, *, channel: str, thread_ts: str) -> Block:
    """Costs money, so it asks first: a menu's items have no dialog of their own."""
    metadata = json.dumps({"investigation": inv.id, "channel": channel, "thread_ts": thread_ts})
    blocks = [rich_text(rich_section([run(subject_name(inv), "bold")])), section(COSTS)]
    return modal(RUN_AGAIN, blocks, callback_id=RUN_AGAIN_CALLBACK, metadata=metadata, submit="Start it")
