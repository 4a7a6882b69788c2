"""The window behind Full report: whatever an answer offers can be done from there, and comes into the thread it belongs to."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bot.rules.model import AlertFilter
from bot.sandbox.datadog import Script
from bot.sandbox.datadog.samples import NOTHING_CERTAIN, POOL_EXHAUSTED
from bot.sandbox.slack import Message
from bot.wording import AI_WRITTEN
from tests.e2e.alert_town import AlertTown, Route
from tests.e2e.case_town import sees_it_made
from tests.e2e.test_follow_up import answered
from tests.e2e.test_seen_before import investigated, offered
from tests.e2e.town import Town


async def reads_report(town: Town, answer: Message) -> None:
    await town.ben.click("Full report", on=answer)
    await town.ben.waits_for_modal("Right cause")


async def test_a_case_is_made_from_the_report_and_stands_in_its_thread(town: Town) -> None:
    town.datadog.add_project("CASEM", "Case Management")
    alert, answer = await answered(town)
    await reads_report(town, answer)

    await town.ben.press("Create case")
    await town.ben.waits_for_modal("Description")
    await town.ben.submit()
    await sees_it_made(town.ben)
    await town.ben.close()

    await town.ben.waits_for_modal("Right cause")  # the report is still open below
    await town.ben.close()
    await town.reads(alert.message, "CASEM-42")
    await reads_report(town, answer)
    modal = await town.ben.waits_for_modal("Open CASEM-42")
    assert "Create case" not in modal.text


async def test_what_goes_on_from_the_report_closes_it_and_answers_in_the_thread(town: Town) -> None:
    alert, answer = await answered(town)
    await reads_report(town, answer)
    await town.ben.press("Ask a follow-up")
    await town.ben.waits_for_modal("What is sent with it")
    town.datadog.plan(Script.at_once("conclusive", NOTHING_CERTAIN))
    await town.ben.fill({"Your question": "Which index was dropped?"})
    await town.ben.submit()
    assert town.ben.modal is None
    await town.reads(alert.message, NOTHING_CERTAIN.title, "Which index was", "Asked by @ben")

    await reads_report(town, answer)
    await town.ben.press("Run again")
    await town.ben.waits_for_modal("Datadog bills each one")
    await town.ben.submit()
    assert town.ben.modal is None
    await town.reads(alert.message, "run 2")


def _says(answer: Message, words: str) -> bool:
    return words in answer.shown


@pytest.fixture
async def alert_town(tmp_path: Path) -> AsyncIterator[AlertTown]:
    async with AlertTown(tmp_path) as town:
        await town.decide(Route(rules={"nudge": True, "route": AlertFilter()}))
        yield town


async def test_a_vote_in_the_report_shows_there_and_under_every_answer_that_stands(alert_town: AlertTown) -> None:
    town = alert_town
    first = await investigated(town)
    second, nudge = await offered(town)
    await town.ana.click("Use that answer", on=nudge)
    await town.reads(second.message, "An earlier answer, of")
    answer = next(reply for reply in first.message.replies if AI_WRITTEN in reply.shown)
    earlier = next(reply for reply in second.message.replies if AI_WRITTEN in reply.shown)

    await reads_report(town, earlier)
    window = await town.ben.waits_for_modal("Right cause")
    assert "Ask a follow-up" not in window.text  # of another alert: nothing starts from it here
    assert "Run again" not in window.text
    await town.ben.press("Right cause")
    await town.ben.waits_for_modal("✓ Right cause")
    for stands in (answer, earlier):
        await town.slack.wait_for(partial(_says, stands, "1 found it right"))

    await town.ben.press("Wrong cause")
    await town.ben.waits_for_modal("What was the real cause?")
    await town.ben.fill({"What was the real cause?": "a full inode table"})
    await town.ben.submit()
    await town.ben.waits_for_modal("✓ Wrong cause")
    for stands in (answer, earlier):
        await town.slack.wait_for(partial(_says, stands, "1 found it wrong; really: a full inode table"))
    assert [ping for ping in town.slack.pings if ping.is_broadcast] == []
    assert POOL_EXHAUSTED.title in answer.shown
