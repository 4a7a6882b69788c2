"""Sends insights to a case in requests of 100, one after the other, nothing lost when one fails; and what became of
each, with the sentence for each way it can fail.

Both calls have set semantics at Datadog, so repeating one is safe. API errors become part of the outcome and are
never raised.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, NamedTuple, TypeVar

from pydantic import BeforeValidator, PlainSerializer

from bot.datadog.cases import Case, Insight
from bot.datadog.errors import (
    BadRequest,
    Conflict,
    DatadogError,
    Forbidden,
    NotFound,
    NotSent,
    OtherRefusal,
    RateLimited,
    Unauthorized,
    Unreadable,
)
from bot.datadog.insights import type_summary
from bot.wording import DATADOG, duration

MOST_IN_A_REQUEST = 100

T = TypeVar("T")

# -- what became of them ----------------------------------------------------------------------------------------------


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


def _from_list(told: object) -> object:
    return Insight(*told) if isinstance(told, list) else told


# In the rows an insight is a list of its three members.
StoredInsight = Annotated[
    Insight, BeforeValidator(_from_list), PlainSerializer(lambda each: [each.type, each.ref, each.resource_id])
]


class Refusal(NamedTuple):
    """One insight that Datadog does not take."""

    insight: StoredInsight
    problem: Problem


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """One request's worth of insights: each stands in exactly one of `done`, `refused` and `open`."""

    number: int
    done: tuple[StoredInsight, ...] = ()
    refused: tuple[Refusal, ...] = ()  # told no, one by one
    open: tuple[StoredInsight, ...] = ()  # not sent, or without a clear answer: what Retry sends
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


# -- sending ----------------------------------------------------------------------------------------------------------

# One refused insight among 100 is found with 7 splits, two requests each; this finds several and still ends.
_MOST_SPLITS = 40
_SMALL_REQUEST = 10  # for what was refused together with others: a retry then gets further each time
_LONGEST_WAIT = 30.0  # seconds: the person sees "working" meanwhile
_PAUSE_BEFORE_REPEAT = 1.0
_UNCLEAR_IN_A_ROW = 2

Sleep = Callable[[float], Awaitable[object]]


Call = Callable[[str, Sequence[Insight]], Awaitable[Case]]  # of Datadog's that attaches or removes insights


async def send_open(call: Call, case: str, earlier: InsightOutcome, *, sleep: Sleep = asyncio.sleep) -> InsightOutcome:
    """Sends what the earlier outcome left open; the answer tells of both together."""
    refused_together = any(problem.about_content for problem in earlier.problems)
    size = _SMALL_REQUEST if refused_together else MOST_IN_A_REQUEST
    return earlier.followed_by(await _Requests(call, case, sleep).send(earlier.open, size))


def in_groups(items: Sequence[T], size: int) -> tuple[tuple[T, ...], ...]:
    return tuple(tuple(items[start : start + size]) for start in range(0, len(items), size))


class _Requests:
    """One pass over all batches of one case."""

    def __init__(self, call: Call, case_name: str, sleep: Sleep) -> None:
        self._call = call
        self._case_name = case_name
        self._sleep = sleep
        self._case: Case | None = None
        self._splits_left = _MOST_SPLITS
        self._unclear = 0

    async def send(self, insights: Sequence[Insight], size: int) -> InsightOutcome:
        batches: list[BatchOutcome] = []
        stop: Problem | None = None
        for number, batch in enumerate(in_groups(insights, size), start=1):
            if stop:
                batches.append(BatchOutcome(number, open=batch, problem=stop, tried=False))
                continue
            batches.append(await self._batch(number, batch))
            stop = self._reason_to_stop(batches[-1].problem)
        return InsightOutcome(tuple(batches), self._case)

    def _reason_to_stop(self, problem: Problem | None) -> Problem | None:
        unclear = problem is not None and problem.cause is Cause.UNCLEAR
        self._unclear = self._unclear + 1 if unclear else 0
        return problem if problem and (problem.stops or self._unclear >= _UNCLEAR_IN_A_ROW) else None

    async def _batch(self, number: int, batch: Sequence[Insight]) -> BatchOutcome:
        refused: dict[Insight, Problem] = {}
        left, problem = await self._narrow(batch, refused)
        return BatchOutcome(
            number,
            done=tuple(each for each in batch if each not in refused and each not in left),
            refused=tuple(Refusal(each, refused[each]) for each in batch if each in refused),
            open=tuple(each for each in batch if each in left),
            problem=problem,
        )

    async def _narrow(
        self, batch: Sequence[Insight], refused: dict[Insight, Problem]
    ) -> tuple[frozenset[Insight], Problem | None]:
        """Sends the batch; if it is refused for what is in it, its halves, and so on until the refused ones are alone.

        Answers what is left open, and why. The largest parts go first, so most is in when the splits run out.
        """
        groups = deque([batch])
        too_many: list[Sequence[Insight]] = []
        problem: Problem | None = None
        while groups:
            group = groups.popleft()
            met = await self._try(group)
            if met is None:
                continue
            if not met.about_content:
                return frozenset(each for part in (group, *groups, *too_many) for each in part), met
            if len(group) == 1:
                refused[group[0]] = met
            elif self._may_split():
                middle = len(group) // 2
                groups.extend((group[:middle], group[middle:]))
            else:
                too_many.append(group)
                problem = met
        return frozenset(each for part in too_many for each in part), problem

    def _may_split(self) -> bool:
        self._splits_left -= 1
        return self._splits_left >= 0

    async def _try(self, group: Sequence[Insight]) -> Problem | None:
        problem = await self._once(group)
        if problem is None or problem.wait is None or problem.wait > _LONGEST_WAIT:
            return problem
        await self._sleep(problem.wait)
        return await self._once(group)

    async def _once(self, group: Sequence[Insight]) -> Problem | None:
        try:
            self._case = await self._call(self._case_name, group)
        except Unreadable:
            # Datadog carried it out; only its answer made no sense.
            return None
        except DatadogError as error:
            return problem_of(error)
        return None


def problem_of(error: DatadogError) -> Problem:
    """What an error means for this submit; `wait` is set where one repeat makes sense."""
    cause = next((cause for kind, cause in _CAUSES if isinstance(error, kind)), Cause.UNCLEAR)
    if isinstance(error, NotFound) and error.detail and "case" not in error.detail.lower():
        # Not the case is missing but what an insight points to.
        cause = Cause.BAD_REQUEST
    wait = error.wait if isinstance(error, RateLimited) else None
    if cause in {Cause.UNCLEAR, Cause.NOT_REACHED, Cause.CONFLICT}:
        wait = _PAUSE_BEFORE_REPEAT
    permission = error.permission if isinstance(error, Forbidden) else ""
    return Problem(cause, error.detail, permission, wait, error.request_id)


_CAUSES: tuple[tuple[type[DatadogError], Cause], ...] = (
    (BadRequest, Cause.BAD_REQUEST),
    (OtherRefusal, Cause.BAD_REQUEST),
    (Unauthorized, Cause.UNAUTHORIZED),
    (Forbidden, Cause.FORBIDDEN),
    (NotFound, Cause.CASE_GONE),
    (Conflict, Cause.CONFLICT),
    (RateLimited, Cause.RATE_LIMITED),
    (NotSent, Cause.NOT_REACHED),
)
