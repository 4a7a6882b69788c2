"""The start of a run costs money and cannot be repeated on a guess: what happens when nobody knows whether it worked."""

import asyncio

import pytest

from bot.datadog.errors import DatadogError, Unavailable, Unreadable
from bot.investigations.card_view import status_card
from bot.investigations.model import Investigation
from tests.investigations.world import ALERT, CAUSE, QUESTION, TIMING, Bot, Fate, World, lost

OTHER_GROUP = type(ALERT)(7, "71", 1_700_000_000_000, "Disk is full", "host:b")
OTHER_MONITOR = type(ALERT)(8, "80", 1_700_000_000_000, "CPU is hot")
LOOKS = 3 * TIMING.settle + 10  # all the looks are over


@pytest.mark.parametrize("error", [Unavailable("502", status=502), Unreadable("no id")])
async def test_the_only_new_run_is_taken_for_ours(world: World, error: DatadogError) -> None:
    world.datadog.start("yesterday's", 7)
    world.datadog.network.expect("trigger", lost(error, lands=True))
    await world.ask()
    await world.turns()
    assert world.slack.said() == ["card: triggering"]
    await world.wind(TIMING.settle + 5)
    assert world.slack.said() == ["card: running"]
    investigation = await world.investigation()
    assert investigation.presumed
    (ours,) = world.datadog.about(ALERT)
    assert investigation.datadog_id == ours.id
    ours.ends("conclusive", CAUSE)
    await world.wind(20)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]
    assert world.datadog.calls["trigger"] == 1


async def test_no_look_before_the_request_must_have_landed(world: World) -> None:
    world.datadog.network.expect("trigger", lost(lands=True, lands_in=TIMING.settle - 1))
    await world.ask()
    await world.turns()
    noted = world.datadog.calls["ids"]
    await world.wind(TIMING.settle - 1)
    assert world.datadog.calls["ids"] == noted
    await world.wind(5)
    assert world.slack.said() == ["card: running"]
    assert world.datadog.calls["trigger"] == 1


async def test_when_nothing_shows_up_the_card_says_so_and_nothing_is_started_again(world: World) -> None:
    world.datadog.network.expect("trigger", lost(lands=False))
    await world.ask()
    await world.turns()
    await world.wind(LOOKS)
    assert world.slack.said() == ["card: uncertain"]
    assert "I go on looking for it until" in card_text(await world.investigation())
    await world.wind(TIMING.deadline + TIMING.patience, step=60)
    assert world.datadog.calls["trigger"] == 1
    assert "I go on looking" not in card_text(await world.investigation())
    looks = world.datadog.calls["ids"]
    assert TIMING.look_attempts < looks < 20
    await world.wind(TIMING.deadline, step=60)
    assert world.datadog.calls["ids"] == looks


async def test_where_nobody_may_look_any_more_it_may_have_been_billed(world: World) -> None:
    """Its organisation does not serve the workspace any more: the unit of the budget stays spent."""
    world.datadog.network.expect("trigger", lost(lands=True))
    await world.ask()
    await world.turns()
    world.orgs.connected = False
    await world.wind(LOOKS)
    assert world.slack.said() == ["card: uncertain"]
    assert world.datadog.calls["trigger"] == 1


async def test_a_run_that_shows_up_between_the_looks_is_found(world: World) -> None:
    world.datadog.network.expect("trigger", lost(lands=True, lands_in=TIMING.settle * 1.5))
    await world.ask()
    await world.turns()
    await world.wind(LOOKS)
    assert world.slack.said() == ["card: running"]


async def test_two_new_runs_are_not_guessed_between(world: World) -> None:
    world.datadog.network.expect("trigger", lost(lands=True))
    await world.ask()
    await world.turns()
    world.datadog.start("somebody's", 7)
    await world.wind(LOOKS)
    assert world.slack.said() == ["card: uncertain"]
    assert world.datadog.calls["trigger"] == 1


async def test_another_monitor_s_new_run_is_not_mistaken_for_ours(world: World) -> None:
    world.datadog.network.expect("trigger", lost(lands=False))
    await world.ask()
    await world.turns()
    world.datadog.start("somebody's", 99)
    await world.wind(LOOKS)
    assert world.slack.said() == ["card: uncertain"]


async def test_a_list_that_fails_is_looked_at_again(world: World) -> None:
    world.datadog.network.expect("trigger", lost(lands=True))
    await world.ask()
    await world.turns()
    world.datadog.network.expect("ids", Unavailable("503", status=503))
    await world.wind(LOOKS)
    assert world.slack.said() == ["card: running"]
    assert world.datadog.calls["trigger"] == 1


