"""Alerts that Datadog's webhook brings, as the people in the channel see them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from bot.investigations.tables import seen_alerts
from bot.rules.model import AlertFilter
from bot.sandbox.datadog import Script
from bot.sandbox.datadog.webhooks import TEMPLATE as PLAIN_TEMPLATE
from bot.web.datadog_webhook import HEADER
from bot.wording import AI_WRITTEN
from tests.e2e.alert_town import SECRET, AlertTown, Route

OWN_BODY = {
    "id": "$ID",
    "event_type": "$EVENT_TYPE",
    "title": "$EVENT_TITLE",
    "date": "$DATE",
    "body": "$EVENT_MSG",
    "org": {"id": "$ORG_ID", "name": "$ORG_NAME"},
}


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[AlertTown]:
    async with AlertTown(tmp_path) as town:
        await town.decide(Route())
        yield town


async def test_an_alert_becomes_one_card_that_follows_it_to_its_end(town: AlertTown) -> None:
    began = town.datadog.world.clock() - 700
    await town.fire(group="host:web-1", at=began)
    card = await town.card("Triggered: Disk almost full", "on host:web-1")
    assert "97.3 (threshold > 0.95)" in card.shown
    assert "P2 · firing since" in card.shown
    assert "team:core" in card.shown

    await town.fire(group="host:web-1", transition="renotify", at=began + 300)
    await town.slack.wait_for(lambda: "last notified" in card.shown)
    await town.fire(group="host:web-1", transition="alert recovery", at=began + 600)
    await town.slack.wait_for(lambda: "Recovered: Disk almost full" in card.shown)

    assert "lasted 10 minutes" in card.shown
    assert town.cards() == [card]
    assert card.replies == []
    assert town.slack.broadcasts == []


async def test_each_group_has_its_own_card_and_a_new_cycle_another(town: AlertTown) -> None:
    await town.fire(group="host:web-1")
    await town.fire(group="host:web-2")
    await town.card("on host:web-1")
    await town.card("on host:web-2")
    await town.fire(group="host:web-1", transition="alert recovery")
    await town.fire(group="host:web-1")

    await town.slack.wait_for(lambda: len(town.cards()) == 3)


async def test_investigate_on_the_card_answers_in_its_thread(town: AlertTown) -> None:
    fired = await town.fire(group="host:web-1")
    card = await town.card("Triggered")

    await town.ana.click("Investigate", on=card)

    await town.reads(card, "Disk almost full", "Asked by @ana", AI_WRITTEN)
    (run,) = town.datadog.triggers()
    assert (run.monitor_id, run.event_id) == (town.monitor.id, fired.event_id)


async def test_after_the_recovery_the_alert_itself_is_investigated_and_only_once(town: AlertTown) -> None:
    fired = await town.fire()
    card = await town.card("Triggered")
    await town.ana.click("Investigate", on=card)
    await town.reads(card, AI_WRITTEN)
    await town.fire(transition="renotify")
    await town.fire(transition="alert recovery")
    await town.slack.wait_for(lambda: "Recovered" in card.shown)

    assert "[Full report]" in card.shown
    assert "[Investigate]" not in card.shown
    (run,) = town.datadog.triggers()
    assert run.event_id == fired.event_id


async def test_the_shortcut_on_a_recovered_card_means_what_its_button_meant(town: AlertTown) -> None:
    await town.fire(group="host:web-1")
    card = await town.card("Triggered")
    await town.ana.click("Investigate", on=card)
    await town.reads(card, AI_WRITTEN)
    await town.fire(group="host:web-1", transition="alert recovery")
    await town.slack.wait_for(lambda: "Recovered" in card.shown)
    await town.bot._database.write(delete(seen_alerts))  # as long ago, or as where Slack lets us hear no messages
    town.datadog.fire(town.monitor, group="host:web-1")  # it fires again: by now that is its latest alert

    await town.ben.shortcut("investigate_message", on=card)

    await town.slack.wait_for(lambda: "already been investigated" in town.ben.sees)
    await town.ben.mention("investigate", in_=town.channel, thread=card)
    await town.slack.wait_for(lambda: town.ben.sees.count("already been investigated") == 2)
    assert len(town.datadog.triggers()) == 1


async def test_a_mention_in_the_cards_thread_knows_what_it_is_about(town: AlertTown) -> None:
    town.datadog.plan(Script.held())
    fired = await town.fire()
    card = await town.card("Triggered")

    await town.ana.shortcut("investigate_message", on=card)

    (run,) = await town.datadog.wait_for(town.datadog.triggers)
    assert run.event_id == fired.event_id


async def test_create_case_on_the_card_opens_the_window(town: AlertTown) -> None:
    await town.fire()
    card = await town.card("Triggered")
    await town.ana.click("Create case", on=card)
    modal = await town.ana.waits_for_modal()
    assert modal.title == "Create case"


async def test_tags_are_folded_and_shown_on_a_click(town: AlertTown) -> None:
    busy = town.datadog.add_monitor("Busy", tags=[f"tag{number}:x" for number in range(30)])
    await town.fire(busy)
    card = await town.card("Busy", "and 26 more")
    assert "tag29:x" not in card.shown

    await town.ana.click("All tags", on=card)

    await town.ana.waits_for_modal("tag29:x")


async def test_a_notification_sent_again_changes_nothing(town: AlertTown) -> None:
    fired = await town.fire()
    card = await town.card("Triggered")
    before = card.edits
    assert (await town.tell(fired)).accepted
    await town.fire(group="host:later")
    await town.card("on host:later")
    assert len(town.cards()) == 2
    assert card.edits == before


async def test_channels_get_what_they_ask_for_and_the_default_one_the_rest(town: AlertTown) -> None:
    payments, rest = town.slack.workspace.add_channel("payments"), town.slack.workspace.add_channel("rest")
    only = AlertFilter(tags=frozenset({"team:payments"}), priorities=frozenset({1}))
    await town.decide(
        Route(town.channel, {"route": None}),
        Route(payments, {"route": only}),
        Route(rest, {"is_default": True}),
    )
    await town.fire(town.datadog.add_monitor("Pay", tags=["team:payments"], priority=1))
    await town.fire(town.datadog.add_monitor("Pay later", tags=["team:payments"], priority=3))

    await town.card("Pay", channel=payments)
    await town.card("Pay later", channel=rest)
    assert [len(town.cards(each)) for each in (town.channel, payments, rest)] == [0, 1, 1]


async def test_a_channel_that_refuses_holds_up_no_other(town: AlertTown) -> None:
    closed = town.slack.workspace.add_channel("closed")
    closed.archived = True
    await town.decide(Route(closed))
    await town.fire(group="host:a")
    await town.card("on host:a")
    await town.fire(group="host:b")
    await town.card("on host:b")
    assert town.cards(closed) == []
    await town.slack.wait_for(lambda: len([call for call in town.slack.calls if call.error == "is_archived"]) == 2)


async def test_a_test_notification_is_shown_as_such_and_starts_nothing(town: AlertTown) -> None:
    await town.decide(Route(rules={"route": AlertFilter(), "auto": AlertFilter()}))
    await town.fire(test=True)
    card = await town.card("[TEST] Triggered: Disk almost full")
    assert "nothing is wrong, and nothing is investigated" in card.shown
    await town.fire(group="host:real")
    real = await town.card("on host:real")
    await town.reads(real, "Started automatically", "AI-written")
    assert len(town.datadog.triggers()) == 1
    assert card.replies == []


@pytest.mark.parametrize("template", [PLAIN_TEMPLATE, OWN_BODY], ids=["without the condition", "Datadog's own"])
async def test_other_payloads_are_understood(town: AlertTown, template: dict[str, object]) -> None:
    fired = town.datadog.fire(town.monitor, group="host:web-1")
    assert (await town.tell(fired, template=json.dumps(template))).accepted
    await town.card("Triggered: Disk almost full", "on host:web-1", "97.3 (threshold > 0.95)")


async def test_basic_authentication_and_a_form_do_as_well(town: AlertTown) -> None:
    fired = town.datadog.fire(town.monitor)
    url = town.webhook_url.replace("http://", f"http://datadog:{SECRET}@")
    assert (await town.datadog.webhook(fired, url, as_form=True)).accepted
    await town.card("Triggered")


async def test_a_stranger_is_turned_away_and_no_secret_is_logged(
    town: AlertTown, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    fired = town.datadog.fire(town.monitor)
    for headers in ({}, {HEADER: "guessed-by-a-stranger"}):
        assert (await town.datadog.webhook(fired, town.webhook_url, headers=headers)).attempts == (401,)
    assert town.cards() == []
    await town.tell(fired)
    await town.card("Triggered")
    assert "without the right secret was refused" in caplog.text
    assert SECRET not in caplog.text
    assert "guessed-by-a-stranger" not in caplog.text


async def test_without_a_secret_there_is_no_webhook(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with AlertTown(tmp_path, bits_webhook_secret=None) as town:
        fired = town.datadog.fire(town.monitor)
        assert (await town.tell(fired)).attempts == (404,)
    assert "the webhook of the settings' organisation is off" in caplog.text


async def test_a_picture_slack_can_not_fetch_costs_the_card_nothing_else(town: AlertTown) -> None:
    def has_picture(arguments: dict[str, object]) -> bool:
        return "image_url" in str(arguments.get("blocks"))

    town.slack.break_next("chat.postMessage", times=9, error="invalid_blocks", when=has_picture)
    fired = town.datadog.fire(town.monitor)
    template = {**PLAIN_TEMPLATE, "snapshot": "https://p.datadoghq.com/snapshot/view/x.png"}
    await town.tell(fired, template=template)
    card = await town.card("Triggered")
    await town.ana.click("Investigate", on=card)
    await town.reads(card, "Asked by @ana")


async def test_what_was_accepted_survives_a_restart(town: AlertTown) -> None:
    town.slack.break_next("chat.postMessage", times=10_000, error="internal_error")
    await town.fire()
    await town.slack.wait_for(lambda: town.slack.calls_to("chat.postMessage"))
    await town.bot.stop()
    town.slack.heal()
    await town.start_bot()
    await town.card("Triggered")
    assert len(town.cards()) == 1
