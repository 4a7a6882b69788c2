"""The few identifiers every room shares: what is asked, where, by whom, and how rows hold it. Plain data; no database, no Slack,
no calls."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar, Union

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    TypeAdapter,
    WrapSerializer,
)


def first(count: int) -> BeforeValidator:
    """For members that rows hold as a list: a newer version may have put more behind them."""
    return BeforeValidator(lambda told: told[:count] if isinstance(told, list) else told)


Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]  # what a column holds; held to it where a record is read


class ThreadLook(StrEnum):
    """What came of looking into an alert's thread for a run that is there already."""

    NONE = ""  # nobody has looked
    OURS = "ours"  # it hangs under a card of ours: there is none but what we heard of
    READ = "read"
    ONLY_BEGINNING = "only_beginning"
    NOT_MEMBER = "not_member"
    NO_SCOPE = "no_scope"
    LIMITED = "limited"
    NO_ANSWER = "no_answer"

    @classmethod
    def _missing_(cls, _value: object) -> "ThreadLook":
        return cls.READ  # a newer version's word


OWNER_TAGS = ("service", "team")


def owner_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Of a monitor's tags those that say whose it is."""
    return tuple(tag for tag in tags if tag.partition(":")[0] in OWNER_TAGS and tag.partition(":")[2])[:4]


@dataclass(frozen=True, slots=True)
class AlertRef:
    """One monitor event: what Datadog needs to investigate an alert, and what people call it."""

    monitor_id: Int64
    event_id: str
    event_ts: Int64  # Unix milliseconds
    monitor_name: str = ""
    group: str = ""
    host: str = field(default="", compare=False)  # of the link it was read from: which organisation is meant
    thread: ThreadLook = field(default=ThreadLook.NONE, compare=False)  # the one it is investigated in
    priority: int | None = field(default=None, compare=False)  # 1 to 5
    tags: tuple[str, ...] = field(default=(), compare=False)  # those that say whose it is (`OWNER_TAGS`)
    snapshot: str = field(default="", compare=False)  # the graph that Datadog drew when it fired


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
    background: str = ""  # of a follow-up: what is known so far; sent with the words, and not shown with them


@dataclass(frozen=True, slots=True)
class ExistingRun:
    """An investigation somebody started elsewhere and that is followed here, never started anew."""

    investigation_id: str
    alert: AlertRef | None = None
    host: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ThreadRef:
    """The alert of the thread it is asked in; the thread is still to be read."""


@dataclass(frozen=True, slots=True)
class MessageRef:
    """The alert that a message shows; the message is in hand and still to be read."""

    message: dict[str, Any] = field(repr=False)  # untrusted
    trigger_id: str = field(default="", repr=False)  # opens a window, for three seconds


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """What an earlier investigation was about, to be run once more; its number comes from a button."""

    number: Int64


Startable = AlertRef | Question | ExistingRun  # what is about anything else has to be looked up first
Subject = Startable | MonitorRef | EventRef | ThreadRef | MessageRef | EarlierRun


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
    """What one person asks for. The key is the same for a retry of the same gesture, and for nothing else."""

    key: str
    subject: Subject
    place: Place
    requester: str
    source: Source
    org: str = "default"


_T = TypeVar("_T")


class Adapter(Generic[_T]):
    """How values of a type are read and written, built at its first use: two dozen of them would hold up every start."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    @cached_property
    def _built(self) -> TypeAdapter[_T]:
        return TypeAdapter(self._kind)

    def validate_python(self, value: object) -> _T:
        return self._built.validate_python(value)

    def validate_json(self, value: str) -> _T:
        return self._built.validate_json(value)

    def dump_python(self, value: _T, **options: Any) -> Any:
        return self._built.dump_python(value, **options)

    def dump_json(self, value: _T, **options: Any) -> bytes:
        return self._built.dump_json(value, **options)


# -- how rows hold a subject ----------------------------------------------------------------------------------------

_KINDS: dict[type[Subject], str] = {
    AlertRef: "alert",
    MonitorRef: "monitor",
    EventRef: "event",
    Question: "question",
    ExistingRun: "existing",
    ThreadRef: "thread",
    MessageRef: "message",
    EarlierRun: "again",
}


def _kind_of(value: object) -> str | None:
    return value.get("kind") if isinstance(value, dict) else _KINDS.get(type(value))  # type: ignore[arg-type]


def _with_kind(subject: Subject, members: SerializerFunctionWrapHandler) -> dict[str, Any]:
    return {"kind": _KINDS[type(subject)], **members(subject)}


# in rows the kind stands beside the members
_TAGGED: Any = Union[tuple(Annotated[kind, Tag(name)] for kind, name in _KINDS.items())]  # noqa: UP007  made of the table
SUBJECTS: Adapter[Subject] = Adapter(Annotated[_TAGGED, Discriminator(_kind_of), WrapSerializer(_with_kind)])


# -- people -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What Slack says about a person, as far as rules ask for it."""

    person: str
    is_admin: bool = False  # admin or owner of the workspace they belong to
    is_guest: bool = False
    is_outsider: bool = False  # of another company, here through a shared channel
    groups: frozenset[str] = frozenset()  # of those the rules name
    is_deactivated: bool = False
    name: str = ""  # untrusted
    utc_offset: int = field(default=0, compare=False)  # seconds


@dataclass(frozen=True, slots=True)
class UnknownPerson:
    """Slack could not be asked about a person; the code says why."""

    code: str
