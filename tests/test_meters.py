"""What the bot counts: names, labels, and what is remembered between two moments."""

import subprocess
import sys
import time

import pytest

from bot import meters
from bot.meters import Awaited, Counter, Histogram, Meter
from tests.clock import Clock


def test_a_start_does_not_import_the_library() -> None:
    code = "import sys, bot.app; print('prometheus_client' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert told.stdout == "False\n"


def test_the_most_of_a_budget_is_that_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    meters.budget_used(2, 4)
    meters.budget_used(1, 10)
    meters.budget_used(7, None)
    assert meters.most_of_a_budget() == 0.5
    now[0] += meters.DAY
    assert meters.most_of_a_budget() == 0.0
    meters.budget_used(0, 4)


def test_names_and_labels_are_such_as_prometheus_takes() -> None:
    for meter in Meter.every:
        assert meter.name.replace("_", "").isalpha()
        assert meter.meaning.endswith(".")
        assert not {"workspace", "channel", "person", "org", "ref"} & set(meter.labels)
        assert not isinstance(meter, Counter) or not meter.name.endswith("_total")
        assert not isinstance(meter, Histogram) or list(meter.buckets) == sorted(meter.buckets)


def test_what_is_awaited_is_known_once_and_only_so_many() -> None:
    clock = Clock()
    waits = Awaited(most=2, clock=clock)
    waits.begin("first", "C1", age=1.5)
    clock.now += 2
    assert waits.end("first", "C1") == 3.5
    assert waits.end("first", "C1") is None
    for name in ("second", "third", "fourth"):
        waits.begin(name)
    assert waits.end("second") is None
    assert waits.end("fourth") == 0.0


def test_a_histogram_counts_what_is_within_a_bucket() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Meter, "every", [])
        seconds = Histogram("trial_seconds", "A trial.", ("kind",), buckets=(1.0, 2.0))
    for each in (0.5, 1.0, 1.5, 9.0):
        seconds.observe(each, "a")
    assert (seconds.counts[("a",)], seconds.sums[("a",)]) == ([2, 1, 1], 12.0)
