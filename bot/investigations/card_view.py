"""The status card: one message a thread, edited in place from the click to the verdict. Its first line says how things
stand and for how long; once an answer stands below it, that line is all of it. A run without an answer is told here alone."""

from dataclasses import dataclass, field

from bot.datadog.trouble import Trouble, TroubleKind
from bot.investigations.answers import explain_failure
from bot.investigations.model import TO_BE_MENDED, Investigation, SeenBefore, State, Usual, Verdict
from bot.investigations.outcome import asked_by, has_answer, notes_of, outcome, what_would_help
from bot.investigations.seen_before_view import seen_block
from bot.investigations.subject_view import (
    ATTACH,
    CREATE_CASE,
    alert_value,
    facts_of,
    is_datadogs_picture,
    list_url,
    open_button,
    run_again_button,
    subject_name,
    subject_runs,
)
from bot.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    context,
    image,
    rich_date,
    rich_quote,
    rich_section,
    rich_text,
    run,
    section,
    sentences,
)
from bot.slack.errors import why_it_waits
from bot.slack.text import DAY_AND_TIME, code, escape, fit_mrkdwn, link, mention, moment, one_line
from bot.wording import (
    APP,
    CASE,
    DATADOG,
    INVESTIGATIONS,
    KEEP_WAITING,
    PRODUCT,
    START_AGAIN,
)

OPEN = "card:open"
RUN_AGAIN = "card:run_again"
KEEP_WAITING_ACTION = "card:keep_waiting"
START_AGAIN_ACTION = "card:start_again"

ENDED = f"{PRODUCT} wrote down no conclusion."

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


@dataclass(frozen=True, slots=True)
class _Face:
    """What one state looks like: its first line, sentences, Datadog's own words, buttons."""

    headline: str
    since: tuple[str, float] | None = None  # a word and a time that the first line goes on with
    after: str = ""  # and what stands behind that
    body: tuple[str, ...] = ()  # mrkdwn
    quoted: str = ""  # untrusted
    note: str = ""  # small
    buttons: list[Block] = field(default_factory=list)


def status_card(
    inv: Investigation,
    *,
    requester: str,
    app_url: str,
    usual: Usual | None = None,
    seen: SeenBefore | None = None,
) -> Message:
    if has_answer(inv):
        face = _Face(outcome(inv))
        return Message(
            f"{face.headline}: {escape(subject_name(inv))}.", [_first_line(inv, face, app_url, between=": ")]
        )
    return _whole(inv, _face(inv, app_url, usual), requester, app_url, seen)


def ended_message(inv: Investigation, *, requester: str, card_link: str) -> Message:
    """For who waits: nobody notices the edit of a card. Everything else, and every button, stands there."""
    card = link(card_link, "the card above") if card_link else "the card above"
    for_whom = f"{mention(requester)}: " if requester else ""
    return sentences(f"{outcome(inv)}: {escape(subject_name(inv))}.", f"{for_whom}{card} says why and what you can do.")


def no_answer_message(inv: Investigation, *, requester: str, app_url: str) -> Message:
    """The same as its card says it, where no card stands."""
    return _whole(inv, _face(inv, app_url, None), requester, app_url)


def _whole(inv: Investigation, face: _Face, requester: str, app_url: str, seen: SeenBefore | None = None) -> Message:
    blocks = [_first_line(inv, face, app_url, between="\n")]
    if face.body:
        blocks.append(section("\n".join(face.body)))
    if face.quoted:
        blocks.append(rich_text(rich_quote([run(f"{DATADOG}: {face.quoted}")])))
    picture = [] if inv.state.finished else _picture(inv)
    facts = facts_of(inv.alert)
    small = [context(" · ".join(facts))] if facts else []
    rest = [seen_block(seen, inv.alert.monitor_id)] if seen and inv.alert else []
    rest += [context(_origin(inv, requester), *notes_of(inv), *([face.note] if face.note else []))]
    rest += [actions(*face.buttons)] if face.buttons else []
    plainer = [*blocks, *small, *rest] if picture else []
    return Message(_spoken(inv, face, requester), [*blocks, *small, *picture, *rest], plainer)


def _first_line(inv: Investigation, face: _Face, app_url: str, *, between: str) -> Block:
    runs = [run(face.headline, "bold")]
    if face.since is not None:
        word, at = face.since
        runs += [run(f" · {word} "), rich_date(at, DAY_AND_TIME)]
    runs += [run(face.after)] if face.after else []
    return rich_text(rich_section([*runs, run(between), *subject_runs(inv, app_url)]))


def _picture(inv: Investigation) -> list[Block]:
    alert = inv.alert
    if alert is None or not is_datadogs_picture(alert.snapshot):
        return []
    return [image(alert.snapshot, f"Graph of {subject_name(inv)}")]


def _face(inv: Investigation, app_url: str, usual: Usual | None) -> _Face:
    match inv.state:
        case State.REQUESTED | State.TRIGGERING:
            return _starting(inv, usual)
        case State.RUNNING:
            return _running(inv, app_url, usual)
        case State.CONCLUDED if inv.verdict is not Verdict.FAILED:
            return _empty(inv, app_url)
        case State.CONCLUDED | State.FAILED:
            return _failed(inv, app_url)
        case State.EXPIRED:
            return _expired(inv, app_url)
        case State.UNCERTAIN:
            return _uncertain(inv, app_url)


