"""A bot whose line to PostgreSQL goes dead: it stops in time when it is told to, and what it took in is not lost."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from bot.alerts.tables import alert_notices
from bot.cli import STOP_WITHIN
from bot.storage.engine import Database
from tests.faults.storm import Storm
from tests.line import Line

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(300),
]  # real processes, which start as slowly as the machine lets them

SECRET = "webhook-secret-0123456789"
AFTER_THE_SIGNAL = STOP_WITHIN + 3.0  # what the machine needs to end a process


@pytest.fixture
async def line(ready_postgres_url: str) -> AsyncIterator[Line]:
    line = Line(ready_postgres_url)
    yield line
    await line.stop()


@pytest.fixture
async def storm(tmp_path: Path, line: Line) -> AsyncIterator[Storm]:
    port = _free_port()
    settings = {"BITS_WEBHOOK_SECRET": SECRET, "BITS_HTTP_PORT": str(port)}
    storm = Storm(tmp_path, await line.start())
    storm.environment |= settings
    async with storm:
        yield storm


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def _tell(client: httpx.AsyncClient, number: int) -> int | None:
    """An alert by Datadog's webhook; None when nobody said that it was taken."""
    body = {
        "monitor_id": "7",
        "event_id": str(number),
        "event_ts_ms": "1700000000000",
        "transition": "Triggered",
        "title": f"[Triggered] Disk {number} almost full",
    }
    try:
        answer = await client.post("/datadog/webhook/default", json=body, headers={"X-Bits-Webhook-Secret": SECRET})
    except httpx.HTTPError:
        return None
    return number if answer.status_code == 202 else None


async def test_a_stop_over_a_dead_line_is_in_time_and_loses_nothing(
    storm: Storm, line: Line, ready_postgres_url: str
) -> None:
    bot = await storm.start()
    url = f"http://127.0.0.1:{storm.environment['BITS_HTTP_PORT']}"
    async with httpx.AsyncClient(trust_env=False, base_url=url, timeout=60) as client:
        before = [await _tell(client, number) for number in range(1, 6)]
        assert None not in before
        during = [asyncio.create_task(_tell(client, number)) for number in range(6, 25)]
        line.swallows_everything()
        during += [asyncio.create_task(_tell(client, number)) for number in range(25, 30)]
        async with asyncio.timeout(20):
            ready = await client.get("/readyz")
            assert (ready.status_code, (await client.get("/healthz")).status_code) == (503, 200)
        bot.send(signal.SIGTERM)
        began = time.monotonic()
        await bot.end(AFTER_THE_SIGNAL + 20)
        assert time.monotonic() - began < AFTER_THE_SIGNAL
        taken = {number for number in [*before, *await asyncio.gather(*during)] if number is not None}

    beside = Database(ready_postgres_url)
    kept = {int(row.content.event_id) for row in await beside.all(select(alert_notices.c.content))}
    await beside.close()
    assert taken <= kept
    assert set(before) <= taken
