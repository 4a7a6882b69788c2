"""One gate for every way in: who may not start is refused by each of them alike, told why and whom to ask."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.rules.audit import Decision
from bot.rules.model import Starters
from bot.sandbox.datadog import Script
from bot.sandbox.slack.people import Person
from bot.wording import AI_WRITTEN
from tests.e2e.rule_town import RuleTown

NOBODY = Starters(everyone=False)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[RuleTown]:
    async with RuleTown(tmp_path) as town:
        yield town


async def by_shortcut(town: RuleTown, person: Person) -> None:
    await town.investigates(person)


async def by_command(town: RuleTown, person: Person) -> None:
    await person.command("/bits", "investigate why is checkout slow?", in_=town.channel)


async def by_monitor_id(town: RuleTown, person: Person) -> None:
    town.datadog.fire(town.monitor)
    await person.command("/bits", f"investigate {town.monitor.id}", in_=town.channel)


async def by_mention(town: RuleTown, person: Person) -> None:
    await person.mention("investigate why is checkout slow?", in_=town.channel)


async def by_modal(town: RuleTown, person: Person) -> None:
    message = await town.eva.say("checkout is slow, any idea?", in_=town.channel)
    await person.shortcut("investigate_message", on=message)
    await person.waits_for_modal("checkout is slow")
    await person.submit()


async def by_run_again(town: RuleTown, person: Person) -> None:
    await town.set()
    alert = await town.investigates(town.eva)
    await town.reads(alert.message, AI_WRITTEN)
    await town.set(starters=NOBODY)
    await town.runs_again(person, alert.message.replies[1])


WAYS_IN = [by_shortcut, by_command, by_monitor_id, by_mention, by_modal, by_run_again]
WayIn = Callable[[RuleTown, Person], Awaitable[None]]


@pytest.mark.parametrize("way_in", WAYS_IN)
async def test_who_is_not_named_is_refused_whichever_way_she_comes(town: RuleTown, way_in: WayIn) -> None:
    await town.set(starters=NOBODY)

    await way_in(town, town.ana)

    seen = await town.is_told(town.ana, "In this channel only certain people may start Bits AI investigations")
    assert "Ask a workspace admin" in seen
    assert [run for run in town.datadog.triggers() if way_in is not by_run_again] == []
    refused = [line for line in await town.audit() if line.decision is Decision.REFUSED]
    assert [(line.person, line.channel, line.rule) for line in refused] == [(town.ana.id, town.channel.id, "not_named")]
    assert town.eva.sees == ""


async def test_an_admin_may_whichever_way_she_comes(town: RuleTown) -> None:
    await town.set(starters=NOBODY)
    for way_in in WAYS_IN[:5]:
        await way_in(town, town.eva)

    await town.datadog.wait_for(lambda: len(town.datadog.triggers()) == 4)
    await town.is_told(town.eva, "already")  # the mention asks what the command asked
    lines = [line for line in await town.audit() if line.decision is not Decision.RULES_CHANGED]
    assert {line.source for line in lines} == {"shortcut", "command", "mention", "modal"}
    assert {(line.person, line.rule) for line in lines} == {(town.eva.id, "workspace admin")}
    assert town.eva.sees.count("may start") == 0


async def test_named_people_and_members_of_named_groups_may(town: RuleTown) -> None:
    sre = town.slack.workspace.add_group("sre", [town.ben])
    await town.set(starters=Starters(everyone=False, users=(town.ana.id,), groups=(sre.id,)))
    max_ = town.slack.workspace.add_user("max")

    await by_command(town, town.ana)
    await town.ben.command("/bits", "investigate why is search slow?", in_=town.channel)
    await by_command(town, max_)

    seen = await town.is_told(max_, "In this channel only certain people may start")
    assert "Ask @ana, @sre, or a workspace admin" in seen
    await town.slack.wait_for(lambda: len(town.datadog.triggers()) == 2)
    started = [line for line in await town.audit() if line.decision is Decision.STARTED]
    assert [line.rule for line in started] == ["named user", f"member of {sre.id}"]


async def test_guests_and_people_of_other_companies_are_refused_until_allowed(town: RuleTown) -> None:
    gus = town.slack.workspace.add_user("gus", guest=True)
    ola = town.slack.workspace.add_user("ola", stranger=True)
    town.channel.members |= {gus.id, ola.id}

    await town.investigates(gus)
    await town.is_told(gus, "Guests may not start Bits AI investigations here", "Ask a workspace admin")
    await town.investigates(ola)
    await town.is_told(ola, "You are here from another organisation")
    assert town.datadog.triggers() == []

    await town.set(starters=Starters(guests=True, outsiders=True))
    for person in (gus, ola):
        alert = await town.investigates(person)
        await town.reads(alert.message, f"Asked by @{person.name}", AI_WRITTEN)


@pytest.mark.parametrize("wish", ["list", "show 1b4e28ba-2fa1-11d2-883f-0016d3cca427", "status"])
async def test_what_datadog_holds_is_not_for_guests_either(town: RuleTown, wish: str) -> None:
    gus = town.slack.workspace.add_user("gus", guest=True)
    town.channel.members.add(gus.id)
    await gus.command("/bits", wish, in_=town.channel)
    await town.is_told(gus, "Guests may not see Bits AI investigations here")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"error": "ratelimited", "retry_after": 30}, "`ratelimited`"),
        ({"status": 500}, "Try again in a minute"),
        ({"error": "missing_scope"}, "install Bits Bot again with it"),
    ],
)
async def test_when_slack_does_not_say_who_she_is_nothing_starts(
    town: RuleTown, fault: dict[str, object], words: str
) -> None:
    town.slack.break_next("users.info", times=9, **fault)  # type: ignore[arg-type]
    await town.investigates(town.ana)
    seen = await town.is_told(
        town.ana, "I can't tell whether you may start Bits AI investigations here, so I do nothing"
    )
    assert words.replace("`", "") in seen
    assert town.datadog.triggers() == []
    (line,) = await town.audit()
    assert line.decision is Decision.REFUSED
    assert line.rule.startswith("unknown (")


async def test_groups_that_can_not_be_read_keep_the_gate_closed(town: RuleTown) -> None:
    sre = town.slack.workspace.add_group("sre", [town.ana])
    await town.set(starters=Starters(everyone=False, groups=(sre.id,)))
    town.slack.workspace.scopes.discard("usergroups:read")
    await town.investigates(town.ana)
    await town.is_told(town.ana, "I lack the permission usergroups:read", "install Bits Bot again with it")
    assert town.datadog.triggers() == []


async def test_a_slow_slack_does_not_make_the_acknowledgement_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The click is refused in time, and the next one finds the answer that came too late for it."""
    monkeypatch.undo()  # as long as the product waits
    answers = asyncio.Event()
    async with RuleTown(tmp_path) as town:
        town.slack.break_next("users.info", delay=answers)
        alert = await town.investigates(town.ana)
        await town.is_told(town.ana, "I can't tell whether you may start", "timeout")

        answers.set()
        await town.ana.shortcut("investigate_message", on=alert.message)
        await town.reads(alert.message, "Asked by @ana")
        assert len(town.slack.calls_to("users.info")) == 1


async def test_people_are_asked_about_once_in_some_minutes(town: RuleTown) -> None:
    town.datadog.plan(Script.held())
    for _ in range(3):
        alert = await town.investigates(town.ana)
        await town.reads(alert.message, "Asked by @ana")
    assert len(town.slack.calls_to("users.info")) == 1
