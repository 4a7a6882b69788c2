"""What became of a submit of insights, batch by batch, and the sentence for each way it can fail. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.datadog.case_model import Case, Insight
from bot.datadog.insight_types import type_summary
from bot.wording import DATADOG, duration


class Cause(StrEnum):
    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    CASE_GONE = "case_gone"
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    NOT_REACHED = "not_reached"
    UNCLEAR = "unclear"


_STOPPING = frozenset(
    {Cause.UNAUTHORIZED, Cause.FORBIDDEN, Cause.CASE_GONE, Cause.RATE_LIMITED, Cause.NOT_REACHED},
)


@dataclass(frozen=True, slots=True)
class Problem:
    cause: Cause
    detail: str = ""  # Datadog's own words, untrusted
    permission: str = ""
    wait: float | None = None  # seconds after which a repeat makes sense
    request_id: str = ""

    @property
    def stops(self) -> bool:
        """Whether the batches after it would only meet the same."""
        return self.cause in _STOPPING

    @property
    def about_content(self) -> bool:
        """Whether a smaller part of the batch may be accepted."""
        return self.cause is Cause.BAD_REQUEST

    @property
    def may_have_happened(self) -> bool:
        return self.cause is Cause.UNCLEAR

    @property
    def sentence(self) -> str:
        """What happened and what to do, in our words only."""
        return _SENTENCES[self.cause](self)


def _forbidden(problem: Problem) -> str:
    needed = f" Ask a {DATADOG} admin to give it {problem.permission}." if problem.permission else ""
    return f"{DATADOG} does not let the app's key change cases.{needed}"


def _rate_limited(problem: Problem) -> str:
    when = f" in {duration(problem.wait)}" if problem.wait else " in a minute"
    return f"{DATADOG} asks us to slow down. Retry{when}."


_SENTENCES: dict[Cause, Callable[[Problem], str]] = {
    Cause.BAD_REQUEST: lambda _: f"{DATADOG} refused it. Check the id, or add it again by hand.",
    Cause.UNAUTHORIZED: lambda _: f"{DATADOG} does not accept the app's keys. Ask an admin to renew them.",
    Cause.FORBIDDEN: _forbidden,
    Cause.CASE_GONE: lambda _: f"{DATADOG} has no such case any more. Choose another case: your list is kept.",
    Cause.CONFLICT: lambda _: "Somebody else is changing this case. Retry in a moment.",
    Cause.RATE_LIMITED: _rate_limited,
    Cause.NOT_REACHED: lambda _: f"{DATADOG} could not be reached, nothing was sent. Retry in a moment.",
    Cause.UNCLEAR: lambda _: f"{DATADOG} did not answer clearly. Retry: what is done already is not done twice.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    insight: Insight
    problem: Problem


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """One request's worth of insights: each stands in exactly one of `done`, `refused` and `open`."""

    number: int
    done: tuple[Insight, ...] = ()
    refused: tuple[Refusal, ...] = ()  # told no, one by one
    open: tuple[Insight, ...] = ()  # not sent, or without a clear answer: what Retry sends
    problem: Problem | None = None  # why some are open
    tried: bool = True


@dataclass(frozen=True, slots=True)
class InsightOutcome:
    batches: tuple[BatchOutcome, ...] = ()
    case: Case | None = None  # as Datadog answered last

    @property
    def done(self) -> tuple[Insight, ...]:
        return tuple(insight for batch in self.batches for insight in batch.done)

    @property
    def refused(self) -> tuple[Refusal, ...]:
        return tuple(refusal for batch in self.batches for refusal in batch.refused)

    @property
    def open(self) -> tuple[Insight, ...]:
        return tuple(insight for batch in self.batches for insight in batch.open)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why something is open, each reason once."""
        return tuple(dict.fromkeys(batch.problem for batch in self.batches if batch.problem))

    @property
    def complete(self) -> bool:
        return not self.refused and not self.open

    @property
    def summary(self) -> str:
        """`3 monitors, 1 incident` of what is done."""
        return type_summary(insight.type for insight in self.done)

    def followed_by(self, later: "InsightOutcome") -> "InsightOutcome":
        """This outcome with what a retry made of its open insights."""
        settled = [replace(batch, open=(), problem=None) for batch in self.batches if batch.done or batch.refused]
        numbered = [replace(batch, number=at) for at, batch in enumerate((*settled, *later.batches), start=1)]
        return InsightOutcome(tuple(numbered), later.case or self.case)
