"""How the rows of investigations are read, what makes two asks one, and which message a thread is owed."""

from dataclasses import asdict
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Row, exists

from bot.datadog.trouble import Trouble
from bot.investigations.model import TO_BE_MENDED, Investigation, State, Verdict
from bot.investigations.tables import investigations, subscribers
from bot.model import AlertRef, ExistingRun, Question, Startable
from bot.storage.outbox import NewPost
from bot.storage.tables import place_of, record


def subject_key(subject: Startable) -> str:
    """The same for everyone who means the same thing; this is what makes two clicks one investigation."""
    match subject:
        case AlertRef():
            return f"alert:{subject.monitor_id}:{subject.event_id}"
        case ExistingRun(alert=AlertRef() as alert):
            return subject_key(alert)
        case ExistingRun():
            return f"existing:{subject.investigation_id}"
        case Question():
            background = [subject.background] if subject.background else []
            said = "\x1f".join(
                [subject.text.strip(), *sorted(subject.tags), str(subject.start_ts), str(subject.end_ts), *background]
            )
            return f"question:{sha256(said.encode()).hexdigest()}"


def is_another(subject: Startable, state: State, datadog_id: str | None, failure: Trouble | None) -> bool:
    """Whether an ask means a run of its own, and not the latest one known."""
    match subject:
        case AlertRef():  # it cost nothing, and whoever asks anew has had keys or rights mended
            return state is State.FAILED and datadog_id is None and failure is not None and failure.kind in TO_BE_MENDED
        case Question():
            return state.finished
        case ExistingRun():  # the latest has another id, or none yet and then may well be this one
            return datadog_id is not None or state.finished


def read_investigation(row: Row[Any]) -> Investigation:
    subject = row.subject
    alert = subject.alert if isinstance(subject, ExistingRun) else subject
    return record(
        Investigation,
        row,
        state=State(row.state),
        alert=alert if isinstance(alert, AlertRef) else None,
        question=subject if isinstance(subject, Question) else None,
        datadog_id=row.datadog_id or "",
        url=row.url or "",
        title=row.title or "",
        verdict=Verdict(row.verdict) if row.verdict else None,
        conclusions=row.conclusions or (),
        listed_before=tuple(row.before_ids or ()) if isinstance(alert, AlertRef) else (),
    )


def asked_for_in(workspace: str) -> ColumnElement[bool]:
    return exists().where(subscribers.c.investigation_id == investigations.c.id, subscribers.c.workspace == workspace)


def message_for(kind: str, subscriber: Row[Any], ref: str) -> NewPost:
    return NewPost(
        key=f"{kind}:{ref}:{subscriber.id}",
        kind=kind,
        thread_key=f"thread:{subscriber.id}",
        subject_id=subscriber.investigation_id,
        **asdict(place_of(subscriber)),
        requester=subscriber.requester,
    )
