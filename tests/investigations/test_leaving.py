"""A workspace leaves: nothing of what it asked for goes on, and nothing of the others stops. What is old leaves too."""

from dataclasses import replace

import pytest

from bot.investigations.requests import Reception
from bot.investigations.tables import subscribers
from bot.model import AlertRef, MonitorRef, Subject
from bot.storage.retention import DAY, Kept, forget_workspace, remove_old
from tests.investigations.world import ALERT, CAUSE, Fate, World, lost

LONG = Kept.CONCLUSIONS.days * DAY
OTHER_ALERT = AlertRef(monitor_id=8, event_id="80", event_ts=1_700_000_000_000)


async def ask_from(world: World, workspace: str, subject: Subject = ALERT) -> None:
    ask = world.an_ask(subject)
    place = replace(ask.place, workspace=workspace)
    ask = replace(ask, key=f"{workspace}:{ask.key}", place=place, requester=f"U{workspace}")
    await (world.bot.ask(ask) if isinstance(subject, AlertRef) else world.bot.requests.receive(ask))


async def leave(world: World, workspace: str) -> None:
    for _ in range(2):  # the news comes twice
        await forget_workspace(world.database, workspace)


async def test_what_runs_for_it_alone_is_watched_no_more(both_worlds: World) -> None:
    world = both_worlds
    await ask_from(world, "T1")
    await world.turns()
    assert await world.state() == "running"

    await leave(world, "T1")
    looks, said = world.datadog.calls["page"], len(world.slack.posts)
    world.datadog.run.ends("conclusive", CAUSE)
    await world.wind(60, step=20)

    assert await world.investigations() == []
    assert world.datadog.calls["page"] == looks
    assert len(world.slack.posts) == said
    assert (await world.rows(subscribers), await world.deliveries(), await world.asks()) == ([], [], [])


async def test_what_another_workspace_waits_for_goes_on(world: World) -> None:
    await ask_from(world, "T2")
    await ask_from(world, "T1")
    await world.turns()

    await leave(world, "T2")
    world.datadog.run.ends("conclusive", CAUSE)
    await world.wind(45)

    assert await world.state() == "concluded"
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]
    (investigation,) = await world.investigations()
    assert investigation.requested_by == "UT1"  # as asked for by the first of those who are still here


async def test_what_was_not_started_yet_never_is(world: World) -> None:
    await ask_from(world, "T1")
    await ask_from(world, "T1", MonitorRef(9))
    await leave(world, "T1")
    await world.wind(60, step=20)
    assert world.datadog.calls["trigger"] == 0
    assert (await world.investigations(), await world.asks()) == ([], [])


async def test_what_may_have_been_started_is_not_looked_for_any_more(world: World) -> None:
    world.datadog.network.expect("trigger", lost(lands=True))
    await ask_from(world, "T1")
    await world.turns(1)
    assert await world.state() == "triggering"
    await leave(world, "T1")
    await world.wind(120)
    assert await world.investigations() == []
    assert world.datadog.calls["trigger"] == 1


async def test_a_start_under_way_while_it_leaves_writes_nothing_afterwards(world: World) -> None:
    await ask_from(world, "T1")

    async def leaves(leg: str) -> None:
        if leg == "from trigger":
            await forget_workspace(world.database, "T1")

    world.datadog.network.between = leaves
    await world.turns()
    assert await world.investigations() == []
    assert world.slack.posts == []


async def test_leaving_without_having_asked_changes_nothing(world: World) -> None:
    await ask_from(world, "T1")
    await ask_from(world, "T1", OTHER_ALERT)
    before = [await world.investigations(), await world.deliveries(), await world.asks()]
    for workspace in ("T2", ""):
        await leave(world, workspace)
        assert [await world.investigations(), await world.deliveries(), await world.asks()] == before


async def test_a_year_later_a_click_gets_the_finished_answer_and_much_later_a_new_run(world: World) -> None:
    await world.ask()
    await world.turns()
    world.datadog.run.ends("conclusive", CAUSE)
    await world.wind(45)
    await world.ask(OTHER_ALERT)
    assert await world.state() == "concluded"

    world.clock.wind(365 * DAY)
    await remove_old(world.database)
    again = await world.ask(thread="2.2")
    assert again.reception is Reception.FOLLOWING
    await world.turns()
    assert world.slack.said(thread="2.2") == ["card: concluded", "conclusive: Disk full"]

    world.clock.wind(LONG - 100 * DAY)  # for that thread it is not old yet
    await remove_old(world.database)
    assert await world.state() == "concluded"

    world.clock.wind(200 * DAY)
    await remove_old(world.database)
    assert await world.repository.get(1) is None
    assert {row.investigation_id for row in await world.rows(subscribers)} == {2}
    assert (await world.ask()).reception is Reception.STARTED


@pytest.mark.parametrize("fate", [Fate(), lost(lands=True)], ids=["written down", "its answer was lost"])
async def test_nobody_takes_a_run_for_its_own_that_was_started_for_a_workspace_which_left(
    both_worlds: World, fate: Fate
) -> None:
    """Datadog goes on listing it."""
    world = both_worlds
    world.datadog.network.expect("trigger", lost(lands=False), fate)
    await ask_from(world, "T1")
    await world.turns(1)
    await ask_from(world, "T2", replace(ALERT, event_id="90"))
    await world.turns(1)
    await leave(world, "T2")
    world.datadog.run.ends("conclusive", CAUSE)
    await world.wind(600, step=20)
    assert await world.state() == "uncertain"
    assert world.slack.said() == ["card: uncertain"]
