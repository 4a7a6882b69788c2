"""What only the person who asked sees: the first word after a click, the real state, lists, and why something did not
work, in a sentence for each reason."""

from collections.abc import Sequence

from bot.datadog.investigations import (
    Conclusion,
    InvestigationDetail,
    InvestigationItem,
    Progress,
    progress,
    progress_of,
)
from bot.datadog.links import is_datadog_url
from bot.datadog.trouble import Trouble, TroubleKind
from bot.investigations.model import Investigation, State
from bot.investigations.subject_view import list_url, run_url
from bot.model import EventRef, MonitorRef, Subject, ThreadRef
from bot.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    context,
    pack,
    rich_bullet,
    rich_link,
    rich_quote,
    rich_section,
    rich_text,
    run,
    section,
    sentences,
)
from bot.slack.errors import (
    Meaning,
    SlackTrouble,
    TroubleWords,
    WordsFor,
    explain,
    posting_sentence,
    why_it_waits,
)
from bot.slack.plain import plain_blocks
from bot.slack.text import channel_mention, code, cut, fit_mrkdwn, link, mention, moment, one_line
from bot.wording import (
    APP,
    COMMAND,
    DATADOG,
    DISCLAIMER,
    INVESTIGATE,
    INVESTIGATION,
    INVESTIGATIONS,
    OPEN_IN_DATADOG,
    counted,
    duration,
)

OPEN = "answers:open"

_MOST_LISTED = 20
_MOST_CONCLUSIONS = 8
_STANDS = {
    Progress.RUNNING: "running",
    Progress.CONCLUSIVE: "conclusive",
    Progress.INCONCLUSIVE: "inconclusive",
    Progress.FAILED: "failed",
}


def looking_up(subject: Subject) -> Message:
    if isinstance(subject, MonitorRef):
        return sentences(f"Looking up the latest alert of monitor {code(str(subject.monitor_id))}…")
    return sentences("Looking up the alert…")


def still_looking(failure: Trouble, until: float) -> Message:
    return sentences(f"{why_it_waits(failure)} I go on trying until {moment(until)}; you need do nothing.")


def already(inv: Investigation, permalink: str) -> Message:
    """For the second click and all later ones: the real state, and where it is told."""
    asked = f"{mention(inv.requested_by)} asked {moment(inv.created_at, '{date_short_pretty} at {time}')}."
    who = asked if inv.requested_by else ""
    where = f"See {link(permalink, 'the thread')}." if permalink else ""
    return sentences(_already(inv), who, where)


def _already(inv: Investigation) -> str:
    match inv.state:
        case State.REQUESTED | State.TRIGGERING:
            return f"A {INVESTIGATION} of this is already starting."
        case State.RUNNING:
            return f"A {INVESTIGATION} of this is already running."
        case State.CONCLUDED:
            word = f" ({inv.verdict})" if inv.verdict else ""
            return f"This has already been investigated{word}. Nothing was started again."
        case State.FAILED:
            return f"The {INVESTIGATION} of this failed. Its card has the reason and a button to run it again."
        case State.EXPIRED:
            return f"The {INVESTIGATION} of this was still running when I stopped watching. Its card lets you go on."
        case State.UNCERTAIN:
            return f"I don't know whether the {INVESTIGATION} of this has started. Its card has the choice."


def investigation_list(
    items: Sequence[InvestigationItem], *, app_url: str, monitor_id: int | None, total: int | None
) -> Message:
    heading = INVESTIGATIONS + (f" of monitor {monitor_id}" if monitor_id is not None else "")
    if not items:
        return sentences(f"{DATADOG} shows no {heading}.")
    shown = items[:_MOST_LISTED]
    rest = max(total or 0, len(items)) - len(shown)
    more = [context(f"{rest:,} more in {link(list_url(app_url), DATADOG)}.")] if rest > 0 else []
    told = "; ".join(f"{_title(item.title)} ({_status(item.status)})" for item in shown)
    blocks = [*pack([rich_section([run(heading, "bold")]), *(_bullet(item, app_url) for item in shown)]), *more]
    return Message(f"{heading}: {fit_mrkdwn(told, 3_000)}", blocks)