async def test_two_of_one_monitor_at_once_are_never_mixed_up(world: World) -> None:
    """Both starts have unknown outcomes and both happened: nobody can tell whose is whose."""
    world.datadog.network.expect("trigger", lost(lands=True), lost(lands=True))
    await world.ask(ALERT)
    await world.ask(OTHER_GROUP, thread="2.2")
    await world.turns()
    await world.wind(LOOKS)
    assert world.slack.cards() == ["card: uncertain", "card: uncertain"]
    assert world.datadog.calls["trigger"] == 2


async def test_a_run_that_may_be_another_start_s_is_nobody_s(world: World) -> None:
    """The first start happens and the second does not: neither answer comes, and the second must not get the first's."""
    world.datadog.network.expect("trigger", lost(lands=True, lands_in=TIMING.settle - 1), lost(lands=False))
    await world.ask(ALERT)
    await world.ask(OTHER_GROUP, thread="2.2")
    await world.turns()
    await world.wind(LOOKS)
    world.datadog.run.ends("conclusive", CAUSE)
    await world.wind(TIMING.deadline, step=60)
    assert world.slack.cards() == ["card: uncertain", "card: uncertain"]


async def test_what_stood_there_before_the_second_start_is_the_first_one_s(world: World) -> None:
    world.datadog.network.expect("trigger", lost(lands=True), lost(lands=True))
    await world.ask(ALERT)
    await world.turns()
    await world.ask(OTHER_GROUP, thread="2.2")
    await world.turns()
    await world.wind(LOOKS)
    first, second = await world.investigation(1), await world.investigation(2)
    assert [first.datadog_id, second.datadog_id] == [
        world.datadog.about(ALERT)[0].id,
        world.datadog.about(OTHER_GROUP)[0].id,
    ]


async def test_a_start_that_was_given_up_long_before_takes_nothing_from_a_later_one(world: World) -> None:
    world.datadog.network.expect("trigger", lost(lands=False), lost(lands=True))
    await world.ask(ALERT)
    await world.turns()
    await world.wind(LOOKS)
    await world.ask(OTHER_GROUP, thread="2.2")
    await world.turns()
    await world.wind(LOOKS)
    assert world.slack.cards() == ["card: uncertain", "card: running"]


async def test_a_datadog_that_stays_away_uses_up_no_looks(world: World) -> None:
    world.datadog.network.expect("trigger", lost(lands=True))
    await world.ask()
    await world.turns()
    world.datadog.network.choose = lambda name: Fate(Unavailable("503", status=503)) if name == "ids" else None
    await world.wind(TIMING.patience)
    await world.wind(TIMING.patience, step=30)
    assert world.slack.cards() == ["card: uncertain"]
    world.datadog.network.choose = lambda _: None
    await world.wind(TIMING.patience)
    assert world.slack.cards() == ["card: running"]
    world.datadog.run.ends("conclusive", CAUSE)
    await world.wind(TIMING.poll * 2)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


async def test_unknown_starts_of_different_monitors_do_not_stand_in_each_other_s_way(world: World) -> None:
    world.datadog.network.expect("trigger", lost(lands=True), lost(lands=True))
    await world.ask(ALERT)
    await world.ask(OTHER_MONITOR, thread="2.2")
    await world.turns()
    await world.wind(LOOKS)
    assert world.slack.cards() == ["card: running", "card: running"]
    first, second = await world.investigation(1), await world.investigation(2)
    assert first.datadog_id == world.datadog.about(ALERT)[0].id
    assert second.datadog_id == world.datadog.about(OTHER_MONITOR)[0].id


async def test_a_question_waits_while_another_start_is_under_way(world: World) -> None:
    """Questions are found in the list of everything, where the other's run will show up as well."""
    world.datadog.network.expect("trigger", lost(lands=True), lost(lands=True))
    await world.ask(QUESTION)
    await world.turns()
    world.clock.wind(5)
    await world.ask(ALERT, thread="2.2")
    await world.turns()
    await world.wind(LOOKS)
    assert world.slack.cards() == ["card: running", "card: running"]
    assert world.datadog.runs[(await world.investigation(1)).datadog_id].about == QUESTION.text
    assert world.datadog.runs[(await world.investigation(2)).datadog_id].about == "event 70"


