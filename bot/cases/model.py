"""What the case room talks about: a case as last seen, what people did to it, and a case somebody wants. Plain data."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from bot.datadog.case_attributes import CustomValue
from bot.datadog.cases import CLOSING_REASONS, SECURITY_TYPE, Insight, Ticket
from bot.datadog.trouble import Trouble
from bot.model import SUBJECTS, Adapter, AlertRef, EventRef, ExistingRun, MonitorRef, Place, Subject, first

_STATUSES = {"Open": "OPEN", "In Progress": "IN_PROGRESS", "Closed": "CLOSED"}


def _read_alert(stored: Any) -> Any:
    subject = SUBJECTS.validate_python(stored) if isinstance(stored, dict) else stored
    return subject if isinstance(subject, AlertRef | MonitorRef | EventRef) else None


StoredAlert = Annotated[
    AlertRef | MonitorRef | EventRef | None,
    BeforeValidator(_read_alert),
    PlainSerializer(lambda alert: SUBJECTS.dump_python(alert, mode="json") if alert else None),
]


# -- a case that is there -------------------------------------------------------------------------------------------


class CaseActionKind(StrEnum):
    STATUS = "status"
    PRIORITY = "priority"
    ASSIGN = "assign"
    COMMENT = "comment"
    CLOSE = "close"  # a security case, with its reason
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    ATTRIBUTES = "attributes"
    OTHER = "other"  # done elsewhere, only told here


@dataclass(frozen=True, slots=True)
class CaseAction:
    """What one person does to one case. The key is the same for a retry of the same click, and for nothing else."""

    key: str
    case_row: int
    place: Place
    person: str  # empty: a channel's rule
    kind: CaseActionKind = CaseActionKind.OTHER
    value: str = ""
    author: str = ""  # of a comment, as it was sent
    batch: str = ""  # the key it shares with what was done to other cases in the same gesture
    view_id: str = ""  # of the window that shows how that batch stands
    id: int = 0
    sending_since: float | None = None  # where an earlier try has an unknown outcome
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class DoneAction:
    """One thing somebody did to a case through us, as its card tells it."""

    person: str  # empty: a channel's rule
    said: str  # continues the person's name; untrusted: names of statuses and types are Datadog's
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """What a card shows of a case. All words in it are untrusted."""

    title: str = ""
    status: str = ""
    status_name: str = ""
    priority: str = ""
    type_id: str = ""
    type_name: str = ""
    project_id: str = ""
    project_name: str = ""
    assignee: str = ""  # a name
    assignee_id: str = ""
    insights: int | None = None
    comments: int | None = None
    archived: bool = False
    statuses: tuple[Annotated[tuple[str, str], first(2)], ...] = ()  # name and group of each the type has
    attributes: tuple[Annotated[tuple[str, tuple[str, ...]], first(2)], ...] = ()
    custom: tuple[Annotated[tuple[str, str], first(2)], ...] = ()  # what each is called, and its values as one text
    tickets: tuple[Ticket, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownCase(CaseFacts):
    """A case as last seen."""

    id: int
    org: str
    case_id: str
    key: str
    version: int = 1
    gone: bool = False
    done: tuple[DoneAction, ...] = ()  # the latest, oldest first
    unseen: Trouble | None = None  # why its card does not follow Datadog just now

    @property
    def name(self) -> str:
        return self.key or self.case_id

    @property
    def status_word(self) -> str:
        """The status in the type's own words."""
        return self.status_name or self.status.replace("_", " ").capitalize()

    @property
    def offered_statuses(self) -> tuple[str, ...]:
        """The type's own status names; Datadog's three where the type is not known."""
        return tuple(name for name, _ in self.statuses) or tuple(_STATUSES)

    def status_in(self, group: str) -> str:
        """The first status of a group in the type's own words; empty where it has none."""
        named = self.statuses or tuple((name, name.lower().replace(" ", "_")) for name in _STATUSES)
        return next((name for name, its_group in named if its_group == group), "")

    @property
    def is_security(self) -> bool:
        return self.type_id == SECURITY_TYPE

    def closes(self, status_name: str) -> bool:
        """Whether a case with this status counts as closed."""
        named = dict(self.statuses) if self.statuses else {"Closed": "closed"}
        return named.get(status_name) == "closed"


