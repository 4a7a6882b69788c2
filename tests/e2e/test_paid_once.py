"""What Datadog's own Bits found already is not paid for again, also where the bot did not hear it being posted."""

from pathlib import Path
from typing import Any

import pytest

from bot.rules.model import AlertFilter
from bot.sandbox.datadog import FakeAlert, Script
from bot.sandbox.datadog.investigations import FakeInvestigation
from bot.sandbox.datadog.samples import POOL_EXHAUSTED
from bot.sandbox.slack import Channel, Message
from bot.sandbox.slack.datadog_app import stranger
from bot.wording import AI_WRITTEN
from tests.e2e.alert_town import AlertTown, Route
from tests.e2e.town import Town

FOLLOWED = "followed here, not started again"
UNREAD = "I could not check this thread"
BY_ITSELF = "AI-written"


async def _alert_in(town: Town, channel: Channel) -> tuple[FakeAlert, Message]:
    fired = town.datadog.fire(town.monitor)
    posted = await town.slack.post_as_datadog(
        channel, title=fired.slack_title, title_link=fired.link(), text=fired.text
    )
    return fired, posted


async def _findings(town: Town, under: Message, **more: Any) -> FakeInvestigation:
    """What Bits posts by itself in the thread of an alert."""
    script = Script.at_once("conclusive", POOL_EXHAUSTED)
    run = town.datadog.investigate_elsewhere("Auto", monitor=town.monitor, script=script)
    await town.slack.post_as_datadog(
        under.channel, text=f"Bits looked into it: {town.datadog.link_to(run)}", thread_ts=under.ts, **more
    )
    return run


def _reads(town: Town) -> int:
    return len(town.slack.calls_to("conversations.replies"))


async def test_findings_posted_before_the_bot_was_invited_are_followed_by_the_shortcut(town: Town) -> None:
    channel = town.slack.workspace.add_channel("before", member=False)
    _, message = await _alert_in(town, channel)
    await _findings(town, message)
    await town.ana.invite_app(channel)

    await town.ana.shortcut("investigate_message", on=message)

    await town.reads(message, FOLLOWED, "Asked by @ana", AI_WRITTEN)
    assert town.datadog.triggers() == []
    assert _reads(town) == 1


async def test_findings_posted_while_the_bot_was_away_are_followed_by_the_button(tmp_path: Path) -> None:
    async with AlertTown(tmp_path) as town:
        await town.decide(Route(rules={"nudge": True}))
        _, message = await _alert_in(town, town.channel)
        await town.reads(message, "Investigate with Bits AI?")
        (nudge,) = message.replies
        town.channel.members.discard(town.slack.bot_user_id)
        await _findings(town, message)
        await town.ana.invite_app(town.channel)

        await town.ana.click("Investigate", on=nudge)

        await town.reads(message, FOLLOWED, "Asked by @ana", AI_WRITTEN)
        assert town.datadog.triggers() == []


async def test_findings_the_bot_has_heard_need_no_read_by_the_button(tmp_path: Path) -> None:
    async with AlertTown(tmp_path) as town:
        await town.decide(Route(rules={"nudge": True}))
        _, message = await _alert_in(town, town.channel)
        await town.reads(message, "Investigate with Bits AI?")
        (nudge,) = message.replies
        await _findings(town, message)

        await town.ana.click("Investigate", on=nudge)

        await town.reads(message, FOLLOWED, "Asked by @ana", AI_WRITTEN)
        assert town.datadog.triggers() == []
        assert _reads(town) == 0


async def test_a_thread_without_replies_or_with_ours_only_is_not_read(town: Town) -> None:
    _, message = await _alert_in(town, town.channel)
    await town.ana.shortcut("investigate_message", on=message)
    await town.reads(message, AI_WRITTEN)
    again = town.datadog.fire(town.monitor)
    await town.slack.edit_as_datadog(message, title=again.slack_title, title_link=again.link())

    await town.ben.shortcut("investigate_message", on=message)
    await town.slack.wait_for(lambda: "already been investigated" in town.ben.sees)
    assert _reads(town) == 0


async def test_what_people_and_strangers_write_there_keeps_nobody_from_starting(town: Town) -> None:
    town.channel.shared = True
    _, message = await _alert_in(town, town.channel)
    run = await _findings(town, message, author=stranger())
    await town.ben.say(f"like {town.datadog.link_to(run)}?", in_=town.channel, thread=message)

    await town.ana.shortcut("investigate_message", on=message)

    await town.reads(message, AI_WRITTEN)
    assert len(town.datadog.triggers()) == 1
    assert FOLLOWED not in town.thread(message)
    assert UNREAD not in town.thread(message)


async def test_a_thread_that_may_not_be_read_is_started_and_the_card_says_so(town: Town) -> None:
    talk = town.slack.workspace.add_channel("talk", member=False)
    _, message = await _alert_in(town, talk)
    await town.ben.say("again?", in_=talk, thread=message)
    # it may post where it is no member, and yet not read
    town.slack.workspace.scopes.add("chat:write.public")

    await town.ana.shortcut("investigate_message", on=message)

    await town.reads(message, UNREAD, "I'm not in this channel", AI_WRITTEN)
    assert len(town.datadog.triggers()) == 1


async def test_slacks_limit_on_reading_is_named(town: Town) -> None:
    _, message = await _alert_in(town, town.channel)
    await town.ben.say("again?", in_=town.channel, thread=message)
    town.slack.break_next("conversations.replies", retry_after=60)

    await town.ana.shortcut("investigate_message", on=message)

    await town.reads(message, UNREAD, "Slack lets me read threads only now and then", AI_WRITTEN)
    assert _reads(town) == 1


async def test_a_start_by_itself_that_comes_late_reads_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack tells of the alert again after a while; what was posted meanwhile it does not tell of any more."""
    monkeypatch.setattr("bot.alerts.starts.HEARD_SINCE", 0.0)
    async with AlertTown(tmp_path) as town:
        await town.decide(Route(rules={"auto": AlertFilter()}))
        channel = town.slack.workspace.add_channel("late", member=False)
        await town.decide(Route(channel, {"auto": AlertFilter()}))
        _, message = await _alert_in(town, channel)
        await _findings(town, message)
        await town.ana.invite_app(channel)
        heard = town.slack.events.about_message(message)
        assert heard is not None
        await heard

        await town.reads(message, FOLLOWED, BY_ITSELF)
        assert town.datadog.triggers() == []


async def test_a_start_by_itself_right_after_its_alert_reads_nothing(tmp_path: Path) -> None:
    async with AlertTown(tmp_path) as town:
        await town.decide(Route(rules={"auto": AlertFilter()}))
        _, message = await _alert_in(town, town.channel)
        await town.reads(message, "Started automatically", BY_ITSELF)
        assert _reads(town) == 0
