"""The few identifiers every room shares: what is asked, where, by whom. Plain data; no database, no Slack, no calls."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]  # what a column holds; held to it where a record is read


@dataclass(frozen=True, slots=True)
class AlertRef:
    """One monitor event: what Datadog needs to investigate an alert, and what people call it."""

    monitor_id: Int64
    event_id: str
    event_ts: Int64  # Unix milliseconds
    monitor_name: str = ""
    group: str = ""
    host: str = field(default="", compare=False)  # of the link it was read from: which organisation is meant


@dataclass(frozen=True, slots=True)
class MonitorRef:
    """A monitor whose latest alert is meant; its event is still to be found."""

    monitor_id: Int64
    monitor_name: str = ""
    group: str = ""
    host: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class EventRef:
    """An alert event known by its id only; its monitor is still to be found."""

    event_id: str
    host: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Question:
    """Free text, for an investigation without a monitor. The window is given as both ends or not at all."""

    text: str
    tags: tuple[str, ...] = ()
    start_ts: Int64 | None = None  # Unix milliseconds
    end_ts: Int64 | None = None


@dataclass(frozen=True, slots=True)
class ExistingRun:
    """An investigation somebody started elsewhere and that is followed here, never started anew."""

    investigation_id: str
    alert: AlertRef | None = None
    host: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ThreadRef:
    """The alert of the thread it is asked in; the thread is still to be read."""


Subject = AlertRef | MonitorRef | EventRef | Question | ExistingRun | ThreadRef


class Source(StrEnum):
    BUTTON = "button"
    SHORTCUT = "shortcut"
    COMMAND = "command"
    MENTION = "mention"
    MODAL = "modal"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer belongs: a thread of a channel, or the channel itself while no thread is known."""

    workspace: str
    channel: str
    thread_ts: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """One person's wish. The key is the same for a retry of the same gesture, and for nothing else."""

    key: str
    subject: Subject
    place: Place
    requester: str
    source: Source
    org: str = "default"


_KINDS: dict[str, type[Subject]] = {
    "alert": AlertRef,
    "monitor": MonitorRef,
    "event": EventRef,
    "question": Question,
    "existing": ExistingRun,
    "thread": ThreadRef,
}


_NAMES = {kind: name for name, kind in _KINDS.items()}


def subject_record(subject: Subject) -> dict[str, Any]:
    return {"kind": _NAMES[type(subject)], **asdict(subject)}


def read_subject(record: dict[str, Any]) -> Subject:
    values = {name: value for name, value in record.items() if name != "kind"}
    match record["kind"]:
        case "question":
            return Question(**{**values, "tags": tuple(values["tags"])})
        case "existing":
            alert = values["alert"]
            host = values.get("host", "")
            return ExistingRun(values["investigation_id"], AlertRef(**alert) if alert else None, host)
        case kind:
            return _KINDS[kind](**values)


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What Slack says about a person, as far as rules ask for it."""

    person: str
    is_admin: bool = False  # admin or owner of the workspace they belong to
    is_guest: bool = False
    is_outsider: bool = False  # of another company, here through a shared channel
    groups: frozenset[str] = frozenset()  # of those the rules name


@dataclass(frozen=True, slots=True)
class UnknownPerson:
    """Slack could not be asked about a person; the code says why."""

    code: str
