"""What goes wrong while insights are attached, at each step: nothing is lost, nothing comes twice, everything is said."""

import asyncio
from typing import Any

import pytest

from bot.app import Bot
from bot.sandbox.datadog.case_model import FakeCase
from bot.sandbox.slack import Message
from tests.e2e.attach_town import (
    COMMENT,
    INSIGHTS,
    PASTE,
    a_case,
    gives_up,
    held,
    hurry,
    link,
    monitor_links,
    opens,
    pastes,
    puts,
)
from tests.e2e.town import Town


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


async def opened_in_a_thread(town: Town, case: FakeCase, *pasted: str) -> Message:
    """The window over a message without links, its case chosen, these links pasted."""
    talk = await town.ben.say("disk again?", in_=town.channel)
    await town.ana.shortcut("attach_message_to_case", on=talk)
    await town.ana.waits_for_modal("No insights listed yet")
    await town.ana.type_in("Case", case.key)
    await town.ana.choose("Case", f"{case.key} · Disk trouble (Open)")
    await town.ana.waits_for_modal(f"{case.key} · Disk trouble\n")  # as Datadog told it, and no more as picked
    await pastes(town.ana, pasted)
    return talk


PROBLEMS = [
    ({"status": 403}, "does not let my key change cases. Ask a Datadog admin to give it cases_write."),
    ({"status": 401}, "does not accept my keys"),
    ({"status": 409}, "Somebody else is changing this case"),
    ({"status": 429, "headers": {"X-RateLimit-Reset": "60"}}, "asks us to slow down. Retry in 1 minute"),
    ({"status": 503}, "did not answer clearly"),
    ({"drop": "before"}, "did not answer clearly"),
]


@pytest.mark.parametrize(("fault", "words"), PROBLEMS, ids=[str(fault) for fault, _ in PROBLEMS])
async def test_a_failure_keeps_the_list_and_retry_sends_what_is_missing(
    town: Town, fault: dict[str, Any], words: str
) -> None:
    case = a_case(town)
    talk = await opened_in_a_thread(town, case, *monitor_links(town, [1, 2]))
    town.datadog.break_next("PUT", INSIGHTS, times=99, **fault)
    await town.ana.submit()

    modal = await town.ana.waits_for_modal("Not attached: 2 insights")
    assert words in modal
    assert "Nothing was attached" in modal
    assert "Reference" in modal
    assert talk.replies == []

    town.datadog.heal()
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 2 insights")
    await town.reads(talk, f"@ana attached 2 insights to {case.key}")
    assert held(case) == {"1", "2"}
    assert len(talk.replies) == 1


@pytest.mark.parametrize("fault", [{"status": 502}, {"drop": "after"}, {"drop": "before"}, {"status": 429}])
async def test_what_passes_by_itself_nobody_hears_of(town: Town, fault: dict[str, Any]) -> None:
    case = a_case(town)
    talk = await opened_in_a_thread(town, case, *monitor_links(town, [1, 2]))
    town.datadog.break_next("PUT", INSIGHTS, **fault, headers={"X-RateLimit-Reset": "0"})
    await town.ana.submit()

    await town.ana.waits_for_modal("Attached 2 insights")
    await town.reads(talk, "@ana attached 2 insights")
    assert held(case) == {"1", "2"}
    assert len(town.datadog.effects("insights_added")) == 1


async def test_a_case_deleted_meanwhile_can_be_exchanged_for_another(town: Town) -> None:
    case, other = a_case(town), a_case(town, "Another", "OTHER")
    talk = await opened_in_a_thread(town, case, *monitor_links(town, [1, 2]))
    del town.datadog.org.case_management.cases[case.id]
    await town.ana.submit()
    await town.ana.waits_for_modal("Datadog has no such case any more. Choose another case: your list is kept.")

    await town.ana.press("Back to the list")
    await town.ana.waits_for_modal("2 of 2 chosen")
    await town.ana.type_in("Case", other.key)
    await town.ana.choose("Case", f"{other.key} · Another (Open)")
    await town.ana.waits_for_modal(f"{other.key} · Another\n")
    await town.ana.submit()

    await town.ana.waits_for_modal("Attached 2 insights")
    await town.reads(talk, f"@ana attached 2 insights to {other.key}")
    assert held(other) == {"1", "2"}


async def test_of_a_hundred_and_fifty_the_two_that_datadog_refuses_are_found_and_the_rest_attached(town: Town) -> None:
    case = a_case(town)
    talk = await opened_in_a_thread(town, case, *monitor_links(town, range(1, 151)))
    town.datadog.break_next(
        "PUT",
        INSIGHTS,
        times=999,
        status=400,
        where=lambda seen: bool({"7", "77"} & _ids(seen.json)),
    )
    await town.ana.submit()

    modal = await town.ana.waits_for_modal("Attached 148 insights")
    assert "Refused. Datadog refused it. Check the id" in modal
    assert "Monitor 7\n" in modal.text
    assert "Monitor 77" in modal
    assert modal.submit_label == ""
    await town.reads(talk, "@ana attached 148 insights")
    assert held(case) == {str(number) for number in range(1, 151)} - {"7", "77"}


