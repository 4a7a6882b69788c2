"""What the submit of the insights modal does: requests of 100, one after the other, nothing lost when one fails.

Both calls have set semantics at Datadog, so repeating one is safe. API errors become part of the outcome and are
never raised.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from bot.datadog.case_model import Case, Insight
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
from bot.datadog.insight_drafts import InsightDraft
from bot.insights.drafts import MOST_IN_A_REQUEST, in_groups
from bot.insights.outcome import BatchOutcome, Cause, InsightOutcome, Problem, Refusal

# One refused insight among 100 is found with 7 splits, two requests each; this finds several and still ends.
_MOST_SPLITS = 40
_SMALL_REQUEST = 10  # for what was refused together with others: a retry then gets further each time
_LONGEST_WAIT = 30.0  # seconds: the person sees "working" meanwhile
_PAUSE_BEFORE_REPEAT = 1.0
_UNCLEAR_IN_A_ROW = 2

Sleep = Callable[[float], Awaitable[object]]


class InsightCalls(Protocol):
    """The part of `bot.datadog.cases.Cases` that is needed here."""

    async def add_insights(self, case: str, insights: Sequence[Insight], /) -> Case: ...

    async def remove_insights(self, case: str, insights: Sequence[Insight], /) -> Case: ...


async def attach(
    calls: InsightCalls, case: str, drafts: Iterable[InsightDraft], *, sleep: Sleep = asyncio.sleep
) -> InsightOutcome:
    """Attaches the drafts, each once."""
    insights = _unique(draft.insight for draft in drafts)
    return await _Submit(calls.add_insights, case, sleep).send(insights)


async def remove(
    calls: InsightCalls, case: str, insights: Iterable[Insight], *, sleep: Sleep = asyncio.sleep
) -> InsightOutcome:
    return await _Submit(calls.remove_insights, case, sleep).send(_unique(insights))


async def retry_attach(
    calls: InsightCalls, case: str, earlier: InsightOutcome, *, sleep: Sleep = asyncio.sleep
) -> InsightOutcome:
    """Sends only what the earlier outcome left open; the answer tells of both together."""
    return await _again(_Submit(calls.add_insights, case, sleep), earlier)


async def retry_remove(
    calls: InsightCalls, case: str, earlier: InsightOutcome, *, sleep: Sleep = asyncio.sleep
) -> InsightOutcome:
    return await _again(_Submit(calls.remove_insights, case, sleep), earlier)


async def _again(submit: "_Submit", earlier: InsightOutcome) -> InsightOutcome:
    refused_together = any(problem.about_content for problem in earlier.problems)
    size = _SMALL_REQUEST if refused_together else MOST_IN_A_REQUEST
    return earlier.followed_by(await submit.send(earlier.open, size))


def _unique(insights: Iterable[Insight]) -> tuple[Insight, ...]:
    return tuple({insight.key: insight for insight in insights}.values())


class _Submit:
    """One pass over all batches of one case."""

    def __init__(self, call: Callable[[str, Sequence[Insight]], Awaitable[Case]], case_name: str, sleep: Sleep) -> None:
        self._call = call
        self._case_name = case_name
        self._sleep = sleep
        self._case: Case | None = None
        self._splits_left = _MOST_SPLITS
        self._unclear = 0

    async def send(self, insights: Sequence[Insight], size: int = MOST_IN_A_REQUEST) -> InsightOutcome:
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
