"""A follow-up goes on from an answer: what is sent and what it costs are seen first, and its answer joins the thread."""

from bot.sandbox.datadog import Script
from bot.sandbox.datadog.samples import NOTHING_CERTAIN, POOL_EXHAUSTED
from bot.sandbox.slack import Message
from bot.wording import AI_WRITTEN
from tests.e2e.town import AlertMessage, Town


async def answered(town: Town) -> tuple[AlertMessage, Message]:
    town.datadog.plan(Script.at_once("conclusive", POOL_EXHAUSTED))
    alert = await town.alert(group="host:web-1")
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, AI_WRITTEN)
    return alert, next(reply for reply in alert.message.replies if AI_WRITTEN in reply.shown)


async def test_a_follow_up_is_previewed_and_its_answer_joins_the_thread(town: Town) -> None:
    alert, answer = await answered(town)
    assert "[Full report] [Create case] [Ask a follow-up] [… " in answer.shown

    await town.ben.click("Ask a follow-up", on=answer)
    window = await town.ben.waits_for_modal("What is sent with it")
    for words in (
        "Alert: Disk almost full on host:web-1",
        f"Found (conclusive): {POOL_EXHAUSTED.title}",
        "team:core host:web-1",
        "Datadog bills each one",
        "in this workspace: 1 started, no limit",
    ):
        assert words in window.text, words
    assert len(town.datadog.triggers()) == 1
    town.datadog.plan(Script.at_once("conclusive", NOTHING_CERTAIN))
    await town.ben.fill({"Your question": "Which index was <dropped>?"})
    await town.ben.submit()

    seen = await town.reads(alert.message, "Likely cause", NOTHING_CERTAIN.title, "Which index was", "Asked by @ben")
    assert "This follows an earlier investigation" not in seen
    asked = town.datadog.triggers()[1].question
    assert asked["description"].startswith(
        "Which index was <dropped>?\n\nThis follows an earlier investigation.\nAlert:"
    )
    assert POOL_EXHAUSTED.title in asked["description"]
    assert asked["tags"] == ["team:core", "host:web-1"]
    assert asked["start_time"] < asked["end_time"]
    await town.ben.command("/bits", "status", in_=town.channel)
    await town.slack.wait_for(lambda: "workspace 2 started" in town.ben.sees)


async def test_an_empty_question_is_asked_back(town: Town) -> None:
    _, answer = await answered(town)
    await town.ana.click("Ask a follow-up", on=answer)
    await town.ana.waits_for_modal("What is sent with it")
    await town.ana.fill({"Your question": "  \u200b "})
    outcome = await town.ana.submit()
    assert "Write a question." in str(outcome.errors)
    assert len(town.datadog.triggers()) == 1