def _ids(body: Any) -> set[str]:
    return {each["resource_id"] for each in body["data"]["attributes"]["insights"]}


async def test_a_batch_that_fails_keeps_the_others_and_the_line_is_brought_up_to_date(town: Town) -> None:
    case = a_case(town)
    talk = await opened_in_a_thread(town, case, *monitor_links(town, range(1, 251)))
    town.datadog.break_next("PUT", INSIGHTS, skip=1, times=99, status=403)
    await town.ana.submit()

    modal = await town.ana.waits_for_modal("Attached 100 insights")
    assert "Not attached: 150 insights" in modal
    assert "Request 2: 100 without an answer" in modal
    assert "Request 3: 50 not sent" in modal
    await town.reads(talk, "@ana attached 100 insights")

    town.datadog.heal()
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 250 insights")
    await town.reads(talk, "@ana attached 250 insights")
    assert puts(town, case) == [100, 100, 100, 50]
    assert len(talk.replies) == 1
    assert len(case.insights) == 250


@pytest.mark.parametrize("fault", [{"status": 403}, {"status": 503}, {"drop": "before"}, {"hang": True}])
async def test_what_can_not_be_looked_up_hinders_nobody(town: Town, fault: dict[str, Any]) -> None:
    """Neither names nor the case's own insights are needed to attach."""
    case = a_case(town)
    town.datadog.break_next("GET", "/api/v1/monitor/*", times=99, **fault)
    town.datadog.break_next("GET", f"/api/v2/cases/{case.key}", times=99, **fault)
    await town.ana.command("/bits", f"attach {case.key}", in_=town.channel)
    await town.ana.waits_for_modal("No insights listed yet")
    modal = await pastes(town.ana, [link(town, f"/monitors/{town.monitor.id}")])
    assert f"Monitor {town.monitor.id}" in modal.fields["Insights"]
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 1 insight")
    assert held(case) == {str(town.monitor.id)}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 403}, "does not let my key change cases"),
        ({"status": 400}, "The comment with 1 link was not posted. Datadog refused it."),
        ({"status": 404}, "The comment with 1 link was not posted. Datadog has no such case any more."),
        ({"status": 409}, "The comment with 1 link was not posted. Somebody else is changing this case."),
        ({"status": 429, "headers": {"X-RateLimit-Reset": "60"}}, "asks us to slow down. Retry in 1 minute"),
    ],
)
async def test_a_refused_comment_keeps_its_links_for_a_retry(town: Town, fault: dict[str, Any], words: str) -> None:
    case = a_case(town)
    await opened_in_a_thread(town, case, *monitor_links(town, [1]), link(town, "/logs?query=a"))
    await town.ana.choose("attach:comment", "Post this link as a comment on the case")
    town.datadog.break_next("POST", COMMENT, times=99, **fault)
    await town.ana.submit()
    modal = await town.ana.waits_for_modal("Attached 1 insight")
    assert words in modal
    assert town.datadog.comments() == []

    town.datadog.heal()
    await town.ana.submit()
    await town.ana.waits_for_modal("Posted 1 link as a comment")
    assert len(town.datadog.comments()) == 1
    assert puts(town, case) == [1]


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 503, "carried_out": True}, {"drop": "before"}])
async def test_a_comment_whose_answer_is_lost_is_looked_for_and_never_posted_twice(
    town: Town, fault: dict[str, Any]
) -> None:
    case = a_case(town)
    talk = await opened_in_a_thread(town, case, link(town, "/logs?query=a"))
    await town.ana.choose("attach:comment", "Post this link as a comment on the case")
    town.datadog.break_next("POST", COMMENT, **fault)
    await town.ana.submit()

    await town.ana.waits_for_modal("Posted 1 link as a comment")
    await town.reads(talk, "@ana posted 1 link as a comment on")
    assert len(town.datadog.comments()) == 1


async def test_a_window_closed_meanwhile_the_person_hears_of_the_failure(town: Town) -> None:
    case = a_case(town)
    await opened_in_a_thread(town, case, *monitor_links(town, [1, 2]))
    fault = town.datadog.break_next("PUT", INSIGHTS, hang=True, status=403)
    await town.ana.submit()
    await town.datadog.wait_for(lambda: fault.hits)
    await town.ana.close()
    fault.release()

    await town.slack.wait_for(lambda: "Nothing was attached" in town.ana.sees)
    assert "Left: 2 insights." in town.ana.sees
    assert "give it cases_write" in town.ana.sees


async def test_a_result_that_slack_does_not_take_is_there_after_refresh(town: Town) -> None:
    case = a_case(town)
    talk = await opened_in_a_thread(town, case, *monitor_links(town, [1]))
    fault = town.datadog.break_next("PUT", INSIGHTS, hang=True, carried_out=True)
    await town.ana.submit()
    await town.ana.waits_for_modal("Attaching 1 insight")
    town.slack.break_next("views.update", error="internal_error")
    fault.release()

    await town.reads(talk, "@ana attached 1 insight")
    assert town.ana.modal
    assert "Attaching 1 insight" in town.ana.modal
    await town.ana.press("Refresh")
    await town.ana.waits_for_modal("Attached 1 insight")


