"""While something is out of order, people hear what is so: soon, once, and what they have to do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from bot.investigations.conclusions_view import FOUND
from tests.e2e.town import QUICK, Town


@asynccontextmanager
async def _impatient(folder: Path) -> AsyncIterator[Town]:
    async with Town(folder, timing=replace(QUICK, silence=0.1)) as town:
        yield town


async def test_who_waits_for_a_look_up_hears_that_datadog_is_silent_and_then_the_outcome(tmp_path: Path) -> None:
    async with _impatient(tmp_path) as town:
        town.datadog.fire(town.monitor)
        search = town.datadog.break_next("POST", "/api/v2/events/search", hang=True, carried_out=True)
        await town.ana.command("/bits", f"investigate {town.monitor.id}", in_=town.channel)

        await town.slack.wait_for(lambda: "Datadog does not answer just now. I go on trying until" in town.ana.sees)
        search.release()

        def card() -> object:
            return next((each for each in town.channel.top_level if FOUND in town.thread(each)), None)

        await town.slack.wait_for(card)
        assert town.ana.sees.count("I go on trying") == 1


async def test_a_datadog_that_is_not_reached_is_not_said_to_have_asked_us_to_wait(tmp_path: Path) -> None:
    async with Town(tmp_path, timing=replace(QUICK, patience=60, settle=2)) as town:
        alert = await town.alert()
        await town.datadog.stop()
        await town.ana.shortcut("investigate_message", on=alert.message)

        seen = await town.reads(alert.message, "waiting to start", "Datadog can't be reached just now. I try again at")
        assert "asked us to wait" not in seen
