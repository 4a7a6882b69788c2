"""`/bits cases`: open cases with mine first, quick actions, saved views, and one change for several with a result for each."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.rules.model import CaseDefaults
from bot.rules.repository import RuleRepository
from bot.sandbox.datadog import SECURITY, FakeCase, FakeProject
from bot.sandbox.slack import Message
from tests.e2e.case_town import case_town
from tests.e2e.town import Town


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with case_town(tmp_path) as town:
        yield town


def _project(town: Town) -> FakeProject:
    return next(iter(town.datadog.org.case_management.projects.values()))


def _add(town: Town, title: str, **members: Any) -> FakeCase:
    return town.datadog.add_case(title, _project(town), **members)


async def _listed(town: Town, words: str = "", *shown: str) -> Message:
    before = len(town.ana.ephemerals)
    await town.ana.command("/bits", f"cases {words}".strip(), in_=town.channel)

    def there() -> Message | None:
        new = town.ana.ephemerals[before:]
        return new[-1] if new and "Asking Datadog" not in new[-1].shown else None

    message = await town.slack.wait_for(there)
    assert all(word in message.shown for word in shown), message.shown
    return message


async def _told(town: Town, *words: str) -> Message:
    def there() -> Message | None:
        last = town.ana.ephemerals[-1] if town.ana.ephemerals else None
        return last if last and all(word in last.shown for word in words) else None

    return await town.slack.wait_for(there)


async def test_open_cases_are_listed_with_mine_first_and_worked_on_from_there(town: Town) -> None:
    ana = next(iter(town.datadog.org.users.values()))
    urgent = _add(town, "Disk of db-3 is full", priority="P1")
    mine = _add(town, "Checkout <!here> is slow", assignee=ana)
    _add(town, "Long over", status_name="Closed")
    archived = _add(town, "Put away")
    archived.archived = 1.0
    listed = await _listed(town, "", "2 open cases", mine.key, urgent.key)
    assert listed.shown.index(mine.key) < listed.shown.index(urgent.key)
    assert "Long over" not in listed.shown
    assert town.slack.broadcasts == []
    assert town.channel.messages == [], "a list is for whoever asked"

    await town.ana.click("Assign to me", on=listed)
    await _told(town, mine.key, "you took this case")

    found = await _listed(town, "disk", "1 open case with disk", urgent.key)
    assert mine.key not in found.shown
    town.datadog.break_next("POST", "/api/v2/cases/*/status", drop="after")
    await town.ana.click("Close", on=found)
    await _told(town, urgent.key, "you set the status to Closed")
    assert urgent.status == "CLOSED"
    await town.ana.click("Show its card here", on=found)
    (card,) = await town.slack.wait_for(lambda: town.channel.messages)
    assert "@ana set the status to Closed" in card.shown

    assert "No open cases with disk." in (await _listed(town, "disk")).shown
    await town.ana.command("/bits", f"cases {mine.key}", in_=town.channel)
    await town.slack.wait_for(lambda: len(town.channel.messages) == 2)


async def test_a_security_case_in_the_list_is_closed_with_its_reason(town: Town) -> None:
    case = _add(town, "Impossible travel", type=SECURITY)
    listed = await _listed(town)
    await town.ana.click("Close", on=listed)
    await town.ana.waits_for_modal("is a security case")
    assert case.status == "OPEN"
    await town.ana.fill({"Reason": "Testing"})
    await town.ana.submit()
    await _told(town, "you set the status to Closed: testing")
    assert (case.status, case.resolved_reason) == ("CLOSED", "TESTING")


async def test_saved_views_of_the_channels_project_are_chosen_by_name(town: Town) -> None:
    without = await _listed(town, "view Urgent", "this channel has none")
    assert "settings" in without.shown
    await _name_project(town)
    town.datadog.add_view("Urgent", "priority:P1 OR priority:P2", _project(town))
    other = town.datadog.add_project("WEB")
    urgent = _add(town, "Disk", priority="P2")
    _add(town, "Typo", priority="P5")
    town.datadog.add_case("Elsewhere", other, priority="P1")

    every = await _listed(town, "", "2 open cases of Case Management")
    await town.ana.choose("Saved view", "Urgent", on=every)
    await _told(town, "1 open case of Case Management in the view Urgent", urgent.key)
    await _listed(town, "urgent", "in the view Urgent", urgent.key)
    await _listed(town, "view Nobody", "has no view Nobody", "It has: Urgent")


async def _name_project(town: Town) -> None:
    rules = RuleRepository(town.bot._database)
    draft = await rules.draft(town.slack.workspace.id, town.channel.id)
    named = replace(draft.channel, case=CaseDefaults(project="CASEM"))
    assert await rules.save(replace(draft, channel=named), town.ana.id)


async def test_one_change_for_several_is_confirmed_and_told_for_each(town: Town) -> None:
    first, second = _add(town, "First"), _add(town, "Second")
    third = _add(town, "Third", type=SECURITY)
    listed = await _listed(town)
    await town.ana.click("Change several…", on=listed)
    await town.ana.waits_for_modal("Up to 25.")
    await town.ana.choose("Cases", "CASEM-42 First", "CASEM-43 Second", "CASEM-44 Third")
    await town.ana.choose("Change", "Close")
    seen = await town.ana.submit()
    assert "CASEM-44 is a security case: without a reason" in seen.errors["Reason"]
    await town.ana.choose("Reason", "False positive")
    await town.ana.submit()
    confirm = await town.ana.waits_for_modal("Close: 3 cases?")
    assert "CASEM-43 Second" in confirm.text
    assert [each.status for each in (first, second, third)] == ["OPEN"] * 3

    town.datadog.break_next("POST", f"/api/v2/cases/{second.id}/status", status=403)
    town.datadog.break_next("POST", f"/api/v2/cases/{first.id}/status", drop="after")
    await town.ana.submit()
    result = await town.ana.waits_for_modal("2 of 3 cases changed, 1 not changed.")
    assert "CASEM-43 Second: The status was not set to Closed." in result.text
    assert "cases_write" in result.text
    assert [each.status for each in (first, second, third)] == ["CLOSED", "OPEN", "CLOSED"]
    assert third.resolved_reason == "FALSE_POSITIVE"
    assert "CASEM-43" not in town.ana.ephemerals[-1].shown or "open cases" in town.ana.ephemerals[-1].shown


async def test_once_its_window_is_closed_the_results_are_told_together(town: Town) -> None:
    cases = [_add(town, f"Number {number}") for number in range(3)]
    listed = await _listed(town)
    await town.ana.click("Change several…", on=listed)
    await town.ana.waits_for_modal("Up to 25.")
    await town.ana.choose("Cases", *(f"{each.key} {each.title}" for each in cases))
    await town.ana.choose("Change", "Archive")
    await town.ana.submit()
    await town.ana.waits_for_modal("Archive: 3 cases?")
    hanging = town.datadog.break_next("POST", "/api/v2/cases/*/archive", times=3, hang=True, carried_out=True)
    await town.ana.submit()
    await town.ana.close(everything=True)
    hanging.release()
    await _told(town, "3 of 3 cases changed.")
    assert sum("3 of 3" in each.shown for each in town.ana.ephemerals) == 1
    assert all(each.archived for each in cases)


async def test_a_refusing_datadog_is_told(town: Town) -> None:
    town.datadog.revoke("cases_read")
    assert "cases_read" in (await _listed(town)).shown


async def test_a_new_case_is_opened_where_the_bot_is_no_member(town: Town) -> None:
    elsewhere = town.slack.workspace.add_channel("elsewhere", member=False)
    await town.ana.command("/bits", "case new From elsewhere", in_=elsewhere)
    await town.ana.waits_for_modal("Description")
    await town.ana.submit()
    await town.datadog.wait_for(lambda: [each.title for each in town.datadog.cases()] == ["From elsewhere"])
