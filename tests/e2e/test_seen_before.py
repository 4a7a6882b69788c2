"""What the team knows already stands beside each start that would cost, and using it again costs nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rules.model import AlertFilter
from bot.sandbox.datadog import Script
from bot.sandbox.datadog.samples import NOTHING_CERTAIN, POOL_EXHAUSTED
from bot.sandbox.slack import Message
from bot.wording import AI_WRITTEN
from tests.e2e.alert_town import AlertTown, Route
from tests.e2e.case_town import sees_it_made
from tests.e2e.town import AlertMessage

NUDGE = "Investigate with Bits AI?"
ONCE = "Investigated 1 time in 30 days"
CAUSE = POOL_EXHAUSTED.title


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[AlertTown]:
    async with AlertTown(tmp_path) as town:
        await town.decide(Route(rules={"nudge": True, "route": AlertFilter()}))
        yield town


async def investigated(town: AlertTown, script: Script | None = None) -> AlertMessage:
    town.datadog.plan(script or Script.at_once("conclusive", POOL_EXHAUSTED))
    alert = await town.alert(group="host:first")
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, "Asked by @ana", AI_WRITTEN)
    return alert


async def offered(town: AlertTown, group: str = "host:second") -> tuple[AlertMessage, Message]:
    alert = await town.alert(group=group)
    await town.reads(alert.message, NUDGE)
    return alert, alert.message.replies[0]


async def test_the_buttons_under_an_alert_say_what_was_found_before_and_that_answer_is_used_once(
    town: AlertTown,
) -> None:
    await investigated(town)
    alert, nudge = await offered(town)
    assert ONCE in nudge.shown
    assert "last cause (" in nudge.shown
    assert f"): {CAUSE}" in nudge.shown
    assert "[Use that answer]" in nudge.shown
    assert ONCE in nudge.text

    await town.ben.click("Use that answer", on=nudge)
    await town.ana.click("Use that answer", on=nudge)

    seen = await town.reads(
        alert.message, f"Likely cause: {CAUSE}", "An earlier answer, of", "asked by @ana", "@ben used it"
    )
    assert "nothing was started" in seen
    await town.slack.wait_for(lambda: "stands in this thread already" in town.ana.sees)
    assert len(alert.message.replies) == 2
    assert len(town.datadog.triggers()) == 1
    assert "[Investigate]" in alert.message.replies[0].shown
    await town.ben.click("Full report", on=alert.message.replies[1])
    await town.ben.waits_for_modal(CAUSE)


async def test_an_alert_card_says_it_until_its_own_answer_is_there(town: AlertTown) -> None:
    await investigated(town)
    await town.fire(group="host:web-1")
    card = await town.card("Triggered", ONCE, CAUSE, "[Use that answer]", "[Investigate]")

    town.datadog.plan(Script.held())
    await town.ana.click("Investigate", on=card)
    await town.reads(card, "Investigating", ONCE, "[Use that answer]")
    await town.ben.click("Use that answer", on=card.replies[0])
    await town.reads(card, "Investigating", "An earlier answer, of", "@ben used it")
    town.datadog.finish(town.datadog.triggers()[-1].id)
    await town.reads(card, "Answered in")
    await town.slack.wait_for(lambda: "Use that answer" not in card.shown)
    assert "Use that answer" not in card.replies[0].shown


async def test_without_a_cause_there_is_nothing_to_use(town: AlertTown) -> None:
    await investigated(town, Script.at_once("inconclusive", NOTHING_CERTAIN))
    _, nudge = await offered(town)
    assert f"{ONCE} · no clear cause found" in nudge.shown
    assert "Use that answer" not in nudge.shown


async def test_runs_of_another_monitor_are_not_this_ones(town: AlertTown) -> None:
    await investigated(town)
    other = await town.alert(town.datadog.add_monitor("Queue is long"))
    await town.reads(other.message, NUDGE)
    assert "Investigated" not in town.thread(other.message)


async def test_runs_that_datadog_lists_from_elsewhere_are_told_once_one_runs(town: AlertTown) -> None:
    for title in ("Auto", "By hand"):
        town.datadog.investigate_elsewhere(title, monitor=town.monitor)
    alert, nudge = await offered(town)
    assert "Investigated" not in nudge.shown
    town.datadog.plan(Script.held())
    await town.ana.click("Investigate", on=nudge)
    await town.reads(
        alert.message, "Datadog has 2 more runs of it, asked for elsewhere", f"/bits list monitor {town.monitor.id}"
    )


async def test_a_wrong_cause_is_corrected_and_the_next_alert_says_so(town: AlertTown) -> None:
    town.datadog.add_project("CASEM", "Case Management")
    alert = await investigated(town)
    answer = next(reply for reply in alert.message.replies if AI_WRITTEN in reply.shown)
    assert answer.shown.count("[Right cause] [Wrong cause]") == 1
    await town.ana.click("Create case", on=answer)
    await town.ana.waits_for_modal("Description")
    await town.ana.submit()
    await sees_it_made(town.ana)

    await town.ben.click("Right cause", on=answer)
    await town.slack.wait_for(lambda: "Noted as right" in town.ben.sees)
    await town.ana.close(everything=True)
    await town.ana.click("Wrong cause", on=answer)
    window = await town.ana.waits_for_modal("Add it to CASEM-42 as a comment")
    assert "trains nothing at Bits AI" in window.text
    await town.ana.fill(
        {"What was the real cause?": "a full <!channel> inode table", "Case": ["Add it to CASEM-42 as a comment"]}
    )
    await town.ana.submit()

    await town.slack.wait_for(lambda: "It is added to the case as a comment." in town.ana.sees)
    wanted = "ana wrote in Slack:\n\nThe cause that was found is wrong. The real cause: a full <!channel> inode table"
    await town.datadog.wait_for(lambda: wanted in town.datadog.comments())
    _, nudge = await offered(town)
    assert "(1 found it right, 1 found it wrong; really: a full <!channel> inode table)" in nudge.shown
    assert [ping for ping in town.slack.pings if ping.is_broadcast] == []
    await town.ben.command("/bits", "status", in_=town.channel)
    await town.slack.wait_for(lambda: "answers of 30 days: 0 right, 1 wrong, 0 unrated" in town.ben.sees)
