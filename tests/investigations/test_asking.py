"""Many people mean one thing: two clicks, a retried request or a second thread make one investigation, never two."""

import asyncio
from dataclasses import replace

import pytest

from bot.investigations.model import Verdict
from bot.investigations.requests import Outcome, Reception
from bot.model import AlertRef, Ask, EarlierRun, ExistingRun, MessageRef, Question, ThreadRef
from tests.investigations.slack import says
from tests.investigations.world import ALERT, CAUSE, QUESTION, World


async def conclude(world: World) -> None:
    await world.turns()
    list(world.datadog.runs.values())[-1].ends("conclusive", CAUSE)
    await world.wind(45, step=15)


async def test_a_gesture_slack_sends_twice(both_worlds: World) -> None:
    world = both_worlds
    ask = world.an_ask()
    first, again = await world.bot.ask(ask), await world.bot.ask(ask)
    assert first.reception is Reception.STARTED
    assert again is first
    await conclude(world)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


async def test_the_same_person_clicks_twice(both_worlds: World) -> None:
    world = both_worlds
    assert (await world.ask()).reception is Reception.STARTED
    assert (await world.ask()).reception is Reception.ALREADY_HERE
    await conclude(world)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]
    assert world.datadog.calls["trigger"] == 1


async def test_a_second_thread_waits_for_the_same_run(both_worlds: World) -> None:
    world = both_worlds
    await world.ask(thread="1.1")
    await world.turns()
    outcome = await world.ask(by="UBEN", channel="C2", thread="2.2")
    assert outcome.reception is Reception.FOLLOWING
    await conclude(world)
    assert world.slack.said("C1", "1.1") == ["card: concluded", "conclusive: Disk full"]
    assert world.slack.said("C2", "2.2") == ["card: concluded", "conclusive: Disk full"]
    assert world.datadog.calls["trigger"] == 1


async def test_everybody_clicks_at_once(both_worlds: World) -> None:
    world = both_worlds
    asks = [world.an_ask(by=f"U{number}", thread=f"{number % 3}.0") for number in range(12)]
    outcomes = await asyncio.gather(*(world.bot.ask(ask) for ask in asks))
    assert [outcome.reception for outcome in outcomes].count(Reception.STARTED) == 1
    await conclude(world)
    assert world.datadog.calls["trigger"] == 1
    for thread in ("0.0", "1.0", "2.0"):
        assert world.slack.said(thread=thread) == ["card: concluded", "conclusive: Disk full"]


async def test_a_thread_that_asks_a_week_later_gets_the_finished_answer(world: World) -> None:
    await world.ask()
    await conclude(world)
    world.clock.wind(7 * 24 * 3600)
    assert (await world.ask(by="UBEN", thread="2.2")).reception is Reception.FOLLOWING
    await world.turns()
    assert world.slack.said(thread="2.2") == ["card: concluded", "conclusive: Disk full"]
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]
    assert world.datadog.calls["trigger"] == 1


async def test_a_thread_that_asks_after_a_refusal_sees_the_refusal_on_its_card_only(world: World) -> None:
    world.orgs.connected = False
    await world.ask()
    await world.turns()
    await world.ask(thread="2.2")
    await world.turns()
    assert world.slack.said(thread="2.2") == ["card: failed (no_org)"]


async def test_a_thread_that_joins_while_the_run_ends_is_not_forgotten(both_worlds: World) -> None:
    """Joining and ending in two transactions at once: whoever comes second sees the other."""
    world = both_worlds
    await world.ask()
    await world.turns()
    world.datadog.run.ends("conclusive", CAUSE)
    world.clock.wind(60)
    await world.bot.watcher.step()
    threads = [f"{number}.0" for number in range(2, 12)]
    await asyncio.gather(world.bot.rest(), *(world.ask(thread=thread) for thread in threads))
    await world.turns(6)
    for thread in ["1.1", *threads]:
        assert world.slack.said(thread=thread) == ["card: concluded", "conclusive: Disk full"]


async def test_a_join_that_is_still_being_written_down_when_the_run_ends(both_worlds: World) -> None:
    """On PostgreSQL the two transactions really overlap: the end has to wait for the join."""
    world = both_worlds
    await world.ask()
    await world.turns()
    world.datadog.run.ends("conclusive", CAUSE)
    detail = await world.datadog.bits.get(world.datadog.run.id)
    late = world.an_ask(thread="2.2")
    async with world.database.transaction() as connection:
        await world.repository.begin(connection, late, ALERT, after=None)
        end = asyncio.create_task(world.repository.conclude(1, Verdict.CONCLUSIVE, detail))
        await asyncio.wait({end}, timeout=0.1)  # it arrives while the join is open, and has to wait
    assert await end
    await world.turns(4)
    assert world.slack.said(thread="2.2") == ["card: concluded", "conclusive: Disk full"]


