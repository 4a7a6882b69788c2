"""Every way to start an investigation, as the people in the channel see it."""

from functools import partial
from urllib.parse import quote

from bot.sandbox.datadog import Script
from bot.sandbox.datadog.samples import POOL_EXHAUSTED
from bot.sandbox.slack import Message
from bot.wording import AI_WRITTEN, INVESTIGATIONS
from tests.e2e.town import Town

USAGE = "/bits investigate <monitor id>"
RUNNING = "Investigating"


async def _only_card(town: Town) -> Message:
    """The one message of ours in the channel, once Datadog was asked to start."""
    await town.datadog.wait_for(town.datadog.triggers)

    def card() -> Message | None:
        ours = [message for message in town.channel.messages if message.author.name == "Bits Bot"]
        return ours[0] if len(ours) == 1 else None

    return await town.slack.wait_for(card)


async def test_the_shortcut_on_an_alert_starts_it_in_the_alerts_thread(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    await town.ana.shortcut("investigate_message", on=alert.message)

    await town.reads(alert.message, "Disk almost full", "host:web-1", "Asked by @ana")
    (run,) = await town.datadog.wait_for(town.datadog.triggers)
    assert run.monitor_id == town.monitor.id
    assert run.event_id == alert.fired.event_id


async def test_a_second_click_by_ben_starts_nothing_and_tells_him_where_to_look(town: Town) -> None:
    town.datadog.plan(Script.held())
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, RUNNING)

    await town.ben.shortcut("investigate_message", on=alert.message)

    await town.slack.wait_for(lambda: "already running" in town.ben.sees)
    assert "@ana asked" in town.ben.sees
    assert "See the thread (acme.slack.com/archives/" in town.ben.sees
    assert town.ana.sees == ""
    assert len(town.datadog.triggers()) == 1
    assert len(alert.message.replies) == 1


async def test_another_thread_gets_its_own_card_and_the_same_conclusions(town: Town) -> None:
    town.datadog.plan(Script.held())
    alert = await town.alert()
    repeated = await town.slack.post_as_datadog(
        town.channel, title=alert.fired.slack_title, title_link=alert.fired.link(), text="posted twice"
    )
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.ben.shortcut("investigate_message", on=repeated)
    await town.reads(alert.message, RUNNING)
    await town.reads(repeated, RUNNING)

    (run,) = town.datadog.triggers()
    town.datadog.finish(run.id)

    await town.reads(alert.message, "Answered in", "Asked by @ana", AI_WRITTEN)
    await town.reads(repeated, "Answered in", "Asked by @ben", AI_WRITTEN)
    assert len(town.datadog.triggers()) == 1


async def test_a_click_next_week_gets_the_finished_answer(town: Town) -> None:
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, AI_WRITTEN)

    later = await town.slack.post_as_datadog(
        town.channel, title=alert.fired.slack_title, title_link=alert.fired.link(), text="found again"
    )
    await town.ben.shortcut("investigate_message", on=later)

    await town.reads(later, "Answered in", "Asked by @ben", AI_WRITTEN)
    assert "already been investigated (conclusive). Nothing was started again." in town.ben.sees
    assert len(town.datadog.triggers()) == 1


async def test_an_alert_edited_to_recovered_before_the_click_is_still_the_alert(town: Town) -> None:
    """Datadog edits the parent of a cycle; the shortcut then sees the recovery, whose own event is investigated."""
    alert = await town.alert()
    recovery = town.datadog.fire(town.monitor, transition="alert recovery")
    await town.slack.edit_as_datadog(alert.message, title=recovery.slack_title, title_link=recovery.link())

    await town.ana.shortcut("investigate_message", on=alert.message)

    await town.reads(alert.message, "Disk almost full")
    (run,) = await town.datadog.wait_for(town.datadog.triggers)
    assert run.event_id == alert.fired.event_id


