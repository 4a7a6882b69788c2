"""The reply with buttons under Datadog's own messages, and who never gets one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.rules.model import AlertFilter
from bot.sandbox.datadog import FakeAlert, Script
from bot.sandbox.datadog.samples import POOL_EXHAUSTED
from bot.sandbox.slack import Message
from bot.sandbox.slack.datadog_app import APP_ID, stranger
from bot.sandbox.slack.world import Author
from bot.wording import AI_WRITTEN
from tests.e2e.alert_town import AlertTown, Route

NUDGE = "Investigate with Bits AI?"


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[AlertTown]:
    async with AlertTown(tmp_path) as town:
        await town.decide(Route(rules={"nudge": True}))
        yield town


async def posts(town: AlertTown, fired: FakeAlert, **more: Any) -> Message:
    return await town.slack.post_as_datadog(
        town.channel, title=fired.slack_title, title_link=fired.link(), text=fired.text, **more
    )


async def none_but(town: AlertTown, *nudged: Message) -> None:
    """An alert that does get its reply shows that the others had their time."""
    last = await town.alert(group="host:the-last")
    await town.reads(last.message, NUDGE)
    answered = {reply.thread_ts for reply in town.channel.messages if NUDGE in reply.shown}
    assert answered == {last.message.ts, *(message.ts for message in nudged)}


async def test_an_alert_gets_one_reply_with_the_buttons_which_becomes_the_status_card(town: AlertTown) -> None:
    alert = await town.alert(group="host:web-1")
    seen = await town.reads(alert.message, NUDGE, "Disk almost full", "host:web-1")
    assert "[Investigate] [Create case] [Attach to case]" in seen

    (nudge,) = alert.message.replies
    town.datadog.plan(Script.held())
    await town.ana.click("Investigate", on=nudge)
    seen = await town.reads(alert.message, "Investigating", "P2 · team core", "Asked by @ana")
    assert NUDGE not in seen
    assert "[Open in Datadog] [Create case] [Attach to case]" in seen
    (run,) = town.datadog.triggers()
    assert run.event_id == alert.fired.event_id

    town.datadog.finish(run.id)
    await town.reads(alert.message, "Answered in", "Asked by @ana", AI_WRITTEN)
    assert alert.message.replies[0] is nudge
    assert len(alert.message.replies) == 2
    keys = [str((reply.metadata or {})["event_payload"]["key"]).partition(":")[0] for reply in alert.message.replies]
    assert keys == ["card", "conclusions"]


async def test_an_investigation_of_another_alert_leaves_the_buttons_where_they_are(town: AlertTown) -> None:
    alert = await town.alert(group="host:web-1")
    await town.reads(alert.message, NUDGE)
    other = town.datadog.fire(town.datadog.add_monitor("Queue is long"))
    await town.ana.mention(f"investigate {other.link()}", in_=town.channel, thread=alert.message)
    await town.reads(alert.message, NUDGE, "Queue is long", AI_WRITTEN)


async def test_an_event_told_again_brings_no_second_reply(town: AlertTown) -> None:
    alert = await town.alert()
    await town.reads(alert.message, NUDGE)
    told = next(one for one in town.slack.deliveries if one.payload.get("event", {}).get("ts") == alert.message.ts)
    await town.slack.redeliver(told.payload["event_id"])
    await none_but(town, alert.message)
    assert len(alert.message.replies) == 1


async def test_an_edit_keeps_the_event_that_was_seen_first(town: AlertTown) -> None:
    alert = await town.alert()
    await town.reads(alert.message, NUDGE)
    again = town.datadog.fire(town.monitor, transition="renotify")
    await town.slack.edit_as_datadog(alert.message, title=again.slack_title, title_link=again.link())
    recovery = town.datadog.fire(town.monitor, transition="alert recovery")
    await town.slack.edit_as_datadog(alert.message, title=recovery.slack_title, title_link=recovery.link())

    await town.ana.click("Investigate", on=alert.message.replies[0])

    await town.reads(alert.message, AI_WRITTEN)
    (run,) = town.datadog.triggers()
    assert run.event_id == alert.fired.event_id
    assert len(alert.message.replies) == 2


async def test_recoveries_tests_and_replies_of_datadogs_get_none(town: AlertTown) -> None:
    alert = await town.alert()
    await posts(town, town.datadog.fire(town.monitor, transition="alert recovery"))
    await posts(town, town.datadog.fire(town.monitor, test=True))
    await posts(town, town.datadog.fire(town.monitor), thread_ts=alert.message.ts)
    await town.slack.post_as_datadog(town.channel, title="Dashboard", title_link="https://app.datadoghq.com/dash/1")
    await none_but(town, alert.message)


async def test_other_bots_people_and_we_ourselves_get_none(town: AlertTown) -> None:
    fired = town.datadog.fire(town.monitor)
    for author in (
        Author("U0OTHER", "Alert Copier", "B0OTHER", "A0OTHER", town.slack.workspace.id, "bot_message"),
        Author("U0OTHER", "Not Datadog", "B0OTHER", "A0OTHER", town.slack.workspace.id),
    ):
        await posts(town, fired, author=author)
    await town.ben.say(f"look at {fired.link()}", in_=town.channel)
    await town.decide(Route(rules={"nudge": True, "route": AlertFilter()}))
    await town.fire(group="host:webhook")
    await town.card("host:webhook")
    await none_but(town)


# -- whose message it is: never known by a name ------------------------------------------------------------------------


async def test_a_strangers_bot_of_the_same_name_starts_nothing(town: AlertTown) -> None:
    """Through Slack Connect, whatever it calls itself and even if its company uses Datadog's own app."""
    town.channel.shared = True
    await town.decide(Route(rules={"nudge": True, "auto": AlertFilter()}))
    strangers = [stranger(), stranger("Datadog Alerts"), stranger(app_id=APP_ID), stranger(app_id="", team_id="")]
    forged = [
        await posts(town, town.datadog.fire(town.monitor, group=f"host:{n}"), author=who)
        for n, who in enumerate(strangers)
    ]

    await none_but(town)

    await town.reads(town.channel.top_level[-1], "Started automatically", "AI-written")
    assert len(town.datadog.triggers()) == 1
    assert [reply for message in forged for reply in message.replies] == []


