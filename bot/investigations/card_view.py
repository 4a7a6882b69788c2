"""The status card: one message a thread, edited in place from the click to the verdict. Each state says where things
stand and what the reader can do next."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.datadog.trouble import Trouble, TroubleKind
from bot.investigations.answers import explain_failure
from bot.investigations.model import Investigation, State, Verdict
from bot.investigations.subject_view import list_url, open_button, run_again_button, subject_name, subject_runs
from bot.model import ThreadLook
from bot.slack.blocks import Block, Message, actions, button, context, rich_quote, rich_section, rich_text, run, section
from bot.slack.errors import why_it_waits
from bot.slack.text import code, escape, fit_mrkdwn, link, mention, moment, one_line
from bot.wording import DATADOG, INVESTIGATION, INVESTIGATIONS, KEEP_WAITING, PRODUCT, START_AGAIN

OPEN = "card:open"
RUN_AGAIN = "card:run_again"
KEEP_WAITING_ACTION = "card:keep_waiting"
START_AGAIN_ACTION = "card:start_again"

# A definite no: whatever was asked for has not been done, and costs nothing.
_NOTHING_DONE = {
    TroubleKind.BAD_REQUEST,
    TroubleKind.UNAUTHORIZED,
    TroubleKind.FORBIDDEN,
    TroubleKind.NOT_FOUND,
    TroubleKind.CONFLICT,
    TroubleKind.RATE_LIMITED,
    TroubleKind.REFUSED,
    TroubleKind.NO_ORG,
}
_UNREAD = {
    ThreadLook.ONLY_BEGINNING: "Slack showed me only its beginning",
    ThreadLook.NOT_MEMBER: "I'm not in this channel",
    ThreadLook.NO_SCOPE: "I lack a Slack permission",
    ThreadLook.LIMITED: "Slack lets me read threads only now and then",
    ThreadLook.NO_ANSWER: "Slack did not answer",
}


@dataclass(frozen=True, slots=True)
class _Face:
    """What one state looks like: a headline, sentences, Datadog's own words, buttons."""

    headline: str
    body: tuple[str, ...] = ()  # mrkdwn
    quoted: str = ""  # untrusted
    buttons: list[Block] = field(default_factory=list)


def no_answer_message(inv: Investigation, *, requester: str, app_url: str) -> Message:
    """The reply that ends the wait where there is no conclusion to tell: an edit of the card would go unnoticed."""
    who = f"{mention(requester)}, I" if requester else "I"
    opening = section(f"{who} have no conclusion for you.")
    return status_card(inv, requester=requester, app_url=app_url, opening=[opening])


def status_card(inv: Investigation, *, requester: str, app_url: str, opening: Sequence[Block] = ()) -> Message:
    face = _face(inv, app_url)
    blocks = [*opening, rich_text(rich_section([run(f"{face.headline}: "), *subject_runs(inv, app_url)]))]
    if face.body:
        blocks.append(section("\n".join(face.body)))
    if face.quoted:
        blocks.append(rich_text(rich_quote([run(f"{DATADOG}: {face.quoted}")])))
    blocks.append(context(_origin(inv, requester), *_notes(inv)))
    if face.buttons:
        blocks.append(actions(*face.buttons))
    return Message(_spoken(inv, face, requester), blocks)


def _face(inv: Investigation, app_url: str) -> _Face:
    match inv.state:
        case State.REQUESTED | State.TRIGGERING:
            return _starting(inv)
        case State.RUNNING:
            return _running(inv, app_url)
        case State.CONCLUDED:
            return _concluded(inv, app_url)
        case State.FAILED:
            return _failed(inv, app_url)
        case State.EXPIRED:
            return _expired(inv, app_url)
        case State.UNCERTAIN:
            return _uncertain(inv, app_url)


def _starting(inv: Investigation) -> _Face:
    if inv.retry_at:
        again = f"I try again at {moment(inv.retry_at, '{time_secs}')}; you need do nothing."
        return _Face(f"{INVESTIGATION} waiting to start", (f"{why_it_waits(inv.failure)} {again}",))
    return _Face(f"{INVESTIGATION} starting")


def _running(inv: Investigation, app_url: str) -> _Face:
    return _Face(
        f"{INVESTIGATION} running",
        ("This takes some minutes. The conclusions will follow in this thread.",),
        buttons=[open_button(OPEN, inv, app_url)],
    )


