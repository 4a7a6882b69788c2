"""An investigation and the states it can be in. Plain data; no database, no Slack, no calls."""

from dataclasses import dataclass
from enum import StrEnum

from bot.datadog.investigations import Conclusion
from bot.datadog.trouble import Trouble
from bot.model import AlertRef, Question


class State(StrEnum):
    REQUESTED = "requested"
    TRIGGERING = "triggering"
    RUNNING = "running"
    CONCLUDED = "concluded"
    FAILED = "failed"
    EXPIRED = "expired"
    UNCERTAIN = "uncertain"

    @classmethod
    def _missing_(cls, _value: object) -> "State":
        """A newer version's: nobody here works on it, and to people it is under way."""
        return cls.RUNNING

    @property
    def finished(self) -> bool:
        return self in {State.CONCLUDED, State.FAILED, State.EXPIRED, State.UNCERTAIN}


class Verdict(StrEnum):
    CONCLUSIVE = "conclusive"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"

    @classmethod
    def _missing_(cls, _value: object) -> "Verdict":
        """A newer version's; the conclusions say more."""
        return cls.INCONCLUSIVE


@dataclass(frozen=True, slots=True)
class Investigation:
    """One Bits run as it is written down. Times are Unix seconds."""

    id: int
    ref: str  # stands in cards and in the log, for people to quote
    org: str
    run: int
    state: State
    created_at: float
    requested_by: str
    alert: AlertRef | None = None
    question: Question | None = None
    started_at: float | None = None
    deadline_at: float | None = None  # until when we watch it, or look for it where its start is uncertain
    retry_at: float | None = None  # it could not be started yet; `failure` says why
    datadog_id: str = ""
    url: str = ""  # the investigation in Datadog's app
    title: str = ""  # Datadog's title of the run, untrusted
    verdict: Verdict | None = None
    conclusions: tuple[Conclusion, ...] = ()
    failure: Trouble | None = None
    adopted: bool = False  # followed, not started by us
    presumed: bool = False  # taken over after an unclear answer: the only new run Datadog showed
