"""From a request to its end, along every path there is: what the thread shows, and what Datadog was asked to do."""

import pytest

from bot.datadog.errors import (
    NotSent,
    OtherRefusal,
    RateLimited,
    Unavailable,
)
from bot.datadog.investigations import Conclusion
from bot.model import ExistingRun
from tests.investigations.world import ALERT, CAUSE, Fate, World


def rate_limited(seconds: float) -> RateLimited:
    error = RateLimited("Datadog answered 429", status=429)
    error.wait = seconds
    return error


async def started(world: World) -> None:
    await world.ask()
    await world.turns()
    assert await world.state() == "running"


async def test_the_card_is_there_before_datadog_has_answered(world: World) -> None:
    await world.ask()
    await world.bot.poster.step()
    await world.bot.rest()
    assert world.slack.said() == ["card: requested"]
    assert world.datadog.calls["trigger"] == 0


@pytest.mark.parametrize(
    ("status", "conclusions", "card", "reply"),
    [
        ("conclusive", (), "card: concluded", "conclusive: nothing"),
        ("inconclusive", (CAUSE, Conclusion("Late", "", "")), "card: concluded", "inconclusive: Disk full, Late"),
    ],
)
async def test_every_way_a_run_can_end(
    world: World, status: str, conclusions: tuple[Conclusion, ...], card: str, reply: str
) -> None:
    await started(world)
    world.datadog.run.ends(status, *conclusions)
    await world.wind(20)
    assert world.slack.said() == [card, reply]


async def test_an_unknown_status_without_conclusions_is_still_running(world: World) -> None:
    await started(world)
    world.datadog.run.ends("pondering")
    await world.wind(40)
    assert world.slack.said() == ["card: running"]
    world.datadog.run.ends("pondering", CAUSE)
    await world.wind(20)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


async def test_a_definite_no_is_told_at_once_and_not_asked_again(world: World) -> None:
    world.datadog.network.expect("trigger", OtherRefusal("418", detail="a teapot"))
    await world.ask()
    await world.turns()
    await world.wind(60, step=20)
    assert world.slack.said() == ["card: failed (refused)"]
    assert world.datadog.calls["trigger"] == 1
    failure = (await world.investigation()).failure
    assert failure is not None
    assert failure.detail == "a teapot"


async def test_nobody_s_datadog(world: World) -> None:
    world.orgs.connected = False
    await world.ask()
    await world.turns()
    assert world.slack.said() == ["card: failed (no_org)"]


@pytest.mark.parametrize("call", ["ids", "trigger"])
async def test_datadog_asks_to_wait_and_is_asked_again_then(world: World, call: str) -> None:
    world.datadog.network.expect(call, rate_limited(45))
    await world.ask()
    await world.turns()
    assert world.slack.said() == ["card: requested (rate_limited)"]
    assert (await world.investigation()).retry_at == world.clock.now + 45
    await world.wind(40)
    assert world.datadog.calls[call] == 1
    await world.wind(10)
    assert world.slack.said() == ["card: running"]
    assert (await world.investigation()).retry_at is None
    assert len(world.datadog.runs) == 1


async def test_a_wait_too_long_is_told_instead_of_sat_out(world: World) -> None:
    world.datadog.network.expect("trigger", rate_limited(301))
    await world.ask()
    await world.turns()
    assert world.slack.said() == ["card: failed (rate_limited)"]


async def test_a_list_that_does_not_answer_for_a_while_only_delays_the_start(world: World) -> None:
    world.datadog.network.expect("ids", *(Unavailable("503", status=503) for _ in range(4)))
    await world.ask()
    await world.wind(120)
    assert world.slack.said() == ["card: running"]
    assert world.datadog.calls["trigger"] == 1


async def test_a_datadog_that_stays_away_is_given_up_after_some_minutes(world: World) -> None:
    world.datadog.network.expect("ids", *(Unavailable("503", status=503) for _ in range(500)))
    await world.ask()
    await world.wind(400, step=20)
    assert world.slack.said() == ["card: failed (unclear)"]
    assert world.datadog.calls["ids"] < 20
    assert world.datadog.calls["trigger"] == 0


