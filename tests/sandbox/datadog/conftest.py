"""The fake on a clock the test turns, with a plain HTTP client that carries its keys."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.sandbox.datadog import FakeAlert, FakeDatadog

KEYS = {"DD-API-KEY": "sandbox-api-key", "DD-APPLICATION-KEY": "sandbox-app-key"}
RUNS = "/api/v2/bits-ai/investigations"
Body = dict[str, Any]


class Clock:
    """Time that moves only when told."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.25

    def __call__(self) -> float:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def fake(clock: Clock) -> AsyncIterator[FakeDatadog]:
    async with FakeDatadog(clock=clock, seed=7) as running:
        yield running


@pytest.fixture
async def http(fake: FakeDatadog) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=fake.url, headers=KEYS, trust_env=False) as client:
        yield client


@pytest.fixture
def alert(fake: FakeDatadog) -> FakeAlert:
    monitor = fake.add_monitor("Disk is filling up", tags=["service:checkout"], priority=2, message="Free some space.")
    return fake.fire(monitor, group="host:db-3")


def about(alert: FakeAlert, **changed: Any) -> Body:
    """The body that triggers an investigation of this alert."""
    asked = {"monitor_id": alert.monitor.id, "event_id": alert.event_id, "event_ts": alert.event_ts} | changed
    return trigger_body({"type": "monitor_alert_trigger", "monitor_alert_trigger": asked})


def question(**members: Any) -> Body:
    return trigger_body({"type": "general_investigation", "general_investigation": members})


def trigger_body(trigger: Body) -> Body:
    return {"data": {"type": "trigger_investigation_request", "attributes": {"trigger": trigger}}}


def case_body(**attributes: Any) -> Body:
    return {"data": {"type": "case", "attributes": attributes}}


async def started(http: httpx.AsyncClient, body: Body) -> str:
    """Triggers and tells the id to ask for."""
    answer = await http.post(RUNS, json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["attributes"]["investigation_id"])