async def test_a_message_without_an_alert_offers_a_question_with_its_words(town: Town) -> None:
    message = await town.ben.say("checkout is slow since lunch, any idea?", in_=town.channel)

    await town.ana.shortcut("investigate_message", on=message)
    modal = await town.ana.waits_for_modal("checkout is slow since lunch, any idea?")
    assert modal.title == "Ask Bits AI"
    await town.ana.fill({"Tags": "service:checkout env:prod"})
    await town.ana.submit()

    await town.reads(message, "checkout is slow since lunch, any idea?", "Asked by @ana")
    await town.datadog.wait_for(town.datadog.triggers)
    (asked,) = town.datadog.asked("POST", "/api/v2/bits-ai/investigations")
    assert asked.json["data"]["attributes"]["trigger"]["general_investigation"] == {
        "description": "checkout is slow since lunch, any idea?",
        "tags": ["service:checkout", "env:prod"],
    }


async def test_an_empty_question_is_refused_in_the_modal(town: Town) -> None:
    message = await town.ben.say("hm", in_=town.channel)
    await town.ana.shortcut("investigate_message", on=message)
    await town.ana.waits_for_modal()
    await town.ana.fill({"What should it look into?": "x" * 20, "Tags": "no-colon-here !!"})

    seen = await town.ana.submit()

    assert seen.errors, town.ana.modal
    assert town.datadog.triggers() == []


async def test_the_command_with_a_monitor_id_finds_its_latest_alert(town: Town) -> None:
    town.datadog.fire(town.monitor, at=town.datadog.world.clock() - 3600)
    latest = town.datadog.fire(town.monitor, group="host:db-3")

    await town.ana.command("/bits", f"investigate {town.monitor.id}", in_=town.channel)

    card = await _only_card(town)
    assert "Disk almost full" in card.shown
    (run,) = town.datadog.triggers()
    assert run.event_id == latest.event_id
    await town.reads(card, "Asked by @ana", AI_WRITTEN)


async def test_the_command_takes_links_of_alerts_monitors_and_events(town: Town) -> None:
    town.datadog.plan(Script.held())
    fired = town.datadog.fire(town.monitor)
    targets = (
        fired.link(),
        f"<{town.monitor.link}>",
        f"https://app.datadoghq.com/event/event?id={fired.event_id}",
        f"https://app.datadoghq.com/event/explorer?event={quote(fired.uid, safe='')}",
    )
    for target in targets:
        await town.ana.command("/bits", f"investigate {target}", in_=town.channel)

    await _only_card(town)
    await town.slack.wait_for(lambda: town.ana.sees.count("already") == len(targets) - 1)
    assert len(town.datadog.triggers()) == 1


async def test_the_command_with_a_question_takes_tags_and_a_window(town: Town) -> None:
    await town.ana.command("/bits", "investigate why is checkout slow? #service:web last 2h", in_=town.channel)

    await _only_card(town)
    (asked,) = town.datadog.asked("POST", "/api/v2/bits-ai/investigations")
    question = asked.json["data"]["attributes"]["trigger"]["general_investigation"]
    assert question["description"] == "why is checkout slow?"
    assert question["tags"] == ["service:web"]
    assert question["end_time"] - question["start_time"] == 2 * 3600 * 1000


async def test_a_mention_in_a_thread_is_answered_in_that_thread(town: Town) -> None:
    talk = await town.ben.say("disk again?", in_=town.channel)
    fired = town.datadog.fire(town.monitor)

    await town.ana.mention(f"investigate {fired.link()}", in_=town.channel, thread=talk)

    await town.reads(talk, "Asked by @ana", AI_WRITTEN)


async def _told(town: Town, thread: Message | None, words: str) -> None:
    """Ana's newest private answer says this, and stands in this thread."""
    where = thread.ts if thread else None
    await town.slack.wait_for(lambda: [one for one in town.ana.ephemerals if words in one.shown])
    assert [one.thread_ts for one in town.ana.ephemerals if words in one.shown] == [where]


async def test_a_click_in_one_thread_does_not_draw_the_answer_to_a_mention_out_of_another(town: Town) -> None:
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, AI_WRITTEN)
    talk = await town.ben.say("what can this bot do?", in_=town.channel)

    await town.ana.click("Right cause", on=alert.message.replies[1])
    await _told(town, alert.message, "Noted as right")
    await town.ana.mention("help", in_=town.channel, thread=talk)

    await _told(town, talk, USAGE)


