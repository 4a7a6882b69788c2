"""How an investigation ended, who asked for it and what else is to be said of it, in the words that card and answer share."""

from collections.abc import Sequence

from bot.investigations.model import Investigation, State, Verdict
from bot.investigations.subject_view import names_service
from bot.model import ThreadLook
from bot.slack.text import mention
from bot.wording import DATADOG, PRODUCT, lasted

_UNREAD = {
    ThreadLook.ONLY_BEGINNING: "Slack showed me only its beginning",
    ThreadLook.NOT_MEMBER: "I'm not in this channel",
    ThreadLook.NO_SCOPE: "I lack a Slack permission",
    ThreadLook.LIMITED: "Slack lets me read threads only now and then",
    ThreadLook.NO_ANSWER: "Slack did not answer",
}


def has_answer(inv: Investigation) -> bool:
    """Which a reply tells. How all others ended stands on their card."""
    return bool(inv.conclusions) and inv.state in {State.CONCLUDED, State.FAILED, State.EXPIRED}


def outcome(inv: Investigation) -> str:
    """How it ended, in a few words behind their sign."""
    took = took_of(inv)
    match inv.state, inv.verdict:
        case State.EXPIRED, _:
            return f"⌛ No answer after {took}" if took else "⌛ No answer yet"
        case (State.FAILED, _) | (_, Verdict.FAILED):
            return f"❌ Failed after {took}" if took else "❌ Failed"
        case _ if not inv.conclusions:
            return "🟡 Ended without a conclusion"
        case _, Verdict.CONCLUSIVE:
            return f"✅ Answered in {took}" if took else "✅ Answered"
        case _:
            return f"🟡 No clear cause after {took}" if took else "🟡 No clear cause"


def took_of(inv: Investigation) -> str:
    """How long the run took; of one begun elsewhere only Datadog knows."""
    if inv.adopted or inv.finished_at is None:
        return ""
    return lasted(inv.finished_at - (inv.started_at or inv.created_at))


def what_would_help(inv: Investigation) -> str:
    """So that the next one of this finds more. Only what is really lacking, as far as we can tell."""
    if inv.alert is None:
        return (
            "To find more: ask about one service and a short window of time, and check that it sends logs and traces."
        )
    tag = [] if names_service(inv.alert) else ["a `service` tag on the monitor"]
    wanted = [*tag, "a runbook link in its message", "logs and traces of what it watches"]
    return f"What helps {PRODUCT} next time: {', '.join(wanted[:-1])}, and {wanted[-1]}."


def asked_by(requester: str) -> str:
    return f"Asked by {mention(requester)}" if requester else "Started automatically"


def notes_of(inv: Investigation) -> Sequence[str]:
    notes = []
    if inv.adopted:
        notes.append("Started elsewhere: followed here, not started again.")
    elif inv.alert and (why := _UNREAD.get(inv.alert.thread)):
        notes.append(f"I could not check this thread for an earlier investigation: {why}.")
    if inv.presumed:
        notes.append(
            f"{DATADOG}'s answer to the start got lost. Of the new ones it shows, this is the only one that can be ours."
        )
    return notes
