"""Rights that go away while a window of a case is open: refused with the reason, nothing sent, nothing typed lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rules.model import Starters
from bot.sandbox.slack.people import Person
from tests.e2e.attach_town import INSIGHTS, a_case, deletes, held, hold, hurry, link, monitor_links, opens, pastes, puts
from tests.e2e.rule_town import RuleTown

REFUSAL = "Guests may not work on cases here."


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[RuleTown]:
    async with RuleTown(tmp_path) as town:
        await town.set(starters=Starters(guests=True))
        yield town


@pytest.fixture
def gus(town: RuleTown) -> Person:
    gus = town.slack.workspace.add_user("gus", guest=True)
    town.channel.members.add(gus.id)
    return gus


async def test_attaching_is_refused_and_the_list_waits_behind_the_reason(town: RuleTown, gus: Person) -> None:
    case = a_case(town)
    await opens(town, gus, case)
    await pastes(gus, [*monitor_links(town, [1, 2]), link(town, "/logs?query=a")])
    await gus.choose("attach:comment", "Post this link as a comment on the case")
    await town.set(starters=Starters())
    await gus.submit()

    modal = await gus.waits_for_modal(REFUSAL)
    assert "Ask a workspace admin" in modal
    assert "Nothing was sent" in modal
    assert puts(town, case) == []
    assert town.datadog.comments() == []

    await town.set(starters=Starters(guests=True))
    await gus.press("Back")
    await gus.waits_for_modal("2 of 2 chosen")
    await gus.submit()
    await gus.waits_for_modal("Attached 2 insights")
    await gus.waits_for_modal("Posted 1 link as a comment")
    assert held(case) == {"1", "2"}


async def test_removing_is_refused_and_the_choice_waits(town: RuleTown, gus: Person) -> None:
    case = a_case(town)
    hold(case, [1, 2])
    await opens(town, gus, case)
    await gus.waits_for_modal("Remove insights")
    await gus.press("Remove insights")
    await gus.waits_for_modal("has 2 insights")
    await gus.choose("Insights", "Monitor 1")
    await gus.submit()
    await gus.waits_for_modal("Remove 1 insight from")
    await town.set(starters=Starters())
    await gus.submit()
    await gus.waits_for_modal(REFUSAL)
    assert deletes(town, case) == []

    await town.set(starters=Starters(guests=True))
    await gus.press("Back")
    await gus.waits_for_modal("Remove 1 insight from")
    await gus.submit()
    await gus.waits_for_modal("Removed 1 insight")
    assert held(case) == {"2"}


async def test_a_retry_is_refused_and_what_is_missing_waits(town: RuleTown, gus: Person) -> None:
    case = a_case(town)
    await opens(town, gus, case)
    await pastes(gus, monitor_links(town, [1, 2]))
    town.datadog.break_next("PUT", INSIGHTS, times=99, status=403)
    await gus.submit()
    await gus.waits_for_modal("Not attached: 2 insights")
    town.datadog.heal()
    tried = puts(town, case)
    await town.set(starters=Starters())
    await gus.submit()
    await gus.waits_for_modal(REFUSAL)
    assert puts(town, case) == tried

    await town.set(starters=Starters(guests=True))
    await gus.press("Back")
    await gus.waits_for_modal("Not attached: 2 insights")
    await gus.submit()
    await gus.waits_for_modal("Attached 2 insights")
    assert held(case) == {"1", "2"}


async def test_a_case_is_not_created_and_the_form_waits(town: RuleTown, gus: Person) -> None:
    town.datadog.add_project("CASEM", "Case Management")
    await gus.command("/bits", "case new Disk trouble", in_=town.channel)
    await gus.waits_for_modal("Description")
    await gus.fill({"Description": "what I found at 3 a.m."})
    await town.set(starters=Starters())
    await gus.submit()
    await gus.waits_for_modal(REFUSAL)
    assert town.datadog.asked("POST", "/api/v2/cases") == []

    await town.set(starters=Starters(guests=True))
    await gus.press("Back")
    modal = await gus.waits_for_modal("Description")
    assert modal.fields["Description"] == "what I found at 3 a.m."
    await gus.submit()
    await gus.waits_for_modal("Created ")
    assert len(town.datadog.cases()) == 1


async def test_a_comment_is_refused_and_shown_to_be_copied(town: RuleTown, gus: Person) -> None:
    case = a_case(town)
    await gus.command("/bits", f"case {case.key}", in_=town.channel)
    card = await town.slack.wait_for(
        lambda: next((one for one in town.channel.messages if case.key in one.shown), None)
    )
    await gus.click("Add comment", on=card)
    await gus.waits_for_modal("Comment on")
    await gus.fill({f"Comment on {case.key}": "three lines of <hard> work"})
    await town.set(starters=Starters())
    await gus.submit()

    modal = await gus.waits_for_modal(REFUSAL)
    assert "three lines of <hard> work" in modal
    assert town.datadog.comments() == []


async def test_what_failed_on_the_card_is_not_tried_again(town: RuleTown, gus: Person) -> None:
    case = a_case(town)
    await gus.command("/bits", f"case {case.key}", in_=town.channel)
    card = await town.slack.wait_for(
        lambda: next((one for one in town.channel.messages if case.key in one.shown), None)
    )
    town.datadog.break_next("POST", "/api/v2/cases/*/priority", status=409, times=9)
    await gus.choose("Set priority", "P1", on=card)
    await town.slack.wait_for(lambda: gus.ephemerals)
    town.datadog.heal()
    await town.set(starters=Starters())
    await gus.click("Try again", on=gus.ephemerals[-1])

    await town.is_told(gus, REFUSAL)
    assert case.priority == "NOT_DEFINED"
