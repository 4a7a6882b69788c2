"""An investigation and the states it can be in. Plain data; no database, no Slack, no calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import quantiles

from bot.datadog.investigations import Conclusion
from bot.datadog.trouble import Trouble, TroubleKind
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


# Another try would meet the same no: first somebody has to mend keys, rights or the connection.
TO_BE_MENDED = {TroubleKind.UNAUTHORIZED, TroubleKind.FORBIDDEN, TroubleKind.NO_ORG}


class Verdict(StrEnum):
    CONCLUSIVE = "conclusive"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"

    @classmethod
    def _missing_(cls, _value: object) -> "Verdict":
        """A newer version's; the conclusions say more."""
        return cls.INCONCLUSIVE


@dataclass(frozen=True, slots=True)
class Usual:
    """How long runs usually take: the middle half of earlier ones, in seconds."""

    low: float
    high: float

    def words(self) -> str:
        low, high = (max(1, round(seconds / 60)) for seconds in (self.low, self.high))
        return f"about {low} min" if low == high else f"{low}\u2013{high} min"


FEWEST_RUNS = 5  # of fewer nothing can be said


def usual(durations: Sequence[float]) -> Usual | None:
    if len(durations) < FEWEST_RUNS:
        return None
    quarters = quantiles(durations, n=4, method="inclusive")
    return Usual(quarters[0], quarters[2])


LATELY = 30 * 86_400.0  # seconds
MOST_COUNTED = 50


@dataclass(frozen=True, slots=True)
class Votes:
    """What people of one workspace think of an answer. Their words are untrusted."""

    right: int = 0
    wrong: int = 0
    really: str = ""  # what the cause was, as the last of those said who found it wrong

    def __bool__(self) -> bool:
        return bool(self.right or self.wrong)

    @property
    def is_right(self) -> bool:
        return self.right > self.wrong

    @property
    def is_wrong(self) -> bool:
        """Who found it wrong looked closer: as many of them outweigh the others."""
        return bool(self.wrong) and not self.is_right


NO_VOTES = Votes()


@dataclass(frozen=True, slots=True)
class SeenBefore:
    """Of one monitor, within `LATELY`. The words of the answer are untrusted."""

    times: int
    answer: int = 0  # the number of the last investigation that found a cause; 0 for none
    cause: str = ""
    answered_at: float = 0.0
    votes: Votes = NO_VOTES
    elsewhere: int = 0  # runs that Datadog lists and nobody has asked for here


@dataclass(frozen=True, slots=True)
class ThreadCase:
    """The case that a thread has already."""

    key: str
    url: str


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
    finished_at: float | None = None
    deadline_at: float | None = None  # until when we watch it, or look for it where its start is uncertain
    retry_at: float | None = None  # it could not be started yet; `failure` says why
    datadog_id: str = ""
    url: str = ""  # the investigation in Datadog's app
    title: str = ""  # Datadog's title of the run, untrusted
    verdict: Verdict | None = None
    conclusions: tuple[Conclusion, ...] = ()
    failure: Trouble | None = None
    adopted: bool = False  # followed, not started by us
    listed_before: tuple[str, ...] = ()  # of an alert: the monitor's runs that Datadog listed before it was started
    presumed: bool = False  # taken over after an unclear answer: the only new run Datadog showed
