"""From a stored notice to the cards that channels are owed, on both databases."""

import asyncio
import random

import pytest
from sqlalchemy import text

from bot.alerts.model import Transition
from bot.alerts.routing import AlertRouter
from bot.alerts.tables import NEW, SORTED, UNROUTED, alert_notices
from bot.model import Place
from bot.rules.model import AlertFilter
from bot.storage.tables import deliveries
from tests.alerts.conftest import RoomOnStage, channel, notice
from tests.claims import claim

ALERT, WARN, RECOVERED = Transition.ALERT, Transition.WARN, Transition.RECOVERED


async def test_a_change_makes_the_card_due_and_a_late_arrival_too(room: RoomOnStage) -> None:
    await room.take(notice(ALERT, 0), notice(RECOVERED, 30))
    await room.post()
    await room.take(notice(WARN, 10))
    (wanted,), (shown,) = await room.column(deliveries.c.wanted), await room.column(deliveries.c.shown)
    assert wanted > shown
    assert (await room.only_cycle()).cycle.latest.transition is RECOVERED


async def test_a_test_notification_never_mixes_with_the_real_alert(room: RoomOnStage) -> None:
    await room.take(notice(), notice(RECOVERED, 5, test=True))
    states = [known.cycle.latest.transition for known in await room.cycles()]
    assert states == [ALERT, RECOVERED]


# -- where Datadog names no cycle ---------------------------------------------------------------------------------


async def test_without_a_cycle_key_a_new_alert_after_the_recovery_is_a_new_card(room: RoomOnStage) -> None:
    told = [notice(each, at, cycle="") for each, at in ((ALERT, 0), (RECOVERED, 30), (ALERT, 60), (RECOVERED, 90))]
    await room.take(*told)
    assert await room.cards() == ["C1", "C1"]
    assert [known.cycle.latest.event_ts - told[0].event_ts for known in await room.cycles()] == [30_000, 90_000]


async def test_without_a_cycle_key_what_comes_late_belongs_to_the_cycle_before(room: RoomOnStage) -> None:
    first, over, again = (notice(each, at, cycle="") for each, at in ((ALERT, 0), (RECOVERED, 30), (ALERT, 60)))
    late = notice(WARN, 10, cycle="")
    await room.take(over, first, again, late)
    cycles = await room.cycles()
    assert [len(known.cycle.moments) for known in cycles] == [3, 1]
    assert [known.cycle.latest.transition for known in cycles] == [RECOVERED, ALERT]


# -- which channels -----------------------------------------------------------------------------------------------


async def test_the_tags_of_the_group_count_for_routing(room: RoomOnStage) -> None:
    room.rules.written = [channel("C1", route=AlertFilter(tags=frozenset({"host:web-1"})))]
    await room.take(notice())
    assert await room.cards() == ["C1"]


async def test_the_end_of_an_alert_that_stands_elsewhere_is_not_the_default_channels(room: RoomOnStage) -> None:
    only_alerts = AlertFilter(transitions=frozenset({"alert"}))
    room.rules.written = [channel("C1", route=only_alerts), channel("C2", route=None, is_default=True)]
    await room.take(notice(ALERT), notice(RECOVERED, 10))
    assert await room.cards() == ["C1"]
    assert (await room.only_cycle()).cycle.latest.transition is RECOVERED


async def test_what_no_channel_takes_is_kept_and_counted(room: RoomOnStage) -> None:
    room.rules.written = []
    await room.take(notice())
    assert await room.notice_states() == [UNROUTED]
    assert await room.room.cycles.unrouted(["default"], within=60) == 1
    assert await room.room.cycles.unrouted(["acme"], within=60) == 0
    assert await room.cards() == []


async def test_a_card_tells_its_organisation_and_other_threads_have_none(room: RoomOnStage) -> None:
    room.rules.written = [channel("C2", org="acme")]
    assert await room.room.intake.keep("acme", notice())
    await room.settle()
    await room.post("C2")
    org_of = room.room.cycles.org_of_card
    assert await org_of(Place("T1", "C2", "1700000000.000100")) == "acme"
    for place in (Place("T1", "C2"), Place("T1", "C1", "1700000000.000100"), Place("T2", "C2", "1700000000.000100")):
        assert await org_of(place) == ""


# -- several at once, and what is left behind ---------------------------------------------------------------------


async def test_two_processes_make_one_card_of_a_storm_in_any_order(
    both_rooms: RoomOnStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = both_rooms
    told = [notice(each, at) for at, each in enumerate([ALERT, WARN, ALERT, WARN, RECOVERED] * 3)]
    random.Random(4).shuffle(told)
    for each in told:
        await room.room.intake.keep("default", each)
    both = [room.room.router, room.another("two").router]
    monkeypatch.setattr(AlertRouter, "slots", 4)  # so that both are at it
    while NEW in await room.notice_states():
        await asyncio.gather(*(router.step() for router in both))
        await asyncio.gather(*(router._tasks.finish(10) for router in both))
    assert await room.cards() == ["C1"]
    known = await room.only_cycle()
    assert known.cycle.latest.transition is RECOVERED
    assert len(known.cycle.moments) == len(told)


async def test_one_notice_that_can_not_be_sorted_holds_up_no_other(
    room: RoomOnStage, caplog: pytest.LogCaptureFixture
) -> None:
    await room.room.intake.keep("default", notice())
    async with room.database.transaction() as connection:
        broken = '{"event_ts": 1, "transition": "alert", "event_id": "no number"}'
        await connection.execute(text("UPDATE alert_notices SET content = :broken"), {"broken": broken})
    await room.take(notice(cycle="c2", event_id="7"))
    assert await room.notice_states() == [NEW, SORTED]
    assert "this try failed" in caplog.text


async def test_what_a_dead_process_held_is_sorted_by_the_next(room: RoomOnStage) -> None:
    await room.room.intake.keep("default", notice())
    dead = room.another("dead").router
    assert len(await claim(dead._leases, alert_notices.c.state == NEW, 5)) == 1
    await room.settle()
    assert await room.notice_states() == [NEW]
    room.clock.wind(60)
    await room.settle()
    assert await room.notice_states() == [SORTED]
    assert await room.cards() == ["C1"]