def _bullet(item: InvestigationItem, app_url: str) -> Block:
    title = rich_link(run_url(app_url, item.id), _title(item.title))
    return rich_bullet([title, run(f": {_status(item.status)} "), run(one_line(item.id, 60), "code")])


def investigation_summary(detail: InvestigationDetail, *, app_url: str) -> Message:
    """One run as Datadog has it now, whoever started it."""
    word = _STANDS.get(progress_of(detail)) or _status(detail.status)
    url = detail.url if is_datadog_url(detail.url) else run_url(app_url, detail.id)
    head = rich_section([run(f"{INVESTIGATION} {word}: "), run(_title(detail.title), "bold")])
    told = [block for each in detail.conclusions[:_MOST_CONCLUSIONS] for block in _conclusion(each)]
    hidden = len(detail.conclusions) - _MOST_CONCLUSIONS
    more = [context(f"{counted(hidden, 'more conclusion')} in {DATADOG}.")] if hidden > 0 else []
    blocks = [rich_text(head), *told, *more, actions(button(OPEN_IN_DATADOG, OPEN, url=url)), context(DISCLAIMER)]
    titles = "; ".join(_title(each.title) for each in detail.conclusions[:_MOST_CONCLUSIONS])
    spoken = f"{INVESTIGATION} {word}: {_title(detail.title)}. {titles}".strip()
    return Message(fit_mrkdwn(spoken, 3_000), blocks)


def _conclusion(conclusion: Conclusion) -> list[Block]:
    summary = (conclusion.summary or conclusion.description).strip()
    return [*plain_blocks(_title(conclusion.title), "bold"), *plain_blocks(cut(summary, 600))]


def _title(title: str) -> str:
    return one_line(title, 140) or "Untitled"


def _status(status: str) -> str:
    return _STANDS.get(progress(status)) or one_line(status, 40) or "status unknown"


# -- what did not work ----------------------------------------------------------------------------------------------

_NO_CONNECTION = TroubleWords(
    f"{DATADOG} could not be reached for longer than I wait.", f"Look at {DATADOG}'s status page, then try again."
)
_INSTEAD: dict[TroubleKind, WordsFor] = {
    TroubleKind.BAD_REQUEST: TroubleWords(
        f"{DATADOG} did not accept the request.",
        "Some monitor types can't be investigated, and old alerts may be gone: try a newer alert, or ask in words.",
    ),
    TroubleKind.NOT_FOUND: TroubleWords(
        f"{DATADOG} can't find this. It may have been deleted, or belong to another organisation.",
        f"Open the alert in {DATADOG} to see whether it still exists, and try a newer one.",
    ),
    TroubleKind.RATE_LIMITED: TroubleWords(
        f"{DATADOG} limits how often we may ask, and did not let us in for longer than I wait.",
        "Wait a few minutes, then try again.",
    ),
    TroubleKind.CONFLICT: lambda _: explain(Trouble(TroubleKind.REFUSED)),
    TroubleKind.NOT_REACHED: _NO_CONNECTION,
    TroubleKind.UNCLEAR: _NO_CONNECTION,
    TroubleKind.NO_ORG: TroubleWords(
        f"No {DATADOG} organisation is connected to this workspace.",
        f"A workspace admin can connect one: `{COMMAND} connect`.",
    ),
}


def explain_failure(failure: Trouble) -> TroubleWords:
    """Why nothing came of an investigation or a look-up. Datadog's own words stand below these, never inside."""
    words = explain(failure, _INSTEAD)
    reason = f" {DATADOG}'s reason stands below." if failure.detail else ""
    return TroubleWords(words.happened + reason, words.next_step)


def refused(failure: Trouble, *, ref: str = "") -> Message:
    """Datadog's no to a look-up or list."""
    told = explain_failure(failure)
    step = f"Try again in {duration(failure.wait)}." if failure.wait else told.next_step
    quoted = f"{DATADOG}: {one_line(failure.detail, 1_000)}" if failure.detail else ""
    reference = f"Reference: {code(ref, 60)}" if ref else ""
    quote = [rich_text(rich_quote([run(quoted)]))] if quoted else []
    footer = [context(reference)] if reference else []
    text = " ".join(part for part in (told.happened, step, fit_mrkdwn(quoted, 1_500), reference) if part)
    return Message(text, [section(f"{told.happened}\n{step}"), *quote, *footer])


