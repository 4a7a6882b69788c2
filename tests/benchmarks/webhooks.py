"""Notifications of Datadog's webhook, all at once, beside aiohttp with one insert that is as durable."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from bot.sandbox.datadog import webhooks
from bot.web.datadog_webhook import HEADER
from tests.benchmarks.outside import WEBHOOK_SECRET, Figures, Outside, cpu, quiet, reference

AT_ONCE = 500
WARM = 20


async def webhooks_at_once(folder: Path, *, number: int = AT_ONCE) -> Figures:
    async with Outside(folder) as outside, reference("webhook", folder) as (bare_url, bare_pid, _):
        await outside.start()
        url = f"{outside.url}/datadog/webhook/default"
        for there in (url, bare_url):
            await _tell(outside.session, there, _notices(outside, WARM))
        await quiet(outside.pid)  # what those have begun is no part of it
        bodies = _notices(outside, number)
        ours = await _measured(outside.session, url, outside.pid, bodies)
        theirs = await _measured(outside.session, bare_url, bare_pid, bodies)
    return {
        f"{number} notifications of the webhook at once: a second": (ours[0], theirs[0]),
        f"{number} notifications of the webhook at once: CPU each, ms": (ours[1], theirs[1]),
    }


async def _measured(session: aiohttp.ClientSession, url: str, pid: int, bodies: Sequence[bytes]) -> tuple[float, float]:
    began, before = time.perf_counter(), cpu(pid)
    await _tell(session, url, bodies)
    lasted, used = time.perf_counter() - began, cpu(pid) - before
    return len(bodies) / lasted, used / len(bodies) * 1e3


async def _tell(session: aiohttp.ClientSession, url: str, bodies: Sequence[bytes]) -> None:
    headers = {HEADER: WEBHOOK_SECRET, "Content-Type": "application/json"}

    async def one(body: bytes) -> None:
        async with session.post(url, data=body, headers=headers) as response:
            if response.status >= 300:
                raise RuntimeError(f"a notification was answered with {response.status}")

    await asyncio.gather(*map(one, bodies))


def _notices(outside: Outside, number: int) -> list[bytes]:
    alerts = [outside.datadog.fire(outside.monitor, group=f"host:{time.monotonic_ns()}") for _ in range(number)]
    template, org = json.dumps(webhooks.TEMPLATE), outside.datadog.org
    return [webhooks.fill(template, webhooks.variables(each, org), each.tags, as_json=True).encode() for each in alerts]
