"""What has happened in Slack before anybody looks: one alert that is dealt with, through the real bot, and one that waits."""

import contextlib
from dataclasses import replace

from bot.sandbox.datadog import Script
from bot.sandbox.playground.control import Control
from bot.sandbox.playground.journal import Journal
from bot.sandbox.playground.seed import Stage
from bot.sandbox.slack import Message, NeverHappened, NotAcknowledged, NotOnScreen

PATIENCE = 20.0
_DEALT_WITH, _WAITING = "disk", "metric"
_SOON = (("in progress", 0.1),)


async def open_story(stage: Stage, control: Control, journal: Journal) -> None:
    """A bot that is too slow for it costs the story, not the playground."""
    journal.begin("What happened before you came.")
    with contextlib.suppress(NeverHappened, NotAcknowledged, NotOnScreen):
        await _deal_with_one(stage, control)
    await control.fire(_WAITING)


async def _deal_with_one(stage: Stage, control: Control) -> None:
    monitor = stage.monitors[_DEALT_WITH]
    finding = stage.finding_of(monitor.id)
    stage.datadog.plan(replace(Script.at_once("conclusive", finding.cause), states=_SOON), monitor=monitor)
    fired = await control.fire(_DEALT_WITH)
    alert = stage.alerts_channel.message(fired["ts"])
    assert alert is not None
    offer = await stage.slack.wait_for(lambda: next(iter(alert.replies), None), PATIENCE)
    await stage.ben.click("Investigate", on=offer)
    found = await stage.slack.wait_for(lambda: _conclusions(alert), PATIENCE)
    await stage.cora.react("eyes", found)
    await stage.ben.say(
        "The group is created on all four hosts, logs rotate again.", stage.alerts_channel, thread=alert
    )
    await control.change_alert(fired["alert"], "recover")
    await stage.cora.say("Thanks Ben! I pin db-agent to 4.1 for now.", stage.alerts_channel, thread=alert)


def _conclusions(alert: Message) -> Message | None:
    return next((one for one in alert.replies if "AI-written" in one.shown), None)
