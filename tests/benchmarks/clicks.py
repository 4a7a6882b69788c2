"""Clicks until Slack has its acknowledgement, beside Bolt with a listener that does nothing; and one investigation to its answer."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from bot.wording import AI_WRITTEN
from tests.benchmarks.outside import Clicks, Figures, Outside, cpu, quiet, reference

LONE, AT_ONCE = 15, 120
RATE, SECONDS = 100, 10
WARM = 10
IN_TIME = 3.0  # seconds that Slack waits
INVESTIGATIONS = 3


async def clicks_that_start(folder: Path, *, lone: int = LONE, at_once: int = AT_ONCE, warm: int = WARM) -> Figures:
    async with Outside(folder) as outside, _bare(outside) as bare:
        await outside.start()
        ours = outside.clicks()
        for clicks in (ours, bare):
            await clicks.at_once(await outside.clicks_that_start(warm))
        used, waited = await ours.lone(await outside.clicks_that_start(lone))
        theirs = await bare.lone(await outside.clicks_that_start(lone))
        together = await outside.clicks_that_start(at_once)
        return {
            "click that starts, alone: CPU until acknowledged, ms": (median(used) * 1e3, median(theirs[0]) * 1e3),
            "click that starts, alone: acknowledged after, ms": (median(waited) * 1e3, median(theirs[1]) * 1e3),
            "clicks that start, 8 at once: a second": (await ours.at_once(together), await bare.at_once(together)),
        }


async def clicks_at_a_rate(folder: Path, *, rate: int = RATE, seconds: int = SECONDS) -> Figures:
    async with Outside(folder) as outside, _bare(outside) as bare:
        await outside.start()
        for clicks in (outside.clicks(), bare):
            await clicks.at_once(await outside.clicks_that_start(WARM))
        payloads = await outside.clicks_that_start(rate * seconds)
        ours = await outside.clicks().at_rate(payloads, rate)
        await outside.bot.kill()
        theirs = await bare.at_rate(payloads, rate)
    name = f"{rate} clicks a second for {seconds} s"
    return {
        f"{name}: acknowledged in three seconds, %": (_in_time(ours), _in_time(theirs)),
        f"{name}: p50, ms": (median(ours) * 1e3, median(theirs) * 1e3),
        f"{name}: p99, ms": (_p99(ours) * 1e3, _p99(theirs) * 1e3),
    }


async def clicks_on_what_runs(folder: Path, *, lone: int = LONE, at_once: int = AT_ONCE) -> Figures:
    async with Outside(folder) as outside, _bare(outside) as bare:
        await outside.start()
        ours, message = outside.clicks(), await outside.alert()
        for clicks in (ours, bare):
            await clicks.at_once([outside.click(message) for _ in range(WARM)])
        used, _ = await ours.lone(outside.click(message) for _ in range(lone))
        theirs, _ = await bare.lone(outside.click(message) for _ in range(lone))
        together = [outside.click(message) for _ in range(at_once)]
        return {
            "click on what runs already: CPU until acknowledged, ms": (median(used) * 1e3, median(theirs) * 1e3),
            "clicks on what runs already, 8 at once: a second": (
                await ours.at_once(together),
                await bare.at_once(together),
            ),
        }


async def one_investigation(folder: Path, *, number: int = INVESTIGATIONS) -> Figures:
    """From its click to its conclusions in the thread, with all that follows; looked at twice."""
    quick = {"BITS_POLL_FIRST_SECONDS": "1", "BITS_POLL_SECONDS": "1"}
    async with Outside(folder, **quick) as outside:
        await outside.start()
        await _investigated(outside)
        used, before = [], await outside.asked_of_the_database()
        for _ in range(number):
            began = cpu(outside.pid)
            await _investigated(outside)
            await quiet(outside.pid)
            used.append(cpu(outside.pid) - began)
        statements = await outside.asked_of_the_database(since=before)
    return {
        "one investigation, click to answer: CPU, ms": (median(used) * 1e3, None),
        "one investigation, click to answer: statements": (statements / number, None),
    }


async def _investigated(outside: Outside) -> None:
    message = await outside.alert()
    runs = len(outside.datadog.triggers())
    await outside.clicks().send(outside.click(message))
    await outside.datadog.wait_for(lambda: len(outside.datadog.triggers()) > runs)
    outside.datadog.finish(outside.datadog.triggers()[-1].id)
    await outside.slack.wait_for(lambda: any(AI_WRITTEN in reply.shown for reply in message.replies), timeout=60)


@asynccontextmanager
async def _bare(outside: Outside) -> AsyncIterator[Clicks]:
    slack = outside.slack
    arguments = (slack.signing_secret, slack.api_url, slack.bot_token)
    async with reference("bolt", outside.folder, *arguments) as (url, pid, _):
        yield Clicks(f"{url}/slack/events", slack.signing_secret, pid, outside.session)


def _in_time(seconds: Sequence[float]) -> float:
    return 100 * sum(each <= IN_TIME for each in seconds) / len(seconds)


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(0.99 * (len(seconds) - 1))]
