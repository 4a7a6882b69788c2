"""That `make bench` runs: a few clicks, and what it keeps of them. How long they take is nobody's business here."""

import json
import sys
from pathlib import Path

import pytest

from tests.benchmarks import __main__ as bench
from tests.benchmarks import clicks
from tests.benchmarks.outside import Figures

pytestmark = pytest.mark.timeout(300)  # real processes, which start as slowly as the machine lets them


async def few(folder: Path) -> Figures:
    return await clicks.clicks_that_start(folder, lone=1, at_once=2, warm=1)


def test_a_few_clicks_are_measured_beside_their_references_and_kept(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "BENCHMARKS", {few: 1, clicks.clicks_at_a_rate: 1})
    monkeypatch.setattr(sys, "argv", ["bench", "-k", "few"])
    bench.main()
    kept = json.loads(Path("build/bench.json").read_text())["figures"]
    assert len(kept) == 3
    assert all(ours > 0 and theirs > 0 for pairs in kept.values() for ours, theirs in pairs)
    said = capfd.readouterr().out
    assert all(name in said for name in kept)


def test_each_line_shows_medians_with_their_range_and_the_ratio() -> None:
    told = bench.line("clicks: a second", [(10.0, 20.0), (30.0, 20.0), (20.0, 40.0)])
    assert " ".join(told.split()) == "20.00 (10.00 to 30.00) 20.00 (20.00 to 40.00) 1.00 x clicks: a second"
    assert "x" not in bench.line("idle", [(10.0, None)])