async def test_a_mention_in_the_thread_of_a_message_clicked_before_is_answered_in_the_thread(town: Town) -> None:
    """What a click on the message itself is answered by stands outside the thread."""
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, AI_WRITTEN)
    await town.ana.shortcut("investigate_message", on=alert.message)
    await _told(town, None, "already")

    await town.ana.mention("help", in_=town.channel, thread=alert.message)

    await _told(town, alert.message, USAGE)


async def test_a_command_is_answered_in_the_channel_whatever_thread_is_clicked_in_meanwhile(town: Town) -> None:
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, AI_WRITTEN)
    slow = town.datadog.break_next("GET", "/api/v2/bits-ai/investigations", hang=True, carried_out=True)
    await town.ana.command("/bits", "list", in_=town.channel)
    await town.datadog.wait_for(lambda: slow.hits)

    await town.ana.click("Right cause", on=alert.message.replies[1])
    await _told(town, alert.message, "Noted as right")
    slow.release()

    await _told(town, None, INVESTIGATIONS)


async def test_a_mention_redelivered_by_slack_starts_nothing_more(town: Town) -> None:
    fired = town.datadog.fire(town.monitor)
    said = await town.ana.mention(f"investigate {fired.link()}", in_=town.channel)
    await town.reads(said, AI_WRITTEN)

    mention = next(one for one in town.slack.deliveries if one.payload.get("event", {}).get("type") == "app_mention")
    await town.slack.redeliver(mention.payload["event_id"])

    assert len(town.datadog.triggers()) == 1
    assert len(said.replies) == 2


async def test_an_investigation_linked_in_the_message_is_followed_not_started(town: Town) -> None:
    run = town.datadog.investigate_elsewhere("Started in Datadog", script=Script.held())
    message = await town.slack.post_as_datadog(
        town.channel,
        title="Bits is looking",
        title_link=town.datadog.link_to(run),
        text="Bits AI investigation started",
    )

    await town.ana.shortcut("investigate_message", on=message)
    await town.reads(message, "followed here, not started again")
    town.datadog.finish(run.id)

    await town.reads(message, "Answered", "Asked by @ana", AI_WRITTEN)
    assert town.datadog.triggers() == []


async def test_typing_nothing_or_nonsense_answers_with_usage_to_the_typist_only(town: Town) -> None:
    for typed in ("", "help", "investgate 42", "fly me to the moon"):
        seen = await town.ana.command("/bits", typed, in_=town.channel)
        assert USAGE in seen.text, typed
    assert "I don't know investgate." in town.ana.sees
    assert "Did you mean /bits investigate" not in town.ana.sees
    assert town.channel.messages == []


async def test_what_is_hardly_a_question_is_asked_back_before_it_costs(town: Town) -> None:
    for typed in ("investigate checkout", "investigate CASEM-42", "investigate list"):
        seen = await town.ana.command("/bits", typed, in_=town.channel)
        assert "Nothing was started" in seen.text
        assert "Datadog bills each one" in seen.text

    await town.ana.click("Cancel", on=town.ana.ephemerals[0])
    await town.slack.wait_for(lambda: town.ana.ephemerals[0].shown == "Nothing was started.")
    await town.ana.click("Start anyway", on=town.ana.ephemerals[1])
    await town.slack.wait_for(lambda: "requested. Its card follows" in town.ana.sees)

    card = await _only_card(town)
    await town.reads(card, "Asked by @ana", AI_WRITTEN)
    (run,) = town.datadog.triggers()
    assert run.title == "CASEM-42"


async def test_a_mention_that_is_hardly_a_question_starts_once_in_its_thread_when_it_is_meant(town: Town) -> None:
    talk = await town.ben.say("hm", in_=town.channel)
    await town.ana.mention("investigate checkout", in_=town.channel, thread=talk)
    await town.slack.wait_for(lambda: town.ana.ephemerals)
    asked = town.ana.ephemerals[0]
    assert town.datadog.triggers() == []

    await town.ana.click("Start anyway", on=asked)

    await town.reads(talk, "Asked by @ana", AI_WRITTEN)
    assert len(town.datadog.triggers()) == 1


