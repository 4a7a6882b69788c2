"""`make bench`: how long things take that people wait for, and what waiting costs. Figures, never a test.

Each line is the median of several runs, with the range; the local Slack and Datadog run in the same process.
"""

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import Requests
from bot.model import AlertRef, Ask, Place, Source
from bot.rules.budget import Budget
from bot.rules.repository import RuleRepository
from bot.sandbox.datadog import Script
from bot.sandbox.playground.environment import BotProcess, Environment
from bot.storage.engine import Database
from bot.storage.inbox import Inbox
from bot.storage.retention import remove_old
from bot.storage.workers import Timing
from tests import history
from tests.benchmarks.datadog_client import against_the_official_client
from tests.benchmarks.pure import markdown, recognition
from tests.e2e.town import QUICK, Town
from tests.meter import Meter

RUNS = 3
STARTS = 1000
IN_FLIGHT = 300
HISTORY = 500_000
IDLE = 30  # seconds

Figures = dict[str, float]


def _ask(number: int) -> Ask:
    alert = AlertRef(1000 + number, f"88000000000000{number:05}", 1_788_106_679_000, f"Monitor {number}", "host:web-1")
    return Ask(f"bench:{number}", alert, Place("T1", f"C{number % 50}", f"17000.{number:06}"), "U1", Source.BUTTON)


async def durable_starts(folder: Path) -> Figures:
    """Clicks written down, at once from everywhere: what stands between a click and its acknowledgement."""
    database = Database(f"sqlite+aiosqlite:///{folder}/bench.sqlite3")
    await database.open()
    requests = Requests(
        InvestigationRepository(database, Timing()), Budget(database, RuleRepository(database)), Inbox(database)
    )
    began = time.perf_counter()
    await asyncio.gather(*(requests.receive(_ask(number)) for number in range(STARTS)))
    total = time.perf_counter() - began
    one = time.perf_counter()
    await requests.receive(_ask(STARTS + 1))
    alone = time.perf_counter() - one
    await database.close()
    return {f"{STARTS} clicks at once, all durable, s": total, "one click alone, durable, ms": alone * 1000}


async def click_to_card(folder: Path) -> Figures:
    """From a click to the card in the thread, over real sockets."""
    async with Town(folder, timing=replace(QUICK, sweep=2.0)) as town:
        town.datadog.plan_always(Script.held())
        alert = await town.alert()
        began = time.perf_counter()
        await town.ana.shortcut("investigate_message", on=alert.message)
        acknowledged = time.perf_counter()
        await town.slack.wait_for(lambda: alert.message.replies)
        shown = time.perf_counter()
    return {
        "click acknowledged, ms": (acknowledged - began) * 1000,
        "click to card in the thread, ms": (shown - began) * 1000,
    }


async def years_of_history(folder: Path) -> Figures:
    """The same where half a million investigations, alerts and messages are over; and what the workers ask by themselves."""
    url = f"sqlite+aiosqlite:///{folder}/old.sqlite3"
    await history.lived_in(url, HISTORY, workspace="T0001", channel="C0001", person="U0002", monitor=120000001)
    async with Town(folder, timing=replace(QUICK, sweep=2.0), database_url=url) as town:
        town.datadog.plan_always(Script.held())
        alert = await town.alert()
        began = time.perf_counter()
        await town.ana.shortcut("investigate_message", on=alert.message)
        acknowledged = time.perf_counter()
        await town.slack.wait_for(lambda: alert.message.replies)
        shown = time.perf_counter()
        await town.bot._workers.sweep()
        swept = time.perf_counter()
        await remove_old(town.bot._database)
        removed = time.perf_counter()
    rows = f"{HISTORY:,} rows of history: "
    return {
        f"{rows}click acknowledged, ms": (acknowledged - began) * 1000,
        f"{rows}click to card in the thread, ms": (shown - began) * 1000,
        f"{rows}one sweep, ms": (swept - shown) * 1000,
        f"{rows}one round of retention, ms": (removed - swept) * 1000,
    }


