"""What the bot costs while it waits, and how long many wait for it: idle, thousands in flight, years of history, many threads."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert

import bot.schema  # noqa: F401  every table
from bot.investigations.model import State
from bot.investigations.tables import investigations, poll_turns, subscribers
from bot.model import AlertRef
from bot.sandbox.datadog import FakeInvestigation
from bot.sandbox.slack import Message
from bot.storage.engine import Database
from bot.storage.workers import Timing
from tests import history
from tests.benchmarks.outside import Figures, Outside, cpu, memory, quiet, reference

SETTLED = 65.0  # seconds from the start: old rows are first removed a minute after it
IDLE = 40.0
LOOKED_AT = 60.0
THREADS = 500
ROWS = 500_000
LONE = 15
LIST = "/api/v2/bits-ai/investigations"


async def start_and_idle(folder: Path, *, idle: float = IDLE) -> Figures:
    """A start on a database that is there already, and what comes after it while nothing happens."""
    async with Outside(folder) as outside:
        await outside.start()
        await outside.bot.stop()
        ready = await outside.start()
        slack = outside.slack
        async with reference("bolt", folder, slack.signing_secret, slack.api_url, slack.bot_token) as (_, pid, bare):
            theirs = memory(pid)
        await asyncio.sleep(SETTLED)
        size = memory(outside.pid)
        before, began = await outside.asked_of_the_database(), time.perf_counter()
        used = await _used(outside, idle)
        minutes = (time.perf_counter() - began) / 60
        statements = await outside.asked_of_the_database(since=before)
    return {
        "start to ready, s": (ready, bare),
        "memory once ready, MB": (size, theirs),
        "idle: CPU, %": (used, None),
        "idle: statements a minute": (statements / minutes, None),
    }


async def a_thousand_in_flight(folder: Path) -> Figures:
    return await in_flight(folder, 1_000)


async def ten_thousand_in_flight(folder: Path) -> Figures:
    return await in_flight(folder, 10_000)


async def in_flight(folder: Path, number: int, *, seconds: float = LOOKED_AT, **settings: str) -> Figures:
    """While none of them ends; beside pages of a hundred, read every fifteen seconds."""
    async with Outside(folder, **settings) as outside:
        runs = [outside.datadog.investigate_elsewhere(f"Disk {each}") for each in range(number)]
        await _underway(outside, runs, [[_place(outside, "C0", f"1.{each}")] for each in range(number)])
        await outside.start()
        await outside.datadog.wait_for(lambda: outside.datadog.asked("GET", LIST), timeout=60)
        before = await outside.asked_of_the_database(), _asked(outside)
        used = await _used(outside, seconds)
        lists, gets = (now - then for now, then in zip(_asked(outside), before[1], strict=True))
        statements = await outside.asked_of_the_database(since=before[0])
    told, minutes = f"{number:,} in flight", seconds / 60
    return {
        f"{told}: CPU, %": (used, None),
        f"{told}: requests for the list a minute": (lists / minutes, number / 100 * 4),
        f"{told}: requests for single runs a minute": (gets / minutes, None),
        f"{told}: statements a minute": (statements / minutes, None),
    }


async def conclusions_to_many(
    folder: Path, *, threads: int = THREADS, channels: Sequence[int] = (500, 50, 5)
) -> Figures:
    """One run ends that so many threads await; at best it is seen within a second, and a channel takes one post a second."""
    figures: Figures = {}
    for number in channels:
        (there := folder / str(number)).mkdir()
        async with Outside(there, BITS_POLL_FIRST_SECONDS="1", BITS_POLL_SECONDS="1") as outside:
            messages = await _messages(outside, threads, number)
            run = outside.datadog.investigate_elsewhere("Disk almost full")
            await _underway(outside, [run], [[_place(outside, each.channel.id, each.ts) for each in messages]])
            await outside.start()
            await outside.datadog.wait_for(lambda: outside.datadog.asked("GET", LIST), timeout=60)
            began, before = time.perf_counter(), cpu(outside.pid)
            outside.datadog.finish(run.id)
            await outside.slack.wait_for(lambda: all(each.replies for each in messages), timeout=400)  # noqa: B023
            lasted, used = time.perf_counter() - began, cpu(outside.pid) - before
        name = f"conclusions to {threads} threads in {number} channels"
        figures[f"{name}: the last after, s"] = lasted, 1 + (threads / number - 1) * Timing().pace + 1
        figures[f"{name}: CPU each, ms"] = used / threads * 1e3, None
    return figures


async def _messages(outside: Outside, threads: int, channels: int) -> list[Message]:
    there = [outside.slack.workspace.add_channel(f"alerts-{each}") for each in range(channels)]
    told = {"title": "Disk almost full", "title_link": "https://app.datadoghq.com/monitors/1", "text": "It is."}
    return [await outside.slack.post_as_datadog(there[each % channels], **told) for each in range(threads)]


async def years_of_history(folder: Path, *, rows: int = ROWS, lone: int = LONE) -> Figures:
    """A click where half a million investigations, alerts and messages are over, beside one where none is."""
    (new := folder / "new").mkdir()
    (old := folder / "old").mkdir()
    figures = {}
    for there in (new, old):
        async with Outside(there) as outside:
            names = {"workspace": outside.slack.workspace.id, "channel": outside.channel.id, "person": outside.ana.id}
            if there is old:
                await history.lived_in(outside.database_url, rows, **names, monitor=outside.monitor.id)
            await outside.start()
            await outside.clicks().lone(await outside.clicks_that_start(3))
            figures[there] = [
                median(each) * 1e3 for each in await outside.clicks().lone(await outside.clicks_that_start(lone))
            ]
            began = cpu(outside.pid)
            await outside.clicks().lone(await outside.clicks_that_start(lone))
            await quiet(outside.pid)
            figures[there].append((cpu(outside.pid) - began) / lone * 1e3)
    told = f"click with {rows:,} rows of history in each table"
    return {
        f"{told}: CPU until acknowledged, ms": (figures[old][0], figures[new][0]),
        f"{told}: acknowledged after, ms": (figures[old][1], figures[new][1]),
        f"{told}: CPU until it runs and its card stands, ms": (figures[old][2], figures[new][2]),
    }


# -- what is there before the bot starts -------------------------------------------------------------------------------


def _place(outside: Outside, channel: str, thread_ts: str) -> dict[str, str]:
    return {"workspace": outside.slack.workspace.id, "channel": channel, "thread_ts": thread_ts}


async def _underway(outside: Outside, runs: Sequence[FakeInvestigation], places: Sequence[Any]) -> None:
    """As if each had been begun just now, for the threads that wait for it."""
    database, now = Database(outside.database_url), time.time()
    await database.open()
    same = {"org": "default", "run": 1, "state": State.RUNNING, "requested_by": outside.ana.id, "adopted": False}
    same |= {"presumed": False, "created_at": now, "started_at": now, "deadline_at": now + 3600}
    same |= {"due_at": now, "attempt": 0}
    asked = {"requester": outside.ana.id, "source": "shortcut", "created_at": now}
    rows = [same | _told(number, run) for number, run in enumerate(runs, start=1)]
    waits = [
        asked | {"investigation_id": number} | place for number, those in enumerate(places, start=1) for place in those
    ]
    async with database.transaction() as connection:
        await connection.execute(insert(investigations), rows)
        await connection.execute(insert(subscribers), waits)
        await connection.execute(insert(poll_turns), {"org": "default", "next_at": now, "slow_at": now})
    await database.close()


def _told(number: int, run: FakeInvestigation) -> dict[str, Any]:
    alert = AlertRef(number, str(number), 1_788_106_679_000, f"Disk {number}", "host:web-1")
    return {"id": number, "ref": f"R{number}", "subject_key": f"alert:{number}", "subject": alert, "datadog_id": run.id}


def _asked(outside: Outside) -> tuple[int, int]:
    """For the list, and for single runs."""
    asked = outside.datadog.journal.requests
    lists = sum(each.method == "GET" and each.path == LIST for each in asked)
    return lists, sum(each.method == "GET" and each.path.startswith(f"{LIST}/") for each in asked)


async def _used(outside: Outside, seconds: float) -> float:
    """Per cent of a core."""
    before, began = cpu(outside.pid), time.perf_counter()
    await asyncio.sleep(seconds)
    return (cpu(outside.pid) - before) / (time.perf_counter() - began) * 100
