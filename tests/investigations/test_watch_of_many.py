"""A look at thousands in flight: how few requests it takes, whatever the list's order, and that nobody waits for ever."""

import asyncio
import random
from dataclasses import dataclass, field
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.errors import RateLimited, Unavailable
from bot.datadog.investigations import InvestigationItem, InvestigationPage
from bot.investigations import watch
from bot.investigations.watch import Watch
from tests.clock import Clock

POLL = 15.0


@dataclass(frozen=True)
class Row:
    age: float
    overdue: bool = False


@dataclass
class Datadog:
    """A list in any order, with what others run in it, which may hide some runs and shift while it is read."""

    clock: Clock
    listed: list[tuple[str, str]] = field(default_factory=list)  # id and status
    size: int = 100
    shifts: random.Random | None = None
    broken: frozenset[str] = frozenset()
    lets_in: float = float("inf")  # requests a look
    pages: int = 0
    fetched: list[str] = field(default_factory=list)
    _asked: int = 0

    def _arrives(self) -> None:
        self._asked += 1
        if self._asked > self.lets_in:
            raise RateLimited("429", status=429)

    async def page(self, offset: int = 0, limit: int = 100) -> InvestigationPage:
        await asyncio.sleep(0)
        self._arrives()
        self.pages += 1
        if self.shifts is not None and self.shifts.random() < 0.3:
            self.listed.insert(self.shifts.randrange(len(self.listed) + 1), (f"new {self.pages}", "running"))
        shown = self.listed[offset : offset + min(limit, self.size)]
        items = tuple(InvestigationItem(each, "", status) for each, status in shown)
        return InvestigationPage(items, len(self.listed), len(items))

    async def fetch(self, run: str) -> None:
        await asyncio.sleep(0)
        self._arrives()
        self.fetched.append(run)
        if run in self.broken:
            raise Unavailable("502", status=502)

    async def is_looked_at(self, by: Watch, waiting: dict[str, Row]) -> float:
        self._asked = 0
        try:
            return await by.look(self, waiting, self.fetch)
        except (RateLimited, Unavailable):
            return 0.0
        finally:
            self.clock.wind(POLL)


@pytest.fixture
def datadog(clock: Clock) -> Datadog:
    return Datadog(clock)


def running(number: int, name: str = "run") -> list[tuple[str, str]]:
    return [(f"{name} {each}", "in progress") for each in range(number)]


def rows(listed: list[tuple[str, str]], age: float = 60.0) -> dict[str, Row]:
    return {run: Row(age) for run, _ in listed}


@pytest.mark.parametrize("newest_first", [True, False])
async def test_ten_thousand_are_a_hundred_pages_and_less_than_four_hundred_requests_a_minute(
    datadog: Datadog, newest_first: bool
) -> None:
    ours, others = running(10_000), running(20_000, "somebody's")
    datadog.listed = [*ours, *others] if newest_first else [*others, *ours]
    rest = await datadog.is_looked_at(Watch(datadog.clock), rows(ours))
    assert datadog.pages <= 100 + (1 if newest_first else 8)
    assert datadog.fetched == []
    assert datadog.pages * 60 / max(rest, POLL) <= 400


async def test_what_the_list_hides_is_fetched_by_turns(datadog: Datadog) -> None:
    hidden = running(300, "hidden")
    datadog.listed = running(50)
    by, waiting = Watch(datadog.clock), rows([*datadog.listed, *hidden])
    for number in range(1, 5):
        await datadog.is_looked_at(by, waiting)
        assert len(datadog.fetched) <= number * watch.MOST_UNSEEN
    assert set(datadog.fetched) == {run for run, _ in hidden}
    assert len(datadog.fetched) < 4 * watch.MOST_UNSEEN + 1


async def test_who_runs_out_of_time_is_fetched_before_that(datadog: Datadog) -> None:
    datadog.listed = [(run, "conclusive") for run, _ in running(1200)]
    waiting = rows(datadog.listed) | {"run 1199": Row(1.0, overdue=True)}
    await datadog.is_looked_at(Watch(datadog.clock), waiting)
    assert len(datadog.fetched) == watch.MOST_ENDED
    assert "run 1199" in datadog.fetched


async def test_a_limit_that_lets_in_less_than_one_look_ends_it_some_turns_later(datadog: Datadog) -> None:
    datadog.listed, datadog.lets_in = running(2_000), 7
    datadog.listed[1_990:] = [(run, "conclusive") for run, _ in datadog.listed[1_990:]]
    by, waiting = Watch(datadog.clock), rows(datadog.listed)
    for _ in range(6):
        await datadog.is_looked_at(by, waiting)
    assert {run for run, status in datadog.listed if status == "conclusive"} <= set(datadog.fetched)


@given(
    seed=st.integers(),
    number=st.integers(1, 40),
    others=st.integers(0, 60),
    hidden=st.floats(0, 1),
    new_ones=st.integers(0, 4),
    lets_in=st.one_of(st.just(1_000), st.integers(1, 12)),
)
async def test_whoever_has_ended_is_fetched_at_last(
    seed: int, number: int, others: int, hidden: float, new_ones: int, lets_in: int
) -> None:
    dice, clock = random.Random(seed), Clock(1000.0)
    ours = [(f"run {each}", dice.choice(["running", "conclusive", "a new word"])) for each in range(number)]
    shown = [run for run in ours if dice.random() >= hidden]
    listed = [*shown, *running(others, "somebody's")]
    dice.shuffle(listed)
    broken = frozenset(run for run, _ in ours if dice.random() < 0.2)
    datadog = Datadog(clock, listed, size=5, shifts=dice, broken=broken, lets_in=lets_in)
    born = dict.fromkeys((run for run, _ in ours), 0.0)
    unseen = {run for run, status in ours if status != "running"} | {run for run, _ in set(ours) - set(shown)}
    with patch.multiple(watch, MOST_ENDED=4, MOST_UNSEEN=3, MOST_PAGES=30):
        requests_a_look = 30 + 4 + 3
        looks = (len(unseen) // 3 + 2) * 2
        by = Watch(clock)
        for turn in range(looks * (requests_a_look // lets_in + 1)):
            born |= {f"late {turn} {each}": clock.now for each in range(new_ones)}
            waiting = {run: Row(clock.now - at + 60) for run, at in born.items()}
            await datadog.is_looked_at(by, waiting)
    assert unseen <= set(datadog.fetched)
