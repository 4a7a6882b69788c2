"""Starts that lost their answers, in every order in which their runs can show up: nobody ever gets another's."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from bot.investigations.whose_run import OpenStart, run_of

SETTLE = 20
GIVEN_UP = 3 * SETTLE


@dataclass(frozen=True)
class Start:
    listed_at: int
    lands_in: int | None  # None: it never arrived at Datadog

    @property
    def lands_at(self) -> int | None:
        return None if self.lands_in is None else self.listed_at + 1 + self.lands_in


STARTS = st.lists(st.builds(Start, st.integers(0, 200), st.none() | st.integers(0, SETTLE - 2)), min_size=1, max_size=6)


def shown_at(now: int, starts: list[Start]) -> frozenset[str]:
    return frozenset(f"run {n}" for n, each in enumerate(starts) if each.lands_at is not None and each.lands_at <= now)


def as_known_at(now: int, starts: list[Start]) -> list[OpenStart]:
    return [
        OpenStart(
            number,
            shown_at(each.listed_at, starts),
            created_at=each.listed_at,
            finished_at=each.listed_at + GIVEN_UP if each.listed_at + GIVEN_UP <= now else None,
        )
        for number, each in enumerate(starts)
        if each.listed_at < now
    ]


@given(STARTS, st.integers(0, 400))
def test_nobody_gets_another_s_run(starts: list[Start], now: int) -> None:
    known = as_known_at(now, starts)
    for start in known:
        assert run_of(start.id, known, shown_at(now, starts)) in {None, f"run {start.id}"}


@given(STARTS)
def test_starts_far_apart_all_find_theirs(starts: list[Start]) -> None:
    apart = [Start(number * 2 * GIVEN_UP, each.lands_in) for number, each in enumerate(starts)]
    now = apart[-1].listed_at + GIVEN_UP
    known = as_known_at(now, apart)
    for start in known:
        landed = apart[start.id].lands_in is not None
        assert run_of(start.id, known, shown_at(now, apart)) == (f"run {start.id}" if landed else None)


def test_what_is_claimed_or_was_there_before_is_not_ours() -> None:
    start = OpenStart(1, frozenset({"old"}), 0)
    assert run_of(1, [start], frozenset({"old"})) is None
    assert run_of(1, [start], frozenset({"old", "new"})) == "new"
    assert run_of(1, [start], frozenset({"new", "somebody's"})) is None