async def test_run_again_makes_a_second_run_and_two_people_pressing_it_make_one(both_worlds: World) -> None:
    world = both_worlds
    await world.ask()
    await conclude(world)
    presses = [world.bot.run_again(world.an_ask(by=who), number=1) for who in ("UANN", "UBEN")]
    outcomes = await asyncio.gather(*presses)
    assert sorted(outcome.reception for outcome in outcomes) == [Reception.ALREADY_HERE, Reception.STARTED]
    await conclude(world)
    assert world.datadog.calls["trigger"] == 2
    assert world.slack.said() == [
        "card: concluded",
        "conclusive: Disk full",
        "card: concluded",
        "conclusive: Disk full",
    ]


async def test_a_run_again_that_slack_sends_twice(world: World) -> None:
    await world.ask()
    await conclude(world)
    press = world.an_ask()
    first = await world.bot.run_again(press, number=1)
    assert first.reception is Reception.STARTED
    assert await world.bot.run_again(press, number=1) is first
    assert len(await world.investigations()) == 2


async def test_asking_after_a_second_run_gets_the_latest(world: World) -> None:
    await world.ask()
    await conclude(world)
    await world.bot.run_again(world.an_ask(), number=1)
    outcome = await world.ask(thread="2.2")
    assert outcome.investigation is not None
    assert (outcome.investigation.run, outcome.investigation.state) == (2, "requested")


async def test_pressing_an_old_run_again_button_joins_what_came_of_it(world: World) -> None:
    await world.ask()
    await conclude(world)
    await world.bot.run_again(world.an_ask(), number=1)
    await conclude(world)
    outcome = await world.bot.run_again(world.an_ask(thread="2.2"), number=1)
    assert outcome.reception is Reception.FOLLOWING
    await world.turns()
    assert world.slack.said(thread="2.2") == ["card: concluded", "conclusive: Disk full"]
    assert world.datadog.calls["trigger"] == 2


@pytest.mark.parametrize(("workspace", "number"), [("T1", 1), ("T1", 3), ("T2", 2)])
async def test_what_cannot_be_run_again_is_gone(world: World, workspace: str, number: int) -> None:
    """A run followed without its alert, one that is not there, and one that is another workspace's."""
    await world.ask(ExistingRun("elsewhere"))
    await world.ask(QUESTION)
    ask = world.an_ask(EarlierRun(number))
    await world.bot.requests.receive(replace(ask, place=replace(ask.place, workspace=workspace)))
    await world.turns()
    assert world.answers.told == ["UANN: no_alert"]
    assert len(await world.investigations()) == 2


async def test_an_investigation_is_known_only_where_somebody_asked_for_it(world: World) -> None:
    await world.ask()
    assert await world.repository.get_in("T1", 1) == await world.investigation()
    assert await world.repository.get_in("T2", 1) is None
    assert await world.repository.get_in("T1", 0) is None


async def test_a_question_repeated_while_it_runs_joins_it(world: World) -> None:
    await world.ask(QUESTION)
    await world.turns()
    outcome = await world.ask(Question(f"  {QUESTION.text} "), thread="2.2")
    assert outcome.reception is Reception.FOLLOWING


async def test_a_question_repeated_after_its_end_is_asked_anew(world: World) -> None:
    await world.ask(QUESTION)
    await conclude(world)
    outcomes = await asyncio.gather(world.ask(QUESTION, by="UANN"), world.ask(QUESTION, by="UBEN"))
    assert sorted(outcome.reception for outcome in outcomes) == [Reception.ALREADY_HERE, Reception.STARTED]
    await world.turns()
    assert world.datadog.calls["trigger"] == 2


async def test_questions_that_differ_are_two(world: World) -> None:
    await world.ask(QUESTION)
    for other in (Question(QUESTION.text, ("env:prod",)), Question(QUESTION.text, (), 1, 2)):
        assert (await world.ask(other)).reception is Reception.STARTED


async def test_two_events_of_one_monitor_are_two(world: World) -> None:
    await world.ask(ALERT)
    assert (await world.ask(AlertRef(7, "71", 1))).reception is Reception.STARTED


async def test_a_run_of_ours_that_somebody_wants_to_follow_is_joined(world: World) -> None:
    await world.ask()
    await world.turns()
    outcome = await world.ask(ExistingRun(world.datadog.run.id), thread="2.2")
    assert outcome.reception is Reception.FOLLOWING
    assert outcome.investigation is not None
    assert outcome.investigation.id == 1