async def test_no_connection_for_the_trigger_is_no_unknown_outcome(world: World) -> None:
    world.datadog.network.expect("trigger", NotSent("no route"))
    await world.ask()
    await world.wind(30)
    assert world.slack.said() == ["card: running"]
    assert len(world.datadog.runs) == 1
    assert not (await world.investigation()).presumed


async def test_a_run_of_an_alert_with_a_number_only_gets_the_monitor_s_name(world: World) -> None:
    world.datadog.names[7] = "Disk is full on db-1"
    await world.ask(type(ALERT)(7, "70", 1))
    await world.turns()
    alert = (await world.investigation()).alert
    assert alert is not None
    assert alert.monitor_name == "Disk is full on db-1"


async def test_a_monitor_without_a_name_is_no_reason_to_wait(world: World) -> None:
    await world.ask(type(ALERT)(7, "70", 1))
    await world.turns()
    assert await world.state() == "running"


async def test_a_run_that_is_long_over_when_it_is_followed_answers_at_once(world: World) -> None:
    world.datadog.start("by hand", 7)
    world.datadog.run.ends("conclusive", CAUSE)
    await world.ask(ExistingRun(world.datadog.run.id))
    await world.turns(2)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


async def test_following_what_datadog_does_not_know(world: World) -> None:
    await world.ask(ExistingRun("99999999-0000-4000-8000-000000000000"))
    await world.turns()
    assert world.slack.said() == ["card: running"]
    await world.wind(90)
    assert world.slack.said()[0] == "card: failed (vanished)"


async def test_keep_waiting_brings_the_answer_after_all(world: World) -> None:
    await started(world)
    await world.wind(45 * 60 + 60, step=300)
    assert await world.repository.keep_waiting("T1", 1)
    assert not await world.repository.keep_waiting("T1", 1)
    await world.turns()
    assert world.slack.said() == ["card: running", "expired: nothing"]
    world.datadog.run.ends("conclusive", CAUSE)
    await world.wind(60)
    assert world.slack.said() == ["card: concluded", "expired: nothing", "conclusive: Disk full"]


async def test_keep_waiting_before_the_thread_was_told_takes_that_reply_back(world: World) -> None:
    await started(world)
    world.clock.wind(45 * 60 + 60)
    await world.bot.watcher.step()
    await world.bot.rest()
    assert await world.state() == "expired"
    assert await world.repository.keep_waiting("T1", 1)
    await world.turns()
    assert world.slack.said() == ["card: running"]
    world.datadog.run.ends("conclusive", CAUSE)
    await world.wind(60)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


async def test_keep_waiting_while_a_crashed_reply_is_open_does_not_hold_up_the_answer(world: World) -> None:
    await started(world)
    await world.wind(45 * 60 - 15, step=300)
    world.slack.network.expect("post", *(Fate(TimeoutError()) for _ in range(50)))
    await world.wind(60)
    assert await world.state() == "expired"
    assert await world.repository.keep_waiting("T1", 1)
    world.slack.network.fates.clear()
    world.datadog.run.ends("conclusive", CAUSE)
    await world.wind(60)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


async def test_a_run_that_is_gone_from_datadog(world: World) -> None:
    await started(world)
    world.datadog.runs.clear()
    await world.wind(45)
    assert world.slack.said() == ["card: running"]  # so young that Datadog may not show it yet
    await world.wind(60)
    assert world.slack.said() == ["card: failed (vanished)", "failed: nothing"]


async def test_a_run_that_datadog_shows_only_after_a_while(world: World) -> None:
    await started(world)
    hidden = dict(world.datadog.runs)
    world.datadog.runs.clear()
    await world.wind(40)
    world.datadog.runs.update(hidden)
    world.datadog.run.ends("conclusive", CAUSE)
    await world.wind(30)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]