async def test_a_mention_without_a_command_offers_what_the_threads_investigation_allows(town: Town) -> None:
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, AI_WRITTEN)

    await town.ana.mention("was it the deploy?", in_=town.channel, thread=alert.message)

    await _told(town, alert.message, "This thread's Bits AI investigation is conclusive")
    offer = town.ana.ephemerals[-1]
    assert all(text in offer.shown for text in ("[Ask a follow-up] [Full report] [… Run again", "Open in Datadog"))
    await town.ana.click("Ask a follow-up", on=offer)
    window = await town.ana.waits_for_modal("What is sent with it")
    assert "was it the deploy?" in window.text
    await town.ana.close()
    await town.ana.click("Full report", on=offer)
    await town.ana.waits_for_modal("Full report")
    assert len(town.datadog.triggers()) == 1


async def test_list_and_show_answer_the_typist_only(town: Town) -> None:
    run = town.datadog.investigate_elsewhere("Disk of db-3", monitor=town.monitor, script=Script.at_once())

    await town.ana.command("/bits", f"list {town.monitor.id}", in_=town.channel)
    await town.slack.wait_for(lambda: "Disk of db-3" in town.ana.sees)

    await town.ana.command("/bits", f"show {run.id}", in_=town.channel)
    await town.slack.wait_for(lambda: "✅ Bits AI investigation conclusive" in town.ana.sees)
    assert town.channel.messages == []


def _says(answer: Message, words: str) -> bool:
    return words in answer.shown


async def test_every_investigation_of_datadogs_list_can_be_reached(town: Town) -> None:
    for number in range(25):
        town.datadog.investigate_elsewhere(f"Run {number}", monitor=town.monitor, script=Script.at_once())
    town.datadog.investigate_elsewhere("Of no monitor", script=Script.at_once())

    await town.ana.command("/bits", f"list monitor {town.monitor.id}", in_=town.channel)
    await town.slack.wait_for(lambda: "1 to 10 of 25" in town.ana.sees)
    (answer,) = town.ana.ephemerals
    for span in ("11 to 20 of 25", "21 to 25 of 25"):
        await town.ana.click("Older", on=answer)
        await town.slack.wait_for(partial(_says, answer, span))
    assert "[Older]" not in answer.shown
    await town.ana.click("Newer", on=answer)
    await town.slack.wait_for(lambda: "11 to 20 of 25" in answer.shown)
    assert "Of no monitor" not in town.ana.sees

    await town.ana.click("Show", on=answer)
    await town.slack.wait_for(lambda: "✅ Bits AI investigation conclusive: Run" in town.ana.sees)


async def test_a_mention_in_an_alerts_thread_needs_no_more_words(town: Town) -> None:
    alert = await town.alert()
    recovery = town.datadog.fire(town.monitor, transition="alert recovery")
    await town.slack.edit_as_datadog(alert.message, title=recovery.slack_title, title_link=recovery.link())

    await town.ana.mention("investigate", in_=town.channel, thread=alert.message)

    await town.reads(alert.message, "Disk almost full", AI_WRITTEN)
    (run,) = town.datadog.triggers()
    assert run.event_id == alert.fired.event_id


async def test_a_recovered_message_never_seen_before_leads_to_the_alert_before_it(town: Town) -> None:
    fired = town.datadog.fire(town.monitor)
    recovery = town.datadog.fire(town.monitor, transition="alert recovery")
    message = await town.slack.post_as_datadog(town.channel, title=recovery.slack_title, title_link=recovery.link())

    await town.ana.shortcut("investigate_message", on=message)

    await town.reads(message, "Disk almost full")
    (run,) = await town.datadog.wait_for(town.datadog.triggers)
    assert run.event_id == fired.event_id


async def test_findings_datadog_posted_into_the_thread_are_adopted(town: Town) -> None:
    alert = await town.alert()
    run = town.datadog.investigate_elsewhere(
        "Auto", monitor=town.monitor, script=Script.at_once("conclusive", POOL_EXHAUSTED)
    )
    await town.slack.post_as_datadog(
        town.channel, title="Bits findings", title_link=town.datadog.link_to(run), thread_ts=alert.message.ts
    )

    await town.ana.shortcut("investigate_message", on=alert.message)

    await town.reads(alert.message, "followed here, not started again", "Asked by @ana", AI_WRITTEN)
    assert town.datadog.triggers() == []