async def test_a_run_followed_twice_is_one(world: World) -> None:
    running = world.datadog.start("by hand", 7)
    assert (await world.ask(ExistingRun(running))).reception is Reception.STARTED
    assert (await world.ask(ExistingRun(running), thread="2.2")).reception is Reception.FOLLOWING
    await conclude(world)
    assert world.slack.said(thread="2.2") == ["card: concluded", "conclusive: Disk full"]


async def test_an_alert_whose_run_is_followed_is_not_investigated_a_second_time(world: World) -> None:
    """Datadog's own automatic run stands in the thread; a click under the alert joins it."""
    running = world.datadog.start("by itself", 7)
    await world.ask(ExistingRun(running, ALERT))
    assert (await world.ask(ALERT, thread="2.2")).reception is Reception.FOLLOWING
    await conclude(world)
    assert world.datadog.calls["trigger"] == 0


async def test_a_later_run_of_the_same_alert_can_be_followed_too(world: World) -> None:
    """Not answered with the result of the earlier run: it is another one that was pointed at."""
    await world.ask(ALERT)
    await conclude(world)
    newer = world.datadog.start("by hand", 7)
    outcome = await world.ask(ExistingRun(newer, ALERT), thread="2.2")
    assert outcome.investigation is not None
    assert outcome.investigation.datadog_id == newer


async def test_a_channel_that_refused_is_tried_again_when_somebody_asks_again(world: World) -> None:
    world.slack.network.expect("post", says("not_in_channel"))
    await world.ask()
    await world.turns()
    assert world.slack.said() == []
    await world.wind(120)
    assert world.slack.said() == []
    assert (await world.ask()).reception is Reception.ALREADY_HERE
    await world.turns()
    assert world.slack.said() == ["card: running"]


async def test_what_was_accepted_survives_a_kill_right_after(world: World) -> None:
    await world.ask()
    await world.restart()
    await world.turns()
    assert world.slack.said() == ["card: running"]


async def test_what_slack_was_told_we_have_is_decided_after_a_kill(world: World) -> None:
    await world.receive()
    await world.restart()
    await world.turns()
    assert world.slack.said() == ["card: running"]


async def test_a_slack_that_takes_no_answers_holds_up_no_start(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never_told(_ask: Ask, _outcome: Outcome) -> None:
        await asyncio.Event().wait()

    await world.ask()
    monkeypatch.setattr(world.answers, "hears", never_told)
    for _ in range(40):
        await world.receive()
    await world.receive(AlertRef(9, "90", 1))
    for _ in range(10):
        await world.bot.judge()
    assert [ask.state for ask in await world.asks()] == ["done"] * 42
    assert len(await world.investigations()) == 2
    await world.bot.die()


@pytest.mark.parametrize("alert", [ALERT, None])
async def test_of_the_message_that_was_asked_about_nothing_is_kept(world: World, alert: AlertRef | None) -> None:
    world.threads.subject = alert
    await world.receive(MessageRef({"text": "our customers' names"}, "trigger"))
    await world.turns()
    (ask,) = await world.asks()
    assert ask.subject == (alert or ThreadRef())
    assert world.slack.said() == (["card: running"] if alert else [])


async def test_the_latest_of_a_thread(world: World) -> None:
    assert await world.repository.latest_in_thread("T1", "C1", "1.1") is None
    await world.ask(ALERT)
    await world.ask(QUESTION, channel="C2", thread="2.2")
    await world.bot.ask(_elsewhere(world.an_ask(AlertRef(9, "90", 1), channel="C2", thread="2.2")))
    latest = await world.repository.latest_in_thread("T1", "C2", "2.2")
    assert latest is not None
    assert latest.question == QUESTION


def _elsewhere(ask: Ask) -> Ask:
    return replace(ask, place=replace(ask.place, workspace="T2"))


# -- a question that is asked again because Slack showed an error ------------------------------------------------------


async def test_the_same_question_within_a_minute_is_one_ask_wherever_its_window_ends(both_worlds: World) -> None:
    world = both_worlds

    def until(end: int) -> Question:
        return Question(QUESTION.text, (), end - 7_200_000, end)

    await asyncio.gather(world.receive(until(9_000_000)), world.receive(until(9_005_000)))
    await world.wind(5, step=1)
    assert len(world.datadog.runs) == 1
    assert world.answers.told == ["UANN: joined None"]

    await world.receive(Question(QUESTION.text, (), 5_000_000, 9_006_000))
    await world.receive(until(9_007_000), by="UBEN")
    await world.receive(until(9_008_000), thread="2.2")
    await world.turns()
    world.clock.wind(61)
    await world.receive(until(9_069_000))
    await world.turns()
    assert len(world.datadog.runs) == 5
