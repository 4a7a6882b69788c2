"""An ask that names only a monitor, an event or a thread: the alert is found first, and whoever asked is told if not."""

import asyncio

import pytest
from sqlalchemy import update

from bot.datadog.errors import DatadogError, Forbidden, NotSent, RateLimited, Unauthorized, Unavailable
from bot.datadog.monitors import AlertEvent
from bot.investigations.alert_resolver import TURN_COMES_WITHIN
from bot.investigations.requests import Reception
from bot.investigations.tables import asks
from bot.model import AlertRef, EventRef, ExistingRun, MonitorRef, ThreadRef
from bot.slack.errors import Meaning, SlackTrouble
from tests.investigations.world import ALERT, Bot, World

EVENT = AlertEvent("70", 1_700_000_000_000, 7, "Disk is full", "host:a", transition="alert")


async def test_the_latest_alert_of_a_monitor(world: World) -> None:
    world.datadog.events["70"] = EVENT
    await world.receive(MonitorRef(7))
    await world.turns()
    assert world.slack.said() == ["card: running"]
    assert (await world.investigation()).alert == AlertRef(7, "70", EVENT.event_ts, "Disk is full", "host:a")
    assert world.answers.told == []


async def test_an_event_by_its_number(world: World) -> None:
    world.datadog.events["70"] = EVENT
    await world.receive(EventRef("70"))
    await world.turns()
    assert world.slack.said() == ["card: running"]


async def test_the_alert_of_the_thread(world: World) -> None:
    world.threads.subject = ALERT
    await world.receive(ThreadRef())
    await world.turns()
    assert world.slack.said() == ["card: running"]


async def test_what_an_earlier_version_left_waiting_goes_on(world: World) -> None:
    world.threads.subject = ALERT
    await world.receive(ThreadRef())
    await world.database.write(update(asks).values(state="waiting"))
    await world.turns()
    assert world.slack.said() == ["card: running"]


async def test_a_run_linked_in_the_thread_is_followed(world: World) -> None:
    world.threads.subject = ExistingRun(world.datadog.start("by hand", 7))
    await world.receive(ThreadRef())
    await world.turns()
    assert world.slack.said() == ["card: running"]
    assert world.datadog.calls["trigger"] == 0


async def test_a_thread_without_an_alert(world: World) -> None:
    await world.receive(ThreadRef())
    await world.turns()
    assert world.answers.told == ["UANN: no_alert"]


async def test_a_monitor_that_has_not_alerted(world: World) -> None:
    world.datadog.names[7] = "Disk is full"
    await world.receive(MonitorRef(7))
    await world.turns()
    assert world.answers.told == ["UANN: no_alert"]
    assert world.slack.said() == []


async def test_a_monitor_that_does_not_exist(world: World) -> None:
    await world.receive(MonitorRef(7))
    await world.turns()
    assert world.answers.told == ["UANN: not_found"]


async def test_an_event_nobody_knows(world: World) -> None:
    await world.receive(EventRef("70"))
    await world.turns()
    assert world.answers.told == ["UANN: no_alert"]


async def test_no_org_to_look_in(world: World) -> None:
    world.orgs.connected = False
    await world.receive(MonitorRef(7))
    await world.turns()
    assert world.answers.told == ["UANN: no_org"]


@pytest.mark.parametrize(
    ("error", "kind"), [(Unauthorized("401", status=401), "unauthorized"), (Forbidden("403", status=403), "forbidden")]
)
async def test_a_refused_look_up_is_told_at_once(world: World, error: DatadogError, kind: str) -> None:
    world.datadog.network.expect("latest_alert", error)
    await world.receive(MonitorRef(7))
    await world.turns()
    await world.wind(60)
    assert world.answers.told == [f"UANN: {kind}"]


async def test_a_datadog_that_does_not_answer_for_a_moment_is_not_worth_a_word(world: World) -> None:
    world.datadog.events["70"] = EVENT
    world.datadog.network.expect("latest_alert", Unavailable("503", status=503))
    await world.receive(MonitorRef(7))
    await world.wind(6, step=1)
    assert world.slack.said() == ["card: running"]
    assert world.answers.told == []


async def test_a_datadog_that_stays_away_is_told_once(world: World) -> None:
    world.datadog.network.expect("latest_alert", *(Unavailable("503", status=503) for _ in range(200)))
    await world.receive(MonitorRef(7))
    await world.wind(10, step=1)
    assert world.answers.told == ["UANN: unclear, tried on"]
    await world.wind(400, step=10)
    assert world.answers.told == ["UANN: unclear, tried on", "UANN: unclear"]


async def test_who_waits_because_datadog_is_not_reached_hears_that_it_is_tried_on(world: World) -> None:
    world.datadog.events["70"] = EVENT
    world.datadog.network.expect("latest_alert", *(NotSent("no route") for _ in range(6)))
    await world.receive(MonitorRef(7))
    await world.wind(10, step=1)
    assert world.answers.told == ["UANN: not_reached, tried on"]
    await world.wind(300, step=10)
    assert world.answers.told == ["UANN: not_reached, tried on"]
    assert world.slack.said() == ["card: running"]


async def test_a_wait_datadog_asks_for_is_kept(world: World) -> None:
    world.datadog.events["70"] = EVENT
    error = RateLimited("429", status=429)
    error.wait = 30
    world.datadog.network.expect("latest_alert", error)
    await world.receive(MonitorRef(7))
    await world.wind(25, step=5)
    assert world.datadog.calls["latest_alert"] == 1
    await world.wind(10, step=5)
    assert world.slack.said() == ["card: running"]