def _starting(inv: Investigation, usual: Usual | None) -> _Face:
    if inv.retry_at:
        again = f"I try again at {moment(inv.retry_at, '{time_secs}')}; you need do nothing."
        return _Face("⏳ Waiting to start", body=(f"{why_it_waits(inv.failure)} {again}",), buttons=_to_cases(inv))
    return _Face("⏳ Starting", after=_usually(usual, " · "), buttons=_to_cases(inv))


def _usually(usual: Usual | None, between: str) -> str:
    return f"{between}usually {usual.words()}" if usual else ""


def _running(inv: Investigation, app_url: str, usual: Usual | None) -> _Face:
    return _Face(
        "⏳ Investigating",
        ("since", inv.started_at or inv.created_at),
        _usually(usual, ", "),
        note="The answer comes as a reply here.",
        buttons=[open_button(OPEN, inv, app_url), *_to_cases(inv)],
    )


def _to_cases(inv: Investigation) -> list[Block]:
    """What the buttons under the alert offered beside the start."""
    if inv.alert is None:
        return []
    value = alert_value(inv.alert)
    return [
        button(f"Create {CASE}", CREATE_CASE, value=value),
        button(f"Attach to {CASE}", ATTACH, value=value),
    ]


def _empty(inv: Investigation, app_url: str) -> _Face:
    body = f"{ENDED} {what_would_help(inv)}"
    buttons = [open_button(OPEN, inv, app_url), run_again_button(RUN_AGAIN, inv), *_to_cases(inv)[:1]]
    return _Face(outcome(inv), body=(body,), buttons=buttons)


def _failed(inv: Investigation, app_url: str) -> _Face:
    failure = inv.failure or Trouble(TroubleKind.BITS_FAILED if inv.verdict is Verdict.FAILED else TroubleKind.INTERNAL)
    told, running = explain_failure(failure), bool(inv.datadog_id)
    known = [open_button(OPEN, inv, app_url)] if running else []
    again = [] if failure.kind in TO_BE_MENDED else [run_again_button(RUN_AGAIN, inv)]
    sentence = f"{told.happened} {_consequence(failure, running=running)}".strip()
    headline = outcome(inv) if running else "❌ Not started" if failure.kind in _NOTHING_DONE else "❌ Failed"
    buttons = [*known, *again, *_to_cases(inv)][:3]
    then = f"Then ask again: `@{APP} investigate` in this thread." if not (running or again) else ""
    return _Face(
        headline,
        body=(sentence, f"{told.next_step} {then}".strip()),
        quoted=one_line(failure.detail, 1_000),
        buttons=buttons,
    )


def _consequence(failure: Trouble, *, running: bool) -> str:
    """What it means for the investigation; `running` where Datadog has already begun it."""
    if running and failure.kind not in {TroubleKind.BITS_FAILED, TroubleKind.VANISHED}:
        return f"It may still finish in {DATADOG}, but I can't follow it."
    return "Nothing was started." if not running and failure.kind in _NOTHING_DONE else ""


def _expired(inv: Investigation, app_url: str) -> _Face:
    body = f"It is still running in {DATADOG}, but I have stopped watching. {KEEP_WAITING}: that costs nothing."
    keep = button(KEEP_WAITING, KEEP_WAITING_ACTION, value=str(inv.id), style="primary")
    return _Face(outcome(inv), body=(body,), buttons=[keep, open_button(OPEN, inv, app_url)])


def _uncertain(inv: Investigation, app_url: str) -> _Face:
    listed = link(list_url(app_url), f"the list of {INVESTIGATIONS}")
    looking = [f"I go on looking for it until {moment(inv.deadline_at)}."] if inv.deadline_at else []
    body = (
        f"{DATADOG} did not answer clearly, so I don't know whether it has started.",
        " ".join(["I never start (and bill) the same one twice on a guess.", *looking]),
        f"Look into {listed}: if it is not there, press {START_AGAIN}.",
    )
    buttons = [run_again_button(START_AGAIN_ACTION, inv, text=START_AGAIN), open_button(OPEN, inv, app_url)]
    return _Face("🟡 Not sure this started", body=body, buttons=buttons)


def _origin(inv: Investigation, requester: str) -> str:
    alert = [f"alert of {moment(inv.alert.event_ts / 1000)}"] if inv.alert and inv.alert.event_ts else []
    run_number = [f"run {inv.run}"] if inv.run > 1 else []
    return " · ".join([asked_by(requester), *alert, *run_number, f"ref {code(inv.ref, 60)}"])


def _spoken(inv: Investigation, face: _Face, requester: str) -> str:
    """The whole card in a few sentences, for notifications and screen readers."""
    since = f", {face.since[0]} {moment(face.since[1])}" if face.since else ""
    headline = f"{face.headline}: {escape(subject_name(inv))}{since}{face.after}."
    quoted = f"{DATADOG}: “{fit_mrkdwn(face.quoted, 1_000)}”." if face.quoted else ""
    return " ".join(part for part in [headline, *face.body, quoted, *notes_of(inv), f"{asked_by(requester)}."] if part)
