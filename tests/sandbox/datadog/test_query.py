"""The search syntax of events and cases, and the ways to write a moment."""

import contextlib
import re
from datetime import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.sandbox.datadog import query, times

CASE = {"status": ["OPEN"], "priority": ["P2"], "project": ["SRE"], "@monitor.id": ["12"], "service": ["web-store"]}
TITLE = "Kubernetes pods keep restarting"


def found(text: str) -> bool:
    def facet(key: str, value: str) -> bool:
        return any(query.same(value, held) for held in CASE.get(key, []))

    return query.parse(text)(facet, lambda words: words.lower() in TITLE.lower())


def test_what_is_found() -> None:
    cases: list[tuple[str, bool]] = [
        ("", True),
        ("*", True),
        ("status:open", True),
        ("status:closed", False),
        ("-status:closed", True),
        ("NOT status:closed", True),
        ("status:open priority:P2", True),
        ("status:open AND priority:P1", False),
        ("status:closed OR priority:P2", True),
        ("priority:(P2 OR P3)", True),
        ("priority:(P4 OR P5)", False),
        ("-priority:(P4 OR P5) project:SRE", True),
        ("(status:closed OR status:open) AND -project:WEB", True),
        ("status:closed OR status:open AND project:WEB", False),
        ('"kubernetes pods"', True),
        ('"pods kubernetes"', False),
        ("kubernetes restarting", True),
        ("kubernetes -pods", False),
        ("@monitor.id:12", True),
        ("@monitor.id:123", False),
        ("monitor_id:12", False),
        ('service:"web-store"', True),
        ("service:web*", True),
        ("service:*[x]*", False),
    ]
    for text, expected in cases:
        assert found(text) is expected


def test_what_is_no_query() -> None:
    for text in ("(", ")", "status:open OR", "priority:(P1 OR", "a)", "AND", '"', 'a "b'):
        with pytest.raises(query.BadQuery):
            query.parse(text)


@given(st.text(alphabet=' ()"*:-@ORANDabc123\\[]', max_size=40))
@example("-(-a OR b:(c))")
def test_any_text_is_a_query_or_a_bad_one(text: str) -> None:
    with contextlib.suppress(query.BadQuery):
        assert found(text) in {True, False}


def test_date_math() -> None:
    cases: list[tuple[str, float | None]] = [
        ("now", 1_795_000_000.0),
        ("now-15m", 1_795_000_000.0 - 900),
        ("now-7d", 1_795_000_000.0 - 7 * 86400),
        ("now+1h", 1_795_000_000.0 + 3600),
        ("1795000000250", 1_795_000_000.25),
        ("2026-11-18T10:26:40Z", 1_794_997_600.0),
        ("2026-11-18T11:26:40+01:00", 1_794_997_600.0),
        ("yesterday", None),
        ("now-15", None),
        ("", None),
    ]
    for text, moment in cases:
        assert times.parse_math(text, 1_795_000_000.0) == moment


@given(st.floats(1e9, 2e9))
def test_moments_are_written_as_recorded(ts: float) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", times.micros(ts))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,8}[1-9]Z", times.nanos(ts))
    assert abs(datetime.fromisoformat(times.micros(ts)).timestamp() - ts) < 1e-3
    assert times.offset(ts).endswith("+00:00")


def test_nine_digits_are_usual() -> None:
    digits = [len(times.nanos(1_795_000_000 + n / 7).partition(".")[2]) - 1 for n in range(1, 50)]
    assert max(digits) == 9
    assert min(digits) < 9
