"""Finding the alert event behind a monitor or behind an event id."""

from typing import Any

import httpx
import pytest

from bot.datadog.client import Datadog
from bot.datadog.errors import NoAnswer, Unavailable
from bot.datadog.monitors import AlertEvent, Events
from tests.datadog.conftest import Wire


@pytest.fixture
def events(datadog: Datadog) -> Events:
    return Events(datadog)


def hit(number: int, transition: str | None = "alert", groups: list[str] | None = None, **inner: Any) -> dict[str, Any]:
    return {
        "id": f"UID{number}",
        "type": "event",
        "attributes": {
            "timestamp": "2026-08-30T16:16:59Z",
            "tags": ["monitor", "service:web"],
            "attributes": {
                "evt": {"id": str(number)},
                "timestamp": 1788106619000 + number,
                "monitor_id": 7,
                "monitor_groups": groups or [],
                "title": "[Triggered on {service:web}] CPU is high",
                "monitor": {"id": 7, "name": "CPU is high", "transition": {"transition_type": transition}},
            }
            | inner,
        },
    }


def found(*hits: Any, after: str | None = None) -> dict[str, Any]:
    return {"data": list(hits)} | ({"meta": {"page": {"after": after}}} if after else {})


async def test_the_newest_alert_of_a_monitor(wire: Wire, events: Events) -> None:
    wire.answers_json(found(hit(9, groups=["service:web"]), hit(8)))

    assert await events.latest_alert(7) == AlertEvent(
        event_id="9",
        event_ts=1788106619009,
        monitor_id=7,
        monitor_name="CPU is high",
        group="service:web",
        transition="alert",
    )
    assert wire.called == "POST /api/v2/events/search"
    assert wire.body == {
        "filter": {"query": "source:alert @monitor.id:7", "from": "now-7d", "to": "now"},
        "sort": "-timestamp",
        "page": {"limit": 100},
    }


async def test_trouble_of_every_kind_counts(wire: Wire, events: Events) -> None:
    for transition in ("alert", "warning", "no data", "renotify", "No Data"):
        wire.answers_json(found(hit(1, transition)))

        event = await events.latest_alert(7)

        assert event
        assert event.alerting


async def test_recoveries_are_passed_over(wire: Wire, events: Events) -> None:
    wire.answers_json(
        found(hit(5, "alert recovery"), hit(4, "warning recovery"), hit(3, "no data recovery"), hit(2, "warning"))
    )

    event = await events.latest_alert(7)

    assert event
    assert event.event_id == "2"


async def test_without_a_transition_the_title_tells(wire: Wire, events: Events) -> None:
    wire.answers_json(found(hit(2, None, title="[Recovered] CPU"), hit(1, None, title="[Re-Triggered on {a:b}] CPU")))

    event = await events.latest_alert(7)

    assert event
    assert (event.event_id, event.transition) == ("1", "alert")


async def test_a_group_is_found_in_any_order_of_its_tags(wire: Wire, events: Events) -> None:
    page = found(hit(3, groups=["host:b"]), hit(2, groups=["env:prod", "host:a"]), hit(1))
    wire.answers_json(page, page, page)

    assert [event and event.event_id for event in [await events.latest_alert(7, "host:a,env:prod")]] == ["2"]
    assert (event := await events.latest_alert(7, "*"))
    assert event.event_id == "3"
    assert await events.latest_alert(7, "host:z") is None


async def test_later_pages_are_read_with_the_cursor(wire: Wire, events: Events) -> None:
    wire.answers_json(found(hit(9, "alert recovery"), after="next"), found(hit(8)))

    event = await events.latest_alert(7)

    assert event
    assert event.event_id == "8"
    assert wire.body["page"] == {"limit": 100, "cursor": "next"}


async def test_three_pages_are_enough(wire: Wire, events: Events) -> None:
    wire.answers_json(*(found(hit(n, "alert recovery"), after=f"c{n}") for n in range(3)))

    assert await events.latest_alert(7) is None


async def test_no_alert_at_all(wire: Wire, events: Events) -> None:
    cases: list[dict[str, Any]] = [{"data": []}, {}, {"data": None}, {"data": ["x", {}, {"attributes": None}]}]
    for empty in cases:
        wire.answers_json(empty)

        assert await events.latest_alert(7) is None


async def test_a_hit_that_cannot_be_triggered_is_passed_over(wire: Wire, events: Events) -> None:
    wire.answers_json(found(hit(2, evt=None), hit(1, timestamp=None, monitor_id=None)))

    event = await events.latest_alert(7)

    assert event
    assert (event.event_id, event.event_ts, event.monitor_id) == ("1", 1788106619000, 7)


async def test_a_hit_without_any_time_is_passed_over(wire: Wire, events: Events) -> None:
    late = hit(2, timestamp=None)
    late["attributes"]["timestamp"] = "yesterday"
    wire.answers_json(found(late))

    assert await events.latest_alert(7) is None


async def test_a_search_changes_nothing_so_it_is_tried_again(wire: Wire, events: Events) -> None:
    wire.answers(httpx.Response(503), NoAnswer("slow"), httpx.Response(200, json=found(hit(1))))

    assert await events.latest_alert(7)


async def test_an_event_by_its_number(wire: Wire, events: Events) -> None:
    wire.answers_json(
        {
            "event": {
                "id": 8788641826233093636,
                "date_happened": 1788106679,
                "title": "[Triggered on {host:a}] Disk is full",
                "tags": ["service:db"],
                "monitor_id": 42,
                "monitor_groups": ["host:a"],
            }
        }
    )

    assert await events.by_id("8788641826233093636") == AlertEvent(
        event_id="8788641826233093636",
        event_ts=1788106679000,
        monitor_id=42,
        monitor_name="Disk is full",
        group="host:a",
        transition="alert",
    )
    assert wire.called == "GET /api/v1/events/8788641826233093636"


async def test_a_sparse_event_says_what_its_title_says(wire: Wire, events: Events) -> None:
    cases: list[tuple[str, tuple[str, str, str]]] = [
        ("[Recovered] Disk", ("alert recovery", "", "Disk")),
        ("[Warn on {a:b,c:d}] Disk [x]", ("warning", "a:b,c:d", "Disk [x]")),
        ("[No data] Disk", ("no data", "", "Disk")),
        ("[[TEST] Triggered] Disk", ("alert", "", "Disk")),
        ("Deploy of web finished", ("", "", "Deploy of web finished")),
    ]
    for title, told in cases:
        wire.answers_json({"event": {"title": title, "date_happened": 5}})

        event = await events.by_id("1")

        transition, group, name = told
        assert event == AlertEvent("1", 5000, 0, name, group, transition)


async def test_an_unknown_event(wire: Wire, events: Events) -> None:
    cases: list[httpx.Response] = [httpx.Response(404), httpx.Response(200, json={"event": None})]
    for answer in cases:
        wire.answers(answer)

        assert await events.by_id("1") is None


async def test_what_is_no_number_is_not_asked_for(wire: Wire, events: Events) -> None:
    for event_id in ("", "AgAAAYGC", "1/2", "\u0661", "1" * 21):
        assert await events.by_id(event_id) is None
        assert wire.sent == []


async def test_an_outage_is_not_an_unknown_event(wire: Wire, events: Events) -> None:
    wire.answers(*(httpx.Response(503) for _ in range(3)))

    with pytest.raises(Unavailable):
        await events.by_id("1")
