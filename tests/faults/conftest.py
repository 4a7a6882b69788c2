"""The world of the heart's own tests, for longer trials; and the figures of the trials, told at the end of the run."""

from collections.abc import Callable

import pytest

from tests.faults.figures import Figures
from tests.investigations.conftest import clock, lasting_world, postgres_world
from tests.pg import own_postgres, postgres_url, ready_postgres_url

__all__ = ["clock", "lasting_world", "own_postgres", "postgres_url", "postgres_world", "ready_postgres_url"]

_FIGURES = "figures of a trial"


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[Figures | str], None]:
    """A property of the test: it reaches the end of the run from xdist's workers, too."""
    return lambda figures: record_property(_FIGURES, str(figures))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [each for outcome in ("passed", "failed", "xfailed") for each in terminalreporter.stats.get(outcome, [])]
    told = [text for each in reports if each.when == "call" for name, text in each.user_properties if name == _FIGURES]
    if told:
        terminalreporter.section("what the trials found")
    for text in told:
        terminalreporter.write_line(text)
