"""Monitors as read from full and from sparse answers, and the downtimes that mute them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from bot.datadog.client import Datadog
from bot.datadog.errors import Forbidden, NotFound, Unreadable
from bot.datadog.monitors import Monitor, Monitors
from tests.datadog.conftest import Wire


@pytest.fixture
def monitors(datadog: Datadog) -> Monitors:
    return Monitors(datadog)


async def test_a_monitor_is_read(wire: Wire, monitors: Monitors) -> None:
    wire.answers_json(
        {
            "id": 12345678,
            "name": "CPU on {{host.name}}",
            "type": "query alert",
            "query": "avg(last_5m):avg:cpu{*} by {host} > 90",
            "message": "@slack-ops",
            "tags": ["service:web", "team:sre"],
            "priority": 2,
        }
    )

    assert await monitors.get(12345678) == Monitor(
        name="CPU on {{host.name}}",
        tags=("service:web", "team:sre"),
        priority=2,
    )
    assert wire.called == "GET /api/v1/monitor/12345678"


async def test_a_sparse_monitor_is_still_one(wire: Wire, monitors: Monitors) -> None:
    cases: list[dict[str, Any]] = [
        {},
        {"priority": None, "tags": None, "name": None},
        {"priority": 9},
        {"priority": "P2", "tags": {}},
    ]
    for sparse in cases:
        wire.answers_json(sparse)

        assert await monitors.get(7) == Monitor("")


async def test_an_unknown_monitor(wire: Wire, monitors: Monitors) -> None:
    wire.answers(httpx.Response(404, json={"errors": ["Monitor not found"]}))

    with pytest.raises(NotFound, match="404") as caught:
        await monitors.get(7)

    assert caught.value.detail == "Monitor not found"


async def test_muting_until_a_time_is_sent_in_utc(wire: Wire, monitors: Monitors) -> None:
    wire.answers_json({"data": {"id": "d-1", "attributes": {"status": "active"}}})
    end = datetime(2026, 11, 21, 9, 0, 0, 123, tzinfo=timezone(timedelta(hours=1)))

    assert await monitors.mute(7, until=end, scope="host:a", message="by @jane") == "d-1"
    assert wire.called == "POST /api/v2/downtime"
    assert wire.body == {
        "data": {
            "type": "downtime",
            "attributes": {
                "scope": "host:a",
                "monitor_identifier": {"monitor_id": 7},
                "schedule": {"start": None, "end": "2026-11-21T08:00:00+00:00"},
                "mute_first_recovery_notification": True,
                "message": "by @jane",
            },
        }
    }


async def test_an_end_without_a_time_zone_is_not_guessed(wire: Wire, monitors: Monitors) -> None:
    with pytest.raises(ValueError, match="time zone"):
        await monitors.mute(7, until=datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), scope="*", message="")

    assert wire.sent == []


async def test_a_downtime_without_a_name_is_unreadable(wire: Wire, monitors: Monitors) -> None:
    wire.answers_json({"data": {}})

    with pytest.raises(Unreadable):
        await monitors.mute(7, until=datetime(2026, 1, 1, tzinfo=UTC), scope="*", message="")


async def test_unmuting(wire: Wire, monitors: Monitors) -> None:
    wire.answers(httpx.Response(204))

    await monitors.unmute("d-1")

    assert wire.called == "DELETE /api/v2/downtime/d-1"


async def test_muting_needs_its_own_permission(wire: Wire, monitors: Monitors) -> None:
    wire.answers(httpx.Response(403, json={"errors": ["Forbidden"]}))

    with pytest.raises(Forbidden) as caught:
        await monitors.unmute("d-1")

    assert caught.value.permission == "monitors_downtime"
