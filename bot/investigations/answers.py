"""What only the person who asked sees: the first word after a click, the real state, lists, and why something did not
work, in a sentence for each reason."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.datadog.investigations import (
    Conclusion,
    InvestigationDetail,
    InvestigationItem,
    InvestigationPage,
    progress,
    progress_of,
)
from bot.datadog.links import is_datadog_url
from bot.datadog.trouble import Trouble, TroubleKind
from bot.investigations import conclusions_view
from bot.investigations.follow_up import follow_up_button
from bot.investigations.model import Investigation, State
from bot.investigations.report import formatted
from bot.investigations.signs import stands, stands_in_datadog
from bot.investigations.subject_view import (
    investigation_url,
    list_url,
    open_button,
    run_url,
    subject_name,
)
from bot.model import EventRef, MonitorRef, Subject, ThreadRef
from bot.slack.blocks import (
    VALUE_LIMIT,
    Block,
    Message,
    actions,
    button,
    context,
    menu,
    menu_item,
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
from bot.slack.text import channel_mention, code, cut, escape, fit_mrkdwn, is_direct, link, mention, moment, one_line
from bot.wording import (
    APP,
    ASK_FOLLOW_UP,
    CASE,
    COMMAND,
    DATADOG,
    DISCLAIMER,
    FULL_REPORT,
    INVESTIGATE,
    INVESTIGATION,
    INVESTIGATIONS,
    OPEN_IN_DATADOG,
    RUN_AGAIN,
    counted,
    duration,
)
from bot.wording import SHOW as SHOW_WORD

OPEN = "answers:open"
SHOW = "list:show"
PAGE = "list:page"  # both buttons' ids begin with it

LISTED = 10
LOST = "I can't tell any more where this belongs. Close it and start from the message again."
_MOST_CONCLUSIONS = 5
_WORDS = 6_000  # of the 12,000 characters a message may hold, what the conclusions share


def looking_up(subject: Subject) -> Message:
    if isinstance(subject, MonitorRef):
        return sentences(f"Looking up the latest alert of monitor {code(str(subject.monitor_id))}…")
    return sentences("Looking up the alert…")


def still_looking(failure: Trouble, until: float) -> Message:
    return sentences(f"{why_it_waits(failure)} I go on trying until {moment(until)}; you need do nothing.")


def already(inv: Investigation, permalink: str, asker: str) -> Message:
    """For the second click and all later ones: the real state, and where it is told. `asker`: the first of this workspace;
    an id of another one says nothing here."""
    by = mention(asker) if asker else "Somebody in another workspace"
    asked = f"{by} asked {moment(inv.created_at, '{date_short_pretty} at {time}')}."
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


def offer_in_thread(inv: Investigation, words: str, *, app_url: str) -> Message:
    """For a mention that names no command, in a thread with an investigation; `words` are what it says."""
    sign, word = stands(inv)
    told = f"{sign} This thread's {INVESTIGATION} is {escape(word)}: "
    head = rich_section([run(told), rich_link(investigation_url(inv, app_url), subject_name(inv), "bold")])
    can = "shows what would be sent and what it costs, and starts nothing yet"
    ask = f"Is it about that? {ASK_FOLLOW_UP} {can if inv.state.finished else 'stands here once it has ended'}."
    follow = [follow_up_button(inv, words)] if inv.state.finished else []
    report = [button(FULL_REPORT, conclusions_view.DETAILS_ACTION, value=str(inv.id))] if inv.conclusions else []
    rest = open_button(OPEN, inv, app_url)
    if inv.state.finished:
        again = menu_item(RUN_AGAIN, conclusions_view.ASK_RUN_AGAIN, value=str(inv.id))
        rest = menu(again, menu_item(OPEN_IN_DATADOG, OPEN, url=investigation_url(inv, app_url)))
    buttons = actions(*follow, *report, rest)
    others = f"`@{APP} help` shows everything I know."
    text = f"{told}{escape(subject_name(inv))}. {ask} {others}"
    return Message(text, [rich_text(head), section(ask), buttons, context(others)])


def answer_used() -> Message:
    return sentences("Done: the answer stands in the thread. Nothing was started.")


def answer_used_already() -> Message:
    return sentences("That answer stands in this thread already.")


# -- lists ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of Datadog's list, with what this workspace knows of each."""

    page: InvestigationPage
    offset: int = 0
    org: str = ""
    monitor_id: int | None = None
    known: Mapping[str, Investigation] = field(default_factory=dict)  # by Datadog's id

    @property
    def heading(self) -> str:
        return INVESTIGATIONS + (f" of monitor {self.monitor_id}" if self.monitor_id is not None else "")


def investigation_list(listed: Listed, *, app_url: str) -> Message:
    items = listed.page.items[:LISTED]
    newer = _turn("Newer", listed, listed.offset - LISTED) if listed.offset else []
    if not items:
        rest = [actions(*newer)] if newer else []
        return Message(
            told := f"{DATADOG} shows no{' more' if newer else ''} {listed.heading}.", [section(told), *rest]
        )
    total, end = listed.page.total, listed.offset + listed.page.size
    of = f" of {total:,}" if total is not None else ""
    span = f"{listed.offset + 1:,} to {end:,}{of}" if newer or end < (total or 0) else counted(len(items), "run")
    spoken = "; ".join(f"{_title(item.title)} ({' '.join(_stands(item))})" for item in items)
    is_last = end >= total if total is not None else listed.page.size < LISTED
    turning = [*newer, *([] if is_last else _turn("Older", listed, listed.offset + LISTED))]
    hint = "" if listed.monitor_id is not None else f"Only those of one monitor: `{COMMAND} list monitor <id or link>`."
    blocks = [
        section(f"*{listed.heading}* · {span}"),
        *(_row(listed, item, app_url) for item in items),
        *([actions(*turning)] if turning else []),
        context(" ".join(part for part in (escape(hint), link(list_url(app_url), f"The list in {DATADOG}")) if part)),
    ]
    return Message(f"{listed.heading}: {fit_mrkdwn(spoken, 3_000)}", blocks)