async def test_what_was_found_is_known_already_and_the_person_is_told(world: World) -> None:
    world.datadog.events["70"] = EVENT
    await world.ask(AlertRef(7, "70", EVENT.event_ts))
    await world.receive(MonitorRef(7), by="UBEN", thread="2.2")
    await world.turns()
    assert world.answers.told == ["UBEN: joined 70"]
    assert world.slack.said(thread="2.2") == ["card: running"]
    assert world.datadog.calls["trigger"] == 1


async def test_a_kill_during_the_look_up_costs_no_time(world: World) -> None:
    world.datadog.events["70"] = EVENT
    await world.receive(MonitorRef(7))
    asked = asyncio.Event()

    async def never_arrives(_leg: str) -> None:
        asked.set()
        await asyncio.Event().wait()

    world.datadog.network.between = never_arrives
    await world.bot.judge()
    await world.bot.alert_resolver.step()
    await asked.wait()
    world.datadog.network.between = None
    await world.restart()
    await world.turns()
    assert world.slack.said() == ["card: running"]


async def test_two_replicas_look_up_an_ask_once(both_worlds: World) -> None:
    world = both_worlds
    world.datadog.events["70"] = EVENT
    other = Bot(world)
    await world.receive(MonitorRef(7))
    await asyncio.gather(world.bot.turn(), other.turn())
    await asyncio.gather(world.bot.turn(), other.turn())
    assert world.datadog.calls["latest_alert"] == 1
    assert world.slack.cards() == ["card: running"]


async def test_a_click_slack_repeats_while_the_alert_is_looked_up(world: World) -> None:
    world.datadog.events["70"] = EVENT
    ask = world.an_ask(MonitorRef(7))
    await world.bot.requests.receive(ask)
    await world.bot.requests.receive(ask)
    await world.turns()
    assert world.datadog.calls["latest_alert"] == 1
    assert world.slack.said() == ["card: running"]


async def test_a_second_claim_makes_the_first_one_s_find_worthless(world: World) -> None:
    world.datadog.events["70"] = EVENT
    frozen, awake = world.bot, Bot(world)
    await world.receive(MonitorRef(7))
    await frozen.judge()
    await frozen.alert_resolver.step()
    world.clock.wind(world.timing.lease)
    await awake.turn()
    await awake.turn()
    await frozen.rest()
    assert len(await world.investigations()) == 1
    assert world.answers.told == []


async def test_look_ups_that_never_end_hold_up_no_start(world: World) -> None:
    async def never_arrives(leg: str) -> None:
        if leg == "to latest_alert":
            await asyncio.Event().wait()

    world.datadog.network.between = never_arrives
    for number in range(30):
        await world.receive(MonitorRef(number))
    for _ in range(3):
        await world.bot.judge()
        await world.bot.alert_resolver.step()

    assert (await world.ask(ALERT)).reception is Reception.STARTED
    await world.bot.die()


# -- a thread that could not be read is not one without an alert ------------------------------------------------------

ONCE_A_MINUTE = SlackTrouble(Meaning.WAIT, "ratelimited", 60)
UNANSWERED = SlackTrouble(Meaning.OPEN, "no_answer")


async def test_a_thread_slack_lets_us_read_later_is_read_then(world: World) -> None:
    world.threads.subject = ALERT
    world.threads.troubles.extend([ONCE_A_MINUTE, ONCE_A_MINUTE])
    await world.receive(ThreadRef())
    await world.wind(50)
    assert world.threads.read == 1
    assert world.answers.told == ["UANN: waits 60"]
    await world.wind(80)
    assert world.threads.read == 3
    assert world.slack.said() == ["card: running"]
    assert world.answers.told == ["UANN: waits 60"]


async def test_a_wait_of_seconds_is_not_worth_a_word(world: World) -> None:
    world.threads.subject = ALERT
    world.threads.troubles.append(SlackTrouble(Meaning.WAIT, "ratelimited", 2))
    await world.receive(ThreadRef())
    await world.wind(20)
    assert world.slack.said() == ["card: running"]
    assert world.answers.told == []


async def test_a_turn_that_never_comes_is_told(world: World) -> None:
    world.threads.troubles.extend([ONCE_A_MINUTE] * 100)
    await world.receive(ThreadRef())
    await world.wind(TURN_COMES_WITHIN + 120, step=60)
    assert world.answers.told == ["UANN: waits 60", "UANN: not read, ratelimited"]


@pytest.mark.parametrize("code", ["missing_scope", "not_in_channel"])
async def test_a_thread_we_may_not_read_is_said_to_be_that(world: World, code: str) -> None:
    world.threads.troubles.append(SlackTrouble(Meaning.REFUSED, code))
    await world.receive(ThreadRef())
    await world.turns()
    assert world.answers.told == [f"UANN: not read, {code}"]
    assert world.threads.read == 1


async def test_a_slack_that_does_not_answer_is_asked_again(world: World) -> None:
    world.threads.subject = ALERT
    world.threads.troubles.extend([UNANSWERED, UNANSWERED])
    await world.receive(ThreadRef())
    await world.wind(60)
    assert world.slack.said() == ["card: running"]
    assert world.answers.told == []


async def test_a_slack_that_stays_away_is_told_once(world: World) -> None:
    world.threads.troubles.extend([UNANSWERED] * 200)
    await world.receive(ThreadRef())
    await world.wind(400)
    assert world.answers.told == ["UANN: not read, no_answer"]
