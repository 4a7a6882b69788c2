"""What became of a job: a window while it is carried out, one when it is done, and the line in the thread."""

from collections.abc import Iterator

from bot.datadog.insights import plain_label, type_summary
from bot.datadog.trouble import Trouble, TroubleKind
from bot.insights.attach_jobs import AttachJob, AttachWork, CommentState
from bot.insights.form_views import BACK, CALLBACK_NOTHING, CALLBACK_RESULT, REFRESH, some
from bot.insights.sending import BatchOutcome, Refusal
from bot.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    context,
    rich_bullet,
    rich_section,
    rich_text,
    run,
    section,
    sentences,
)
from bot.slack.errors import TroubleWords, WordsFor, explain, not_offered
from bot.slack.forms import modal
from bot.slack.text import code, escape, link, mention, one_line
from bot.wording import APP, CASE, DATADOG, INSIGHT, INSIGHTS, OPEN_IN_DATADOG, counted, duration

OPEN = "attach:open"

_TO = {AttachWork.ATTACH: "to", AttachWork.REMOVE: "from"}
_DOING = {AttachWork.ATTACH: "Attaching", AttachWork.REMOVE: "Removing"}
_MOST_REFUSALS = 15
_MOST_BATCHES = 12


def _forbidden(trouble: Trouble) -> TroubleWords:
    if trouble.about:
        return not_offered(trouble)
    needed = f"Ask a {DATADOG} admin to give it {escape(trouble.permission)}." if trouble.permission else ""
    return TroubleWords(f"{DATADOG} does not let my key change cases.", needed)


def _rate_limited(trouble: Trouble) -> TroubleWords:
    when = duration(trouble.wait) if trouble.wait else "a minute"
    return TroubleWords(f"{DATADOG} asks us to slow down.", f"Retry in {when}.")


_WORDS: dict[TroubleKind, WordsFor] = {
    TroubleKind.BAD_REQUEST: TroubleWords(f"{DATADOG} refused it.", "Check the id, or add it again by hand."),
    TroubleKind.UNAUTHORIZED: TroubleWords(f"{DATADOG} does not accept my keys.", "Ask an admin to renew them."),
    TroubleKind.FORBIDDEN: _forbidden,
    TroubleKind.NOT_FOUND: TroubleWords(
        f"{DATADOG} has no such case any more.", "Choose another case: your list is kept."
    ),
    TroubleKind.CONFLICT: TroubleWords("Somebody else is changing this case.", "Retry in a moment."),
    TroubleKind.RATE_LIMITED: _rate_limited,
    TroubleKind.NOT_REACHED: TroubleWords(f"{DATADOG} could not be reached, nothing was sent.", "Retry in a moment."),
    TroubleKind.UNCLEAR: TroubleWords(
        f"{DATADOG} did not answer clearly.", "Retry: what is done already is not done twice."
    ),
}
_WORDS_FOR_COMMENTS: dict[TroubleKind, WordsFor] = {
    TroubleKind.BAD_REQUEST: TroubleWords(f"{DATADOG} refused it.", ""),
    TroubleKind.UNCLEAR: TroubleWords(
        f"{DATADOG} did not answer clearly.", "Retry looks first whether it is there, and posts it only if not."
    ),
}


def sentence(trouble: Trouble) -> str:
    """What happened and what to do, in our words only; mrkdwn."""
    return str(explain(trouble, _WORDS)).strip()


def working_view(job: AttachJob) -> Block:
    parts, case = [], _case(job, "")
    if job.outcome.open:
        parts.append(f"{_DOING[job.work]} {counted(len(job.outcome.open), INSIGHT)} {_TO[job.work]} {case}")
    if job.comment_left:
        links = counted(job.links, "link")
        parts.append(f"posting {links} as a comment" if parts else f"Posting {links} as a comment on {case}")
    told = "the thread" if job.place.thread_ts else "you"
    blocks = [
        section(f"{' and '.join(parts) or f'Looking at {case}'}…"),
        context(f"You can close this window: I'll tell {told} when it's done."),
        actions(button("Refresh", REFRESH), block_id="refresh"),
    ]
    return modal(f"{job.work.capitalize()} insights", blocks, callback_id=CALLBACK_NOTHING, metadata=job.draft_key)


def result_view(job: AttachJob, app_url: str) -> Block:
    url = case_url(job, app_url)
    blocks = [
        section(_headline(job)),
        *_comment(job),
        *_refusals(job.outcome.refused),
        *_open(job),
        *_batches(job.outcome.batches),
        *([] if job.complete else [context(f"Reference {code(job.ref)}, which stands in {APP}'s log too.")]),
        actions(
            button("Back to the list", BACK),
            *([button(OPEN_IN_DATADOG, OPEN, url=url)] if url else []),
            block_id="after",
        ),
    ]
    return modal(
        f"{job.work.capitalize()} insights",
        blocks,
        callback_id=CALLBACK_RESULT,
        metadata=job.draft_key,
        submit="Retry what is missing" if job.can_retry else "",
        close="Close",
    )


