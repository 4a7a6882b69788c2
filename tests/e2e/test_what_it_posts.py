"""What stands in the thread when a run ends, however it ends, and what one click more shows."""

from pathlib import Path

import pytest
from sqlalchemy import select

from bot.investigations.answers import vote_noted
from bot.investigations.tables import investigations, votes
from bot.sandbox.datadog import FakeConclusion, Script
from bot.sandbox.datadog.samples import HOSTILE, LONG, NOTHING_CERTAIN, POOL_EXHAUSTED
from bot.sandbox.slack import Message, Person
from bot.wording import AI_WRITTEN
from tests.e2e.town import AlertMessage, Town


async def _investigated(town: Town, status: str, *conclusions: FakeConclusion) -> AlertMessage:
    town.datadog.plan(Script.at_once(status, *conclusions))
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    # the answer goes first, then the card says that it is there
    await town.slack.wait_for(lambda: len(alert.message.replies) == 2 and "⏳" not in _card(alert).shown)
    return alert


def _card(alert: AlertMessage) -> Message:
    return alert.message.replies[0]


def _reply(alert: AlertMessage) -> Message:
    return alert.message.replies[1]


async def test_the_first_conclusion_is_the_answer_and_the_others_are_folded(town: Town) -> None:
    alert = await _investigated(town, "conclusive", POOL_EXHAUSTED, NOTHING_CERTAIN)

    assert _card(alert).shown.startswith("✅ Answered in")
    assert "\n" not in _card(alert).shown
    shown = _reply(alert).shown
    assert shown.startswith(f"✅ Likely cause: {POOL_EXHAUSTED.title}")
    assert _reply(alert).text.startswith(f"✅ Likely cause: {POOL_EXHAUSTED.title}.")
    assert f"Also found: {NOTHING_CERTAIN.title}. See Full report." in shown
    assert shown.endswith(AI_WRITTEN)


@pytest.mark.parametrize("status", ["inconclusive", "Inconclusive"])
async def test_without_conclusions_one_message_says_what_would_help(town: Town, status: str) -> None:
    alert = await _investigated(town, status)
    shown = _card(alert).shown
    assert shown.startswith("🟡 Ended without a conclusion\n")
    assert "What helps Bits AI next time: a service tag on the monitor" in shown
    assert "AI-written" not in shown
    assert "Right cause" not in shown
    assert "What helps" not in _reply(alert).shown


async def test_a_run_that_failed_says_so_on_its_card_and_calls_who_asked(town: Town) -> None:
    alert = await _investigated(town, "failed")
    shown = _card(alert).shown
    assert shown.startswith("❌ Failed after")
    assert "[Run again]" in shown
    assert "AI-written" not in shown
    assert "Right cause" not in shown
    called = _reply(alert).shown
    assert called.startswith("❌ Failed after")
    assert "@ana: the card above (" in called
    assert "Run again" not in called


async def test_an_unknown_status_with_conclusions_is_an_end(town: Town) -> None:
    alert = await _investigated(town, "wrapped_up", POOL_EXHAUSTED)
    assert POOL_EXHAUSTED.title in _reply(alert).shown


async def test_hostile_words_ping_nobody_and_forge_nothing(town: Town) -> None:
    alert = await _investigated(town, "conclusive", HOSTILE)
    await town.ana.click("Full report", on=_reply(alert))
    modal = await town.ana.waits_for_modal("@here")

    assert [ping for ping in town.slack.pings if ping.is_broadcast] == []
    assert {ping.target for ping in town.slack.pings} <= {town.ana.id}
    assert "<!channel>" in _reply(alert).shown
    assert "evil.example" in modal.text


async def test_nine_kilobytes_are_paged_and_nothing_is_lost(town: Town) -> None:
    alert = await _investigated(town, "conclusive", LONG)
    await town.ana.click("Full report", on=_reply(alert))
    modal = await town.ana.waits_for_modal("Full report")

    read = modal.text
    while "[Next]" in modal.text:
        page = modal.text.split("Page ")[1][0]
        await town.ana.press("Next")
        modal = await town.ana.waits_for_modal(f"Page {int(page) + 1}")
        read += modal.text
    for word in ("shard-00", "shard-47", "worker_31", "Where the time goes"):
        assert word in read


async def test_run_again_by_two_people_makes_one_more_run(town: Town) -> None:
    alert = await _investigated(town, "inconclusive")
    town.datadog.plan(Script.held())

    await town.ana.click("Run again", on=_card(alert))
    await town.ben.click("Run again", on=_card(alert))

    await town.slack.wait_for(lambda: "run 2" in town.thread(alert.message))
    await town.slack.wait_for(lambda: "already" in town.ben.sees)
    assert len(town.datadog.triggers()) == 2


async def _votes(town: Town) -> dict[tuple[str, str], bool]:
    """What is counted in the team's numbers: who found which of Datadog's runs helpful."""
    query = select(investigations.c.datadog_id, votes.c.voter, votes.c.helpful).join(
        investigations, investigations.c.id == votes.c.investigation_id
    )
    async with town.bot._database.transaction() as connection:
        rows = (await connection.execute(query)).all()
    stored = {(run, voter): helpful for run, voter, helpful in rows}
    assert len(stored) == len(rows)
    return stored


async def _vote(person: Person, on: Message, *, helpful: bool) -> None:
    """Returns once the person has read that the vote is noted."""
    noted = len(person.ephemerals)
    await person.click("Right cause" if helpful else "Wrong cause", on=on)
    if not helpful:
        await person.waits_for_modal("What was the real cause?")
        await person.close()
        return
    await person.waits_for(lambda: len(person.ephemerals) > noted)
    assert person.ephemerals[-1].text == vote_noted().text


async def test_thumbs_are_counted_once_a_person_and_may_be_changed(town: Town) -> None:
    alert = await _investigated(town, "conclusive", POOL_EXHAUSTED)
    (run,) = town.datadog.triggers()

    await _vote(town.ana, _reply(alert), helpful=True)
    assert await _votes(town) == {(run.id, town.ana.id): True}
    await _vote(town.ben, _reply(alert), helpful=True)  # it was Ana who asked
    await _vote(town.ana, _reply(alert), helpful=False)

    assert await _votes(town) == {(run.id, town.ana.id): False, (run.id, town.ben.id): True}


async def test_a_vote_counts_for_the_investigation_it_stands_under(town: Town) -> None:
    alerts = [await _investigated(town, "conclusive", POOL_EXHAUSTED) for _ in range(2)]
    first, second = town.datadog.triggers()

    await _vote(town.ana, _reply(alerts[0]), helpful=True)
    await _vote(town.ana, _reply(alerts[1]), helpful=False)

    assert await _votes(town) == {(first.id, town.ana.id): True, (second.id, town.ana.id): False}


async def test_a_link_button_is_acknowledged(town: Town) -> None:
    alert = await _investigated(town, "conclusive", POOL_EXHAUSTED)
    await town.ana.click("Open in Datadog", on=_reply(alert))


async def test_the_card_is_edited_only_when_something_changes(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        alert = await _investigated(town, "conclusive", POOL_EXHAUSTED)
        await town.slack.wait_for(lambda: "Answered" in _card(alert).shown)
        shown = [call.args["blocks"] for call in town.slack.calls_to("chat.postMessage", "chat.update")]
        assert len(shown) <= 4
        assert len(shown) == len({str(blocks) for blocks in shown})
        assert town.slack.calls_to("conversations.replies") == []
        assert alert.message.replies[0].edits <= 2
