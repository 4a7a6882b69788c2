"""What Datadog's webhook may send: our template filled, other set-ups, and every kind of nonsense."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.model import Notice, Transition
from bot.alerts.notices import notice_key, read_notice
from bot.web.datadog_webhook import TEMPLATE, MalformedError

RECEIVED = 1_700_000_100.0
JSON = "application/json"
FULL = {
    "v": 1,
    "monitor_id": "12345",
    "event_id": "8788641826233093636",
    "event_ts_ms": "1700000000123",
    "transition": "Triggered",
    "cycle": "9876543210",
    "aggr": "0a1b2c",
    "priority": "P2",
    "title": "[Triggered on {host:web-1}] Disk almost full",
    "scope": "host:web-1",
    "tags": "monitor, team:core, env:prod,team:core",
    "type": "query_alert_monitor",
    "link": "https://app.datadoghq.com/event/jump_to?event_id=8788641826233093636",
    "snapshot": "https://p.datadoghq.com/snapshot/view/x.png",
    "org_id": "11",
    "hostname": "web-1",
    "text": 'Look "here"\n\nThe monitor\'s value was 97.3 when its query was last evaluated: avg:x > 95',
}
DATADOGS_OWN = {
    "id": "8788641826233093636",
    "event_type": "query_alert_monitor",
    "title": "[Warn on {host:web-1}] Disk almost full",
    "date": "1700000000123",
    "last_updated": "1700000000999",
    "org": {"id": "11", "name": "Acme"},
    "body": "%%%\nIt fills.\n\n**system.disk.in_use** over **host:web-1** was **> 0.9** on average\n\n"
    "[[Monitor Status](https://app.datadoghq.com/monitors/12345?to_ts=1700000300000)]\n%%%",
}


def read(**changes: Any) -> Notice:
    fields = {name: value for name, value in {**FULL, **changes}.items() if value is not None}
    return read_notice(json.dumps(fields).encode(), JSON, received_at=RECEIVED)


def test_our_template_filled_in() -> None:
    assert read() == Notice(
        event_ts=1_700_000_000_123,
        transition=Transition.ALERT,
        word="Triggered",
        monitor_id=12345,
        event_id="8788641826233093636",
        cycle="9876543210",
        group_key="0a1b2c",
        group="host:web-1",
        name="Disk almost full",
        priority=2,
        value="The monitor's value was 97.3 when its query was last evaluated: avg:x > 95",
        tags=("monitor", "team:core", "env:prod"),
        snapshot="https://p.datadoghq.com/snapshot/view/x.png",
        test=False,
        message=str(FULL["text"]),
    )


def test_the_same_as_a_form() -> None:
    form = urlencode(FULL).encode()
    assert read_notice(form, "application/x-www-form-urlencoded", received_at=RECEIVED) == read()


def test_datadogs_own_body_leads_to_its_monitor_by_a_link() -> None:
    notice = read_notice(json.dumps(DATADOGS_OWN).encode(), JSON, received_at=RECEIVED)
    assert (notice.monitor_id, notice.event_id) == (12345, "8788641826233093636")
    assert notice.transition is Transition.WARN
    assert (notice.name, notice.group) == ("Disk almost full", "host:web-1")
    assert "was **> 0.9** on average" in notice.value
    assert notice.event_ts == 1_700_000_000_123


def test_every_transition() -> None:
    cases: list[tuple[str, Transition]] = [
        ("Triggered", Transition.ALERT),
        ("Re-Triggered", Transition.ALERT),
        ("re-triggered", Transition.ALERT),
        ("Warn", Transition.WARN),
        ("Re-Warn", Transition.WARN),
        ("No Data", Transition.NO_DATA),
        ("Re-No Data", Transition.NO_DATA),
        ("no_data", Transition.NO_DATA),
        ("Renotify", Transition.RENOTIFY),
        ("Recovered", Transition.RECOVERED),
        ("Warn Recovered", Transition.RECOVERED),
        ("Quantum", Transition.OTHER),
    ]
    for word, transition in cases:
        notice = read(transition=word)
        assert notice.transition is transition
        assert notice.word == word


def test_an_unknown_transition_goes_by_its_own_word() -> None:
    assert read(transition="Quantum").facts.transition == "quantum"
    assert read(transition="Re-Warn").facts.transition == "warn"


def test_without_a_transition_the_title_or_the_type_tells() -> None:
    assert read(transition="", title="[No Data on {x:1}] D").transition is Transition.NO_DATA
    assert read(transition=None, title="D", alert_type="success").transition is Transition.RECOVERED
    assert read(transition=None, title="D").transition is Transition.OTHER


def test_variables_datadog_did_not_know_count_as_empty() -> None:
    notice = read(cycle="$ALERT_CYCLE_KEY", priority="$ALERT_PRIORITY", snapshot="$SNAPSHOT", tags="$TAGS[team]")
    assert (notice.cycle, notice.priority, notice.snapshot, notice.tags) == ("", None, "", ())


def test_a_body_with_nothing_but_empty_values_is_no_alert() -> None:
    with pytest.raises(MalformedError, match="no monitor, no event and no title"):
        read_notice(json.dumps(dict.fromkeys(TEMPLATE, "")).encode(), JSON, received_at=RECEIVED)


def test_a_test_notification_says_so() -> None:
    notice = read(title="[TEST] [Triggered on {host:web-1}] Disk almost full", event_id="")
    assert notice.test
    assert notice.name == "Disk almost full"


def test_times_in_every_shape() -> None:
    cases: list[tuple[object, int]] = [
        ("1700000000123", 1_700_000_000_123),
        ("1700000000", 1_700_000_000_000),
        (1700000000123, 1_700_000_000_123),
        ("1700000000.5", 1_700_000_000_000),
        ("", 1_700_000_100_000),
        ("yesterday", 1_700_000_100_000),
        ("99999999999999999999", 1_700_000_100_000),
        ("-5", 1_700_000_100_000),
    ]
    for told, ms in cases:
        assert read(event_ts_ms=told).event_ts == ms


def test_priorities() -> None:
    cases: list[tuple[str, int | None]] = [("P1", 1), ("p5", 5), ("3", 3), ("normal", None), ("P6", None)]
    for told, priority in cases:
        assert read(priority=told).priority == priority


def test_a_monitor_id_that_is_none_is_left_out() -> None:
    unusable: list[object] = ["", "abc", "-1", "0", "1.5", "9" * 19, "²", None, [], {}, True]
    for wrong in unusable:
        assert read(monitor_id=wrong).monitor_id == 0


def test_what_a_database_does_not_take_is_dropped() -> None:
    notice = read(title="[Triggered] a\x00b\ud800c", tags=["x\x00", 3, None, {}, ""])
    assert notice.name == "abc"
    assert notice.tags == ("x", "3")


def test_the_group_of_a_monitor_without_groups_is_empty() -> None:
    assert read(title="[Triggered] Disk", scope="*").group == ""


def test_the_order_of_tags_in_a_scope_does_not_make_another_group() -> None:
    keys = {read(aggr="", scope=scope).group_key for scope in ("host:a,env:b", "env:b, host:a")}
    assert len(keys) == 1


def test_a_notification_has_one_key_however_often_it_comes() -> None:
    assert notice_key("default", read()) == notice_key("default", read(text="edited", snapshot=""))
    others = {
        notice_key("default", read(transition="Recovered")),
        notice_key("default", read(event_id="1")),
        notice_key("other", read()),
        notice_key("default", read()),
    }
    assert len(others) == 4


def test_without_an_event_id_the_content_makes_the_key() -> None:
    bare = {"event_id": "", "link": ""}
    assert notice_key("default", read(**bare)) == notice_key("default", read(**bare))
    assert notice_key("default", read(**bare, event_ts_ms="1700000009999")) != notice_key("default", read(**bare))


def test_a_body_that_is_no_alert_is_refused_without_repeating_it() -> None:
    for body in (
        b"",
        b"null",
        b"[]",
        b"1",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"monitor_id":' + b"1" * 9999 + b"}",
        b"NaN",
    ):
        with pytest.raises(MalformedError) as refused:
            read_notice(body, JSON, received_at=RECEIVED)
        assert str(refused.value) in {
            "the body is not JSON",
            "the body is not a JSON object",
            "the body names no monitor, no event and no title",
        }


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "id"]), inner, max_size=2),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from([*TEMPLATE, "id", "date", "body", "alert_type"]), anything, max_size=6))
def test_any_values_are_read_or_refused(fields: dict[str, Any]) -> None:
    try:
        notice = read_notice(json.dumps(fields).encode(), JSON, received_at=RECEIVED)
    except MalformedError:
        return
    json.dumps([notice.name, notice.tags, notice.value]).encode("utf-8")
    assert 0 <= notice.monitor_id < 2**63
    assert notice.order == notice.order
    assert notice_key("default", notice)


@given(st.binary(max_size=200), st.sampled_from([JSON, "application/x-www-form-urlencoded", "text/plain", ""]))
def test_any_bytes_are_read_or_refused(body: bytes, content_type: str) -> None:
    with suppress(MalformedError):
        assert read_notice(body, content_type, received_at=RECEIVED).event_ts
