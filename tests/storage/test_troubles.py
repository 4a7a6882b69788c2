"""What the log says of trouble in the background: enough to act on, never a flood."""

import pytest
from sqlalchemy.exc import OperationalError

from bot.storage.troubles import TOLD_EVERY, Troubles
from tests.clock import Clock


def away() -> OperationalError:
    return OperationalError("SELECT what people wrote", {}, ConnectionRefusedError("the words of a driver"))


@pytest.fixture
def troubles(clock: Clock) -> Troubles:
    return Troubles(clock)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    told = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return told


def test_an_hour_without_a_database_is_a_line_a_minute(
    troubles: Troubles, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3600):
        for who in ("poster", "poll worker", "sweep"):
            troubles.met(who, away())
        clock.wind(1)
    told = lines(caplog)
    assert told[0] == "poster: ConnectionRefusedError"
    assert 55 <= len(told) <= 62
    assert told[1].endswith("times more")
    assert len("\n".join(told)) < 10_000
    assert "wrote" not in "".join(told)
    assert "driver" not in "".join(told)


def test_its_end_is_told_once_everybody_works_again(
    troubles: Troubles, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for who in ("poster", "sweep"):
        troubles.met(who, away())
    clock.wind(90)
    lines(caplog)
    troubles.over("poster")
    assert lines(caplog) == []
    troubles.over("sweep")
    assert lines(caplog) == ["sweep works again, after 2 failures in 90 s: ConnectionRefusedError"]
    troubles.met("poster", away())
    assert lines(caplog) == ["poster: ConnectionRefusedError"]


def test_what_nobody_expected_shows_its_traceback_once(
    troubles: Troubles, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(10):
        try:
            dict[str, int]()["a mistake of ours"]
        except KeyError as error:
            troubles.met("poster", error)
        clock.wind(TOLD_EVERY / 5)
    assert [bool(record.exc_info) for record in caplog.records] == [True, False]