async def waiting(folder: Path) -> Figures:
    """What investigations in flight cost while nothing changes."""
    async with Town(folder, timing=replace(QUICK, sweep=1.0, poll_first=0.5, poll=1.0, deadline=600)) as town:
        town.datadog.plan_always(Script.held())
        for number in range(IN_FLIGHT):
            fired = town.datadog.fire(town.monitor, group=f"host:{number}")
            await town.ana.command("/bits", f"investigate {fired.link()}", in_=town.channel)
        await town.datadog.wait_for(lambda: len(town.datadog.triggers()) == IN_FLIGHT, timeout=120)
        listed = len(town.datadog.asked("GET", "/api/v2/bits-ai/investigations"))
        cpu, began = time.process_time(), time.perf_counter()
        await asyncio.sleep(10)
        seconds = time.perf_counter() - began
        return {
            f"{IN_FLIGHT} in flight, a look each second: CPU of one core, % (fakes included)": (
                (time.process_time() - cpu) / seconds * 100
            ),
            f"{IN_FLIGHT} in flight: list requests a look": (
                (len(town.datadog.asked("GET", "/api/v2/bits-ai/investigations")) - listed) / seconds
            ),
            "memory of bot and both fakes, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


async def asked_of_the_database(folder: Path) -> Figures:
    """At the settings of production: while nothing happens, and for one investigation from its click to its answer."""
    async with Town(folder, timing=Timing()) as town:
        meter = Meter(town.bot._database)
        town.datadog.plan_always(Script.held())
        await asyncio.sleep(2)
        meter.reset()
        await asyncio.sleep(IDLE)
        idle = meter.statements / IDLE
        alert = await town.alert()
        meter.reset()
        await town.ana.shortcut("investigate_message", on=alert.message)
        await town.datadog.wait_for(town.datadog.triggers)
        town.datadog.finish(town.datadog.triggers()[0].id)
        await town.slack.wait_for(lambda: "here is what" in town.thread(alert.message), timeout=60)
        return {
            "statements a second while nothing happens": idle,
            "transactions for one investigation": meter.transactions,
            "statements for one investigation": meter.statements,
        }


_FRAMEWORKS = """
import aiohttp.web, pydantic, resource, slack_bolt.async_app, sqlalchemy.ext.asyncio, time
pages = int(open("/proc/self/statm").read().split()[1])
print(time.process_time(), pages * resource.getpagesize() / 2**20)
"""


async def start_of_the_bot(_folder: Path) -> Figures:
    """From the start of the process to its connection with Slack, the second time on its database; and the frameworks alone."""
    async with Environment() as environment:
        await environment.bot.stop()
        began = time.perf_counter()
        await environment.start_bot()
        ready = time.perf_counter() - began
        cpu, memory = _used(environment.bot)
    frameworks = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", _FRAMEWORKS],
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"]},
    )
    alone = frameworks.stdout.split()
    return {
        "start to connected, s": ready,
        "start to connected, s of CPU": cpu,
        "memory of the bot once connected, MB": memory,
        "aiohttp, Bolt, SQLAlchemy and pydantic imported alone, s of CPU": float(alone[0]),
        "aiohttp, Bolt, SQLAlchemy and pydantic imported alone, MB": float(alone[1]),
    }


def _used(process: BotProcess) -> tuple[float, float]:
    """Seconds of CPU and megabytes up to now, as Linux tells them."""
    assert process._process
    told = Path(f"/proc/{process._process.pid}")
    ticks = told.joinpath("stat").read_text().rpartition(")")[2].split()[11:13]
    pages = told.joinpath("statm").read_text().split()[1]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"), int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def _measure(benchmark: Callable[[Path], Awaitable[Figures]], runs: int) -> None:
    figures: dict[str, list[float]] = {}
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            for name, value in (await benchmark(Path(folder))).items():
                figures.setdefault(name, []).append(value)
    for name, values in figures.items():
        print(f"{statistics.median(values):10.2f}  ({min(values):.2f} to {max(values):.2f})  {name}", flush=True)


def main() -> None:
    few = ((asked_of_the_database, 1), (years_of_history, 1), (waiting, 1))
    several = (durable_starts, click_to_card, markdown, recognition, start_of_the_bot, against_the_official_client)
    for benchmark, runs in (*((each, RUNS) for each in several), *few):
        asyncio.run(_measure(benchmark, runs))


main()
