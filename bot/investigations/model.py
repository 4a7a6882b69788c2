"""The words of the heart: what is asked, where, and what became of it. Plain data; no database, no Slack, no calls."""

from dataclasses import dataclass, field
from enum import StrEnum

from bot.datadog.investigations import Conclusion


@dataclass(frozen=True, slots=True)
class AlertRef:
    """One monitor event: what Datadog needs to investigate an alert, and what people call it."""

    monitor_id: int
    event_id: str
    event_ts: int  # Unix milliseconds
    monitor_name: str = ""
    group: str = ""
    host: str = field(default="", compare=False)  # of the link it was read from: which organisation is meant


@dataclass(frozen=True, slots=True)
class MonitorRef:
    """A monitor whose latest alert is meant; its event is still to be found."""

    monitor_id: int
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
    start_ts: int | None = None  # Unix milliseconds
    end_ts: int | None = None


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


class State(StrEnum):
    REQUESTED = "requested"
    TRIGGERING = "triggering"
    RUNNING = "running"
    CONCLUDED = "concluded"
    FAILED = "failed"
    EXPIRED = "expired"
    UNCERTAIN = "uncertain"

    @property
    def finished(self) -> bool:
        return self in {State.CONCLUDED, State.FAILED, State.EXPIRED, State.UNCERTAIN}


class Verdict(StrEnum):
    CONCLUSIVE = "conclusive"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"


class FailureKind(StrEnum):
    """Why nothing came of it; each has its own sentence and next step in the card."""

    BAD_REQUEST = "bad_request"  # 400, the reason is Datadog's own
    UNAUTHORIZED = "unauthorized"  # 401
    FORBIDDEN = "forbidden"  # 403, `permission` names what is missing
    NOT_FOUND = "not_found"  # 404
    RATE_LIMITED = "rate_limited"  # 429, given up after waiting
    REFUSED = "refused"  # any other 4xx
    UNAVAILABLE = "unavailable"  # 5xx or no connection, for longer than we wait
    NO_ORG = "no_org"  # no Datadog organisation is connected
    NO_ALERT = "no_alert"  # the monitor has not alerted lately, or the event is no alert
    BITS_FAILED = "bits_failed"  # Bits itself reported a failed run
    VANISHED = "vanished"  # the running investigation is gone from Datadog
    INTERNAL = "internal"  # ours; the reference stands in the log


@dataclass(frozen=True, slots=True)
class Failure:
    kind: FailureKind
    detail: str = ""  # Datadog's own words, untrusted
    permission: str = ""


@dataclass(frozen=True, slots=True)
class Investigation:
    """One Bits run as the ledger knows it. Times are Unix seconds."""

    id: int
    ref: str  # stands in cards and in the log, for people to quote
    org: str
    run: int
    state: State
    created_at: float
    requested_by: str
    version: int = 0
    alert: AlertRef | None = None
    question: Question | None = None
    started_at: float | None = None
    deadline_at: float | None = None
    finished_at: float | None = None
    retry_at: float | None = None  # Datadog asked us to wait until then
    datadog_id: str = ""
    url: str = ""  # the investigation in Datadog's app
    title: str = ""  # Datadog's title of the run, untrusted
    status: str = ""  # Datadog's own status word, as received
    verdict: Verdict | None = None
    conclusions: tuple[Conclusion, ...] = ()
    failure: Failure | None = None
    adopted: bool = False  # followed, not started by us
    presumed: bool = False  # taken over after an unclear answer: the only new run Datadog showed
