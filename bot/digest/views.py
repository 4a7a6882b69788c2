"""A channel's week as a message, with a table of what was investigated, and as CSV."""

import csv
import io
from collections.abc import Sequence

from bot.digest.report import ChannelReport, ReportedRun
from bot.investigations.signs import stands
from bot.slack.blocks import Block, Message, context, pack, preformatted, rich_section, rich_text, run, section, table
from bot.slack.text import code, cut, escape, moment, one_line, utc
from bot.wording import CASES, COMMAND, INVESTIGATIONS, counted, duration

MOST_ROWS = 15
MOST_LINES = 5
LONGEST_CSV = 9_000  # characters; three blocks of text
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def digest_message(report: ChannelReport) -> Message:
    when = f"{moment(report.since, '{date_short_pretty}')} to {moment(report.until, '{date_short_pretty}')}"
    if report.is_empty:
        text = f"*This channel's week* ({when}): nothing was investigated, no alert came in and no case is open."
        return Message(text, [section(text)])
    text = f"*This channel's week* ({when})\n{_summary(report)}"
    more = [*_noisy(report), *_cases(report), context(f"All of it as CSV: `{COMMAND} report csv`.")]
    if not report.runs:
        return Message(text, [section(text), *more])
    rows = [_row(each) for each in report.runs[:MOST_ROWS]]
    left = len(report.runs) - len(rows)
    below = [context(f"{counted(left, 'more investigation')}.")] if left > 0 else []
    columns: list[Block] = [{"is_wrapped": True}, {"is_wrapped": True}, {"align": "right"}, {"align": "right"}]
    cells = [[_cell(words, bold=not at) for words in row] for at, row in enumerate([_HEAD, *rows])]
    plain = rich_text(preformatted(cut("\n".join(" | ".join(row) for row in rows), 2_500)))
    return Message(
        text,
        [section(text), table(cells, columns), *below, *more],
        plainer=[section(text), plain, *below, *more],
    )


_HEAD = ("What", "Likely cause", "Took", "Votes")


def _summary(report: ChannelReport) -> str:
    found = sum(1 for each in report.runs if each.cause)
    right, wrong = sum(each.votes.right for each in report.runs), sum(each.votes.wrong for each in report.runs)
    usual = report.usual_seconds
    parts = [
        counted(len(report.runs), "investigation") + (f", {found} with a cause" if report.runs else ""),
        f"usually {duration(usual)} to a conclusion" if usual else "",
        f"votes: {right} right, {wrong} wrong" if right or wrong else "",
        f"{counted(report.charged, 'start')} paid for"
        + (f", {report.automatic} automatic" if report.automatic else ""),
        f"{counted(len(report.open_cases), 'open case')}" if report.open_cases else "",
    ]
    return " · ".join(part for part in parts if part)


def _row(each: ReportedRun) -> tuple[str, ...]:
    sign, word = stands(each.investigation)
    took = duration(each.took) if each.took else "-"
    voted = f"{each.votes.right} right, {each.votes.wrong} wrong" if each.votes else "-"
    return one_line(each.name, 120), one_line(each.cause, 200) or f"{sign} {word}", took, voted


def _cell(words: str, *, bold: bool) -> Block:
    return rich_text(rich_section([run(words, *(["bold"] if bold else []))]))


def _noisy(report: ChannelReport) -> list[Block]:
    lines = [f"• {escape(one_line(name, 120))}: {counted(count, 'alert')}" for name, count in report.noisiest]
    return [section("\n".join(["*Noisiest monitors*", *lines]))] if lines else []


def _cases(report: ChannelReport) -> list[Block]:
    shown = report.open_cases[:MOST_LINES]
    lines = [
        f"• {code(each.name, 60)} {escape(one_line(each.title, 120))} ({escape(one_line(each.status, 40))})"
        for each in shown
    ]
    left = len(report.open_cases) - len(shown)
    lines += [f"and {counted(left, 'more')}"] if left > 0 else []
    return [section("\n".join([f"*Open {CASES}*", *lines]))] if lines else []


# -- CSV ------------------------------------------------------------------------------------------------------------


def csv_message(report: ChannelReport) -> Message:
    if not report.runs:
        text = f"No {INVESTIGATIONS} in this channel in the last seven days, so there is nothing to list."
        return Message(text, [section(text)])
    lines = csv_lines(report.runs)
    size, fitting = 0, 0
    for line in lines:
        size += len(line)
        fitting += size <= LONGEST_CSV
    text = f"{counted(fitting - 1, 'investigation')} of the last seven days as CSV, newest first."
    left = len(lines) - fitting
    more = [context(f"{counted(left, 'older one')} did not fit.")] if left else []
    return Message(text, [section(text), *pack([preformatted("".join(lines[:fitting]).rstrip())]), *more])


def csv_lines(runs: Sequence[ReportedRun]) -> list[str]:
    """One with its line break each, the names first. No cell begins what a spreadsheet would work out."""
    head = ("ref", "asked at", "what", "state", "likely cause", "seconds", "right", "wrong", "link")
    return [_line(head), *(_line(_fields(each)) for each in runs)]


def _fields(each: ReportedRun) -> tuple[str, ...]:
    inv, took = each.investigation, each.took
    counts = (str(round(took)) if took is not None else "", str(each.votes.right), str(each.votes.wrong))
    return (
        inv.ref,
        utc(inv.created_at),
        one_line(each.name, 200),
        stands(inv)[1],
        one_line(each.cause, 300),
        *counts,
        inv.url or "",
    )


def _line(fields: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(
        [f"'{each}" if each.startswith(_FORMULA) else each for each in fields]
    )
    return written.getvalue()
