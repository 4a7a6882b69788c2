"""The list of open cases that one person asked for: mine first, each with its quick actions, and the project's saved views. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.cases.card import case_title, case_url, stands_line
from bot.cases.model import KnownCase
from bot.datadog.cases import PRIORITIES, Case, Project, SavedView
from bot.slack.blocks import (
    VALUE_LIMIT,
    Block,
    Message,
    actions,
    button,
    context,
    option,
    overflow,
    plain,
    section,
    sentences,
)
from bot.slack.forms import select
from bot.slack.text import code, escape, link, one_line
from bot.wording import CASE, CASES, COMMAND, DATADOG

QUICK = "cases:quick"
VIEW = "cases:view"
SEVERAL = "cases:several"
SHOWN = 12

SHOW, ASSIGN, CLOSE, ARCHIVE = "show", "assign", "close", "archive"
_QUICK_WORDS = {SHOW: "Show its card here", ASSIGN: "Assign to me", CLOSE: "Close", ARCHIVE: "Archive"}
_BLOCK = "cases"


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """What somebody wants to see: open cases that match words, or those of a saved view."""

    words: str = ""  # untrusted
    view: str = ""  # its name; untrusted


@dataclass(frozen=True, slots=True)
class FoundCases:
    org: str
    thread_ts: str  # where it was asked for
    query: CaseQuery
    project: Project | None
    cases: tuple[KnownCase, ...]
    mine: str = ""  # the person's id in Datadog
    views: tuple[SavedView, ...] = ()
    more: bool = False  # Datadog has more than one page of them


def in_order(found: Sequence[Case], mine: str) -> list[Case]:
    """Open ones: mine first, then the most urgent; those of one priority newest first, as Datadog tells them."""
    rank = {name: number for number, name in enumerate(PRIORITIES)}
    still_open = [each for each in found if each.status != "CLOSED" and each.archived_at is None]
    return sorted(
        still_open,
        key=lambda each: (not mine or each.assignee is None or each.assignee.id != mine, rank.get(each.priority, 9)),
    )


def list_message(found: FoundCases, app_url: str) -> Message:
    where = f" of {escape(one_line(found.project.name, 80))}" if found.project else ""
    what = f" in the view {code(found.query.view, 80)}" if found.query.view else ""
    what = f" with {code(found.query.words, 80)}" if found.query.words else what
    number = f"{len(found.cases)}{'+' if found.more else ''}"
    kind = CASE if number == "1" else CASES
    head = f"*{number} open {kind}{where}{what}.*" if found.cases else f"No open {CASES}{where}{what}."
    rows = [_row(each, found, app_url, number) for number, each in enumerate(found.cases[:SHOWN])]
    left = len(found.cases) - SHOWN
    rest = [context(f"{left} more: add words, or choose from all of them under *Change several*.")]
    controls = _controls(found)
    return Message(head, [section(head), *rows, *(rest if left > 0 else []), *([controls] if controls else [])])


def _row(known: KnownCase, found: FoundCases, app_url: str, number: int) -> Block:
    facts = stands_line(known)
    mine = " (you)" if found.mine and known.assignee_id == found.mine else ""
    named = link(case_url(known, app_url), known.name)
    words = f"*{named}* {escape(case_title(known))}\n{facts}{mine}"
    menu = overflow(QUICK, *(option(each, f"{verb} {known.case_id}") for verb, each in _QUICK_WORDS.items()))
    return {**section(words, accessory=menu), "block_id": block_id(found, number)}


def block_id(found: FoundCases, number: int) -> str:
    return f"{_BLOCK}:{found.org}:{found.thread_ts}:{number}"[:255]


def read_block(value: str) -> tuple[str, str]:
    """The organisation, and the thread it was asked in."""
    kind, org, thread_ts, *_ = [*value.split(":"), "", "", ""]
    return (org, thread_ts) if kind == _BLOCK else ("", "")


def _controls(found: FoundCases) -> Block | None:
    views = [option(each.name, each.name[:150]) for each in found.views if one_line(each.name)][:100]
    elements: list[Block] = []
    if views:
        chosen = {**select(VIEW, views, found.query.view), "placeholder": plain("Saved view")}
        elements.append(chosen)
    value = json.dumps([found.query.words, found.query.view])
    if found.cases and len(value) <= VALUE_LIMIT:
        elements.append(button("Change several…", SEVERAL, value=value))
    return actions(*elements, block_id=block_id(found, SHOWN)) if elements else None


def looking() -> Message:
    return sentences(f"Asking {DATADOG} for its {CASES}…")


def unknown_view(name: str, project: Project | None, views: Sequence[SavedView]) -> Message:
    if project is None:
        return sentences(
            f"Views belong to a project, and this channel has none. Name one in `{COMMAND} settings`, then try again."
        )
    named = ", ".join(code(each.name, 60) for each in views[:20])
    known = f"It has: {named}." if named else f"It has none yet: save a search in {DATADOG}."
    return sentences(f"{escape(one_line(project.name, 80))} has no view {code(name, 80)}.", known)


def list_lost() -> Message:
    return sentences(f"I no longer know this list. `{COMMAND} cases` shows it anew.")
