"""Muting from the card, and taking it back, as the people in the channel see it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.rules.model import AlertFilter, Starters
from bot.sandbox.slack import Message
from tests.e2e.alert_town import AlertTown, Route


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[AlertTown]:
    async with AlertTown(tmp_path) as town:
        await town.decide(Route())
        yield town


async def a_card(town: AlertTown) -> Message:
    await town.fire(group="host:web-1")
    return await town.card("Triggered")


async def test_a_mute_shows_who_and_until_when_and_can_be_undone(town: AlertTown) -> None:
    card = await a_card(town)
    asked = await town.ana.choose("Mute …", "For 1 hour", on=card, confirm=False)
    assert "Disk almost full for host:web-1" in asked.asked
    assert town.datadog.effects("downtime") == []

    await town.ana.choose("Mute …", "For 1 hour", on=card)
    await town.slack.wait_for(lambda: "by @ana" in card.shown and "[Unmute]" in card.shown)
    (downtime,) = town.datadog.effects("downtime")
    assert downtime.scope == "host:web-1"
    assert downtime.end - downtime.start == pytest.approx(3600, abs=30)
    assert "by ana" in downtime.message

    await town.ben.click("Unmute", on=card)
    await town.slack.wait_for(lambda: "Unmuted by @ben" in card.shown and "Mute …" in card.shown)
    assert downtime.canceled
    assert town.cards() == [card]


async def test_every_card_of_the_alert_says_that_it_is_muted(town: AlertTown) -> None:
    other = town.slack.workspace.add_channel("other")
    await town.decide(Route(other))
    card = await a_card(town)
    beside = await town.card("Triggered", channel=other)
    await town.ana.choose("Mute …", "For 1 hour", on=card)
    await town.slack.wait_for(lambda: "by @ana" in beside.shown)


async def test_a_missing_permission_is_named_to_the_clicker_only(town: AlertTown) -> None:
    card = await a_card(town)
    town.datadog.revoke("monitors_downtime")
    await town.ana.choose("Mute …", "For 1 hour", on=card)
    await town.slack.wait_for(lambda: "monitors_downtime" in town.ana.sees)
    assert "Nothing was muted." in town.ana.sees
    assert "Muted" not in card.shown
    assert town.ben.sees == ""


async def test_an_answer_that_got_lost_is_told_and_not_repeated(town: AlertTown) -> None:
    card = await a_card(town)
    town.datadog.break_next("POST", "/api/v2/downtime", drop="after")
    await town.ana.choose("Mute …", "For 1 hour", on=card)
    await town.slack.wait_for(lambda: "I don't know whether it is muted now" in town.ana.sees)
    assert len(town.datadog.effects("downtime")) == 1


async def test_who_may_not_start_may_not_mute(town: AlertTown) -> None:
    only_ben = Starters(everyone=False, users=(town.ben.id,))
    await town.decide(Route(rules={"route": AlertFilter(), "starters": only_ben}))
    card = await a_card(town)
    await town.ana.choose("Mute …", "For 1 hour", on=card)
    await town.slack.wait_for(lambda: "mute alerts from here" in town.ana.sees)
    assert town.datadog.effects("downtime") == []
    await town.ben.choose("Mute …", "For 1 hour", on=card)
    await town.slack.wait_for(lambda: "by @ben" in card.shown)


async def test_after_an_unclear_answer_and_a_restart_it_can_be_pressed_again(town: AlertTown) -> None:
    card = await a_card(town)
    town.datadog.break_next("POST", "/api/v2/downtime", status=503)
    await town.ana.choose("Mute …", "For 1 hour", on=card)
    await town.slack.wait_for(lambda: "I don't know whether it is muted" in town.ana.sees)
    await town.bot.stop()
    await town.start_bot()
    assert town.datadog.effects("downtime") == []
    await town.ana.choose("Mute …", "For 1 hour", on=card)
    await town.slack.wait_for(lambda: "by @ana" in card.shown)


async def test_a_mute_may_last_until_the_morning(town: AlertTown) -> None:
    card = await a_card(town)
    await town.ana.choose("Mute …", "Until the morning", on=card)
    await town.slack.wait_for(lambda: "by @ana" in card.shown)
    (downtime,) = town.datadog.effects("downtime")
    assert datetime.fromtimestamp(downtime.end, UTC).hour == 8
    assert 3_600 - 60 <= downtime.end - downtime.start <= 25 * 3_600


async def test_who_is_on_it_is_seen_and_handed_over(town: AlertTown) -> None:
    card = await a_card(town)
    await town.ana.click("I'm on it", on=card)
    await town.slack.wait_for(lambda: "@ana is on it" in card.shown)
    await town.ben.click("Take over", on=card)
    await town.slack.wait_for(lambda: "@ben is on it" in card.shown)
    await town.ben.click("Take over", on=card)
    await town.slack.wait_for(lambda: "is on it since" not in card.shown and "[I'm on it]" in card.shown)
    assert "You are off it" in town.ben.sees


async def test_whoever_asks_is_told_of_the_recovery_once(town: AlertTown) -> None:
    alert = await town.fire(group="host:web-1")
    card = await town.card("Triggered")
    for _ in range(2):
        await town.ana.click("Tell me when it recovers", on=card)
    await town.slack.wait_for(lambda: "when it recovers, once" in town.ana.sees)

    recovery = await town.fire(group="host:web-1", transition="alert recovery")
    await town.tell(recovery)
    await town.reads(card, "@ana, 🟢 Disk almost full recovered")
    assert alert.cycle_key == recovery.cycle_key

    await town.card("Recovered")
    assert town.thread(card).count("@ana, 🟢") == 1
    assert "Tell me when it recovers" not in card.shown


async def test_the_card_shows_what_came_of_it(town: AlertTown) -> None:
    town.datadog.add_project("CASEM", "Case Management")
    card = await a_card(town)
    await town.ana.click("Investigate", on=card)
    await town.slack.wait_for(lambda: "Likely cause: " in card.shown and "[Full report]" in card.shown)
    await town.ana.click("Full report", on=card)
    await town.ana.waits_for_modal("Full report")

    await town.ana.click("Create case", on=card)
    await town.ana.waits_for_modal("Description")
    await town.ana.submit()
    await town.slack.wait_for(lambda: "📋 CASEM-" in card.shown and "Create case" not in card.shown)