@dataclass(frozen=True, slots=True)
class Closing:
    """A security case is closed with a reason."""

    status: str  # the type's own word
    reason: str  # Datadog's word

    @property
    def value(self) -> str:
        return f"{self.reason} {self.status}"

    @classmethod
    def read(cls, value: str) -> "Closing":
        reason, _, status = value.partition(" ")
        return cls(status, reason)

    @property
    def words(self) -> str:
        return CLOSING_REASONS.get(self.reason, self.reason).lower()


@dataclass(frozen=True, slots=True)
class AttributeChanges:
    """What somebody changed of a case's attributes; an entry without values takes one away."""

    plain: tuple[Annotated[tuple[str, tuple[str, ...]], first(2)], ...] = ()
    custom: tuple[CustomValue, ...] = ()
    names: tuple[Annotated[tuple[str, str], first(2)], ...] = ()  # what the custom ones are called

    @property
    def words(self) -> str:
        """Each with its new value, in people's words; untrusted."""
        return "; ".join(f"{name}: {', '.join(values) or 'nothing'}" for name, values in self._named())

    @property
    def changed(self) -> str:
        return ", ".join(name for name, _ in self._named())

    def _named(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        called = dict(self.names)
        yield from ((called.get(each.key, each.key), each.values) for each in self.custom)
        yield from self.plain


ATTRIBUTE_CHANGES: Adapter[AttributeChanges] = Adapter(AttributeChanges)


def plain_status(name: str) -> str:
    """The word for a status where a case's type has no names of its own."""
    return _STATUSES.get(name, "OPEN")


# -- a case somebody wants ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseSource:
    """What a case is opened from."""

    investigation: int = 0  # a row of ours
    alert: StoredAlert = None
    title: str = ""  # typed, or a message's first line
    words: str = ""  # of the message
    permalink: str = ""
    links: tuple[str, ...] = ()  # of a message, to what it is about besides an alert; untrusted

    @property
    def about(self) -> AlertRef | None:
        return as_alert(self.alert)


def as_alert(subject: Subject | None) -> AlertRef | None:
    """What is known of an alert, in the one form all look at: an event or a monitor may be missing in it."""
    match subject:
        case MonitorRef(monitor_id, name, group):
            return AlertRef(monitor_id, "", 0, name, group)
        case EventRef(event_id):
            return AlertRef(0, event_id, 0)
        case ExistingRun(alert=AlertRef() as alert) | (AlertRef() as alert):
            return alert
        case _:
            return None


@dataclass(frozen=True, slots=True)
class CaseContent:
    """The form as submitted, and what goes with the case once it is there."""

    title: str = ""
    description: str = ""
    project_id: str = ""
    project_key: str = ""
    type_id: str = ""
    status_name: str = ""
    priority: str = ""
    assignee: str = ""  # a Slack user
    insights: tuple[Insight, ...] = ()
    comment: str = ""
    attributes: tuple[Annotated[tuple[str, tuple[str, ...]], first(2)], ...] = ()  # of the alert
    resource_id: str = ""  # typed, where the message's link does not name what it shows


class CaseRequestState(StrEnum):
    DRAFT = "draft"  # the form is open, nothing is requested
    ORDERED = "ordered"
    CREATING = "creating"  # sent to Datadog; what came of it is to be seen
    CREATED = "created"  # the case is there; insights and comment follow
    DONE = "done"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"

    @classmethod
    def _missing_(cls, _value: object) -> "CaseRequestState":
        """A newer version's: nobody here works on it, and it is as if it were under way."""
        return cls.CREATING


CaseNotes = tuple[Annotated[tuple[str, Trouble], first(2)], ...]  # what did not work beside the case itself


@dataclass(frozen=True, slots=True)
class CaseRequest:
    id: int
    key: str
    ref: str
    org: str
    place: Place
    requester: str
    source: CaseSource
    state: CaseRequestState
    content: CaseContent | None = None
    view_id: str = ""
    case_row: int | None = None
    comment: str = "owed"  # owed | sending | done
    notes: CaseNotes = ()
    problem: Trouble | None = None
    retry_at: float | None = None
    begun_at: float | None = None
    created_at: float = 0.0
    attempt: int = 0
    told: bool = False

    @property
    def by_rule(self) -> bool:
        """Nobody asked for it but a channel's rule: what becomes of it is told by the room whose rule that is."""
        return not self.requester
