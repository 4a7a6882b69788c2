"""While something is out of order, people hear what is so: soon, once, and what they have to do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.sandbox.datadog import Script
from bot.sandbox.slack import NotAcknowledged
from bot.wording import AI_WRITTEN
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
            return next((each for each in town.channel.top_level if AI_WRITTEN in town.thread(each)), None)

        await town.slack.wait_for(card)
        assert town.ana.sees.count("I go on trying") == 1


async def test_a_datadog_that_is_not_reached_is_not_said_to_have_asked_us_to_wait(tmp_path: Path) -> None:
    async with Town(tmp_path, timing=replace(QUICK, patience=60, settle=2)) as town:
        alert = await town.alert()
        await town.datadog.stop()
        await town.ana.shortcut("investigate_message", on=alert.message)

        seen = await town.reads(alert.message, "Waiting to start", "Datadog can't be reached just now. I try again at")
        assert "asked us to wait" not in seen


# -- the database is away: what can't be written down is not begun -------------------------------------------------------

NOT_KEPT = "I can't write anything down just now, so nothing was started. Try again in a minute."


@asynccontextmanager
async def _database_held(town: Town, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """As by a lock that somebody else holds, or a disk that stands still."""
    with monkeypatch.context() as patch:
        patch.setattr("bot.slack.requests.KEPT_WITHIN", 0.2)
        async with town.bot._database.transaction():
            yield


async def _told(town: Town, times: int) -> None:
    await town.slack.wait_for(lambda: town.ana.sees.count(NOT_KEPT) == times)


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_a_click_that_can_not_be_kept_says_so_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    async with Town(tmp_path, mode=mode) as town:
        alert = await town.alert()
        async with _database_held(town, monkeypatch):
            await town.ana.shortcut("investigate_message", on=alert.message)
            await _told(town, 1)
            await town.ana.command("/bits", f"investigate {alert.fired.link()}", in_=town.channel)
            await _told(town, 2)
        assert town.datadog.triggers() == []

        await town.ana.shortcut("investigate_message", on=alert.message)
        await town.reads(alert.message, AI_WRITTEN)
        assert len(town.datadog.triggers()) == 1


async def test_it_is_said_again_where_slack_does_not_take_it(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.requests.SAY_AGAIN_AFTER", (0.0, 0.0, 0.0))
    alert = await town.alert()
    town.slack.break_next("response_url", drop="before")
    town.slack.break_next("response_url", status=503)
    async with _database_held(town, monkeypatch):
        await town.ana.shortcut("investigate_message", on=alert.message)
        await _told(town, 1)
    assert town.datadog.triggers() == []


async def test_a_button_that_can_not_be_kept_says_so(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    alert = await town.alert()
    town.datadog.plan(Script.at_once("failed"))
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, "reported that it failed", "Run again")
    async with _database_held(town, monkeypatch):
        await town.ana.click("Run again", on=alert.message.replies[0])
        await _told(town, 1)
    assert len(town.datadog.triggers()) == 1


async def test_a_window_that_can_not_be_kept_stays_open_with_what_was_typed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await town.ben.say("checkout is slow since lunch", in_=town.channel)
    await town.ana.shortcut("investigate_message", on=message)
    await town.ana.waits_for_modal()
    monkeypatch.setattr(town.slack.delivery, "ack_seconds", 0.4)
    async with _database_held(town, monkeypatch):
        with pytest.raises(NotAcknowledged):
            await town.ana.submit()
    monkeypatch.undo()
    await town.ana.submit()
    await town.reads(message, "Asked by @ana")
    assert len(await town.datadog.wait_for(town.datadog.triggers)) == 1


# -- acknowledged too late, and yet begun: the repeat is the same ask --------------------------------------------------


async def _too_late(town: Town, monkeypatch: pytest.MonkeyPatch, gesture: Callable[[], Awaitable[object]]) -> None:
    """The person sees an error; what was written all the same is written after it."""
    with monkeypatch.context() as patch:
        patch.setattr(town.slack.delivery, "ack_seconds", 0.05)
        async with town.bot._database.transaction():
            with pytest.raises(NotAcknowledged):
                await gesture()
    await town.datadog.wait_for(town.datadog.triggers)


@pytest.mark.parametrize("script", [Script.held(), Script.at_once("inconclusive")])
async def test_a_question_repeated_after_an_error_is_billed_once(
    town: Town, monkeypatch: pytest.MonkeyPatch, script: Script
) -> None:
    town.datadog.plan(script)

    async def ask() -> None:
        await town.ana.command("/bits", "investigate why is checkout slow? #service:web last 2h", in_=town.channel)

    await _too_late(town, monkeypatch, ask)
    await ask()
    await town.slack.wait_for(lambda: "already" in town.ana.sees)
    assert len(town.datadog.triggers()) == 1

    await town.ben.command("/bits", "investigate why is checkout slow? #service:db last 2h", in_=town.channel)
    await town.datadog.wait_for(lambda: len(town.datadog.triggers()) == 2)


async def test_an_alert_clicked_again_after_an_error_is_billed_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.datadog.plan(Script.held())
    alert = await town.alert()

    async def click() -> None:
        await town.ana.shortcut("investigate_message", on=alert.message)

    await _too_late(town, monkeypatch, click)
    await click()
    await town.slack.wait_for(lambda: "already" in town.ana.sees)
    assert len(town.datadog.triggers()) == 1
