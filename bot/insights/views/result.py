"""What became of a submit: a view while it is carried out, one when it is done, and the line in the thread."""

from collections.abc import Iterator

from bot.datadog.insight_drafts import plain_label
from bot.datadog.insight_types import type_summary
from bot.insights.attach_jobs import AttachJob, CommentState, Work
from bot.insights.outcome import BatchOutcome, Problem, Refusal
from bot.insights.views.parts import BACK, CALLBACK_NOTHING, CALLBACK_RESULT, REFRESH, modal, some
from bot.slack.blocks import Block, actions, button, context, rich_bullet, rich_section, rich_text, run, section
from bot.slack.message import Message, sentences
from bot.slack.text import code, escape, link, mention, one_line
from bot.wording import APP, CASE, DATADOG, INSIGHT, INSIGHTS, OPEN_IN_DATADOG, counted

OPEN = "attach:open"

_TITLES = {Work.ATTACH: "Attach insights", Work.REMOVE: "Remove insights"}
_DONE = {Work.ATTACH: "attached", Work.REMOVE: "removed"}
_TO = {Work.ATTACH: "to", Work.REMOVE: "from"}
_AGAIN = {Work.ATTACH: "Attach", Work.REMOVE: "Remove"}
_DOING = {Work.ATTACH: "Attaching", Work.REMOVE: "Removing"}
_MOST_REFUSALS = 15
_MOST_BATCHES = 12


def working_view(submit: AttachJob) -> Block:
    parts = []
    if submit.outcome.open:
        parts.append(f"{_DOING[submit.work]} {counted(len(submit.outcome.open), INSIGHT)}")
    if submit.comment_left:
        verb = "posting" if parts else "Posting"
        parts.append(f"{verb} {counted(submit.links, 'link')} as a comment")
    told = "the thread" if submit.place.thread_ts else "you"
    blocks = [
        section(f"{' and '.join(parts) or 'Looking at it'}: {_case(submit, '')}…"),
        context(f"You may close this window: the work goes on without it, and I tell {told} when it is done."),
        actions(button("Refresh", REFRESH), block_id="refresh"),
    ]
    return modal(_TITLES[submit.work], CALLBACK_NOTHING, submit.draft_key, blocks, close="Close")


def result_view(submit: AttachJob, app_url: str) -> Block:
    url = case_url(submit, app_url)
    blocks = [
        section(_headline(submit)),
        *_comment(submit),
        *_refusals(submit.outcome.refused),
        *_open(submit),
        *_batches(submit.outcome.batches),
        *([] if submit.complete else [context(f"Reference {code(submit.ref)}, which stands in {APP}'s log too.")]),
        actions(button("Back to the list", BACK), *_open_button(url), block_id="after"),
    ]
    submit_text = "Retry what is missing" if submit.can_retry else ""
    title = _TITLES[submit.work]
    return modal(title, CALLBACK_RESULT, submit.draft_key, blocks, submit=submit_text, close="Close")


def line_message(submit: AttachJob, app_url: str, *, may_repeat: bool = False) -> Message:
    """The one line in the thread, brought up to date when a retry got further."""
    case = _case(submit, case_url(submit, app_url))
    parts = []
    if submit.outcome.done:
        done = counted(len(submit.outcome.done), INSIGHT)
        parts.append(f"{_DONE[submit.work]} {done} {_TO[submit.work]} {case}: {escape(submit.outcome.summary)}")
    if submit.comment_state is CommentState.POSTED:
        links = counted(submit.links, "link")
        parts.append(f"posted {links} as a comment" + ("" if parts else f" on {case}"))
    told = f"{mention(submit.person)} {', and '.join(parts)}."
    again = "You may have seen this line already: I was interrupted while posting it." if may_repeat else ""
    return sentences(told, again)


def told_directly(submit: AttachJob, app_url: str) -> Message:
    """For the person whose window is closed by now."""
    missing = []
    if submit.outcome.open:
        missing.append(f"{counted(len(submit.outcome.open), INSIGHT)} not {_DONE[submit.work]}")
    if submit.outcome.refused:
        missing.append(f"{len(submit.outcome.refused)} refused")
    if submit.comment_left:
        missing.append("the comment with your links not posted")
    why = [problem.sentence for problem in submit.outcome.problems] or [
        refusal.problem.sentence for refusal in submit.outcome.refused[:1]
    ]
    left = f"Left: {', '.join(missing)}." if missing else ""
    case = link(url, submit.case_name) if (url := case_url(submit, app_url)) else code(submit.case_name, 70)
    again = f"{_AGAIN[submit.work]} them again from the {CASE}'s thread. (ref {code(submit.ref)})" if missing else ""
    return sentences(_headline(submit), left, *dict.fromkeys(map(escape, why)), f"{CASE.capitalize()}: {case}.", again)


