"""Between the model and the rows: how subjects, failures and investigations are written down and read back."""

from dataclasses import asdict
from hashlib import sha256
from typing import Any

from sqlalchemy import Row

from bot.datadog.investigations import Conclusion
from bot.investigations.model import Failure, FailureKind, Investigation, State, Verdict
from bot.model import (
    AlertRef,
    Ask,
    ExistingRun,
    Place,
    Question,
    Source,
    Subject,
    read_subject,
)


def subject_key(subject: AlertRef | Question | ExistingRun) -> str:
    """The same for everyone who means the same thing; this is what makes two clicks one investigation."""
    match subject:
        case AlertRef():
            return f"alert:{subject.monitor_id}:{subject.event_id}"
        case ExistingRun(alert=AlertRef() as alert):
            return subject_key(alert)
        case ExistingRun():
            return f"existing:{subject.investigation_id}"
        case Question():
            said = "\x1f".join(
                [subject.text.strip(), *sorted(subject.tags), str(subject.start_ts), str(subject.end_ts)]
            )
            return f"question:{sha256(said.encode()).hexdigest()}"


def read_ask(row: Row[Any]) -> Ask:
    return Ask(
        key=row.key,
        subject=read_subject(row.subject),
        place=Place(row.workspace, row.channel, row.thread_ts),
        requester=row.requester,
        source=Source(row.source),
        org=row.org,
    )


def failure_record(failure: Failure) -> dict[str, Any]:
    return asdict(failure)


def read_investigation(row: Row[Any]) -> Investigation:
    subject = read_subject(row.subject)
    return Investigation(
        id=row.id,
        ref=row.ref,
        org=row.org,
        run=row.run,
        state=State(row.state),
        version=row.version,
        created_at=row.created_at,
        requested_by=row.requested_by,
        alert=_alert(subject),
        question=subject if isinstance(subject, Question) else None,
        started_at=row.started_at,
        deadline_at=row.deadline_at,
        finished_at=row.finished_at,
        retry_at=row.retry_at,
        datadog_id=row.datadog_id or "",
        url=row.url or "",
        title=row.title or "",
        status=row.status or "",
        verdict=Verdict(row.verdict) if row.verdict else None,
        conclusions=tuple(Conclusion(**entry) for entry in row.conclusions or ()),
        failure=_failure(row.failure),
        adopted=row.adopted,
        presumed=row.presumed,
    )


def _alert(subject: Subject) -> AlertRef | None:
    if isinstance(subject, ExistingRun):
        return subject.alert
    return subject if isinstance(subject, AlertRef) else None


def _failure(record: dict[str, Any] | None) -> Failure | None:
    if not record:
        return None
    return Failure(FailureKind(record["kind"]), record.get("detail", ""), record.get("permission", ""))
