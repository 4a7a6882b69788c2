"""A time of the week: how people write it, and which week has just ended by the clock there."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.weekly import WeeklyTime, read_weekly, weekly_here

HOUR, DAY = 3600.0, 24 * 3600.0


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("monday 09:00", "monday 09:00 UTC"),
        ("  Fri  7:30  Europe/Vienna ", "friday 07:30 Europe/Vienna"),
        ("THURSDAY 23:59 America/Port-au-Prince", "thursday 23:59 America/Port-au-Prince"),
        ("sunday 00:00 Etc/GMT+8", "sunday 00:00 Etc/GMT+8"),
    ],
)
def test_as_people_write_it(written: str, kept: str) -> None:
    assert weekly_here(written) == kept
    assert weekly_here(kept) == kept


@pytest.mark.parametrize(
    "written", ["", "monday", "09:00", "monday 24:00", "monday 9:60", "mo 09:00", "someday 09:00", "monday 09:00 Mars"]
)
def test_what_is_none_says_how_to_write_it(written: str) -> None:
    with pytest.raises(ValueError, match="write it like monday 09:00 Europe/Vienna"):
        weekly_here(written)


def test_a_week_with_a_change_of_the_clock_is_an_hour_longer() -> None:
    monday = datetime(2026, 10, 26, 9, 0, tzinfo=ZoneInfo("Europe/Vienna")).timestamp()
    since, until = read_weekly("monday 09:00 Europe/Vienna").week(monday + 5)
    assert (until, until - since) == (monday, 7 * DAY + HOUR)
    assert read_weekly("monday 09:00 Europe/Vienna").week(monday - 5)[1] == since


@given(
    st.builds(
        WeeklyTime,
        st.integers(0, 6),
        st.integers(0, 23),
        st.integers(0, 59),
        st.sampled_from(["UTC", "Europe/Vienna", "Asia/Kolkata"]),
    ),
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001  given its zone below
)
def test_the_week_has_ended_and_the_next_one_has_not(time: WeeklyTime, moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC).timestamp()
    since, until = time.week(now)
    assert since < until <= now < until + 7 * DAY + HOUR + 1
    assert abs(until - since - 7 * DAY) <= HOUR
    assert read_weekly(str(time)) == time
