"""What `/metrics` tells of a real run, read by Prometheus' own parser."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.meters import Meter
from bot.sandbox.datadog import Script
from bot.web import metrics
from bot.web.datadog_webhook import HEADER, TEMPLATE
from bot.wording import AI_WRITTEN
from tests.e2e.town import Town
from tests.pg import database_url, ready_postgres_url

__all__ = ["database_url", "ready_postgres_url"]

SECRET = "webhook-secret-0123456789"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def counted_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for meter in Meter.every:
        for name in ("values", "counts", "sums"):
            if hasattr(meter, name):
                monkeypatch.setattr(meter, name, {})
    monkeypatch.setattr(metrics.Metrics.__init__, "__kwdefaults__", _READ_EACH_TIME)


_READ_EACH_TIME = {**(metrics.Metrics.__init__.__kwdefaults__ or {}), "fresh_for": 0.0}


class Scraper:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def scrape(self) -> Samples:
        answer = await self.client.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    async def until(self, name: str, **labels: str) -> Samples:
        """Until this has been counted."""
        async with asyncio.timeout(30):
            while not of(told := await self.scrape(), name, **labels):  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.02)
        return told


@asynccontextmanager
async def scraped(town: Town) -> AsyncIterator[Scraper]:
    url = f"http://127.0.0.1:{town.bot.port}"
    async with httpx.AsyncClient(trust_env=False, base_url=url, timeout=30) as client:
        yield Scraper(client)


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((f"bits_bot_{name}", frozenset(labels.items())), 0.0)


async def test_an_investigation_from_click_to_answer(tmp_path: Path, database_url: str) -> None:
    async with Town(tmp_path, database_url=database_url) as town, scraped(town) as prometheus:
        await prometheus.scrape()  # from here on statements are measured
        alert = await town.alert()
        town.datadog.plan(Script.held())
        await town.ana.shortcut("investigate_message", on=alert.message)
        await town.reads(alert.message, "Investigating")
        running = await prometheus.scrape()
        assert of(running, "investigations", state="running") == 1
        assert of(running, "starts_total", way="shortcut", result="started") == 1
        await town.ben.shortcut("investigate_message", on=alert.message)
        town.datadog.finish(town.datadog.triggers()[0].id)
        await town.reads(alert.message, "Asked by @ana", AI_WRITTEN)
        after = await prometheus.until("deliveries_total", kind="conclusions", result="posted")
    assert of(after, "investigations", state="running") == 0
    assert of(after, "investigations_ended_total", state="concluded") == 1
    assert (
        sum(of(after, "starts_total", way="shortcut", result=result) for result in ("following", "already_here")) == 1
    )
    assert of(after, "card_seconds_count") == of(after, "conclusion_seconds_count") == 1
    assert 0 < of(after, "card_seconds_sum") < 60
    assert of(after, "deliveries_total", kind="card", result="posted") == 1
    assert of(after, "deliveries_total", kind="card", result="edited") >= 1
    assert of(after, "platform_calls_total", platform="datadog", result="ok") > 0
    assert of(after, "platform_calls_total", platform="slack", result="ok") > 0
    assert of(after, "poll_round_seconds_count") > 0
    for statement in ("select", "insert", "update"):
        assert of(after, "database_seconds_count", statement=statement) > 0
    for part in ("database", "polls", "slack", "datadog", "background"):
        assert of(after, "ready", part=part) == 1


async def test_what_waits_is_seen(town: Town) -> None:
    async with scraped(town) as prometheus:
        town.slack.break_next("chat.postMessage", times=1000, error="ratelimited", retry_after=30, status=429)
        alert = await town.alert()
        await town.ana.shortcut("investigate_message", on=alert.message)
        limited = await prometheus.until("deliveries_total", kind="card", result="retried")
        assert of(limited, "platform_calls_total", platform="slack", result="limited") >= 1
        assert of(limited, "rate_limit_wait_seconds_total", platform="slack") >= 30
        town.bot._workers.queues["ask worker"].slots = 0  # type: ignore[misc]  # nobody takes what comes now
        await town.ben.shortcut("investigate_message", on=(await town.alert()).message)
        waiting = await prometheus.scrape()
        assert of(waiting, "queue_depth", queue="ask worker") == 1
        assert of(waiting, "queue_oldest_seconds", queue="ask worker") > 0


async def test_webhooks_are_counted_by_their_outcome(tmp_path: Path) -> None:
    async with Town(tmp_path, bits_webhook_secret=SECRET) as town, scraped(town) as prometheus:
        known = {HEADER: SECRET}
        body = dict.fromkeys(TEMPLATE, "") | {"monitor_id": "7", "event_id": "8", "title": "[Triggered] Disk"}
        for headers, sent in ((known, body), (known, body), (known, {}), ({}, body)):
            await prometheus.client.post("/datadog/webhook/default", json=sent, headers=headers)
        told = await prometheus.scrape()
    outcomes = ("accepted", "known", "malformed", "unauthorized")
    assert [of(told, "webhooks_total", outcome=outcome) for outcome in outcomes] == [1, 1, 1, 1]


async def test_a_database_that_does_not_answer_takes_only_its_own_numbers_away(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scraped(town) as prometheus:
        assert ("bits_bot_queue_depth", frozenset({("queue", "poster")})) in await prometheus.scrape()
        monkeypatch.setattr(town.bot._database, "all", _fails)
        told = await prometheus.scrape()
    names = {name for name, _ in told}
    assert {"bits_bot_queue_depth", "bits_bot_queue_oldest_seconds", "bits_bot_investigations"}.isdisjoint(names)
    assert of(told, "ready", part="database") == 1


async def _fails(*_: object) -> None:
    raise OSError


async def test_it_is_read_anew_only_every_few_seconds() -> None:
    times: list[float] = []
    now = [100.0]

    async def read() -> None:
        times.append(now[0])

    shown = metrics.Metrics(read, fresh_for=5.0, clock=lambda: now[0])
    for seconds in (0.0, 1.0, 3.9, 0.1, 0.0):
        now[0] += seconds
        await shown.show(None)  # type: ignore[arg-type]  # nothing of the request is looked at
    assert times == [100.0, 105.0]
