"""`make bench`: what people wait for and what waiting costs, each beside its reference in the same run. Figures, never a test.

`ARGS="-k clicks"` runs some, `ARGS="--runs 5"` more often. All figures are kept in `build/bench.json`.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

from tests.benchmarks import clicks, datadog_client, pure, waiting, webhooks
from tests.benchmarks.outside import Figures

Benchmark = Callable[[Path], Awaitable[Figures]]

KEPT_IN = Path("build/bench.json")
# those that run longest only once: what they tell is a mean of many already
BENCHMARKS: dict[Benchmark, int] = {
    clicks.clicks_that_start: 3,
    clicks.clicks_at_a_rate: 1,
    clicks.clicks_on_what_runs: 3,
    clicks.one_investigation: 2,
    waiting.start_and_idle: 2,
    datadog_client.against_the_official_client: 1,
    waiting.a_thousand_in_flight: 1,
    waiting.ten_thousand_in_flight: 1,
    webhooks.webhooks_at_once: 3,
    pure.markdown: 3,
    pure.recognition: 3,
    waiting.years_of_history: 1,
    waiting.conclusions_to_many: 1,
}


async def measured(benchmark: Benchmark, runs: int) -> dict[str, list[tuple[float, float | None]]]:
    found: dict[str, list[tuple[float, float | None]]] = {}
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="bits-bench-") as folder:
            for name, pair in (await benchmark(Path(folder))).items():
                found.setdefault(name, []).append(pair)
    return found


def line(name: str, pairs: list[tuple[float, float | None]]) -> str:
    ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs if pair[1] is not None]
    ratio = f"{median(ours) / median(theirs):8.2f} x" if theirs and median(theirs) else " " * 10
    return f"{_spread(ours)} {_spread(theirs)} {ratio}  {name}"


def _spread(values: list[float]) -> str:
    if not values:
        return " " * 32
    told = f"{median(values):10.2f}"
    return f"{told} ({min(values):.2f} to {max(values):.2f})".ljust(32) if len(values) > 1 else told.ljust(32)


def main() -> None:
    reader = argparse.ArgumentParser(prog="make bench", description=__doc__)
    reader.add_argument("-k", default="", metavar="WORD", help="only those whose name holds this")
    reader.add_argument("--runs", type=int, help="how often each is run")
    asked = reader.parse_args()
    figures: dict[str, list[tuple[float, float | None]]] = {}
    load, began = os.getloadavg()[0], time.perf_counter()
    print(f"{'ours: median (range)':32} {'the reference':32} {'ratio':>10}  of a machine with a load of {load:.1f}")
    for benchmark, runs in BENCHMARKS.items():
        if asked.k in benchmark.__name__:
            found = asyncio.run(measured(benchmark, asked.runs or runs))
            figures |= found
            for name, pairs in found.items():
                print(line(name, pairs), flush=True)
    KEPT_IN.parent.mkdir(exist_ok=True)
    told = {"at": time.time(), "seconds": time.perf_counter() - began, "load": [load, os.getloadavg()[0]]}
    KEPT_IN.write_text(json.dumps(told | {"cores": os.cpu_count(), "figures": figures}, indent=1))


if __name__ == "__main__":
    main()
