"""`/metrics`, in Prometheus' own text. Whoever asks often gets the same text again: reading costs the database a little."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

from aiohttp import web

from bot.meters import PREFIX, Counter, Gauge, Histogram, Meter

PATH = "/metrics"
FRESH_FOR = 5.0  # seconds


class Metrics:
    def __init__(
        self,
        read: Callable[[], Awaitable[None]],
        *,
        fresh_for: float = FRESH_FOR,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read  # sets the gauges
        self._fresh_for = fresh_for
        self._clock = clock
        self._turn = asyncio.Lock()
        self._text = b""
        self._until = 0.0

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get(PATH, self.show)]

    async def show(self, _request: web.Request) -> web.Response:
        async with self._turn:
            if self._clock() >= self._until:
                await self._read()
                self._text = as_text()
                self._until = self._clock() + self._fresh_for
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body=self._text, headers=headers)


class _Ours:
    """What the library asks for what there is to show."""

    def collect(self) -> Iterator[Any]:
        return map(_family, Meter.every)


def as_text() -> bytes:
    # imported by whoever is scraped, and not at a start
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Ours())
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def _family(meter: Meter) -> Any:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily  # noqa: PLC0415

    about = (PREFIX + meter.name, meter.meaning)
    family: Any
    match meter:
        case Counter(values=values):
            family = CounterMetricFamily(*about, labels=meter.labels)
            for labels, value in sorted(values.items()):
                family.add_metric(labels, value)
        case Gauge(values=values):
            family = GaugeMetricFamily(*about, labels=meter.labels)
            for labels, value in sorted(values.items()):
                family.add_metric(labels, value)
        case Histogram():
            family = HistogramMetricFamily(*about, labels=meter.labels)
            for labels, counts in sorted(meter.counts.items()):
                family.add_metric(labels, _cumulated(meter, counts), sum_value=meter.sums[labels])
    return family


def _cumulated(histogram: Histogram, counts: list[int]) -> list[tuple[str, float]]:
    total, told = 0, []
    for bucket, count in zip([*map(str, histogram.buckets), "+Inf"], counts, strict=True):
        total += count
        told.append((bucket, float(total)))
    return told