async def test_a_strangers_link_in_the_thread_keeps_nobody_from_starting(town: AlertTown) -> None:
    town.channel.shared = True
    alert = await town.alert()
    link = "https://app.datadoghq.com/bits-ai/investigations/0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f"
    await town.slack.post_as_datadog(town.channel, text=link, thread_ts=alert.message.ts, author=stranger())

    await town.reads(alert.message, NUDGE)
    nudge = next(reply for reply in alert.message.replies if NUDGE in reply.shown)
    await town.ana.click("Investigate", on=nudge)

    await town.reads(alert.message, AI_WRITTEN)
    assert len(town.datadog.triggers()) == 1


async def test_an_integration_of_old_without_an_app_id_is_looked_up(town: AlertTown) -> None:
    legacy = Author("", "Datadog", "B0DATADOG", "", town.slack.workspace.id, "bot_message")
    message = await posts(town, town.datadog.fire(town.monitor), author=legacy)
    await town.reads(message, NUDGE)

    nobodys = Author("", "Datadog", "B0NOBODY", "", town.slack.workspace.id, "bot_message")
    await posts(town, town.datadog.fire(town.monitor), author=nobodys)
    await none_but(town, message)


async def test_an_app_that_is_not_known_is_said_once_and_counts_once_a_rule_names_it(town: AlertTown) -> None:
    ours = Author("U0NEW", "Datadog", "B0NEW", "A0NEWAPP", town.slack.workspace.id)
    first = await posts(town, town.datadog.fire(town.monitor, group="host:1"), author=ours)
    await posts(town, town.datadog.fire(town.monitor, group="host:2"), author=ours)
    await town.reads(first, "I don't know the app that posted it (A0NEWAPP)", "/bits settings")
    await none_but(town)

    await town.decide(Route(rules={"nudge": True, "datadog_apps": ("A0NEWAPP",)}))
    third = await posts(town, town.datadog.fire(town.monitor, group="host:3"), author=ours)
    await town.reads(third, NUDGE)
    assert len([one for one in town.channel.messages if "I don't know the app" in one.shown]) == 1


async def test_by_hand_any_message_is_good_enough(town: AlertTown) -> None:
    fired = town.datadog.fire(town.monitor)
    message = await posts(
        town, fired, author=Author("U0O", "Copier", "B0O", "", town.slack.workspace.id, "bot_message")
    )
    await town.ana.shortcut("investigate_message", on=message)
    await town.reads(message, AI_WRITTEN)


async def test_where_it_is_not_switched_on_nothing_is_said(town: AlertTown) -> None:
    quiet = town.slack.workspace.add_channel("quiet")
    fired = town.datadog.fire(town.monitor)
    await town.slack.post_as_datadog(quiet, title=fired.slack_title, title_link=fired.link())
    await none_but(town)
    assert [message for message in quiet.messages if message.author.name == "Bits Bot"] == []


