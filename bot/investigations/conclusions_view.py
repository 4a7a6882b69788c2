"""The reply that ends the wait: what Bits concluded, short and in order. Whatever is cut is said, and stands in full
in the window behind Details, which has pages so that a view never grows past what Slack takes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.datadog.investigations import Conclusion
from bot.investigations.model import Investigation, Verdict
from bot.investigations.subject_view import open_button, run_again_button, subject_name, subject_runs
from bot.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    context,
    divider,
    pages,
    rich_section,
    rich_text,
    run,
    section,
    visible_text,
)
from bot.slack.forms import modal
from bot.slack.payloads import carried_in, number_of
from bot.slack.plain import plain_blocks
from bot.slack.text import cut, escape, fit_mrkdwn, mention, one_line
from bot.wording import CASE, DATADOG, DETAILS, DISCLAIMER, INVESTIGATION, PRODUCT, VOTES, counted

FOUND, ENDED = f"here is what {PRODUCT} found", f"the {INVESTIGATION} has ended"
OPEN = "conclusions:open"
DETAILS_ACTION = "conclusions:details"
RUN_AGAIN = "conclusions:run_again"
HELPFUL = "conclusions:helpful"
NOT_HELPFUL = "conclusions:not_helpful"
CREATE_CASE = "conclusions:create_case"
ATTACH = "conclusions:attach"
CALLBACK = "details"
PAGE = "details:page"  # both buttons' ids begin with it; their value is the page they lead to

_MOST_SHOWN = 10
_TITLE_LIMIT = 140
_WORDS_BUDGET = 7_500  # of the 12,000 characters a message may hold, what the conclusions share
_LONGEST_SUMMARY = 2_500
_MOST_BLOCKS_EACH = 3  # ten conclusions with their titles and the frame stay under a message's 50
_GROWTH = 150  # hosts shown beside links, columns aligned
_BLOCKS_A_PAGE = 40
_BYTES_A_PAGE = 120_000
_MOST_KEPT = 32  # investigations whose pages are at hand

_VERDICTS = {
    Verdict.CONCLUSIVE: f"{INVESTIGATION} conclusive",
    Verdict.INCONCLUSIVE: f"{INVESTIGATION} inconclusive",
    Verdict.FAILED: f"{INVESTIGATION} failed",
}
_WITHOUT_CONCLUSIONS = {
    Verdict.CONCLUSIVE: f"{PRODUCT} finished without writing a conclusion. Open it in {DATADOG} to see its steps.",
    Verdict.INCONCLUSIVE: f"{PRODUCT} found too little to conclude anything. Open it in {DATADOG} to see what it tried.",
    Verdict.FAILED: f"{PRODUCT} failed before it could conclude anything. Open it in {DATADOG}, or run it again.",
}


@dataclass(frozen=True, slots=True)
class _Shown:
    blocks: list[Block]
    shortened: bool


def conclusions_message(inv: Investigation, *, requester: str, app_url: str, may_repeat: bool) -> Message:
    """`may_repeat`: we could not find out whether this reply already stands in the thread, and say so."""
    verdict = inv.verdict or Verdict.INCONCLUSIVE
    shown = _conclusions(inv.conclusions)
    blocks = [
        section(_greeting(inv, requester)),
        rich_text(rich_section([run(f"{_VERDICTS[verdict]}: "), *subject_runs(inv, app_url)])),
        *(shown.blocks or [section(_WITHOUT_CONCLUSIONS[verdict])]),
        *_remarks(shown, len(inv.conclusions), may_repeat=may_repeat),
        actions(*_buttons(inv, app_url)),
        context(f"{DISCLAIMER} {VOTES}"),
    ]
    return Message(_spoken(inv, verdict, requester), blocks)


def _greeting(inv: Investigation, requester: str) -> str:
    told = f"{FOUND}." if inv.conclusions else f"{ENDED}."
    return f"{mention(requester)}, {told}" if requester else told[0].upper() + told[1:]


@lru_cache(_MOST_KEPT)  # one run's are posted into many threads
def _conclusions(conclusions: tuple[Conclusion, ...]) -> _Shown:
    told = conclusions[:_MOST_SHOWN]
    room = min(_LONGEST_SUMMARY, _WORDS_BUDGET // max(1, len(told))) - _TITLE_LIMIT - _GROWTH
    parts = [_conclusion(each, number if len(conclusions) > 1 else 0, room) for number, each in enumerate(told, 1)]
    blocks = [block for part in parts for block in part.blocks]
    return _Shown(blocks, any(part.shortened for part in parts))


def _conclusion(conclusion: Conclusion, number: int, room: int) -> _Shown:
    title = one_line(conclusion.title, _TITLE_LIMIT) or "Conclusion"
    summary = conclusion.summary.strip() or conclusion.description.strip()
    head = rich_text(rich_section([run(f"{number}. {title}" if number else title, "bold")]))
    shortened = len(summary) > room or len(conclusion.title) > _TITLE_LIMIT
    return _Shown([head, *formatted(cut(summary, room), room + _GROWTH)], shortened)


def formatted(summary: str, room: int) -> list[Block]:
    """Formatted where that fits; a table or link list that grows too much stands as it was written."""
    formatted = _formatted(summary)
    fits = len(formatted) <= _MOST_BLOCKS_EACH and len(visible_text(formatted)) <= room
    return formatted if fits else plain_blocks(summary)


def _formatted(markdown: str) -> list[Block]:
    from bot.slack.markdown import markdown_blocks  # noqa: PLC0415  with its parser, which no start needs

    return markdown_blocks(markdown)


def _remarks(shown: _Shown, total: int, *, may_repeat: bool) -> list[Block]:
    remarks = []
    if total > _MOST_SHOWN:
        remarks.append(f"{counted(total - _MOST_SHOWN, 'more conclusion')} under {DETAILS}.")
    if shown.shortened:
        remarks.append(f"Shortened here: the full text stands under {DETAILS}.")
    if may_repeat:
        remarks.append("You may have seen this already: I was interrupted while posting it and can't look it up.")
    return [context(" ".join(remarks))] if remarks else []


def _buttons(inv: Investigation, app_url: str) -> list[Block]:
    value = str(inv.id)
    details = [button(DETAILS, DETAILS_ACTION, value=value, style="primary")] if inv.conclusions else []
    return [
        *details,
        button(f"Create {CASE}", CREATE_CASE, value=value),
        button(f"Attach to {CASE}", ATTACH, value=value),
        open_button(OPEN, inv, app_url),
        run_again_button(RUN_AGAIN, inv),
        button("👍 Helpful", HELPFUL, value=value),
        button("👎 Not helpful", NOT_HELPFUL, value=value),
    ]


def _spoken(inv: Investigation, verdict: Verdict, requester: str) -> str:
    titles = "; ".join(one_line(each.title, _TITLE_LIMIT) or "Conclusion" for each in inv.conclusions[:_MOST_SHOWN])
    told = fit_mrkdwn(titles, 2_000) or _WITHOUT_CONCLUSIONS[verdict]
    return f"{_greeting(inv, requester)} {_VERDICTS[verdict]}: {escape(subject_name(inv))}. {told}"


# -- Details --------------------------------------------------------------------------------------------------------


def details_modal(inv: Investigation, page: int = 0, *, channel: str = "") -> Block:
    """`channel` is where it was opened: whose rules say who may turn its pages."""
    paged = _pages(subject_name(inv), inv.conclusions)
    shown = min(max(page, 0), len(paged) - 1)
    blocks = [
        context(DISCLAIMER),
        *(paged[shown] or [section(f"{PRODUCT} wrote no conclusions for this one.")]),
        *_turning(shown, len(paged)),
    ]
    metadata = json.dumps({"investigation": inv.id, "page": shown, "channel": channel})
    return modal("Conclusions", blocks, callback_id=CALLBACK, metadata=metadata)


def read_metadata(metadata: str) -> tuple[int, str]:
    """The investigation's number and the channel; 0, which none has, for anything we did not write."""
    told = carried_in(metadata)
    return number_of(told.get("investigation")), str(told.get("channel") or "")


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
    yield from _formatted(conclusion.summary)
    if conclusion.description.strip() != conclusion.summary.strip():
        yield from _formatted(conclusion.description)


def _turning(page: int, count: int) -> list[Block]:
    if count < 2:
        return []
    previous = [button("Previous", f"{PAGE}:previous", value=str(page - 1))] if page > 0 else []
    following = [button("Next", f"{PAGE}:next", value=str(page + 1))] if page < count - 1 else []
    return [context(f"Page {page + 1} of {count}"), actions(*previous, *following)]