def _row(listed: Listed, item: InvestigationItem, app_url: str) -> Block:
    """Datadog's list tells no times: the age is known of what was asked for here."""
    (sign, word), known = _stands(item), listed.known.get(item.id)
    age = moment(known.started_at or known.created_at, "{date_short_pretty} at {time}") if known else ""
    ref = f"ref {code(known.ref, 60)}" if known else ""
    told = " · ".join(part for part in (escape(word), age, ref) if part)
    shown = f"{sign} *{link(run_url(app_url, item.id), _title(item.title))}*\n{told}"
    value = json.dumps({"org": listed.org, "run": item.id})
    if len(value) > VALUE_LIMIT:
        return section(shown)
    return section(shown, accessory=button(SHOW_WORD, SHOW, value=value, label=f"{SHOW_WORD} {_title(item.title)}"))


def _stands(item: InvestigationItem) -> tuple[str, str]:
    return stands_in_datadog(progress(item.status), one_line(item.status, 40) or "status unknown")


def _turn(text: str, listed: Listed, offset: int) -> list[Block]:
    value = {"org": listed.org, "monitor": listed.monitor_id, "offset": max(0, offset)}
    return [button(text, f"{PAGE}:{text.lower()}", value=json.dumps(value))]


def investigation_summary(detail: InvestigationDetail, *, app_url: str, known: Investigation | None = None) -> Message:
    """One run as Datadog has it now, whoever started it; `known` where it was asked for in this workspace."""
    sign, word = stands_in_datadog(progress_of(detail), one_line(detail.status, 40) or "status unknown")
    url = detail.url if is_datadog_url(detail.url) else run_url(app_url, detail.id)
    head = rich_section([run(f"{sign} {INVESTIGATION} {word}: "), rich_link(url, _title(detail.title), "bold")])
    told = detail.conclusions[:_MOST_CONCLUSIONS]
    room = _WORDS // max(1, len(told))
    shown = [block for each in told for block in _conclusion(each, room)]
    hidden = len(detail.conclusions) - len(told)
    more = [context(f"{counted(hidden, 'more conclusion')} in {DATADOG}.")] if hidden > 0 else []
    begun = moment(known.started_at or known.created_at, "{date_short_pretty} at {time}") if known else ""
    facts = [f"started {begun}", f"ref {code(known.ref, 60)}"] if known else []
    has_report = known is not None and bool(known.conclusions)
    buttons = [
        *([button(FULL_REPORT, conclusions_view.DETAILS_ACTION, value=str(known.id))] if known and has_report else []),
        button(OPEN_IN_DATADOG, OPEN, url=url),
    ]
    foot = " · ".join([*facts, DISCLAIMER]) if told else " · ".join(facts)
    blocks = [rich_text(head), *shown, *more, actions(*buttons), *([context(foot)] if foot else [])]
    titles = "; ".join(_title(each.title) for each in told)
    spoken = f"{sign} {INVESTIGATION} {word}: {_title(detail.title)}. {titles}".strip()
    return Message(fit_mrkdwn(spoken, 3_000), blocks)


def _conclusion(conclusion: Conclusion, room: int) -> list[Block]:
    summary = cut((conclusion.summary or conclusion.description).strip(), room)
    return [*plain_blocks(_title(conclusion.title), "bold"), *formatted(summary, room)]


def _title(title: str) -> str:
    return one_line(title, 140) or "Untitled"


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
                f"Monitor {code(str(monitor_id))} doesn't exist, or I can't see it.",
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
        case SlackTrouble(Meaning.REFUSED, "not_in_channel" | "channel_not_found") if is_direct(channel):
            why = f"I may not read this direct message: {APP} is no part of it. Paste the alert's link,"
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
        f"Investigation {code(investigation_id, 80)} doesn't exist, or I can't see it.",
        f"`{COMMAND} list` shows the latest.",
    )


def cannot_post_card(error: str, *, channel: str, ref: str) -> Message:
    """The run goes on: it may be billed already, and the answer is wanted all the same."""
    return sentences(
        posting_sentence(error, channel=channel),
        f"The {INVESTIGATION} goes on meanwhile (ref {code(ref, 60)}): if the channel stays closed, you get its "
        f"conclusions as a direct message. Once I can post, {INVESTIGATE} again brings them there; nothing is started twice.",
    )


def gone() -> Message:
    """A button whose investigation we no longer have, or never had in this workspace."""
    return sentences(f"I no longer know that {INVESTIGATION}. Start from the alert again.")


def no_longer_alert() -> Message:
    """A button whose value is not one of ours."""
    return sentences("I can't read that button any more. Use the message shortcut on the alert instead.")


def vote_noted() -> Message:
    return sentences("Noted as right. It counts in your team's own numbers and goes nowhere else.")


def cause_noted(*, commented: bool, wanted: bool) -> Message:
    case = f"It is added to the {CASE} as a comment." if commented else ""
    failed = f"It was not added to the {CASE}: there is none here any more, or you may not." if wanted else ""
    return sentences("Noted. It stands beside the next alerts of this monitor.", case or failed)


def kept_waiting() -> Message:
    return sentences("I am watching it again. The conclusions will follow in the thread.")