def _concluded(inv: Investigation, app_url: str) -> _Face:
    buttons = [open_button(OPEN, inv, app_url), run_again_button(RUN_AGAIN, inv)]
    if inv.verdict is Verdict.CONCLUSIVE:
        return _Face(f"{INVESTIGATION} conclusive", ("The conclusions are below in this thread.",), buttons=buttons)
    if inv.verdict is Verdict.FAILED:
        return _failed(inv, app_url)
    where = " What it found is below in this thread." if inv.conclusions else ""
    body = f"{PRODUCT} could not settle on a cause with the data it has.{where}"
    return _Face(f"{INVESTIGATION} inconclusive", (body,), buttons=buttons)


def _failed(inv: Investigation, app_url: str) -> _Face:
    failure = inv.failure or Trouble(TroubleKind.BITS_FAILED if inv.verdict is Verdict.FAILED else TroubleKind.INTERNAL)
    told, running = explain_failure(failure), bool(inv.datadog_id)
    known = [open_button(OPEN, inv, app_url)] if running else []
    again = [] if failure.kind is TroubleKind.NO_ORG else [run_again_button(RUN_AGAIN, inv)]
    sentence = f"{told.happened} {_consequence(failure, running=running)}".strip()
    body = (sentence, told.next_step)
    return _Face(f"{INVESTIGATION} failed", body, one_line(failure.detail, 1_000), [*known, *again])


def _consequence(failure: Trouble, *, running: bool) -> str:
    """What it means for the investigation; `running` where Datadog has already begun it."""
    if running and failure.kind not in {TroubleKind.BITS_FAILED, TroubleKind.VANISHED}:
        return f"It may still finish in {DATADOG}, but I can't follow it."
    return "Nothing was started." if not running and failure.kind in _NOTHING_DONE else ""


def _expired(inv: Investigation, app_url: str) -> _Face:
    body = f"It is still running in {DATADOG}, but I have stopped watching. {KEEP_WAITING}: that costs nothing."
    keep = button(KEEP_WAITING, KEEP_WAITING_ACTION, value=str(inv.id), style="primary")
    return _Face(f"{INVESTIGATION} not finished", (body,), buttons=[keep, open_button(OPEN, inv, app_url)])


def _uncertain(inv: Investigation, app_url: str) -> _Face:
    listed = link(list_url(app_url), f"the list of {INVESTIGATIONS}")
    looking = [f"I go on looking for it until {moment(inv.deadline_at)}."] if inv.deadline_at else []
    body = (
        f"{DATADOG} did not answer clearly, so I don't know whether it has started.",
        " ".join(["I never start (and bill) the same one twice on a guess.", *looking]),
        f"Look into {listed}: if it is not there, press {START_AGAIN}.",
    )
    buttons = [run_again_button(START_AGAIN_ACTION, inv, text=START_AGAIN), open_button(OPEN, inv, app_url)]
    return _Face(f"{INVESTIGATION} with unknown outcome", body, buttons=buttons)


def _origin(inv: Investigation, requester: str) -> str:
    asked = f"Asked by {mention(requester)}" if requester else "Started automatically"
    since = f"since {moment(inv.started_at or inv.created_at)}"
    alert = [f"alert of {moment(inv.alert.event_ts / 1000)}"] if inv.alert and inv.alert.event_ts else []
    run_number = [f"run {inv.run}"] if inv.run > 1 else []
    return " · ".join([asked, since, *alert, *run_number, f"ref {code(inv.ref, 60)}"])


def _notes(inv: Investigation) -> list[str]:
    notes = []
    if inv.adopted:
        notes.append("Started elsewhere: followed here, not started again.")
    elif inv.alert and (why := _UNREAD.get(inv.alert.thread)):
        notes.append(f"I could not read this thread for an {INVESTIGATION} that is there already: {why}.")
    if inv.presumed:
        notes.append(
            f"{DATADOG}'s answer to the start got lost. Of the new ones it shows, this is the only one that can be ours."
        )
    return notes


def _spoken(inv: Investigation, face: _Face, requester: str) -> str:
    """The whole card in a few sentences, for notifications and screen readers."""
    headline = f"{face.headline}: {escape(subject_name(inv))}."
    asked = f"Asked by {mention(requester)}." if requester else "Started automatically."
    quoted = f"{DATADOG}: “{fit_mrkdwn(face.quoted, 1_000)}”." if face.quoted else ""
    return " ".join(part for part in [headline, *face.body, quoted, *_notes(inv), asked] if part)
