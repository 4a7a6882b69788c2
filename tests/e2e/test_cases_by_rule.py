"""A channel's rule makes a case of an alert, and closes it again when the alert recovers: seen in the thread."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.alerts.case_rows import MOST_A_DAY
from bot.alerts.tables import alert_cases
from bot.datadog.cases import SECURITY_TYPE
from bot.rules.audit import AuditTrail, Entry
from bot.rules.model import AlertFilter, AutoCase, CaseDefaults
from bot.sandbox.datadog import FakeCase, FakeConclusion, Script
from bot.sandbox.slack import Message
from bot.wording import AI_WRITTEN
from tests.e2e.alert_town import AlertTown, Route
from tests.e2e.case_town import card_of, cards_of, killed, sees_it_made

CREATE = ("POST", "/api/v2/cases")
FOUND = FakeConclusion("Log rotation stopped", "The disk filled up because logrotate fails.", "Create the group.")
HOUR = 3600


class RuleTown(AlertTown):
    """Its channel takes every alert, and its rule makes cases of them."""

    async def rule(self, minutes: int | None = 30, *, priority: int = 2, **more: Any) -> None:
        case = CaseDefaults(create=AutoCase(priority, minutes), **more)
        await self.decide(Route(rules={"route": AlertFilter(), "case": case}))

    async def long_ago(self, group: str = "host:web-1", **how: Any) -> Message:
        """An alert that has lasted for an hour when it is heard of."""
        await self.fire(group=group, at=self.datadog.world.clock() - HOUR, **how)
        return await self.card("Triggered", group)

    async def investigated(self, *conclusions: FakeConclusion, group: str = "host:web-1") -> Message:
        self.datadog.plan(Script.at_once("conclusive", *conclusions))
        await self.fire(group=group)
        card = await self.card("Triggered", group)
        await self.ana.click("Investigate", on=card)
        await self.slack.wait_for(lambda: "Likely cause" in card.shown or "Bits AI investigated" in card.shown)
        return card

    async def with_case(self, **more: Any) -> Message:
        await self.rule(30, close=True, **more)
        card = await self.long_ago()
        await self.reads(card, "Created ", "It is closed again when the alert recovers")
        await card_of(self, card, "A channel's rule opened this case")
        return card

    async def recovers(self, group: str = "host:web-1") -> None:
        await self.fire(group=group, transition="alert recovery")

    @property
    def case(self) -> FakeCase:
        (case,) = self.datadog.cases()
        return case

    async def outcomes(self, number: int = 1) -> list[str]:
        """How these alerts ended for the rule, once that many have."""
        query = select(alert_cases.c.outcome).where(alert_cases.c.state == "done").order_by(alert_cases.c.id)
        async with asyncio.timeout(30):
            while True:
                rows = await self.bot._database.all(query)
                if len(rows) >= number:
                    return [row.outcome for row in rows]
                await asyncio.sleep(0.02)  # nobody tells

    async def audit(self) -> list[Entry]:
        entries = await AuditTrail(self.bot._database).latest(self.slack.workspace.id, limit=100)
        return [entry for entry in entries[::-1] if entry.decision.startswith("case_")]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[RuleTown]:
    async with RuleTown(tmp_path) as town:
        town.datadog.add_project("CASEM", "Case Management")
        yield town


# -- a case by itself ---------------------------------------------------------------------------------------------------


async def test_an_alert_that_lasts_gets_one_case_told_in_its_thread(town: RuleTown) -> None:
    await town.rule(30)
    card = await town.long_ago()

    told = await town.reads(card, "Created CASEM-42", "by this channel's rule: alerts of P1 and P2 that last longer")
    shown = await card_of(town, card, "A channel's rule opened this case", "Insights: 2")

    assert "nobody yet" in shown.shown
    assert "closed again" not in told
    assert town.case.title == "Disk almost full on host:web-1"
    assert town.case.priority == "P2"
    await town.fire(group="host:web-1", transition="renotify")
    await town.slack.wait_for(lambda: "last notified" in card.shown)
    assert len(town.datadog.asked(*CREATE)) == 1
    (entry,) = await town.audit()
    assert (entry.decision, entry.person, entry.source) == ("case_created", "", "automatic")
    assert entry.what == "CASEM-42 Disk almost full"
    assert entry.rule == "cases of P1 and P2 that last longer than 30 minutes"


async def test_conclusions_make_a_case_with_what_was_found_and_no_conclusions_none(town: RuleTown) -> None:
    await town.rule(None, close=True)
    empty = await town.investigated(group="host:web-9")
    card = await town.investigated(FOUND)

    await town.reads(card, "Created CASEM-42", "once the investigation has conclusions", "closed again when the alert")
    await card_of(town, card, "A channel's rule opened this case")

    assert "logrotate fails" in town.case.description
    assert cards_of(empty) == []


async def test_a_run_that_has_concluded_before_it_is_asked_for_here_counts(town: RuleTown) -> None:
    other = town.slack.workspace.add_channel("others")
    await town.decide(Route(other))
    await town.rule(None)
    fired = await town.fire(group="host:web-1")
    elsewhere = await town.card("Triggered", channel=other)
    town.datadog.plan(Script.at_once("conclusive", FOUND))
    message = await town.slack.post_as_datadog(other, title=fired.slack_title, title_link=fired.link(), text=fired.text)
    await town.ana.shortcut("investigate_message", on=message)
    await town.reads(message, "Log rotation stopped")
    card = await town.card("Triggered")
    await town.ana.click("Investigate", on=card)
    await town.reads(card, "Created CASEM-42")
    assert cards_of(elsewhere) == []


async def test_what_is_less_urgent_or_has_not_lasted_gets_none(town: RuleTown) -> None:
    await town.rule(90)
    await town.long_ago("host:web-7")
    less = town.datadog.add_monitor("Slow", priority=3)
    await town.fire(less, at=town.datadog.world.clock() - 3 * HOUR)
    await town.fire(group="host:web-1", at=town.datadog.world.clock() - 2 * HOUR)
    await town.slack.wait_for(lambda: any("Created" in town.thread(card) for card in town.cards()))
    assert len(town.datadog.cases()) == 1


async def test_one_that_recovers_in_time_gets_none_until_it_triggers_again(town: RuleTown) -> None:
    await town.rule(90)
    card = await town.long_ago()
    await town.recovers()
    await town.slack.wait_for(lambda: "Recovered" in card.shown)
    assert town.datadog.cases() == []
    await town.rule(30)
    await town.long_ago("host:web-2")
    await town.slack.wait_for(lambda: len(town.datadog.cases()) == 1)


async def test_where_somebody_has_made_one_by_hand_nothing_is_made(town: RuleTown) -> None:
    await town.rule(None)
    await town.fire(group="host:web-1")
    card = await town.card("Triggered")
    await town.ana.click("Create case", on=card)
    await town.ana.waits_for_modal("Description")
    await town.ana.submit()
    await sees_it_made(town.ana)
    town.datadog.plan(Script.at_once("conclusive", FOUND))
    await town.ana.click("Investigate", on=card)

    assert await town.outcomes() == ["by_hand"]
    assert len(town.datadog.cases()) == 1
    assert "by this channel's rule" not in town.thread(card)
    assert await town.audit() == []


async def test_while_somebody_is_making_one_the_rule_waits_and_makes_none(town: RuleTown) -> None:
    await town.rule(None)
    await town.fire(group="host:web-1")
    card = await town.card("Triggered")
    hers = town.datadog.break_next(*CREATE, hang=True)
    await town.ana.click("Create case", on=card)
    await town.ana.waits_for_modal("Description")
    await town.ana.submit()
    await town.datadog.wait_for(lambda: hers.hits)
    town.datadog.plan(Script.at_once("conclusive", FOUND))
    await town.ana.click("Investigate", on=card)
    await town.reads(card, AI_WRITTEN)

    hers.release()

    await card_of(town, card, "@ana opened this case")
    assert await town.outcomes() == ["by_hand"]
    assert len(town.datadog.asked(*CREATE)) == 1


async def test_whoever_submits_while_the_rule_makes_one_hears_of_it(town: RuleTown) -> None:
    await town.rule(None)
    rules = town.datadog.break_next(*CREATE, hang=True)
    card = await town.investigated(FOUND)
    await town.datadog.wait_for(lambda: rules.hits)
    await town.ana.click("Create case", on=card)
    await town.ana.waits_for_modal("Description")
    await town.ana.submit()
    await town.ana.waits_for_modal("This channel's rule is creating a case for this thread right now.")
    rules.release()
    await town.reads(card, "Created CASEM-42")
    assert len(town.datadog.cases()) == 1


async def test_two_channels_with_a_rule_share_the_one_case_of_an_alert(town: RuleTown) -> None:
    other = town.slack.workspace.add_channel("others")
    case = CaseDefaults(create=AutoCase(1 + 1, 30), close=True)
    await town.decide(*(Route(each, {"route": AlertFilter(), "case": case}) for each in (town.channel, other)))
    await town.fire(group="host:web-1", at=town.datadog.world.clock() - HOUR)
    cards = [await town.card("Triggered", channel=each) for each in (town.channel, other)]
    for card in cards:
        await town.reads(card, "Created CASEM-42")
        await card_of(town, card, "A channel's rule opened this case")
    assert len(town.datadog.asked(*CREATE)) == 1
    assert sum("by another channel's rule" in town.thread(card) for card in cards) == 1

    await town.recovers()
    for card in cards:
        await town.reads(card, "Closed CASEM-42")
    assert len(town.datadog.asked("POST", f"/api/v2/cases/{town.case.id}/status")) == 1


async def test_a_monitor_that_flaps_makes_five_cases_a_day_and_that_is_said_once(town: RuleTown) -> None:
    await town.rule(30)
    for number in range(MOST_A_DAY):
        await town.long_ago(f"host:web-{number}")
    await town.slack.wait_for(lambda: len(town.datadog.cases()) == MOST_A_DAY)
    sixth = await town.long_ago("host:web-6")
    await town.reads(sixth, "This channel's rule did not create a case.", "5 today for this monitor", "00:00 UTC")
    seventh = await town.long_ago("host:web-7")
    assert await town.outcomes(2) == ["full", "full"]
    another = town.datadog.add_monitor("Slow", priority=1)
    await town.fire(another, at=town.datadog.world.clock() - HOUR)
    await town.slack.wait_for(lambda: len(town.datadog.cases()) == MOST_A_DAY + 1)
    assert town.thread(seventh) == ""


# -- what goes wrong ------------------------------------------------------------------------------------------------------


async def test_it_waits_through_a_restart_until_it_has_lasted(town: RuleTown) -> None:
    await town.rule(30)
    await town.fire(group="host:web-1", at=town.datadog.world.clock() - 30 * 60 + 3)
    card = await town.card("Triggered")
    await killed(town.bot)
    assert town.datadog.cases() == []
    await town.start_bot()
    await town.reads(card, "Created CASEM-42")
    assert len(town.datadog.asked(*CREATE)) == 1


async def test_a_bot_that_dies_while_it_creates_makes_no_second_one(town: RuleTown) -> None:
    await town.rule(30)
    town.datadog.break_next(*CREATE, hang=True, carried_out=True)
    card = await town.long_ago()
    await town.datadog.wait_for(lambda: town.datadog.asked(*CREATE))
    await killed(town.bot)
    await town.start_bot()
    await town.reads(card, "Created CASEM-42")
    await card_of(town, card, "A channel's rule opened this case")
    assert len(town.datadog.cases()) == 1
    assert len(town.datadog.asked(*CREATE)) == 1


async def test_a_lost_answer_is_looked_up_and_the_one_case_adopted(town: RuleTown) -> None:
    await town.rule(30)
    town.datadog.break_next(*CREATE, drop="after")
    card = await town.long_ago()
    await town.reads(card, "Created CASEM-42")
    assert len(town.datadog.asked(*CREATE)) == 1


async def test_what_was_perhaps_not_made_is_told_and_never_guessed(town: RuleTown) -> None:
    await town.rule(30)
    town.datadog.break_next(*CREATE, status=500)
    card = await town.long_ago()
    told = await town.reads(card, "I don't know whether this channel's rule has created a case.", "ref ", "Create case")
    assert told.count("I don't know") == 1
    assert await town.outcomes() == ["uncertain"]
    assert len(town.datadog.asked(*CREATE)) == 1


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"status": 403, "body": {"errors": ["Forbidden"]}}, "cases_write"),
    ({"status": 404, "body": {"errors": ["project not found"]}}, "project not found"),
    ({"status": 429, "headers": {"X-RateLimit-Reset": "600"}}, "Try again in 10 minutes."),
    ({"status": 400, "body": {"errors": ["no such type"]}}, "no such type"),
]


@pytest.mark.parametrize(("refusal", "words"), REFUSALS, ids=["403", "404", "429", "400"])
async def test_a_refusal_is_told_once_in_the_thread_with_what_to_do(
    town: RuleTown, refusal: dict[str, Any], words: str
) -> None:
    await town.rule(30)
    town.datadog.break_next(*CREATE, **refusal)
    card = await town.long_ago()
    told = await town.reads(card, "This channel's rule did not create a case.", words)
    assert "Create case in the alert's menu makes one" in told
    await town.fire(group="host:web-1", transition="renotify")
    await town.slack.wait_for(lambda: "last notified" in card.shown)
    assert town.datadog.cases() == []
    assert len(town.datadog.asked(*CREATE)) == 1
    assert [entry.decision for entry in await town.audit()] == ["case_not_created"]
    assert town.ana.sees == ""


async def test_a_short_outage_is_waited_out(town: RuleTown) -> None:
    await town.rule(30)
    town.datadog.break_next("GET", "/api/v2/cases/projects", status=503, times=3)
    card = await town.long_ago()
    await town.reads(card, "Created CASEM-42")


async def test_a_key_that_may_not_see_projects_is_told(town: RuleTown) -> None:
    await town.rule(30)
    town.datadog.revoke("cases_read")
    card = await town.long_ago()
    await town.reads(card, "This channel's rule did not create a case.", "cases_read")


async def test_a_rule_that_does_not_say_which_project_says_so(town: RuleTown) -> None:
    town.datadog.add_project("OPS", "Operations")
    await town.rule(30)
    card = await town.long_ago()
    await town.reads(card, "did not create a case", "It does not say in which project", "/bits settings")
    await town.rule(30, project="GONE")
    card = await town.long_ago("host:web-2")
    await town.reads(card, "did not create a case", "shows me no project GONE")
    await town.rule(30, project="OPS")
    card = await town.long_ago("host:web-3")
    await town.reads(card, "Created OPS-42")


# -- closed by itself -----------------------------------------------------------------------------------------------------


async def test_a_case_nobody_touched_is_closed_when_the_alert_recovers_and_the_next_alert_has_its_own(
    town: RuleTown,
) -> None:
    card = await town.with_case()
    await town.recovers()
    await town.reads(card, "Closed CASEM-42", "the alert recovered, and nobody had touched the case")
    await card_of(town, card, "✅ Closed", "A channel's rule set the status to Closed")
    assert town.case.status_name == "Closed"
    assert [entry.decision for entry in await town.audit()] == ["case_created", "case_closed"]

    again = await town.long_ago()
    await town.reads(again, "Created CASEM-43")
    assert [case.status_name for case in town.datadog.cases()] == ["Closed", "Open"]


async def test_the_conclusions_in_its_comment_are_ours(town: RuleTown) -> None:
    long = replace(FOUND, description="It is the log rotation. " * 300)
    await town.rule(None, close=True)
    card = await town.investigated(long)
    await card_of(town, card, "A channel's rule opened this case", "Insights: 2")
    await town.slack.wait_for(lambda: "Created CASEM-42" in town.thread(card))
    assert len(town.case.comments) == 1
    await town.recovers()
    await town.reads(card, "Closed CASEM-42")


async def _in_progress(town: RuleTown) -> None:
    town.datadog.change_case(town.case, status_name="In Progress")


async def _priority(town: RuleTown) -> None:
    town.datadog.change_case(town.case, priority="P1")


async def _assignee(town: RuleTown) -> None:
    town.datadog.change_case(town.case, assignee=town.datadog.add_user("Ana Lytic", "ana@example.com"))


async def _title(town: RuleTown) -> None:
    town.datadog.change_case(town.case, title="Ours")


async def _insight(town: RuleTown) -> None:
    town.datadog.change_case(town.case, insights={**town.case.insights, ("MONITOR", "7"): "/monitors/7"})


async def _comment(town: RuleTown) -> None:
    town.datadog.comment_on(town.case, "Looking", town.datadog.add_user("Ana Lytic", "ana@example.com"))


async def _there_and_back(town: RuleTown) -> None:
    (card,) = cards_of(town.cards()[0])
    for priority in ("P1", "P2"):
        await town.ben.choose("Set priority", priority, on=card)
        await town.slack.wait_for(lambda: f"@ben set the priority to {priority}" in card.shown)  # noqa: B023


TOUCHES = (_in_progress, _priority, _assignee, _title, _insight, _comment, _there_and_back)


@pytest.mark.parametrize("touch", TOUCHES, ids=lambda touch: touch.__name__)
async def test_a_case_that_somebody_has_touched_stays_open(town: RuleTown, touch: Any) -> None:
    await town.with_case()
    await touch(town)
    await town.recovers()
    assert await town.outcomes() == ["kept"]
    assert town.case.status_name != "Closed"


async def test_without_the_rule_to_close_it_stays_open(town: RuleTown) -> None:
    await town.rule(30)
    card = await town.long_ago()
    await town.reads(card, "Created CASEM-42")
    await town.recovers()
    assert await town.outcomes() == ["kept"]
    assert town.case.status_name == "Open"


async def test_a_case_made_after_the_recovery_stays_open(town: RuleTown) -> None:
    await town.rule(None, close=True)
    await town.fire(group="host:web-1")
    card = await town.card("Triggered")
    await town.recovers()
    await town.slack.wait_for(lambda: "Recovered" in card.shown)
    town.datadog.plan(Script.at_once("conclusive", FOUND))
    await town.ana.click("Investigate", on=card)
    told = await town.reads(card, "Created CASEM-42")
    assert "closed again" not in told
    assert await town.outcomes() == ["kept"]
    assert town.case.status_name == "Open"


async def test_a_security_case_is_not_closed_without_a_reason_and_that_is_told(town: RuleTown) -> None:
    card = await town.with_case(type=SECURITY_TYPE)
    await town.recovers()
    await town.reads(card, "The alert recovered, and CASEM-42", "stays open", "closed with a reason")
    assert town.case.status_name == "Open"
    assert [entry.decision for entry in await town.audit()] == ["case_created", "case_not_closed"]


async def test_where_datadog_does_not_tell_enough_it_stays_open_and_that_is_told(town: RuleTown) -> None:
    card = await town.with_case()
    town.datadog.org.case_management.show_insights = False
    await town.recovers()
    await town.reads(card, "stays open", "does not tell me enough to know that nobody has touched it")
    assert town.case.status_name == "Open"


async def test_what_keeps_it_from_being_closed_is_told_in_the_thread(town: RuleTown) -> None:
    card = await town.with_case()
    town.datadog.revoke("cases_write")
    await town.recovers()
    await town.reads(card, "stays open", "cases_write", "Close it on its card")
    assert town.ana.sees == ""
    assert [entry.decision for entry in await town.audit()] == ["case_created", "case_not_closed"]


async def test_a_bot_that_dies_while_it_closes_brings_it_to_its_end(town: RuleTown) -> None:
    card = await town.with_case()
    path = f"/api/v2/cases/{town.case.id}/status"
    town.datadog.break_next("POST", path, hang=True)
    await town.recovers()
    await town.datadog.wait_for(lambda: town.datadog.asked("POST", path))
    await killed(town.bot)
    await town.start_bot()
    told = await town.reads(card, "Closed CASEM-42")
    assert told.count("Closed CASEM-42") == 1
    assert town.case.status_name == "Closed"
