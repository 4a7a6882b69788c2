"""The reply that ends the wait: the likely cause first, then why, what to do next, and who asked last. Whatever is cut is
said, and stands in full in the window behind Full report."""

from dataclasses import dataclass
from functools import lru_cache

from bot.datadog.investigations import Conclusion
from bot.investigations.follow_up import follow_up_button
from bot.investigations.model import NO_VOTES, Investigation, ThreadCase, Verdict, Votes
from bot.investigations.outcome import asked_by, notes_of, took_of, what_would_help
from bot.investigations.report import NextStep, formatted, next_step
from bot.investigations.subject_view import facts_of, investigation_url, subject_link, subject_name
from bot.investigations.vote_views import votes_blocks
from bot.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    context,
    menu,
    menu_item,
    preformatted,
    rich_section,
    rich_text,
    run,
    visible_text,
)
from bot.slack.text import DAY_AND_TIME, code, cut, escape, fit_mrkdwn, mention, moment, one_line
from bot.slack.text_table import text_table
from bot.wording import (
    AI_WRITTEN,
    CASE,
    FULL_REPORT,
    OPEN_IN_DATADOG,
    SHARE,
)
from bot.wording import RUN_AGAIN as RUN_AGAIN_WORDS

OPEN = "conclusions:open"
OPEN_CASE = "conclusions:case:open"
DETAILS_ACTION = "conclusions:details"
RUN_AGAIN = "conclusions:run_again"  # of an earlier version: started at once, after Slack's own dialog
ASK_RUN_AGAIN = "conclusions:ask_run_again"
CREATE_CASE = "conclusions:create_case"
ATTACH = "conclusions:attach"
ASK_SHARE = "conclusions:share"

_TITLE_LIMIT = 140
_LONGEST_SUMMARY = 2_500
_GROWTH = 150  # hosts shown beside links, columns aligned
_MOST_ROWS = 12
_LONGEST_STEP = 700
_LONGEST_COMMAND = 900
_OTHERS_NAMED = 3
_MOST_KEPT = 32  # investigations whose pages are at hand

