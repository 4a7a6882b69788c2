"""The order in which tests begin: those that take long first, shared out among the workers, so that none is left alone with one at the end.

xdist gives each worker as many tests as the others, in this order, and lets whoever is done take from the end of what others have left.
"""

from pathlib import Path

import pytest

_TESTS = Path(__file__).parent

# One lot for each worker that a machine of two cores has; what shares a browser or a demo stays together.
LONG = (
    ("browser",),
    (
        "e2e/test_every_gate.py",
        "e2e/test_between_workspaces.py",
        "e2e/test_slack_limits.py",
        "e2e/test_years_of_history.py",
        "e2e/test_alerts_storm.py",
        "investigations/test_misfortunes.py",
        "investigations/test_watch_of_many.py",
        "workspaces/test_departures.py",
    ),
    ("faults", "sandbox/playground", "cli", "benchmarks"),
)


def long_first(items: list[pytest.Item]) -> list[pytest.Item]:
    lots: list[list[pytest.Item]] = [[] for _ in LONG]
    others: list[pytest.Item] = []
    for item in items:
        which = _lot(item.path)
        (others if which is None else lots[which]).append(item)
    ordered: list[pytest.Item] = []
    for number, lot in enumerate(lots, 1):
        ordered += lot
        taken = max(len(items) * number // len(lots) - len(ordered), 0)
        ordered += others[:taken]
        others = others[taken:]
    return ordered + others


def _lot(path: Path) -> int | None:
    inside = path.relative_to(_TESTS)
    return next((which for which, lot in enumerate(LONG) for each in lot if inside.is_relative_to(each)), None)