async def test_slack_that_does_not_open_the_window_is_told(town: Town) -> None:
    town.slack.break_next("views.open", error="expired_trigger_id")
    await town.ana.command("/bits", "attach", in_=town.channel)
    await town.slack.wait_for(lambda: town.ana.sees)
    assert town.ana.modal is None


async def test_a_thread_that_takes_no_line_leaves_the_work_done_and_the_person_told(town: Town) -> None:
    case = a_case(town)
    await opened_in_a_thread(town, case, *monitor_links(town, [1]))
    town.slack.break_next("chat.postMessage", error="is_archived")
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 1 insight")
    await town.slack.wait_for(lambda: "I could not tell the thread" in town.ana.sees)
    assert "attached 1 insight" in town.ana.sees


async def test_killed_in_mid_submit_the_next_start_finishes_it(town: Town) -> None:
    case = a_case(town)
    talk = await opened_in_a_thread(town, case, *monitor_links(town, range(1, 151)), link(town, "/logs?query=a"))
    await town.ana.choose("attach:comment", "Post this link as a comment on the case")
    fault = town.datadog.break_next("PUT", INSIGHTS, skip=1, hang=True)
    await town.ana.submit()
    await town.datadog.wait_for(lambda: fault.hits)

    await killed(town.bot)
    town.datadog.heal()
    await town.start_bot()

    await town.ana.waits_for_modal("Attached 150 insights")
    await town.reads(talk, "@ana attached 150 insights", "and posted 1 link as a comment")
    assert len(case.insights) == 150
    assert len(town.datadog.comments()) == 1
    assert len(talk.replies) == 1


async def test_killed_while_the_comment_was_under_way_it_is_posted_once(town: Town) -> None:
    case = a_case(town)
    talk = await opened_in_a_thread(town, case, link(town, "/logs?query=a"))
    await town.ana.choose("attach:comment", "Post this link as a comment on the case")
    fault = town.datadog.break_next("POST", COMMENT, hang=True, carried_out=True)
    await town.ana.submit()
    await town.datadog.wait_for(lambda: fault.hits)

    await killed(town.bot)
    town.datadog.heal()
    await town.start_bot()

    await town.reads(talk, "@ana posted 1 link as a comment")
    assert len(town.datadog.comments()) == 1


async def test_a_stop_lets_a_submit_end(town: Town) -> None:
    case = a_case(town)
    talk = await opened_in_a_thread(town, case, *monitor_links(town, [1]))
    fault = town.datadog.break_next("PUT", INSIGHTS, hang=True, carried_out=True)
    await town.ana.submit()
    await town.datadog.wait_for(lambda: fault.hits)
    stopping = asyncio.create_task(town.bot.stop())
    fault.release()
    await stopping
    await town.start_bot()

    await town.reads(talk, "@ana attached 1 insight")
    assert puts(town, case) == [1]


async def killed(bot: Bot) -> None:
    """Everything of it ends where it stands: nothing is handed back, no row is written any more."""
    if bot._socket is not None:
        await bot._socket.close()  # type: ignore[no-untyped-call]
    mine = [task for task in asyncio.all_tasks() if _belongs_to_a_bot(task)]
    for task in mine:
        task.cancel()
    await asyncio.gather(*mine, return_exceptions=True)
    await bot._server.stop()
    await bot._orgs.close()
    if bot._session is not None:
        await bot._session.close()
    await bot._database.close()


def _belongs_to_a_bot(task: "asyncio.Task[Any]") -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and "/bot/" in code.co_filename and "/bot/sandbox/" not in code.co_filename


async def test_submitting_with_the_field_still_full_is_no_loss(town: Town) -> None:
    case = a_case(town)
    await opens(town, town.ana, case)
    await town.ana.fill({PASTE: " ".join(monitor_links(town, [1, 2, 3]))})
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 3 insights")
    assert held(case) == {"1", "2", "3"}


async def test_an_attachment_that_datadog_never_answers_is_open_until_retry(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = a_case(town)
    await opened_in_a_thread(town, case, *monitor_links(town, [1]))
    gives_up(town.datadog.break_next("PUT", INSIGHTS, times=99, hang=True), monkeypatch)
    await town.ana.submit()
    await town.ana.waits_for_modal("Not attached: 1 insight")

    town.datadog.heal()
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached 1 insight")
    assert held(case) == {"1"}


@pytest.mark.parametrize("fault", [{"hang": True}, {"lands_after": 0.0}], ids=["not posted", "posted"])
async def test_a_comment_that_datadog_never_answers_stands_once(
    town: Town, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    case = a_case(town)
    await opened_in_a_thread(town, case, link(town, "/logs?query=a"))
    await town.ana.choose("attach:comment", "Post this link as a comment on the case")
    gives_up(town.datadog.break_next("POST", COMMENT, **fault), monkeypatch)
    await town.ana.submit()
    await town.ana.waits_for_modal("Posted 1 link as a comment")
    assert len(town.datadog.comments()) == 1