CAUSES = {
    Verdict.CONCLUSIVE: "✅ Likely cause",
    Verdict.INCONCLUSIVE: "🟡 No clear cause",
    Verdict.FAILED: "❌ Failed, but found this",
}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the message shows of the first conclusion; `plainer` for a Slack that takes no table."""

    blocks: list[Block]
    plainer: list[Block]
    shortened: bool


@dataclass(frozen=True, slots=True)
class Used:
    """Who brought this answer from the alert it was found for, and who had asked there; nobody: it started by itself."""

    by: str
    asker: str


def conclusions_message(
    inv: Investigation,
    *,
    requester: str,
    app_url: str,
    may_repeat: bool,
    case: ThreadCase | None = None,
    used: Used | None = None,
    votes: Votes = NO_VOTES,
) -> Message:
    """Of an investigation that has a conclusion. `may_repeat`: we could not find out whether this reply already stands in the
    thread, and say so."""
    verdict, first = inv.verdict or Verdict.INCONCLUSIVE, inv.conclusions[0]
    title = one_line(first.title, _TITLE_LIMIT) or "see below"
    head = rich_text(rich_section([run(f"{CAUSES[verdict]}: {title}", "bold")]))
    answer = _answer(first)
    help_next_time = [] if verdict is Verdict.CONCLUSIVE else [context(what_would_help(inv))]
    earlier = _earlier(inv, used) if used else ""
    rest = [
        *help_next_time,
        *_remarks(inv, answer, may_repeat=may_repeat),
        actions(*_buttons(inv, app_url, case, is_earlier=used is not None)),
        *votes_blocks(inv, votes),
        context(_last_line(inv, requester, app_url)),
    ]
    top = [head, *([context(earlier)] if earlier else [])]
    plainer = [*top, *answer.plainer, *rest] if answer.plainer else []
    spoken = " ".join(part for part in (_spoken(inv, verdict, title), earlier) if part)
    return Message(spoken, [*top, *answer.blocks, *rest], plainer)


def _earlier(inv: Investigation, used: Used) -> str:
    when = moment(inv.finished_at or inv.created_at, DAY_AND_TIME)
    asked = f"asked by {mention(used.asker)}" if used.asker else "started automatically"
    return f"↩️ An earlier answer, of {when}, {asked}. {mention(used.by)} used it here: nothing was started, nothing billed."


# -- the first conclusion -----------------------------------------------------------------------------------------------


@lru_cache(_MOST_KEPT)  # one run's are posted into many threads
def _answer(conclusion: Conclusion) -> _Answer:
    summary, report = conclusion.summary.strip(), conclusion.description.strip()
    if not summary:
        return _with_table(report, "", NextStep(), is_report=True)
    return _with_table(summary, report, next_step(report), is_report=summary == report)


def _with_table(summary: str, report: str, step: NextStep, *, is_report: bool) -> _Answer:
    from bot.slack.markdown import first_table  # noqa: PLC0415  with its parser, which no start needs

    is_long = len(summary) > _LONGEST_SUMMARY
    found = None if is_long else first_table(summary, most_rows=_MOST_ROWS)
    if found is not None:
        before, after = _summary(found.before), _summary(found.after)
    else:
        before, after = _summary(cut(summary, _LONGEST_SUMMARY)), []
        found = first_table(report, most_rows=_MOST_ROWS) if report and not is_report else None
    step_blocks, step_is_cut = ([], False) if is_report else _next_step(step)
    shortened = is_long or step_is_cut or bool(found and found.left_out)
    if found is None:
        return _Answer([*before, *step_blocks], [], shortened)
    plainer = [*before, rich_text(preformatted(_as_text(found.table))), *after, *step_blocks]
    return _Answer([*before, found.table, *after, *step_blocks], plainer, shortened)


def _as_text(table: Block) -> str:
    rows = [[" ".join(visible_text(cell).split()) or "-" for cell in row] for row in table["rows"]]
    right = [column.get("align") == "right" for column in table["column_settings"]]
    return cut(text_table(rows, right=right), 2_500)


def _summary(summary: str) -> list[Block]:
    return formatted(summary, len(summary) + _GROWTH)


def _next_step(step: NextStep) -> tuple[list[Block], bool]:
    if not step:
        return [], False
    words = cut(step.words, _LONGEST_STEP)
    apart = "\n\n" if words.startswith(("-", "*", "1", "|")) else " "
    blocks = _summary(f"**Next step:**{apart}{words}")
    command = cut(step.command, _LONGEST_COMMAND)
    if command and command == step.command:  # half of a command is none
        blocks.append(rich_text(preformatted(command)))
    return blocks, words != step.words or command != step.command


# -- what stands around it --------------------------------------------------------------------------------------------


def _remarks(inv: Investigation, answer: _Answer, *, may_repeat: bool) -> list[Block]:
    """The other conclusions are folded: their names here, all of them behind Full report."""
    remarks, others = [], inv.conclusions[1:]
    if others:
        named = "; ".join(escape(one_line(each.title, 100) or "untitled") for each in others[:_OTHERS_NAMED])
        hidden = len(others) - _OTHERS_NAMED
        remarks.append(f"Also found: {named}{f', and {hidden} more' if hidden > 0 else ''}. See {FULL_REPORT}.")
    if answer.shortened:
        remarks.append(f"Shortened here: {FULL_REPORT} has all of it.")
    remarks += notes_of(inv)
    if may_repeat:
        remarks.append("You may have seen this already: I was interrupted while posting it and can't look it up.")
    return [context(" ".join(remarks))] if remarks else []


def _buttons(inv: Investigation, app_url: str, case: ThreadCase | None, *, is_earlier: bool) -> list[Block]:
    """At most three, and the rest in a menu. An earlier answer's alert is not this thread's: nothing starts from it here."""
    report = button(FULL_REPORT, DETAILS_ACTION, value=str(inv.id), style="primary")
    follow = [] if is_earlier else [follow_up_button(inv)]
    return [report, case_button(inv, case), *follow, rest_menu(inv, app_url, starts=not is_earlier)]


def case_button(inv: Investigation, case: ThreadCase | None) -> Block:
    """`case`: the one that the thread has already."""
    if case is not None:
        return button(f"Open {one_line(case.key, 60)}", OPEN_CASE, url=case.url)
    return button(f"Create {CASE}", CREATE_CASE, value=str(inv.id))


def rest_menu(inv: Investigation, app_url: str, *, starts: bool) -> Block:
    value = str(inv.id)
    again = [menu_item(RUN_AGAIN_WORDS, ASK_RUN_AGAIN, value=value)] if starts else []
    return menu(
        menu_item(f"Attach to {CASE}", ATTACH, value=value),
        *again,
        menu_item(SHARE, ASK_SHARE, value=value),
        menu_item(OPEN_IN_DATADOG, OPEN, url=investigation_url(inv, app_url)),
    )


def _last_line(inv: Investigation, requester: str, app_url: str) -> str:
    took = took_of(inv)
    when = f"answered {moment(inv.finished_at)}{f' in {took}' if took else ''}" if inv.finished_at else ""
    run_number = f"run {inv.run}" if inv.run > 1 else ""
    about = " · ".join([subject_link(inv, app_url), *facts_of(inv.alert)])
    told = [asked_by(requester), when, run_number, f"ref {code(inv.ref, 60)}", AI_WRITTEN]
    return f"{about}\n{' · '.join(part for part in told if part)}"


def _spoken(inv: Investigation, verdict: Verdict, title: str) -> str:
    """For the notification: the cause is its first words."""
    return f"{CAUSES[verdict]}: {fit_mrkdwn(title, 1_000)}. {escape(subject_name(inv))}. {AI_WRITTEN}."
