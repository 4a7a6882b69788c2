"""What goes wrong while insights are taken off a case: nothing is lost, everything is said, and Retry does what is missing."""

from collections.abc import Iterable
from typing import Any

import pytest

from bot.sandbox.datadog.case_model import FakeCase
from bot.sandbox.slack import Message
from tests.e2e.attach_town import INSIGHTS, a_case, deletes, gives_up, held, hold, hurry, monitor_links
from tests.e2e.test_attach_failures import PROBLEMS, opened_in_a_thread
from tests.e2e.town import Town


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


async def chooses_to_remove(town: Town, case: FakeCase, **fields: Iterable[int]) -> Message:
    """Over a message, with one link pasted that is to survive; Ana has only to confirm what she chose."""
    talk = await opened_in_a_thread(town, case, *monitor_links(town, [901]))
    await town.ana.press("Remove insights")
    await town.ana.waits_for_modal(f"has {len(case.insights)} insights")
    for field, numbers in fields.items():
        await town.ana.choose(field.replace("_", " "), *(f"Monitor {number}" for number in numbers))
    await town.ana.submit()
    await town.ana.waits_for_modal("can be attached again")
    return talk


@pytest.mark.parametrize(("fault", "words"), PROBLEMS, ids=[str(fault) for fault, _ in PROBLEMS])
async def test_a_failure_removes_nothing_and_retry_removes_what_was_chosen(
    town: Town, fault: dict[str, Any], words: str
) -> None:
    case = a_case(town)
    hold(case, [1, 2, 3])
    talk = await chooses_to_remove(town, case, Insights=[1, 3])
    town.datadog.break_next("DELETE", INSIGHTS, times=99, **fault)
    await town.ana.submit()

    modal = await town.ana.waits_for_modal("Not removed: 2 insights")
    assert words in modal
    assert "Nothing was removed" in modal
    assert talk.replies == []
    assert held(case) == {"1", "2", "3"}

    town.datadog.heal()
    await town.ana.submit()
    await town.ana.waits_for_modal("Removed 2 insights")
    await town.reads(talk, f"@ana removed 2 insights from {case.key}")
    assert held(case) == {"2"}
    assert len(talk.replies) == 1
    await town.ana.press("Back to the list")
    await town.ana.waits_for_modal("1 of 1 chosen")


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_removal_that_datadog_never_answers_is_open_until_retry(
    town: Town, monkeypatch: pytest.MonkeyPatch, *, carried_out: bool
) -> None:
    case = a_case(town)
    hold(case, [1, 2, 3])
    talk = await chooses_to_remove(town, case, Insights=[1, 3])
    late = {"lands_after": 0.0} if carried_out else {"hang": True}
    gives_up(town.datadog.break_next("DELETE", INSIGHTS, times=99, **late), monkeypatch)
    await town.ana.submit()
    modal = await town.ana.waits_for_modal("Not removed: 2 insights")
    assert "did not answer clearly. Retry: what is done already is not done twice." in modal

    town.datadog.heal()
    await town.ana.submit()
    await town.ana.waits_for_modal("Removed 2 insights")
    await town.reads(talk, "@ana removed 2 insights")
    assert held(case) == {"2"}
    assert len(town.datadog.effects("insights_removed")) == 1


async def test_a_case_deleted_meanwhile_is_told_and_the_list_is_kept(town: Town) -> None:
    case, other = a_case(town), a_case(town, "Another", "OTHER")
    hold(case, [1, 2])
    await chooses_to_remove(town, case, Insights=[1])
    del town.datadog.org.case_management.cases[case.id]
    await town.ana.submit()
    modal = await town.ana.waits_for_modal("Not removed: 1 insight")
    assert "Datadog has no such case any more" in modal

    await town.ana.press("Back to the list")
    await town.ana.waits_for_modal("1 of 1 chosen")
    await town.ana.type_in("Case", other.key)
    await town.ana.choose("Case", f"{other.key} · Another (Open)")
    await town.ana.waits_for_modal(f"{other.key} · Another\n")
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 1 insight")
    assert held(other) == {"901"}


async def test_a_batch_that_fails_stays_and_only_it_is_removed_again(town: Town) -> None:
    case = a_case(town)
    numbers = range(1001, 1151)
    hold(case, numbers)
    talk = await chooses_to_remove(town, case, Insights_1_to_100=numbers[:100], Insights_101_to_150=numbers[100:])
    town.datadog.break_next("DELETE", INSIGHTS, skip=1, times=99, status=503)
    await town.ana.submit()
    modal = await town.ana.waits_for_modal("Removed 100 insights")
    assert "Not removed: 50 insights" in modal
    await town.reads(talk, "@ana removed 100 insights")
    assert len(case.insights) == 50

    town.datadog.heal()
    already = len(deletes(town, case))
    await town.ana.submit()
    await town.ana.waits_for_modal("Removed 150 insights")
    await town.reads(talk, "@ana removed 150 insights")
    assert held(case) == set()
    assert deletes(town, case)[already:] == [50]
    assert len(talk.replies) == 1


async def test_a_window_closed_meanwhile_the_person_hears_what_is_still_there(town: Town) -> None:
    case = a_case(town)
    hold(case, [1, 2])
    await chooses_to_remove(town, case, Insights=[1, 2])
    fault = town.datadog.break_next("DELETE", INSIGHTS, hang=True, status=403)
    await town.ana.submit()
    await town.datadog.wait_for(lambda: fault.hits)
    await town.ana.close()
    fault.release()

    await town.slack.wait_for(lambda: "Left: 2 insights." in town.ana.sees)
    assert "Remove them again from" in town.ana.sees
    assert held(case) == {"1", "2"}
