"""Whatever is refused says why, in a sentence of its own, and what to do next."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.sandbox.datadog import Script
from bot.wording import AI_WRITTEN
from tests.e2e.town import QUICK, Town

TRIGGER = ("POST", "/api/v2/bits-ai/investigations")


async def _card_after_click(town: Town, *words: str) -> str:
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    return await town.reads(alert.message, *words)


async def test_datadog_says_400_with_a_reason(town: Town) -> None:
    town.datadog.break_next(
        *TRIGGER, status=400, body={"errors": [{"title": "Bad Request", "detail": "unsupported <monitor> type"}]}
    )
    seen = await _card_after_click(town, "Not started", "did not accept", "unsupported <monitor> type")
    assert "[Run again]" in seen
    assert town.datadog.triggers() == []


async def test_datadog_says_403_and_the_card_names_the_permission(town: Town) -> None:
    town.datadog.revoke("bits_investigations_write")
    seen = await _card_after_click(town, "Not started", "bits_investigations_write")
    assert "Ask a Datadog admin" in seen


async def test_without_the_read_permission_nothing_is_started_at_all(town: Town) -> None:
    town.datadog.revoke("bits_investigations_read")
    await _card_after_click(town, "Not started", "bits_investigations_read")
    assert town.datadog.triggers() == []


async def test_datadog_does_not_know_the_keys(town: Town) -> None:
    town.datadog.break_next(
        "*", "/api/v2/bits-ai/investigations", times=9, status=401, body={"errors": ["Unauthorized"]}
    )
    await _card_after_click(town, "Not started", "does not accept my keys", "check the API key")


async def test_datadog_does_not_know_the_alert(town: Town) -> None:
    town.datadog.break_next(*TRIGGER, status=404, body={"errors": ["Monitor not found"]})
    await _card_after_click(town, "Not started", "can't find this", "Monitor not found")


async def test_a_rate_limit_is_waited_for_and_said(town: Town) -> None:
    town.datadog.break_next(
        *TRIGGER,
        times=3,
        status=429,
        body={"errors": ["Rate limited"]},
        headers={"X-RateLimit-Reset": "1", "X-RateLimit-Name": "bits"},
    )
    await _card_after_click(town, "Waiting to start", "Datadog asked us to wait")


async def test_a_rate_limit_that_never_ends_is_given_up(tmp_path: Path) -> None:
    timing = replace(QUICK, patience=0.1)
    async with Town(tmp_path, timing=timing) as town:
        town.datadog.break_next(
            *TRIGGER, times=99, status=429, body={"errors": ["Rate limited"]}, headers={"X-RateLimit-Reset": "600"}
        )
        seen = await _card_after_click(town, "Not started", "limits how often we may ask")
        assert "[Run again]" in seen


async def test_a_500_that_started_it_all_the_same_is_found_and_followed(town: Town) -> None:
    town.datadog.plan(Script.held())
    town.datadog.break_next(*TRIGGER, status=500, body="<html>oops</html>", carried_out=True)
    await _card_after_click(town, "Investigating", "answer to the start got lost")
    assert len(town.datadog.triggers()) == 1


async def test_a_500_that_started_nothing_asks_before_it_starts_again(town: Town) -> None:
    town.datadog.break_next(*TRIGGER, status=500, body="")
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, "Not sure this started", "never start (and bill) the same one twice on a guess")
    assert town.datadog.triggers() == []

    await town.ana.click("Start again", on=alert.message.replies[0])
    await town.reads(alert.message, "Answered in", AI_WRITTEN)
    assert len(town.datadog.triggers()) == 1


async def test_a_connection_cut_after_the_start_bills_once(town: Town) -> None:
    town.datadog.plan(Script.held())
    town.datadog.break_next(*TRIGGER, drop="after")
    await _card_after_click(town, "Investigating")
    assert len(town.datadog.triggers()) == 1


async def test_a_monitor_that_does_not_exist(town: Town) -> None:
    await town.ana.command("/bits", "investigate 99", in_=town.channel)
    await town.slack.wait_for(lambda: "Monitor 99 doesn't exist, or I can't see it" in town.ana.sees)
    assert town.channel.messages == []


async def test_a_monitor_that_has_not_alerted(town: Town) -> None:
    await town.ana.command("/bits", f"investigate {town.monitor.id}", in_=town.channel)
    await town.slack.wait_for(lambda: "no alert in the last 7 days" in town.ana.sees)
    assert "Paste the link of an older alert" in town.ana.sees


@pytest.mark.parametrize("wish", ["list", "show 1b4e28ba-2fa1-11d2-883f-0016d3cca427"])
async def test_look_ups_without_permission_name_it(town: Town, wish: str) -> None:
    town.datadog.revoke("bits_investigations_read")
    await town.ana.command("/bits", wish, in_=town.channel)
    await town.slack.wait_for(lambda: "bits_investigations_read" in town.ana.sees)


async def test_show_of_an_unknown_one(town: Town) -> None:
    await town.ana.command("/bits", "show 1b4e28ba-2fa1-11d2-883f-0016d3cca427", in_=town.channel)
    await town.slack.wait_for(lambda: "doesn't exist, or I can't see it" in town.ana.sees)


async def test_not_in_the_channel_the_clicker_is_told_and_gets_the_conclusions_directly(town: Town) -> None:
    outside = town.slack.workspace.add_channel("outside", member=False)
    town.slack.workspace.scopes.discard("chat:write.public")
    town.channel = outside
    alert = await town.alert()

    await town.ana.shortcut("investigate_message", on=alert.message)

    await town.slack.wait_for(lambda: "/invite @Bits Bot" in town.ana.sees)
    await town.slack.wait_for(lambda: AI_WRITTEN in town.ana.sees)
    assert alert.message.replies == []


async def test_invited_afterwards_a_second_click_brings_everything_into_the_thread(town: Town) -> None:
    town.channel = town.slack.workspace.add_channel("outside", member=False)
    town.datadog.plan(Script.held())
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.slack.wait_for(lambda: "/invite @Bits Bot" in town.ana.sees)

    await town.ana.invite_app(town.channel)
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, "Investigating", "Asked by @ana")
    (run,) = town.datadog.triggers()
    town.datadog.finish(run.id)

    await town.reads(alert.message, "Answered in", AI_WRITTEN)
    assert len(town.datadog.triggers()) == 1


async def test_an_archived_channel_is_named_as_such(town: Town) -> None:
    alert = await town.alert()
    town.channel.archived = True
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.slack.wait_for(lambda: "is archived" in town.ana.sees)


async def test_a_channel_with_restricted_posting_is_named_as_such(town: Town) -> None:
    alert = await town.alert()
    town.channel.posting = "restricted"
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.slack.wait_for(lambda: "restricted by your workspace's rules" in town.ana.sees)


async def test_still_running_at_the_deadline_offers_to_keep_waiting(tmp_path: Path) -> None:
    timing = replace(QUICK, deadline=0.3)
    async with Town(tmp_path, timing=timing) as town:
        town.datadog.plan(Script.held())
        alert = await town.alert()
        await town.ana.shortcut("investigate_message", on=alert.message)
        await town.reads(
            alert.message,
            "No answer after",
            "still running in Datadog",
            "Asked by @ana",
            "No answer after",
            "@ana: the card",
        )
        (run,) = town.datadog.triggers()
        town.datadog.finish(run.id)

        await town.ana.click("Keep waiting", on=alert.message.replies[0])

        await town.reads(alert.message, "Answered in", "No answer after", "Asked by @ana", AI_WRITTEN)
        assert len(town.datadog.triggers()) == 1
