"""A start by itself that the budget refuses is seen where the alert is, and no longer once somebody has started it."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.rules.model import AlertFilter, ChannelRules
from bot.rules.repository import RuleRepository
from tests.e2e.alert_town import AlertTown

SHARE = "Not started automatically: the share of automatic starts is used up for the day (0 of 0). Press Investigate"
CHANNEL = "Not started automatically: this channel's budget is used up for the day (0 of 0)."


async def _rules(town: AlertTown, *, share: int | None = None, channel: int | None = None, nudge: bool = True) -> None:
    """Everything starts by itself in the channel, its webhook's alerts and Datadog's own messages alike."""
    book = RuleRepository(town.bot._database)
    draft = await book.draft(town.slack.workspace.id, town.channel.id)
    wanted = ChannelRules(
        town.slack.workspace.id,
        town.channel.id,
        route=AlertFilter(),
        auto=AlertFilter(),
        nudge=nudge,
        budget_per_day=channel,
    )
    workspace = replace(draft.workspace, automatic_share=share)
    assert await book.save(replace(draft, channel=wanted, workspace=workspace), town.ana.id)


async def test_the_card_of_an_alert_says_it_and_a_start_by_hand_takes_it_back(tmp_path: Path) -> None:
    async with AlertTown(tmp_path) as town:
        await _rules(town, share=0)
        await town.fire(group="host:web-1")
        card = await town.card(SHARE)
        assert town.datadog.triggers() == []

        await town.ana.click("Investigate", on=card)

        await town.reads(card, "Asked by @ana", "AI-written")
        await town.slack.wait_for(lambda: "Not started automatically" not in card.shown)
        assert len(town.datadog.triggers()) == 1


@pytest.mark.parametrize("limit", ["share", "channel"])
async def test_the_buttons_under_datadogs_message_say_it(tmp_path: Path, limit: str) -> None:
    async with AlertTown(tmp_path) as town:
        await _rules(town, share=0 if limit == "share" else None, channel=0 if limit == "channel" else None)
        alert = await town.alert(group="host:web-1")
        await town.reads(alert.message, SHARE if limit == "share" else CHANNEL)
        (nudge,) = alert.message.replies
        assert town.datadog.triggers() == []

        await _rules(town)
        await town.ana.shortcut("investigate_message", on=alert.message)

        await town.reads(alert.message, "Asked by @ana", "AI-written")
        await town.slack.wait_for(lambda: "Not started automatically" not in nudge.shown)


async def test_a_channel_without_buttons_is_told_once_in_the_thread(tmp_path: Path) -> None:
    async with AlertTown(tmp_path) as town:
        await _rules(town, share=0, nudge=False)
        alert = await town.alert(group="host:web-1")

        await town.reads(alert.message, SHARE, "[Investigate]")

        (note,) = alert.message.replies
        await town.ana.click("Investigate", on=note)
        await town.reads(alert.message, "Asked by @ana", "AI-written")
        await town.slack.wait_for(lambda: "Not started automatically" not in note.shown)