def line_message(job: AttachJob, app_url: str, *, may_repeat: bool = False) -> Message:
    """The one line in the thread, brought up to date when a retry got further."""
    case = _case(job, case_url(job, app_url))
    parts = []
    if job.outcome.done:
        done = counted(len(job.outcome.done), INSIGHT)
        parts.append(f"{job.work.done} {done} {_TO[job.work]} {case}: {escape(job.outcome.summary)}")
    if job.comment_state is CommentState.POSTED:
        links = counted(job.links, "link")
        parts.append(f"posted {links} as a comment" + ("" if parts else f" on {case}"))
    told = f"{mention(job.person)} {', and '.join(parts)}."
    again = "You may have seen this line already: I was interrupted while posting it." if may_repeat else ""
    return sentences(told, again)


def told_directly(job: AttachJob, app_url: str) -> Message:
    """For the person whose window is closed by now."""
    missing = []
    if job.outcome.open:
        not_done = f" not {job.work.done}" if job.outcome.done else ""
        missing.append(f"{counted(len(job.outcome.open), INSIGHT)}{not_done}")
    if job.outcome.refused:
        missing.append(f"{len(job.outcome.refused)} refused")
    if job.comment_left:
        missing.append("the comment with your links not posted")
    why = job.outcome.problems or tuple(refusal.problem for refusal in job.outcome.refused[:1])
    left = f"Left: {', '.join(missing)}." if missing else ""
    case = link(url, job.case_name) if (url := case_url(job, app_url)) else code(job.case_name, 70)
    retry = f"{job.work.capitalize()} them again from the {CASE}'s thread. (ref {code(job.ref)})"
    again = "" if job.complete else retry
    return sentences(_headline(job, case), left, *dict.fromkeys(map(sentence, why)), again)


def case_url(job: AttachJob, app_url: str) -> str:
    return f"{app_url}/cases/{job.case_name}" if job.case_name else ""


def _case(job: AttachJob, url: str) -> str:
    name = one_line(job.case_name, 70)
    return link(url, name) if url else code(name)


def _headline(job: AttachJob, case: str = "") -> str:
    done, case = job.outcome.done, case or code(job.case_name, 70)
    verb, preposition = job.work.done, _TO[job.work]
    if not done and not job.outcome.open and not job.outcome.refused:
        return f"*{case}*"
    if not done:
        return f":warning: *Nothing was {verb} {preposition} {case}.*"
    sign = ":white_check_mark:" if job.complete else ":warning:"
    summary = escape(job.outcome.summary)
    return f"{sign} *{verb.capitalize()} {counted(len(done), INSIGHT)} {preposition} {case}:* {summary}."


def _comment(job: AttachJob) -> Iterator[Block]:
    links = counted(job.links, "link")
    if job.comment_state is CommentState.POSTED:
        yield section(f"Posted {links} as a comment.")
    elif job.comment_problem is not None:
        why = str(explain(job.comment_problem, {**_WORDS, **_WORDS_FOR_COMMENTS})).strip()
        yield section(f":warning: The comment with {links} was not posted. {why}")
        yield from _in_their_words(job.comment_problem)
    elif job.comment_left:
        yield section(f":warning: The comment with {links} was not tried, because of what stands below.")


def _refusals(refusals: tuple[Refusal, ...]) -> Iterator[Block]:
    if not refusals:
        return
    reasons: dict[Trouble, list[str]] = {}
    for refusal in refusals[:_MOST_REFUSALS]:
        label = plain_label(refusal.insight.type, refusal.insight.resource_id)
        reasons.setdefault(refusal.problem, []).append(one_line(label, 150))
    for problem, labels in reasons.items():
        yield section(f":no_entry: *Refused.* {sentence(problem)}")
        yield rich_text(*(rich_bullet([run(label)]) for label in labels))
        yield from _in_their_words(problem)
    if len(refusals) > _MOST_REFUSALS:
        yield context(f"and {len(refusals) - _MOST_REFUSALS:,} more refused.")


def _in_their_words(problem: Trouble) -> Iterator[Block]:
    if problem.detail:
        yield context(f"{DATADOG}'s words: {code(problem.detail, 300)}")


def _open(job: AttachJob) -> Iterator[Block]:
    left = job.outcome.open
    if not left:
        return
    summary = escape(type_summary(insight.type for insight in left))
    yield section(f":hourglass: *Not {job.work.done}: {counted(len(left), INSIGHT)}* ({summary}).")
    for problem in job.outcome.problems[:5]:
        yield section(sentence(problem))
        yield from _in_their_words(problem)


def _batches(batches: tuple[BatchOutcome, ...]) -> Iterator[Block]:
    """Which request did what, where there were several."""
    if len(batches) < 2:
        return
    lines = some((f"Request {batch.number}: {_told(batch)}" for batch in batches), _MOST_BATCHES)
    yield rich_text(rich_section([run("Request by request:")]), *(rich_bullet([run(each)]) for each in lines))


def _told(batch: BatchOutcome) -> str:
    of_open = "without an answer" if batch.tried else "not sent"
    each = ((batch.done, "done"), (batch.refused, "refused"), (batch.open, of_open))
    return ", ".join(f"{len(insights)} {what}" for insights, what in each if insights) or f"no {INSIGHTS}"
