"""The day's budget as people meet it: refusals with numbers, the button for those who may, status and audit."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rules.audit import Decision
from bot.rules.model import Starters
from bot.sandbox.datadog import Script
from bot.sandbox.slack.people import Person
from bot.wording import AI_WRITTEN
from tests.e2e.rule_town import RuleTown
from tests.e2e.town import AlertMessage


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[RuleTown]:
    async with RuleTown(tmp_path) as town:
        yield town


async def refused(town: RuleTown, person: Person) -> AlertMessage:
    alert = await town.investigates(person)
    await town.is_told(person, "used today, resets at 00:00 UTC")
    return alert


async def test_over_budget_she_is_told_the_numbers_and_whom_to_ask(town: RuleTown) -> None:
    await town.set(budget=1, starters=Starters(users=(town.ben.id,)))
    first = await town.investigates(town.ana)
    await town.reads(first.message, AI_WRITTEN)

    second = await town.investigates(town.ana)

    seen = await town.is_told(town.ana, "1 of 1 used today, resets at 00:00 UTC", "Nothing was started.")
    assert "This workspace's budget of Bits AI investigations is used up" in seen
    assert "Ask @ben, or a workspace admin" in seen
    assert "Start anyway" not in seen
    assert second.message.replies == []
    assert len(town.datadog.triggers()) == 1


async def test_an_admin_may_start_anyway_once(town: RuleTown) -> None:
    await town.set(budget_per_day=0)
    alert = await refused(town, town.eva)
    offer = town.eva.ephemerals[-1]
    assert "This channel's budget" in offer.shown
    assert "[Start anyway]" in offer.shown

    asked = await town.eva.click("Start anyway", on=offer, confirm=False)
    assert "Datadog bills each one" in str(asked.asked)
    assert town.datadog.triggers() == []
    await town.eva.click("Start anyway", on=offer)

    await town.reads(alert.message, "Asked by @eva", AI_WRITTEN)
    await town.is_told(town.eva, "requested, over budget")
    assert "[Start anyway]" not in town.eva.sees
    assert len(town.datadog.triggers()) == 1
    line = (await town.audit())[-1]
    assert (line.decision, line.rule) == (Decision.CONFIRMED, "over budget, workspace admin")
    assert "channel 1 of 0" in line.budget


async def test_a_named_person_may_too_and_loses_it_with_the_rule(town: RuleTown) -> None:
    await town.set(budget=0, starters=Starters(users=(town.ana.id,)))
    await refused(town, town.ana)
    offer = town.ana.ephemerals[-1]
    await town.set(budget=0, starters=Starters())

    await town.ana.click("Start anyway", on=offer)

    await town.is_told(town.ana, "only certain people may start over budget")
    assert town.datadog.triggers() == []


async def test_run_again_over_budget_asks_too(town: RuleTown) -> None:
    await town.set(budget=1)
    alert = await town.investigates(town.eva)
    await town.reads(alert.message, AI_WRITTEN)

    await town.runs_again(town.eva, alert.message.replies[1])
    await town.is_told(town.eva, "1 of 1 used today")
    await town.eva.click("Start anyway", on=town.eva.ephemerals[-1])

    await town.slack.wait_for(lambda: len(town.datadog.triggers()) == 2)
    await town.reads(alert.message, AI_WRITTEN, "run 2")


async def test_a_monitor_that_had_to_be_looked_up_is_refused_and_offered_like_any_other(town: RuleTown) -> None:
    await town.set(budget=0)
    town.datadog.fire(town.monitor)
    await town.eva.command("/bits", f"investigate {town.monitor.id}", in_=town.channel)
    await town.is_told(town.eva, "0 of 0 used today")
    assert town.datadog.triggers() == []

    await town.eva.click("Start anyway", on=town.eva.ephemerals[-1])

    await town.datadog.wait_for(town.datadog.triggers)


async def test_joining_is_free_when_the_budget_is_used_up(town: RuleTown) -> None:
    await town.set(budget=1)
    town.datadog.plan(Script.held())
    alert = await town.investigates(town.ana)
    await town.reads(alert.message, "Investigating")

    await town.ben.shortcut("investigate_message", on=alert.message)

    await town.is_told(town.ben, "already running")
    assert "used up" not in town.ben.sees


async def test_what_datadog_refuses_can_be_tried_again_on_the_same_budget(town: RuleTown) -> None:
    await town.set(budget=1)
    town.datadog.revoke("bits_investigations_write")
    alert = await town.investigates(town.ana)
    await town.reads(alert.message, "Not started", "bits_investigations_write")
    town.datadog.grant("bits_investigations_write")

    assert "Run again" not in town.thread(alert.message)  # nothing but the keys can mend it
    await town.ana.shortcut("investigate_message", on=alert.message)

    await town.reads(alert.message, AI_WRITTEN)
    assert "used up" not in town.ana.sees


async def test_status_shows_budget_runs_rules_and_health(town: RuleTown) -> None:
    await town.set(budget=40, share=10, budget_per_day=12, nudge=True)
    town.datadog.plan(Script.held())
    alert = await town.investigates(town.ana)
    await town.reads(alert.message, "Investigating")

    await town.ben.command("/bits", "status", in_=town.channel)

    seen = await town.is_told(town.ben, "Budget today", "Database: answers")
    assert "workspace 1 of 40 used, this channel 1 of 12 used, automatically 0 of 10 used" in seen
    assert "1 investigation in this workspace" in seen
    assert "Disk almost full" in seen
    assert "Buttons under Datadog's own messages: yes" in seen
    assert "Datadog: last answered" in seen
    assert "no delivery errors in 24 h" in seen


async def test_status_tells_what_was_refused(town: RuleTown) -> None:
    town.datadog.revoke("bits_investigations_write")
    alert = await town.investigates(town.ana)
    await town.reads(alert.message, "Not started")
    town.channel.posting = "restricted"
    await town.investigates(town.ana)
    await town.is_told(town.ana, "restricted by your workspace's rules")

    await town.ana.command("/bits", "status", in_=town.channel)

    await town.is_told(town.ana, "my key lacks a permission", "in 24 h: a channel refused what I posted")


async def test_the_audit_is_for_admins_and_the_named(town: RuleTown) -> None:
    await town.set(budget=1, starters=Starters(users=(town.ben.id,)))
    alert = await town.investigates(town.ana)
    await town.reads(alert.message, AI_WRITTEN)
    await refused(town, town.ana)
    other = town.slack.workspace.add_channel("other")
    await town.ana.command("/bits", "investigate why is search slow?", in_=other)
    await town.slack.wait_for(lambda: town.ana.sees.count("used up") == 2)

    await town.ana.command("/bits", "audit", in_=town.channel)
    await town.is_told(town.ana, "Only workspace admins and those the channel's rules name may see who started what")

    await town.eva.command("/bits", "audit", in_=town.channel)
    seen = await town.is_told(town.eva, "The last starts and refusals in this workspace")
    assert "@ana: started · Disk almost full · by shortcut · rule: everyone in the workspace · workspace 1 of 1" in seen
    assert seen.count("refused, over budget") == 2
    assert "in #other" in seen
    assert "@eva: rules changed" in seen

    await town.ben.command("/bits", "audit", in_=town.channel)
    seen = await town.is_told(town.ben, "The last starts and refusals in #alerts")
    assert seen.count("refused, over budget") == 1


async def test_the_final_reply_also_goes_to_the_channel_where_that_is_wanted(town: RuleTown) -> None:
    await town.set(broadcast=True)
    alert = await town.investigates(town.ana)
    await town.reads(alert.message, "Answered", AI_WRITTEN)
    card, conclusions = alert.message.replies
    assert (card.broadcast, conclusions.broadcast) == (False, True)

    await town.set(broadcast=False)
    again = await town.investigates(town.ana)
    await town.reads(again.message, "Answered", AI_WRITTEN)
    assert [reply.broadcast for reply in again.message.replies] == [False, False]
