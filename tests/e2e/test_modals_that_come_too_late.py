"""Slack gives a click three seconds to open a window; whoever waited in vain is told, and can click again."""

import pytest

from tests.e2e.town import Town


@pytest.mark.parametrize(
    ("error", "words"),
    [("expired_trigger_id", "longer than Slack allows"), ("internal_error", "Something went wrong on my side")],
)
async def test_a_window_that_does_not_open_is_explained(town: Town, error: str, words: str) -> None:
    message = await town.ben.say("why is it slow?", in_=town.channel)
    town.slack.break_next("views.open", error=error)

    await town.ana.shortcut("investigate_message", on=message)
    await town.slack.wait_for(lambda: words in town.ana.sees)

    await town.ana.shortcut("investigate_message", on=message)
    await town.ana.waits_for_modal("why is it slow?")
