"""From a click under an alert to the conclusions in its thread."""

from bot.sandbox.datadog import Script
from bot.wording import AI_WRITTEN
from tests.e2e.town import Town


async def test_an_alert_is_investigated_in_its_thread(town: Town) -> None:
    town.datadog.plan(Script.held())
    alert = await town.alert(group="host:web-1")

    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, "Investigating", "Disk almost full", "Asked by @ana")
    (run,) = town.datadog.triggers()
    town.datadog.finish(run.id)

    seen = await town.reads(alert.message, "Answered in", "Likely cause", "Full report", "Asked by @ana", AI_WRITTEN)
    assert len(alert.message.replies) == 2
    assert town.slack.broadcasts == [], seen