async def test_older_links_without_the_time_lead_to_the_monitor(town: AlertTown) -> None:
    fired = town.datadog.fire(town.monitor)
    link = fired.link(link_members=False, window=False)
    message = await town.slack.post_as_datadog(town.channel, title=fired.slack_title, title_link=link)
    await town.reads(message, NUDGE)
    await town.ana.click("Investigate", on=message.replies[0])
    await town.reads(message, AI_WRITTEN)
    (run,) = town.datadog.triggers()
    assert run.event_id == fired.event_id


async def test_a_reply_that_was_cut_off_is_not_sent_twice(town: AlertTown) -> None:
    town.slack.break_next("chat.postMessage", drop="after")
    alert = await town.alert()
    await town.reads(alert.message, NUDGE)
    await none_but(town, alert.message)
    assert len(alert.message.replies) == 1


# -- by itself ----------------------------------------------------------------------------------------------------


async def test_an_alert_the_channels_rule_names_is_investigated_by_itself(town: AlertTown) -> None:
    rule = AlertFilter(tags=frozenset({"team:core"}), priorities=frozenset({2}))
    await town.decide(Route(rules={"auto": rule}))
    alert = await town.alert()
    await town.reads(alert.message, "Started automatically", "AI-written")
    other = town.datadog.add_monitor("Other", priority=2, tags=["team:other"])
    await town.alert(other)
    await town.datadog.wait_for(lambda: town.datadog.asked("GET", f"/api/v1/monitor/{other.id}"))
    (run,) = town.datadog.triggers()
    assert run.event_id == alert.fired.event_id


async def test_findings_that_stand_there_already_are_followed_in_place_of_buttons(town: AlertTown) -> None:
    await town.decide(Route(rules={"nudge": True, "auto": AlertFilter()}))
    script = Script.at_once("conclusive", POOL_EXHAUSTED)
    run = town.datadog.investigate_elsewhere("Auto", monitor=town.monitor, script=script)
    fired = town.datadog.fire(town.monitor)
    found = {"title": "Bits findings", "title_link": town.datadog.link_to(run), "text": "Bits AI has looked"}
    message = await posts(town, fired, attachments=[found])

    await town.reads(message, "followed here, not started again", "AI-written")
    await town.decide(Route(rules={"nudge": True}))
    await none_but(town)
    assert town.datadog.triggers() == []


async def test_a_run_that_started_by_itself_and_failed_is_one_message_which_calls_nobody(town: AlertTown) -> None:
    await town.decide(Route(rules={"auto": AlertFilter()}))
    town.datadog.plan(Script.at_once("failed"))
    failed = await town.alert(group="host:web-1")
    await town.reads(failed.message, "Failed after", "reported that it failed", "Started automatically", "[Run again]")
    town.datadog.plan(Script.at_once("conclusive", POOL_EXHAUSTED))
    answered = await town.alert(group="host:web-2")
    await town.reads(answered.message, "Answered in", AI_WRITTEN)
    assert len(failed.message.replies) == 1


async def test_buttons_that_are_late_do_not_stand_beside_the_card(town: AlertTown) -> None:
    await town.decide(Route(rules={"nudge": False}))
    town.datadog.plan(Script.held())
    alert = await town.alert(group="host:web-1")
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, "Investigating")
    await town.decide(Route(rules={"nudge": True}))
    told = next(one for one in town.slack.deliveries if one.payload.get("event", {}).get("ts") == alert.message.ts)

    await town.slack.redeliver(told.payload["event_id"])  # Slack tells of the alert only now

    await none_but(town)
    assert len(alert.message.replies) == 1


async def test_buttons_on_their_way_when_somebody_starts_offer_nothing_once_they_stand(town: AlertTown) -> None:
    on_their_way, go_on = asyncio.Event(), asyncio.Event()

    def is_nudge(call: Any) -> bool:
        found = '"nudge:' in str(call.get("metadata", "")).replace("'", '"')
        if found:
            on_their_way.set()
        return found

    town.slack.break_next("chat.postMessage", when=is_nudge, delay=go_on)
    town.datadog.plan(Script.held())
    alert = await town.alert(group="host:web-1")
    await asyncio.wait_for(on_their_way.wait(), 30)
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.datadog.wait_for(town.datadog.triggers)
    go_on.set()

    seen = await town.reads(alert.message, "being looked into already", "Investigating")
    assert "[Investigate]" not in seen
    assert len(alert.message.replies) == 2
