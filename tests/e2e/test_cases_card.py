"""The case card: worked on from the thread, edited in place, true after every refusal, and shown by `/bits case`."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.datadog import FakeCase
from bot.sandbox.datadog.case_model import CHANGE_REQUEST
from bot.sandbox.slack import Message
from tests.e2e.case_town import card_of, cards_of, case_town, made, starts_case
from tests.e2e.town import QUICK, Town


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with case_town(tmp_path) as town:
        yield town


async def _shown(town: Town, **members: Any) -> tuple[FakeCase, Message]:
    """A case somebody opened in Datadog, with its card in the channel."""
    (project,) = town.datadog.org.case_management.projects.values()
    case = town.datadog.add_case("Disk of db-3 is full", project, **members)
    await town.ana.command("/bits", f"case {case.key}", in_=town.channel)
    (card,) = await town.slack.wait_for(lambda: town.channel.messages)
    await _says(town, card, case.key)
    return case, card


async def _says(town: Town, card: Message, *words: str) -> str:
    def says() -> str | None:
        at = 0
        for word in words:
            found = card.shown.find(word, at)
            if found < 0:
                return None
            at = found + len(word)
        return card.shown

    return await town.slack.wait_for(says)


async def test_status_priority_assignee_and_comment_are_set_from_the_card(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    card = await made(town, alert)
    (case,) = town.datadog.cases()

    await town.ben.choose("Set status", "In Progress", on=card)
    await _says(town, card, "🟠 In Progress", "@ben set the status to In Progress")
    await town.ana.choose("Set priority", "P1", on=card)
    await _says(town, card, "🔴 P1", "@ana set the priority to P1")
    await town.ana.click("Assign to me", on=card)
    await _says(town, card, "👤 Ana Lytic", "@ana took this case")
    await town.ben.click("Add comment", on=card)
    await town.ben.waits_for_modal("Comment on CASEM-42")
    await town.ben.fill({"Comment on CASEM-42": "logrotate runs again"})
    await town.ben.submit()
    shown = await _says(town, card, "took this case", "@ben commented")

    assert town.ben.modal is None
    assert (case.status_name, case.priority, case.assignee and case.assignee.name) == ("In Progress", "P1", "Ana Lytic")
    assert town.datadog.comments() == ["ben wrote in Slack:\n\nlogrotate runs again"]
    assert len(cards_of(alert.message)) == 1
    assert town.ana.sees == ""
    assert "@ben set the status" in shown
    await town.ben.choose("Assign to …", town.ana, on=card)
    await _says(town, card, "👤 Ana Lytic", "@ben assigned this case to Ana Lytic")


async def test_two_people_at_once_both_are_named_in_order_and_the_last_one_wins(town: Town) -> None:
    case, card = await _shown(town)
    hanging = town.datadog.break_next("POST", "/api/v2/cases/*/priority", hang=True, carried_out=True)

    await asyncio.gather(
        town.ana.choose("Set priority", "P1", on=card),
        town.ben.choose("Set status", "In Progress", on=card),
    )
    await town.ben.choose("Set priority", "P3", on=card)
    await town.ana.choose("Set priority", "P2", on=card)
    hanging.release()

    shown = await _says(town, card, "@ben set the priority to P3", "@ana set the priority to P2")
    assert "🟠 P2" in shown
    assert "🟠 In Progress" in shown
    assert "@ana set the priority to P1" in shown
    assert (case.priority, case.status_name) == ("P2", "In Progress")


async def test_the_types_own_status_names_are_offered(town: Town) -> None:
    case, card = await _shown(town, type=CHANGE_REQUEST)
    await town.ana.choose("Set status", "Pending Approval", on=card)
    await _says(town, card, "🟠 Pending Approval")
    assert case.status_name == "Pending Approval"


REFUSALS: list[tuple[int, dict[str, str], tuple[str, ...]]] = [
    (403, {}, ("The priority was not set to P1 on CASEM-42.", "cases_write", "Ask a Datadog admin")),
    (409, {}, ("Somebody else was changing the case", "[Try again]")),
    (429, {"X-RateLimit-Reset": "120"}, ("Try again in 2 minutes.", "[Try again]")),
    (400, {}, ("Datadog did not accept it.",)),
]


async def test_a_refusal_is_told_to_the_clicker_and_the_card_stays_right(town: Town) -> None:
    case, card = await _shown(town, priority="P4")
    for status, headers, words in REFUSALS:
        before, told = card.to_json()["blocks"][-1]["block_id"], len(town.ben.ephemerals)
        town.datadog.break_next("POST", "/api/v2/cases/*/priority", status=status, headers=headers)
        await town.ben.choose("Set priority", "P1", on=card)

        await town.slack.wait_for(lambda told=told: len(town.ben.ephemerals) > told)  # type: ignore[misc]
        assert all(word in town.ben.ephemerals[-1].shown for word in words), town.ben.sees
        await town.slack.wait_for(lambda before=before: card.to_json()["blocks"][-1]["block_id"] != before)  # type: ignore[misc]
        assert "⚪ P4" in card.shown
        assert "@ben" not in card.shown
        assert case.priority == "P4"
    assert town.ana.sees == ""

    await town.ben.click("Try again", on=next(one for one in town.ben.ephemerals if "[Try again]" in one.shown))
    await _says(town, card, "🔴 P1", "@ben set the priority to P1")


async def test_what_has_an_unknown_outcome_is_done_again_quietly(town: Town) -> None:
    case, card = await _shown(town)
    mishaps = ({"status": 503}, {"drop": "before"}, {"drop": "after"})
    for mishap, status in zip(mishaps, ("In Progress", "Closed", "In Progress"), strict=True):
        town.datadog.break_next("POST", "/api/v2/cases/*/status", **mishap)  # type: ignore[arg-type]
        await town.ben.choose("Set status", status, on=card)
        await _says(town, card, f" {status} · ", f"@ben set the status to {status}")
        assert case.status_name == status
    assert town.ben.sees == ""


async def test_what_is_never_answered_is_given_up_and_done_again_quietly(tmp_path: Path) -> None:
    async with case_town(tmp_path, replace(QUICK, request=1.5)) as town:
        case, card = await _shown(town)
        town.datadog.break_next("POST", "/api/v2/cases/*/status", hang=True)
        await town.ben.choose("Set status", "Closed", on=card)
        await _says(town, card, "✅ Closed", "@ben set the status to Closed")
        assert case.status_name == "Closed"
        assert town.ben.sees == ""


async def test_a_datadog_that_stays_down_is_told_with_a_way_to_try_again(town: Town) -> None:
    case, card = await _shown(town)
    town.datadog.break_next("POST", "/api/v2/cases/*/status", status=500, times=3)
    await town.ben.choose("Set status", "Closed", on=card)
    await town.slack.wait_for(lambda: "The status was not set to Closed on CASEM-42." in town.ben.sees)
    assert "🔵 Open" in card.shown

    await town.ben.click("Try again", on=town.ben.ephemerals[-1])
    await _says(town, card, "✅ Closed", "@ben set the status to Closed")
    assert case.status_name == "Closed"


async def test_a_case_deleted_meanwhile_is_said_on_the_card_and_forgotten_by_its_thread(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    card = await made(town, alert)
    town.datadog.org.case_management.cases.clear()

    await town.ben.choose("Set priority", "P1", on=card)

    await town.slack.wait_for(lambda: "Datadog has no such case any more. Its card says so now." in town.ben.sees)
    shown = await _says(town, card, "Datadog has no such case any more")
    assert "[Assign to me]" not in shown
    await starts_case(town.ben, alert)
    await town.ben.waits_for_modal("Description")


async def test_a_comment_that_fails_is_not_lost(town: Town) -> None:
    case, card = await _shown(town)
    town.datadog.revoke("cases_write")
    await town.ana.click("Add comment", on=card)
    await town.ana.waits_for_modal("Comment on")
    await town.ana.fill({f"Comment on {case.key}": "three lines\nof <hard> work\n& thought"})
    await town.ana.submit()
    await town.slack.wait_for(lambda: "of <hard> work" in town.ana.sees)
    assert "The comment was not added on CASEM-42." in town.ana.sees
    assert town.datadog.comments() == []


async def test_a_comment_with_an_unknown_outcome_stands_once(town: Town) -> None:
    case, card = await _shown(town)
    for number, mishap in enumerate(({"drop": "after"}, {"status": 502}), start=1):
        town.datadog.break_next("POST", "/api/v2/cases/*/comment", **mishap)  # type: ignore[arg-type]
        await town.ana.click("Add comment", on=card)
        await town.ana.waits_for_modal("Comment on")
        await town.ana.fill({f"Comment on {case.key}": f"number {number}"})
        await town.ana.submit()
        await _says(town, card, *["@ana commented"] * number)
        assert town.datadog.comments()[number - 1 :] == [f"ana wrote in Slack:\n\nnumber {number}"]


async def test_assigning_someone_datadog_does_not_know_says_so(town: Town) -> None:
    case, card = await _shown(town)
    await town.ben.click("Assign to me", on=card)
    await town.slack.wait_for(lambda: "has the e-mail address of @ben's Slack profile" in town.ben.sees)
    assert case.assignee is None


async def test_acts_outlive_a_restart(town: Town) -> None:
    case, card = await _shown(town)
    for loop in town.bot._workers.loops:
        await loop.stop()
    await town.ana.choose("Set priority", "P1", on=card)
    assert case.priority == "NOT_DEFINED"
    await town.bot.stop()
    await town.start_bot()
    await _says(town, card, "🔴 P1", "@ana set the priority to P1")


async def test_hostile_names_of_a_case_stay_words(town: Town) -> None:
    (project,) = town.datadog.org.case_management.projects.values()
    project.name = "<!here> <https://evil.example|x>"
    title = "<!channel> </cases> <@U123> `x` *y* \u202egnp"
    case = town.datadog.add_case(title, project)
    await town.ana.command("/bits", f"case {case.key}", in_=town.channel)
    (card,) = await town.slack.wait_for(lambda: town.channel.messages)
    assert "<!channel> </cases> <@U123>" in card.shown
    await town.ana.choose("Set priority", "P5", on=card)
    await _says(town, card, "⚪ P5", "@ana set the priority")
    assert town.slack.broadcasts == []


async def test_a_case_is_shown_by_key_link_or_id(town: Town) -> None:
    case, card = await _shown(town)
    links = ["{}/cases/{}", "{}/work/{}?from_ts=1"]
    for number, target in enumerate([*links, case.id.upper()], start=1):
        await town.ana.command("/bits", f"case {target.format(town.datadog.app_url, case.key)}", in_=town.channel)
        await town.slack.wait_for(lambda count=number: town.ana.sees.count("See its card") == count)  # type: ignore[misc]
    assert town.channel.messages == [card]
    assert "Disk of db-3 is full" in town.ana.sees


async def test_a_mention_shows_the_card_in_its_thread_and_the_thread_remembers_it(town: Town) -> None:
    case, _ = await _shown(town)
    talk = await town.ben.say("which one was it?", in_=town.channel)
    await town.ben.mention(f"case {case.key.lower()}", in_=town.channel, thread=talk)
    card = await card_of(town, talk, "Disk of db-3 is full")
    await town.ben.choose("Set priority", "P2", on=card)
    await _says(town, card, "🟠 P2")
    first = town.channel.messages[0]
    await _says(town, first, "🟠 P2", "@ben set the priority to P2")

    await town.ana.shortcut("create_case_from_message", on=talk)
    await town.ana.waits_for_modal("This thread has a case already")


async def test_a_slow_or_refusing_datadog_is_said_before_the_card_comes(town: Town) -> None:
    (project,) = town.datadog.org.case_management.projects.values()
    case = town.datadog.add_case("Slow to come", project)
    hanging = town.datadog.break_next("GET", "/api/v2/cases/CASEM-*", hang=True, carried_out=True)
    await town.ana.command("/bits", f"case {case.key}", in_=town.channel)
    await town.slack.wait_for(lambda: "Looking up case CASEM-42 in Datadog" in town.ana.sees)
    hanging.release()
    await town.slack.wait_for(lambda: town.channel.messages)

    town.datadog.revoke("cases_read")
    await town.ben.command("/bits", "case CASEM-1", in_=town.channel)
    await town.slack.wait_for(lambda: "cases_read" in town.ben.sees)


async def test_an_unknown_case_and_nonsense_are_answered_with_what_to_type(town: Town) -> None:
    await town.ana.command("/bits", "case CASEM-999", in_=town.channel)
    await town.slack.wait_for(lambda: "Case CASEM-999 doesn't exist" in town.ana.sees)
    seen = await town.ana.command("/bits", "case of the missing disk", in_=town.channel)
    assert "names no case. Give its key, like CASEM-42" in seen.text
    assert town.channel.messages == []


async def test_guests_are_refused_on_every_way_to_a_case(town: Town) -> None:
    case, card = await _shown(town)
    gus = town.slack.workspace.add_user("gus", guest=True)
    town.channel.members.add(gus.id)

    await gus.choose("Set priority", "P1", on=card)
    await gus.click("Add comment", on=card)
    await gus.command("/bits", f"case {case.key}", in_=town.channel)
    await gus.command("/bits", "case new Mine", in_=town.channel)

    await town.slack.wait_for(lambda: len(gus.ephemerals) == 4)
    assert gus.modal is None
    assert case.priority == "NOT_DEFINED"
    assert town.datadog.asked("POST", "/api/v2/cases/*/priority") == []
