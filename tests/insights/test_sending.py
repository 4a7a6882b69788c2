"""What a submit does when Datadog takes all, takes some, or answers badly: nothing lost, nothing sent for nothing."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.cases import Case, Cases, Insight
from bot.datadog.errors import (
    BadRequest,
    Conflict,
    DatadogError,
    Forbidden,
    NoAnswer,
    NotFound,
    NotSent,
    OtherRefusal,
    RateLimited,
    Unauthorized,
    Unavailable,
    Unreadable,
)
from bot.datadog.insights import InsightDraft, InsightType, draft
from bot.datadog.trouble import TroubleKind
from bot.insights.result_views import sentence
from bot.insights.sending import BatchOutcome, InsightOutcome, Sleep, send_open

CASE = "CASEM-42"


class HeldCase:
    """A case as Datadog keeps it: refuses batches holding a bad id, and answers as scripted before that."""

    def __init__(self, bad: Iterable[int] = (), script: Iterable[DatadogError | None] = ()) -> None:
        self.held: dict[tuple[str, str], Insight] = {}
        self.bad = {str(number) for number in bad}
        self.script: Iterator[DatadogError | None] = iter(script)
        self.sizes: list[int] = []

    async def add_insights(self, case: str, insights: Sequence[Insight], /) -> Case:
        self._met(insights)
        self.held |= {insight.key: insight for insight in insights}
        return self._answer(case)

    async def remove_insights(self, case: str, insights: Sequence[Insight], /) -> Case:
        self._met(insights)
        for insight in insights:
            self.held.pop(insight.key, None)
        return self._answer(case)

    def _met(self, insights: Sequence[Insight]) -> None:
        assert 1 <= len(insights) <= 100
        self.sizes.append(len(insights))
        problem = next(self.script, None)
        if problem:
            if problem.may_have_happened:
                self.held |= {insight.key: insight for insight in insights}
            raise problem
        if any(insight.resource_id in self.bad for insight in insights):
            raise BadRequest("no", status=400, detail="invalid insight")

    def _answer(self, case: str) -> Case:
        return Case("uuid", case, "Checkout is down", insights=tuple(self.held.values()))

    @property
    def numbers(self) -> list[int]:
        return sorted(int(resource_id) for _, resource_id in self.held)


class Clock:
    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def not_sent(insights: Iterable[Insight]) -> InsightOutcome:
    everything = tuple(insights)
    return InsightOutcome((BatchOutcome(1, open=everything, tried=False),) if everything else ())


async def attach(case: HeldCase | Cases, drafts: Iterable[InsightDraft], *, sleep: Sleep) -> InsightOutcome:
    return await send_open(case.add_insights, CASE, not_sent(draft.insight for draft in drafts), sleep=sleep)


def monitors(count: int) -> list[InsightDraft]:
    return [draft(InsightType.MONITOR, str(number), f"/monitors/{number}") for number in range(1, count + 1)]


def numbers(insights: Iterable[Insight]) -> list[int]:
    return [int(insight.resource_id) for insight in insights]


def refused(outcome: InsightOutcome) -> list[int]:
    return numbers(refusal.insight for refusal in outcome.refused)


async def test_any_number_goes_in_requests_of_a_hundred(clock: Clock) -> None:
    cases: list[tuple[int, list[int]]] = [(0, []), (1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])]
    for count, sizes in cases:
        case = HeldCase()
        outcome = await attach(case, monitors(count), sleep=clock.sleep)
        assert case.sizes == sizes
        assert case.numbers == numbers(outcome.done) == list(range(1, count + 1))
        assert outcome.complete
        assert [batch.number for batch in outcome.batches] == list(range(1, len(sizes) + 1))


async def test_the_outcome_knows_the_case_and_sums_up_the_types(clock: Clock) -> None:
    drafts = [*monitors(2), draft(InsightType.INCIDENT, "7", "/incidents/7")]
    outcome = await attach(HeldCase(), drafts, sleep=clock.sleep)
    assert outcome.summary == "2 monitors, 1 incident"
    assert outcome.case
    assert len(outcome.case.insights or ()) == 3


async def test_the_refused_ones_are_found_and_the_others_attached(clock: Clock) -> None:
    case = HeldCase(bad=[7, 150])
    outcome = await attach(case, monitors(200), sleep=clock.sleep)
    assert refused(outcome) == [7, 150]
    assert case.numbers == [number for number in range(1, 201) if number not in {7, 150}]
    assert not outcome.open
    assert outcome.refused[0].problem.detail == "invalid insight"
    assert len(case.sizes) <= 2 + 4 * 7


async def test_a_single_refused_insight_costs_one_request(clock: Clock) -> None:
    case = HeldCase(bad=[1])
    outcome = await attach(case, monitors(1), sleep=clock.sleep)
    assert (refused(outcome), case.sizes) == ([1], [1])


async def test_looking_for_the_refused_ones_ends_and_retry_goes_on_from_there(clock: Clock) -> None:
    case = HeldCase(bad=range(1, 101))
    outcome = await attach(case, monitors(100), sleep=clock.sleep)
    assert len(case.sizes) == 81
    assert not outcome.done
    assert outcome.problems[0].kind is TroubleKind.BAD_REQUEST
    assert sorted(refused(outcome) + numbers(outcome.open)) == list(range(1, 101))
    for _ in range(4):
        outcome = await send_open(case.add_insights, CASE, outcome, sleep=clock.sleep)
    assert (sorted(refused(outcome)), outcome.open) == (list(range(1, 101)), ())


async def test_what_would_stop_every_batch_stops_at_once(clock: Clock) -> None:
    cases: list[tuple[DatadogError, TroubleKind]] = [
        (Unauthorized("no", status=401), TroubleKind.UNAUTHORIZED),
        (Forbidden("no", status=403), TroubleKind.FORBIDDEN),
        (NotFound("no", status=404, detail="case not found"), TroubleKind.NOT_FOUND),
        (NotFound("no", status=404), TroubleKind.NOT_FOUND),
    ]
    for problem, cause in cases:
        case = HeldCase(script=[None, problem])
        outcome = await attach(case, monitors(350), sleep=clock.sleep)
        assert case.sizes == [100, 100]
        assert numbers(outcome.done) == list(range(1, 101))
        assert numbers(outcome.open) == list(range(101, 351))
        assert [batch.tried for batch in outcome.batches] == [True, True, False, False]
        assert [told.kind for told in outcome.problems] == [cause]
        assert not clock.waits


async def test_a_resource_that_is_unknown_is_refused_alone(clock: Clock) -> None:
    missing = NotFound("no", status=404, detail="Signal not found")
    case = HeldCase(script=[missing, None, missing])
    outcome = await attach(case, monitors(2), sleep=clock.sleep)
    assert (numbers(outcome.done), refused(outcome), case.sizes) == ([1], [2], [2, 1, 1])


async def test_other_refusals_are_narrowed_down_too(clock: Clock) -> None:
    for status in (413, 422):
        case = HeldCase(script=[OtherRefusal("no", status=status)])
        outcome = await attach(case, monitors(100), sleep=clock.sleep)
        assert case.sizes == [100, 50, 50]
        assert outcome.complete


async def test_an_unclear_batch_is_repeated_once(clock: Clock) -> None:
    for problem in (NoAnswer("silence"), NotSent("no connection")):
        case = HeldCase(script=[problem])
        outcome = await attach(case, monitors(3), sleep=clock.sleep)
        assert (case.sizes, outcome.complete) == ([3, 3], True)
    assert clock.waits == [1.0, 1.0]


async def test_an_unclear_batch_is_left_open_and_the_next_one_still_tried(clock: Clock) -> None:
    case = HeldCase(script=[NoAnswer("silence"), Unavailable("busy", status=502)])
    outcome = await attach(case, monitors(150), sleep=clock.sleep)
    assert numbers(outcome.open) == list(range(1, 101))
    assert numbers(outcome.done) == list(range(101, 151))
    (problem,) = outcome.problems
    assert "not done twice" in sentence(problem)


async def test_two_unclear_batches_in_a_row_are_enough(clock: Clock) -> None:
    case = HeldCase(script=[NoAnswer("silence")] * 99)
    outcome = await attach(case, monitors(1000), sleep=clock.sleep)
    assert case.sizes == [100] * 4
    assert len(outcome.open) == 1000


async def test_an_unreadable_success_is_a_success(clock: Clock) -> None:
    outcome = await attach(HeldCase(script=[Unreadable("odd")]), monitors(2), sleep=clock.sleep)
    assert outcome.complete
    assert outcome.case is None


def limited(wait: float) -> RateLimited:
    problem = RateLimited("slow down", status=429)
    problem.wait = wait
    return problem


async def test_a_short_rate_limit_is_waited_for(clock: Clock) -> None:
    case = HeldCase(script=[None, limited(12.0)])
    outcome = await attach(case, monitors(101), sleep=clock.sleep)
    assert (outcome.complete, clock.waits) == (True, [12.0])


async def test_a_long_rate_limit_is_told_with_its_time(clock: Clock) -> None:
    case = HeldCase(script=[None, limited(120.0)])
    outcome = await attach(case, monitors(250), sleep=clock.sleep)
    assert not clock.waits
    assert numbers(outcome.open) == list(range(101, 251))
    assert sentence(outcome.problems[0]) == "Datadog asks us to slow down. Retry in 2 minutes."


async def test_a_conflict_is_repeated_and_then_left_to_the_person(clock: Clock) -> None:
    conflict = Conflict("busy", status=409)
    assert (await attach(HeldCase(script=[conflict]), monitors(3), sleep=clock.sleep)).complete
    outcome = await attach(HeldCase(script=[conflict, conflict]), monitors(150), sleep=clock.sleep)
    assert [told.kind for told in outcome.problems] == [TroubleKind.CONFLICT]
    assert numbers(outcome.done) == list(range(101, 151))


async def test_trouble_while_narrowing_down_leaves_the_rest_open(clock: Clock) -> None:
    case = HeldCase(bad=[100], script=[None, None, None, Forbidden("no", status=403)])
    outcome = await attach(case, monitors(100), sleep=clock.sleep)
    assert case.sizes[:3] == [100, 50, 50]
    assert numbers(outcome.done) == list(range(1, 51))
    assert numbers(outcome.open) == list(range(51, 101))


async def test_trouble_after_the_search_has_ended_loses_nothing(clock: Clock) -> None:
    case = HeldCase(bad=range(1, 101), script=[*[None] * 80, Forbidden("no", status=403)])
    outcome = await attach(case, monitors(100), sleep=clock.sleep)
    assert len(case.sizes) == 81
    assert not outcome.done
    assert sorted(refused(outcome) + numbers(outcome.open)) == list(range(1, 101))


async def test_retry_sends_only_what_is_missing_and_tells_of_both(clock: Clock) -> None:
    case = HeldCase(bad=[3])
    await attach(case, monitors(100), sleep=clock.sleep)
    case.script = iter([*[None] * len(case.sizes), Forbidden("no", status=403)])
    first = await attach(case, monitors(150), sleep=clock.sleep)
    assert (refused(first), numbers(first.open)) == ([3], list(range(101, 151)))
    case.sizes.clear()
    both = await send_open(case.add_insights, CASE, first, sleep=clock.sleep)
    assert case.sizes == [50]
    assert numbers(both.done) == [number for number in range(1, 151) if number != 3]
    assert (refused(both), both.open, both.problems) == ([3], (), ())
    assert [batch.number for batch in both.batches] == [1, 2]


async def test_insights_are_removed_the_same_way(clock: Clock) -> None:
    case = HeldCase()
    held = [*(await attach(case, monitors(150), sleep=clock.sleep)).done]
    case.script = iter([None, Forbidden("no", status=403)])
    first = await send_open(case.remove_insights, CASE, not_sent(held[:120]), sleep=clock.sleep)
    assert case.numbers == list(range(101, 151))
    both = await send_open(case.remove_insights, CASE, first, sleep=clock.sleep)
    assert (case.numbers, len(both.done)) == (list(range(121, 151)), 120)


problems: list[Callable[[], DatadogError | None]] = [
    lambda: None,
    lambda: BadRequest("no", status=400),
    lambda: Unauthorized("no", status=401),
    lambda: Forbidden("no", status=403),
    lambda: NotFound("no", status=404, detail="Signal not found"),
    lambda: Conflict("no", status=409),
    lambda: limited(5),
    lambda: limited(500),
    lambda: NotSent("no"),
    lambda: NoAnswer("no"),
    lambda: Unavailable("no", status=500),
    lambda: Unreadable("no"),
]


@given(
    st.integers(0, 230),
    st.sets(st.integers(1, 230), max_size=6),
    st.lists(st.sampled_from(problems).map(lambda make: make()), max_size=12),
)
async def test_every_insight_ends_in_exactly_one_place(
    count: int, bad: set[int], script: list[DatadogError | None]
) -> None:
    case = HeldCase(bad, script)
    outcome = await attach(case, monitors(count), sleep=Clock().sleep)
    told = [*numbers(outcome.done), *refused(outcome), *numbers(outcome.open)]
    assert sorted(told) == list(range(1, count + 1))
    assert set(numbers(outcome.done)) <= set(case.numbers)
    assert bool(outcome.open) == bool(outcome.problems)
    assert len(case.sizes) <= 3 * 2 + 2 * 2 * 40
    settled = await send_open(HeldCase().add_insights, CASE, outcome, sleep=Clock().sleep)
    assert not settled.open
    assert refused(settled) == refused(outcome)