async def test_one_that_starts_while_we_look_is_never_taken_for_ours(world: World) -> None:
    """The other's run lands between our look at the list and our look at what is known to be whose."""
    world.datadog.network.expect("trigger", lost(lands=False))
    await world.ask(ALERT)
    await world.turns()
    world.clock.wind(TIMING.settle)
    other = Bot(world)

    async def meanwhile(leg: str) -> None:
        if leg == "to ids":
            world.datadog.network.between = stop_there
            await world.bot.ask(world.an_ask(OTHER_GROUP, thread="2.2"))
            await other.runner.step()
            await landed.wait()

    async def stop_there(leg: str) -> None:
        if leg == "from trigger":
            landed.set()
            await looked.wait()

    landed, looked = asyncio.Event(), asyncio.Event()
    world.datadog.network.between = meanwhile
    await world.bot.runner.step()
    await world.bot.rest()
    looked.set()
    await other.rest()
    world.datadog.network.between = None
    await world.wind(LOOKS)
    first, second = await world.investigation(1), await world.investigation(2)
    assert (first.state, second.state) == ("uncertain", "running")


async def test_killed_after_the_start_was_carried_out(world: World) -> None:
    await world.ask()
    await _die_at(world, "from trigger")
    assert len(world.datadog.runs) == 1
    await world.restart()
    await world.wind(TIMING.settle + 5)
    assert world.slack.said() == ["card: running"]
    assert (await world.investigation()).presumed
    assert world.datadog.calls["trigger"] == 1


async def test_killed_before_the_start_left_is_told_and_not_repeated(world: World) -> None:
    await world.ask()
    await _die_at(world, "to trigger")
    await world.restart()
    await world.wind(TIMING.settle + LOOKS)
    assert world.slack.said() == ["card: uncertain"]
    assert world.datadog.runs == {}


async def test_killed_while_the_list_was_read_goes_on_at_once(world: World) -> None:
    """Nothing was sent that could still land: no reason to let people wait."""
    await world.ask()
    await _die_at(world, "to ids")
    await world.restart()
    await world.turns()
    assert world.slack.said() == ["card: running"]
    assert not (await world.investigation()).presumed


async def test_the_looks_are_counted_from_the_start_not_from_the_click(world: World) -> None:
    """A bad quarter of an hour at Datadog before the start must not use up the looks after it."""
    world.datadog.network.expect("ids", *(Unavailable("503", status=503) for _ in range(4)))
    await world.ask()
    for _ in range(4):
        await world.turns(1)
        world.clock.wind(60)
    await _die_at(world, "from trigger")
    run = world.datadog.runs.pop(world.datadog.run.id)
    await world.restart()
    await world.wind(TIMING.settle + 5)  # the first look finds nothing yet
    assert world.slack.said() == ["card: triggering"]
    world.datadog.runs[run.id] = run
    await world.wind(LOOKS)
    assert world.slack.said() == ["card: running"]


async def test_a_replica_takes_over_only_when_a_request_of_the_dead_one_must_have_landed(world: World) -> None:
    """The dead one sent at the very end of the time a request may take."""
    await world.ask()
    await world.bot.poster.step()
    await world.bot.rest()
    await _die_at(world, "to trigger")
    sent_at = world.clock.now + TIMING.effect
    other = Bot(world)
    world.bot = other
    listed = world.datadog.calls["ids"]
    while world.datadog.calls["ids"] == listed:
        world.clock.wind(1)
        await other.turn()
    assert world.clock.now >= sent_at + TIMING.settle


async def test_a_frozen_bot_that_wakes_after_the_takeover_changes_nothing(world: World) -> None:
    frozen, awake = world.bot, Bot(world)
    await world.ask()
    thaw, at_trigger = asyncio.Event(), asyncio.Event()

    async def freeze(leg: str) -> None:
        if leg == "from trigger":
            world.datadog.network.between = None
            at_trigger.set()
            await thaw.wait()

    world.datadog.network.between = freeze
    await frozen.runner.step()
    await at_trigger.wait()
    world.clock.wind(TIMING.lease)
    await awake.turn()
    taken = await world.investigation()
    assert (taken.state, taken.presumed) == ("running", True)
    thaw.set()
    await frozen.rest()
    assert await world.investigation() == taken
    assert world.datadog.calls["trigger"] == 1


def card_text(investigation: Investigation) -> str:
    return status_card(investigation, requester="UANN", app_url="https://app.datadoghq.com").text


async def _die_at(world: World, place: str) -> None:
    """The bot is killed the moment it is there."""
    reached = asyncio.Event()

    async def stop(leg: str) -> None:
        if leg == place:
            reached.set()
            await asyncio.Event().wait()

    world.datadog.network.between = stop
    await world.bot.runner.step()
    await reached.wait()
    await world.bot.die()
    world.datadog.network.between = None