def case_url(submit: AttachJob, app_url: str) -> str:
    return f"{app_url}/cases/{submit.case_name}" if submit.case_name else ""


def _case(submit: AttachJob, url: str) -> str:
    name = one_line(submit.case_name, 70)
    return link(url, name) if url else code(name)


def _headline(submit: AttachJob) -> str:
    done, case = submit.outcome.done, code(submit.case_name, 70)
    verb, preposition = _DONE[submit.work], _TO[submit.work]
    if not done and not submit.outcome.open and not submit.outcome.refused:
        return f"*{case}*"
    if not done:
        return f":warning: *Nothing was {verb} {preposition} {case}.*"
    sign = ":white_check_mark:" if submit.complete else ":warning:"
    summary = escape(submit.outcome.summary)
    return f"{sign} *{verb.capitalize()} {counted(len(done), INSIGHT)} {preposition} {case}:* {summary}."


def _comment(submit: AttachJob) -> Iterator[Block]:
    links = counted(submit.links, "link")
    if submit.comment_state is CommentState.POSTED:
        yield section(f"Posted {links} as a comment.")
    elif submit.comment_problem is not None:
        yield section(f":warning: The comment with {links} was not posted. {_comment_reason(submit.comment_problem)}")
        yield from _in_their_words(submit.comment_problem)
    elif submit.comment_left:
        yield section(f":warning: The comment with {links} was not tried, because of what stands below.")


def _comment_reason(problem: Problem) -> str:
    if problem.about_content:
        return f"{DATADOG} refused it."
    if problem.may_have_happened:
        return f"{DATADOG} did not answer clearly. Retry looks first whether it is there, and posts it only if not."
    return escape(problem.sentence)


def _refusals(refusals: tuple[Refusal, ...]) -> Iterator[Block]:
    if not refusals:
        return
    reasons: dict[Problem, list[str]] = {}
    for refusal in refusals[:_MOST_REFUSALS]:
        label = plain_label(refusal.insight.type, refusal.insight.resource_id)
        reasons.setdefault(refusal.problem, []).append(one_line(label, 150))
    for problem, labels in reasons.items():
        yield section(f":no_entry: *Refused.* {escape(problem.sentence)}")
        yield rich_text(*(rich_bullet([run(label)]) for label in labels))
        yield from _in_their_words(problem)
    if len(refusals) > _MOST_REFUSALS:
        yield context(f"and {len(refusals) - _MOST_REFUSALS:,} more refused.")


def _in_their_words(problem: Problem) -> Iterator[Block]:
    if problem.detail:
        yield context(f"{DATADOG}'s words: {code(problem.detail, 300)}")


def _open(submit: AttachJob) -> Iterator[Block]:
    left = submit.outcome.open
    if not left:
        return
    summary = escape(type_summary(insight.type for insight in left))
    yield section(f":hourglass: *Not {_DONE[submit.work]}: {counted(len(left), INSIGHT)}* ({summary}).")
    for problem in submit.outcome.problems[:5]:
        yield section(escape(problem.sentence))
        yield from _in_their_words(problem)


def _batches(batches: tuple[BatchOutcome, ...]) -> Iterator[Block]:
    """Which request did what, where there were several."""
    if len(batches) < 2:
        return
    lines = some((f"Request {batch.number}: {_told(batch)}" for batch in batches), _MOST_BATCHES)
    yield rich_text(rich_section([run("Request by request:")]), *(rich_bullet([run(each)]) for each in lines))


def _told(batch: BatchOutcome) -> str:
    parts = []
    if batch.done:
        parts.append(f"{len(batch.done)} done")
    if batch.refused:
        parts.append(f"{len(batch.refused)} refused")
    if batch.open:
        parts.append(f"{len(batch.open)} {'without an answer' if batch.tried else 'not sent'}")
    return ", ".join(parts) or f"no {INSIGHTS}"


def _open_button(url: str) -> list[Block]:
    return [button(OPEN_IN_DATADOG, OPEN, url=url)] if url else []
