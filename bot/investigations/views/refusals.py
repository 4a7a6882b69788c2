"""Refusals that need to know what was asked: which of the sentences fits, and what still happens all the same."""

from bot.investigations.model import Failure, FailureKind
from bot.investigations.views import answers
from bot.model import EventRef, MonitorRef, Subject
from bot.slack.blocks import Message, sentences
from bot.slack.text import code
from bot.wording import INVESTIGATE, INVESTIGATION


def lookup_failed(subject: Subject, failure: Failure) -> Message:
    match subject, failure.kind:
        case MonitorRef(monitor_id), FailureKind.NO_ALERT:
            return answers.no_recent_alert(monitor_id)
        case MonitorRef(monitor_id), FailureKind.NOT_FOUND:
            return answers.unknown_monitor(monitor_id)
        case EventRef(event_id), FailureKind.NO_ALERT | FailureKind.NOT_FOUND:
            return answers.unknown_event(event_id)
        case _:
            return answers.refused(failure)


def no_org() -> Message:
    return answers.refused(Failure(FailureKind.NO_ORG))


def cannot_post_card(error: str, *, channel: str, ref: str) -> Message:
    """The run goes on: it may be billed already, and the answer is wanted all the same."""
    why = answers.cannot_post(error, channel=channel)
    return sentences(
        why.text,
        f"The {INVESTIGATION} goes on meanwhile (ref {code(ref, 60)}): if the channel stays closed, you get its "
        f"conclusions as a direct message. Once I can post, {INVESTIGATE} again brings them there; nothing is started twice.",
    )