def lookup_failed(subject: Subject, failure: Trouble) -> Message:
    match subject, failure.kind:
        case MonitorRef(monitor_id), TroubleKind.NO_ALERT:
            return sentences(
                f"Monitor {code(str(monitor_id))} has had no alert in the last 7 days, "
                f"so there is nothing to investigate.",
                f"Paste the link of an older alert, or ask in words: `{COMMAND} investigate why …`.",
            )
        case MonitorRef(monitor_id), TroubleKind.NOT_FOUND:
            return sentences(
                f"{DATADOG} knows no monitor {code(str(monitor_id))}, or my key may not see it.",
                "The id stands in the monitor's URL, after `/monitors/`.",
            )
        case ThreadRef(), TroubleKind.NO_ALERT:
            return sentences(
                "There is no alert in this thread, so there is nothing to investigate.",
                f"Mention me in an alert's thread, paste its link, or ask in words: `{COMMAND} investigate why …`.",
            )
        case EventRef(event_id), TroubleKind.NO_ALERT | TroubleKind.NOT_FOUND:
            return _unknown_event(event_id)
        case _:
            return refused(failure)


def waits_to_read(wait: float) -> Message:
    return sentences(
        f"Slack lets me read threads only once a minute, so this one has to wait for about {duration(wait)}; I go on by myself."
    )


def could_not_read(trouble: SlackTrouble, *, channel: str) -> Message:
    """Whether there is an alert in the thread is not known."""
    match trouble:
        case SlackTrouble(Meaning.REFUSED, "not_in_channel" | "channel_not_found"):
            why = f"I'm not in {channel_mention(channel)}, so I may not read this thread. Type `/invite @{APP}` there,"
        case SlackTrouble(Meaning.REFUSED, "missing_scope" | "no_permission"):
            why = f"I may not read this thread: I lack a Slack permission. Ask whoever installed {APP} to install it again,"
        case SlackTrouble(_, "only_the_first"):
            why = "This thread is long: I read its first messages and found no alert among them. Paste its link,"
        case SlackTrouble(Meaning.REFUSED, word):
            why = f"I may not read this thread: Slack says {code(word, 80)}. Ask whoever runs {APP},"
        case SlackTrouble(_, word):
            why = f"Slack did not let me read this thread for longer than I wait ({code(word, 80)}). Try again later,"
    return sentences(
        f"{why} or choose “{INVESTIGATE} with Bits” in the menu of the alert's message: I need not read it then."
    )


def _unknown_event(event_id: str) -> Message:
    if not event_id.isdecimal():
        return sentences(
            "That link names the event in a way I can't follow.",
            "Paste the link in the alert's title instead, or give the monitor's id.",
        )
    return sentences(
        f"{DATADOG} has no alert event {code(event_id, 80)} any more, or it is no monitor's alert.",
        "Paste the link in the alert's title, or give the monitor's id.",
    )


def unknown_investigation(investigation_id: str) -> Message:
    return sentences(
        f"{DATADOG} knows no investigation {code(investigation_id, 80)}, or my key may not see it.",
        f"`{COMMAND} list` shows the latest.",
    )


def cannot_post_card(error: str, *, channel: str, ref: str) -> Message:
    """The run goes on: it may be billed already, and the answer is wanted all the same."""
    return sentences(
        posting_sentence(error, channel=channel_mention(channel)),
        f"The {INVESTIGATION} goes on meanwhile (ref {code(ref, 60)}): if the channel stays closed, you get its "
        f"conclusions as a direct message. Once I can post, {INVESTIGATE} again brings them there; nothing is started twice.",
    )


def gone() -> Message:
    """A button whose investigation we no longer have, or never had in this workspace."""
    return sentences(f"I no longer know that {INVESTIGATION}. Start from the alert again.")


def no_longer_alert() -> Message:
    """A button whose value is not one of ours."""
    return sentences("I can't read that button any more. Use the message shortcut on the alert instead.")


def vote_noted(*, helpful: bool) -> Message:
    word = "helpful" if helpful else "not helpful"
    return sentences(f"Noted as {word}. It counts in your team's own numbers and goes nowhere else.")


def kept_waiting() -> Message:
    return sentences("I am watching it again. The conclusions will follow in the thread.")
