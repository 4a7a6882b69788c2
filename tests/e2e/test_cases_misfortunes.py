"""A case is made once, whatever breaks on the way, and the person who ordered it always learns where it stands."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import Settings
from tests.e2e.case_town import (
    card_of,
    cards_of,
    case_town,
    investigated,
    killed,
    made,
    opens_form,
    sees_it_made,
    starts_case,
)
from tests.e2e.town import QUICK, AlertMessage, Town

CREATE = ("POST", "/api/v2/cases")


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with case_town(tmp_path) as town:
        yield town


class Unconnected(Town):
    def settings(self) -> Settings:
        return super().settings().model_copy(update={"dd_api_key": None, "dd_app_key": None})


async def _ordered(town: Town) -> AlertMessage:
    alert = await town.alert(group="host:web-1")
    await opens_form(town.ana, alert)
    await town.ana.submit()
    return alert


async def test_a_lost_answer_is_looked_up_and_the_one_case_adopted(town: Town) -> None:
    mishaps = ({"drop": "after"}, {"status": 503, "carried_out": True})
    for number, mishap in enumerate(mishaps, start=1):
        town.datadog.break_next(*CREATE, **mishap)  # type: ignore[arg-type]
        alert = await _ordered(town)
        await sees_it_made(town.ana)
        await card_of(town, alert.message, "@ana opened this case", "Insights: 2")
        assert len(town.datadog.cases()) == number, mishap
        assert len(town.datadog.asked(*CREATE)) == number, mishap


async def test_an_answer_that_never_comes_is_given_up_and_the_one_case_adopted(tmp_path: Path) -> None:
    async with case_town(tmp_path, replace(QUICK, request=1.5)) as town:
        town.datadog.break_next(*CREATE, hang=True, carried_out=True)
        alert = await _ordered(town)
        await sees_it_made(town.ana)
        await card_of(town, alert.message, "@ana opened this case", "Insights: 2")
        assert len(town.datadog.cases()) == 1
        assert len(town.datadog.asked(*CREATE)) == 1


async def test_a_case_that_lands_late_is_still_found(tmp_path: Path) -> None:
    async with case_town(tmp_path, replace(QUICK, settle=0.8)) as town:
        town.datadog.break_next(*CREATE, lands_after=0.5)
        alert = await _ordered(town)
        await sees_it_made(town.ana)
        await card_of(town, alert.message, "@ana opened this case")
        assert len(town.datadog.cases()) == 1


async def test_what_was_perhaps_not_made_is_asked_about_never_guessed(town: Town) -> None:
    town.datadog.break_next(*CREATE, status=500)
    alert = await _ordered(town)

    told = await town.ana.waits_for_modal("I don't know whether the case was created.")
    assert "ref " in told.text
    assert town.datadog.cases() == []
    assert len(town.datadog.asked(*CREATE)) == 1

    seen = await town.ana.press("Create it")
    assert "Only if Datadog does not show it." in seen.asked
    await sees_it_made(town.ana)
    await card_of(town, alert.message, "@ana opened this case")
    assert len(town.datadog.cases()) == 1


async def test_before_it_is_created_again_datadog_is_asked_once_more(town: Town) -> None:
    """The index was late: the case shows up only after the person was told that nobody knows."""
    town.datadog.break_next(*CREATE, drop="after")
    town.datadog.break_next("GET", "/api/v2/cases", times=3, body={"data": [], "meta": {}})
    alert = await _ordered(town)
    await town.ana.waits_for_modal("I don't know whether the case was created.")

    await town.ana.press("Create it")
    await sees_it_made(town.ana)
    await card_of(town, alert.message, "@ana opened this case")
    assert len(town.datadog.cases()) == 1
    assert len(town.datadog.asked(*CREATE)) == 1


async def test_a_missing_permission_is_named_and_the_form_is_kept(town: Town) -> None:
    town.datadog.revoke("cases_write")
    alert = await _ordered(town)
    told = await town.ana.waits_for_modal("The case was not created.")
    assert "cases_write" in told.text
    assert cards_of(alert.message) == []

    town.datadog.grant("cases_write")
    await town.ana.press("Try again")
    await sees_it_made(town.ana)
    await card_of(town, alert.message, "@ana opened this case")


async def test_a_refused_form_can_be_changed(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    await opens_form(town.ana, alert)
    town.datadog.org.case_management.projects.clear()
    await town.ana.fill({"Title": "Only mine"})
    await town.ana.submit()
    told = await town.ana.waits_for_modal("The case was not created.")
    assert "project not found" in told.text

    town.datadog.add_project("OPS", "Operations")
    await town.ana.press("Change it")
    form = await town.ana.waits_for_modal("Description")
    assert form.fields["Title"] == "Only mine"
    await town.ana.submit()
    await sees_it_made(town.ana, "OPS-42")
    assert [case.title for case in town.datadog.cases()] == ["Only mine"]


async def test_a_short_rate_limit_is_waited_out_and_a_long_one_told(town: Town) -> None:
    limited = {"status": 429, "headers": {"X-RateLimit-Reset": "600"}}
    town.datadog.break_next(*CREATE, **limited)  # type: ignore[arg-type]
    alert = await _ordered(town)
    told = await town.ana.waits_for_modal("The case was not created.")
    assert "Try again in 10 minutes." in told.text
    assert cards_of(alert.message) == []

    await town.ana.press("Try again")
    await sees_it_made(town.ana)
    assert len(town.datadog.cases()) == 1


async def test_while_datadog_makes_us_wait_the_window_says_until_when(tmp_path: Path) -> None:
    async with Town(tmp_path, timing=replace(QUICK, patience=60)) as town:
        town.datadog.add_project("CASEM", "Case Management")
        town.datadog.break_next(*CREATE, status=429, headers={"X-RateLimit-Reset": "30"})
        await _ordered(town)
        told = await town.ana.waits_for_modal("Datadog asked us to wait.")
        assert "you can close this window" in told.text
        assert town.datadog.cases() == []


async def test_after_the_window_was_closed_a_refusal_still_reaches_her(town: Town) -> None:
    hanging = town.datadog.break_next(*CREATE, hang=True, status=403)
    town.datadog.revoke("cases_write")
    alert = await _ordered(town)
    await town.ana.close()
    hanging.release()
    await town.slack.wait_for(lambda: "The case was not created." in town.ana.sees)

    town.datadog.grant("cases_write")
    await town.ana.click("Try again", on=town.ana.ephemerals[-1])
    await card_of(town, alert.message, "@ana opened this case")
    assert len(town.datadog.cases()) == 1


async def test_a_comment_with_an_unknown_outcome_is_there_once(town: Town) -> None:
    alert = await investigated(town)
    for number, mishap in enumerate(({"status": 500}, {"drop": "after"}), start=1):
        await starts_case(town.ana, alert)
        if number > 1:
            await town.ana.waits_for_modal("Create another case")
            await town.ana.press("Create another case")
        await town.ana.waits_for_modal("Description")
        await town.ana.fill({"Description": "short"})
        town.datadog.break_next("POST", "/api/v2/cases/*/comment", **mishap)  # type: ignore[arg-type]
        await town.ana.submit()
        await sees_it_made(town.ana)
        assert len(town.datadog.comments()) == number, mishap


async def test_insights_that_are_refused_leave_the_case_and_say_so(town: Town) -> None:
    town.datadog.break_next("PUT", "/api/v2/cases/*/insights", status=403, times=1)
    alert = await _ordered(town)
    told = await sees_it_made(town.ana)
    assert "Its insights could not all be attached." in told.text
    await card_of(town, alert.message, "@ana opened this case", "Insights: 0")

    await town.ana.press("Try the rest again")
    await card_of(town, alert.message, "Insights: 2")
    assert len(town.datadog.cases()) == 1


async def test_a_case_deleted_before_its_insights_came_is_said_to_be_gone(town: Town) -> None:
    hanging = town.datadog.break_next("PUT", "/api/v2/cases/*/insights", hang=True)
    alert = await _ordered(town)
    await town.datadog.wait_for(lambda: hanging.hits)
    town.datadog.org.case_management.cases.clear()
    hanging.release()
    await card_of(town, alert.message, "Datadog has no such case any more")


async def test_a_bot_killed_between_the_case_and_its_card_leaves_one_of_each(town: Town) -> None:
    """The answer of Datadog never reaches the first bot; the next one finds the case by its mark."""
    hanging = town.datadog.break_next(*CREATE, hang=True, carried_out=True)
    alert = await _ordered(town)
    await town.datadog.wait_for(town.datadog.cases)
    await killed(town.bot)
    hanging.release()

    await town.start_bot()

    await card_of(town, alert.message, "@ana opened this case", "Insights: 2")
    await sees_it_made(town.ana)
    assert len(town.datadog.cases()) == 1
    assert len(town.datadog.asked(*CREATE)) == 1


async def test_a_bot_killed_right_after_the_submit_makes_it_at_its_next_start(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    await opens_form(town.ana, alert)
    for loop in town.bot._workers.loops:
        await loop.stop()
    await town.ana.submit()
    assert town.datadog.asked(*CREATE) == []
    await killed(town.bot)

    await town.start_bot()

    await sees_it_made(town.ana)
    await card_of(town, alert.message, "@ana opened this case")
    assert len(town.datadog.cases()) == 1


async def test_a_card_whose_post_got_lost_stands_once(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    await opens_form(town.ana, alert)
    town.slack.break_next("chat.postMessage", drop="after")
    await town.ana.submit()
    await card_of(town, alert.message, "@ana opened this case", "Insights: 2")
    assert len(cards_of(alert.message)) == 1


async def test_where_the_channel_is_closed_the_card_comes_directly(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    town.slack.break_next("chat.postMessage", error="is_archived", when=lambda args: args["channel"] == town.channel.id)
    await opens_form(town.ana, alert)
    await town.ana.submit()
    await town.slack.wait_for(lambda: "Case CASEM-42" in "".join(message.shown for message in town.ana.dms))
    await town.slack.wait_for(lambda: "You get the card as a direct message instead" in town.ana.sees)


async def test_no_organisation_is_said_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("bare")
    async with Unconnected(folder) as bare:
        said = await bare.ben.say("slow", in_=bare.channel)
        await bare.ben.shortcut("create_case_from_message", on=said)
        await bare.ben.waits_for_modal("No Datadog organisation is connected")


async def test_the_conclusions_know_their_case_after_a_restart(town: Town) -> None:
    alert = await investigated(town)
    await made(town, alert)
    await town.bot.stop()
    await town.start_bot()
    await starts_case(town.ben, alert)
    await town.ben.waits_for_modal("This thread has a case already")
