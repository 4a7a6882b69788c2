"""What this process counts of itself, each with its meaning. To count is one addition; who wants to see it asks `/metrics`.

A label's values are few and known: never a workspace, a channel, a person or anything that others wrote.
"""

import bisect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

PREFIX = "bits_bot_"
DAY = 86_400

Labels = tuple[str, ...]

_QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)
_MINUTES = (30.0, 60.0, 120.0, 180.0, 300.0, 480.0, 600.0, 900.0, 1_800.0, 2_700.0)


@dataclass(eq=False)
class Meter:
    name: str
    meaning: str
    labels: Labels = ()

    kind: ClassVar[str]
    every: ClassVar[list["Meter"]] = []

    def __post_init__(self) -> None:
        self.every.append(self)


@dataclass(eq=False)
class Counter(Meter):
    kind = "counter"
    values: dict[Labels, float] = field(default_factory=dict, init=False)

    def add(self, *labels: str, by: float = 1.0) -> None:
        self.values[labels] = self.values.get(labels, 0.0) + by


@dataclass(eq=False)
class Gauge(Meter):
    """Set right before it is read."""

    kind = "gauge"
    values: dict[Labels, float] = field(default_factory=dict, init=False)

    def replace(self, values: dict[Labels, float]) -> None:
        self.values = values


@dataclass(eq=False)
class Histogram(Meter):
    kind = "histogram"
    buckets: tuple[float, ...] = field(default=_SECONDS, kw_only=True)
    counts: dict[Labels, list[int]] = field(default_factory=dict, init=False)  # the last one: above every bucket
    sums: dict[Labels, float] = field(default_factory=dict, init=False)

    def observe(self, seconds: float, *labels: str) -> None:
        counts = self.counts.setdefault(labels, [0] * (len(self.buckets) + 1))
        counts[bisect.bisect_left(self.buckets, seconds)] += 1
        self.sums[labels] = self.sums.get(labels, 0.0) + seconds

    @contextmanager
    def taken(self, *labels: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.observe(time.perf_counter() - began, *labels)


STARTS = Counter("starts", "What became of each ask to investigate, by the way it came in.", ("way", "result"))
ENDED = Counter("investigations_ended", "Investigations that came to an end, by how they ended.", ("state",))
UNFINISHED = Gauge("investigations", "Investigations that have not ended, of all replicas.", ("state",))
CARD_TIME = Histogram("card_seconds", "From what a person asked for, written down, to its card in Slack.")
CONCLUSION_TIME = Histogram(
    "conclusion_seconds", "From an investigation's start to its conclusions, as seen by a look.", buckets=_MINUTES
)
DELIVERIES = Counter(
    "deliveries", "Tries to post or edit a message in Slack, by what came of them.", ("kind", "result")
)
CALLS = Counter("platform_calls", "Calls to Slack and Datadog, by their outcome.", ("platform", "result"))
RATE_WAITS = Counter("rate_limit_wait_seconds", "Seconds a platform's rate limits told us to wait.", ("platform",))
QUEUE = Gauge("queue_depth", "Rows that are due and that nobody works on, of all replicas.", ("queue",))
QUEUE_AGE = Gauge("queue_oldest_seconds", "For how long the oldest of these rows has been due.", ("queue",))
POLL_TIME = Histogram("poll_round_seconds", "One look at an organisation's running investigations.")
WEBHOOKS = Counter("webhooks", "Notifications of Datadog's webhook, by what we answered.", ("outcome",))
BUDGET = Gauge(
    "budget_used_ratio", "Of today's budget, what the workspace has used that has used most; 1 is all of it."
)
DATABASE_TIME = Histogram("database_seconds", "One statement in the database.", ("statement",), buckets=_QUICK)
FAILURES = Counter("background_failures", "Rounds and tasks in the background that failed.", ("who",))
TROUBLED = Gauge("background_troubled", "Loops in the background that fail or stand still.")
READY = Gauge("ready", "Whether this part of /readyz is well: 1 or 0.", ("part",))


@dataclass
class Awaited:
    """Since when something that began here is awaited: what began in another process has no time to compare."""

    most: int = 1_000
    clock: Callable[[], float] = time.monotonic
    _since: dict[Labels, float] = field(default_factory=dict, init=False)

    def begin(self, *key: str, age: float = 0.0) -> None:
        if len(self._since) >= self.most:
            self._since.pop(next(iter(self._since)))
        self._since[key] = self.clock() - age

    def end(self, *key: str) -> float | None:
        since = self._since.pop(key, None)
        return None if since is None else self.clock() - since


CARDS_AWAITED = Awaited()


@dataclass
class _Day:
    number: int = 0
    most: float = 0.0


_today = _Day()


def budget_used(used: int, limit: int | None) -> None:
    """The highest share of the (UTC) day, in this process."""
    day = int(time.time() // DAY)
    if day != _today.number:
        _today.number, _today.most = day, 0.0
    if limit:
        _today.most = max(_today.most, used / limit)


def most_of_a_budget() -> float:
    return _today.most if _today.number == int(time.time() // DAY) else 0.0
