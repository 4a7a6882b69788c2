"""Sends insights to a case in requests of 100, nothing lost when one fails; and what became of each.

Both calls have set semantics at Datadog, so repeating one is safe. API errors become part of the outcome.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, NamedTuple, TypeVar

from pydantic import BeforeValidator, PlainSerializer

from bot.datadog.cases import MOST_INSIGHTS, Case, Insight
from bot.datadog.errors import DatadogError, NotFound, Unreadable
from bot.datadog.insights import type_summary
from bot.datadog.trouble import Trouble, TroubleKind, trouble_of
from bot.model import first

T = TypeVar("T")

# -- what became of them ----------------------------------------------------------------------------------------------


# In the rows an insight is a list of its three members.
StoredInsight = Annotated[
    Insight,
    BeforeValidator(lambda told: Insight(*told[:3]) if isinstance(told, list) else told),
    PlainSerializer(lambda each: [each.type, each.ref, each.resource_id]),
]


class Refusal(NamedTuple):
    """One insight that Datadog does not take."""

    insight: StoredInsight
    problem: Trouble


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """One request's worth of insights: each stands in exactly one of `done`, `refused` and `open`."""

    number: int
    done: tuple[StoredInsight, ...] = ()
    refused: tuple[Annotated[Refusal, first(2)], ...] = ()  # told no, one by one
    open: tuple[StoredInsight, ...] = ()  # not sent, or without a clear answer: what Retry sends
    problem: Trouble | None = None  # why some are open
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
    def problems(self) -> tuple[Trouble, ...]:
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


def not_sent(insights: tuple[Insight, ...]) -> InsightOutcome:
    return InsightOutcome((BatchOutcome(1, open=insights, tried=False),) if insights else ())


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
    refused_together = any(problem.kind is TroubleKind.BAD_REQUEST for problem in earlier.problems)
    size = _SMALL_REQUEST if refused_together else MOST_INSIGHTS
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
        stop: Trouble | None = None
        for number, batch in enumerate(in_groups(insights, size), start=1):
            if stop:
                batches.append(BatchOutcome(number, open=batch, problem=stop, tried=False))
                continue
            batches.append(await self._batch(number, batch))
            stop = self._reason_to_stop(batches[-1].problem)
        return InsightOutcome(tuple(batches), self._case)

    def _reason_to_stop(self, problem: Trouble | None) -> Trouble | None:
        unclear = problem is not None and problem.kind is TroubleKind.UNCLEAR
        self._unclear = self._unclear + 1 if unclear else 0
        return problem if problem and (stops(problem) or self._unclear >= _UNCLEAR_IN_A_ROW) else None

    async def _batch(self, number: int, batch: Sequence[Insight]) -> BatchOutcome:
        refused: dict[Insight, Trouble] = {}
        left, problem = await self._narrow(batch, refused)
        return BatchOutcome(
            number,
            done=tuple(each for each in batch if each not in refused and each not in left),
            refused=tuple(Refusal(each, refused[each]) for each in batch if each in refused),
            open=tuple(each for each in batch if each in left),
            problem=problem,
        )

    async def _narrow(
        self, batch: Sequence[Insight], refused: dict[Insight, Trouble]
    ) -> tuple[frozenset[Insight], Trouble | None]:
        """Sends the batch; if it is refused for what is in it, its halves, and so on until the refused ones are alone.

        Answers what is left open, and why. The largest parts go first, so most is in when the splits run out.
        """
        groups = deque([batch])
        too_many: list[Sequence[Insight]] = []
        problem: Trouble | None = None
        while groups:
            group = groups.popleft()
            met = await self._try(group)
            if met is None:
                continue
            if met.kind is not TroubleKind.BAD_REQUEST:
                return frozenset(each for part in (group, *groups, *too_many) for each in part), met
            if len(group) == 1:
                refused[group[0]] = met
            elif self._splits_left:
                self._splits_left -= 1
                middle = len(group) // 2
                groups.extend((group[:middle], group[middle:]))
            else:
                too_many.append(group)
                problem = met
        return frozenset(each for part in too_many for each in part), problem

    async def _try(self, group: Sequence[Insight]) -> Trouble | None:
        problem = await self._once(group)
        if problem is None or problem.wait is None or problem.wait > _LONGEST_WAIT:
            return problem
        await self._sleep(problem.wait)
        return await self._once(group)

    async def _once(self, group: Sequence[Insight]) -> Trouble | None:
        try:
            self._case = await self._call(self._case_name, group)
        except Unreadable:
            # Datadog carried it out; only its answer made no sense.
            return None
        except DatadogError as error:
            return problem_of(error)
        return None


def problem_of(error: DatadogError) -> Trouble:
    """What an error means for this submit; `wait` is set where one repeat makes sense."""
    trouble = trouble_of(error)
    if trouble.kind in {TroubleKind.UNCLEAR, TroubleKind.NOT_REACHED, TroubleKind.CONFLICT}:
        return replace(trouble, wait=_PAUSE_BEFORE_REPEAT)
    # a 404 may be about what an insight points to, where the case itself is there
    of_an_insight = isinstance(error, NotFound) and error.detail and "case" not in error.detail.lower()
    return replace(trouble, kind=TroubleKind.BAD_REQUEST) if of_an_insight else plain_refusal(trouble)


def plain_refusal(trouble: Trouble) -> Trouble:
    """Any other definite no is one to what was sent."""
    return replace(trouble, kind=TroubleKind.BAD_REQUEST) if trouble.kind is TroubleKind.REFUSED else trouble


def stops(problem: Trouble) -> bool:
    """Whether the batches after it would only meet the same."""
    return problem.kind in _STOPPING


_STOPPING = {
    TroubleKind.NO_ORG,
    TroubleKind.UNAUTHORIZED,
    TroubleKind.FORBIDDEN,
    TroubleKind.NOT_FOUND,  # the case
    TroubleKind.RATE_LIMITED,
    TroubleKind.NOT_REACHED,
}
