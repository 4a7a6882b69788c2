"""The words of the heart: what is asked, where, and what became of it. Plain data; no database, no Slack, no calls."""

from dataclasses import dataclass
from enum import StrEnum

from bot.datadog.investigations import Conclusion
from bot.model import AlertRef, Question


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
