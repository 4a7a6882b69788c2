"""Muting for an hour and taking it back, whatever Datadog says and whoever dies in between."""

import asyncio
from datetime import UTC, datetime

from bot.alerts import views
from bot.alerts.model import KnownCycle, Transition, scope_of
from bot.alerts.mutes import MuteState, MuteWork
from bot.alerts.tables import alert_mutes
from bot.datadog.errors import NotFound, NotSent, Unavailable
from bot.datadog.trouble import Trouble, TroubleKind
from bot.model import Place
from bot.slack.interactions import Interaction
from tests.alerts.conftest import RoomOnStage, notice
from tests.claims import claim


async def an_alert(room: RoomOnStage, **more: object) -> KnownCycle:
    await room.take(notice(**more))  # type: ignore[arg-type]
    return await room.only_cycle()


async def press(room: RoomOnStage, work: MuteWork, known: KnownCycle, person: str = "UANA", key: str = "") -> None:
    click = Interaction(key or f"{work}:{person}", Place("T1", "C1", "1.1"), person, person.removeprefix("U").lower())
    await room.room.mutes.ask(work, known, click)


async def test_a_mute_is_for_the_group_for_an_hour_and_says_who(room: RoomOnStage) -> None:
    known = await an_alert(room, group="host:web-1,env:prod")
    await press(room, MuteWork.MUTE, known)
    await room.settle()
    (made,) = room.datadog.made
    assert made["monitor"] == 42
    assert made["scope"] == "host:web-1 AND env:prod"
    assert made["until"] == datetime.fromtimestamp(room.clock.now + 3600, UTC)
    assert "by ana" in made["message"]
    mute = (await room.only_cycle()).mute
    assert (mute.until, mute.by, mute.downtime_id) == (room.clock.now + 3600, "UANA", "downtime-1")


async def test_an_hour_later_the_card_no_longer_says_so(room: RoomOnStage) -> None:
    await press(room, MuteWork.MUTE, await an_alert(room))
    await room.settle()
    room.clock.wind(3601)
    await room.settle()
    mute = (await room.only_cycle()).mute
    assert (mute.until, mute.downtime_id) == (0.0, "")


async def test_two_people_at_once_make_one_downtime(both_rooms: RoomOnStage) -> None:
    room = both_rooms
    known = await an_alert(room)
    room.datadog.permissions = asyncio.Event()
    await press(room, MuteWork.MUTE, known, "UANA")
    await press(room, MuteWork.MUTE, known, "UBEN")
    await room.room.mutes.step()
    await room.room.mutes.step()
    room.datadog.permissions.set()
    await room.room.mutes._tasks.finish(10)
    await room.settle()
    assert len(room.datadog.made) == 1
    assert await room.mute_states() == [MuteState.DONE, MuteState.DONE]
    assert (await room.only_cycle()).mute.by == "UANA"


async def test_a_click_that_arrives_twice_counts_once(room: RoomOnStage) -> None:
    known = await an_alert(room)
    await press(room, MuteWork.MUTE, known, key="gesture:1")
    await press(room, MuteWork.MUTE, known, key="gesture:1")
    assert await room.mute_states() == [MuteState.ASKED]


async def test_no_connection_means_nothing_was_muted(room: RoomOnStage) -> None:
    room.datadog.trouble = [NotSent("no connection")]
    await press(room, MuteWork.MUTE, await an_alert(room))
    await room.settle()
    assert room.told.said == [("UANA", views.mute_refused(Trouble(TroubleKind.NOT_REACHED), unmute=False))]


async def test_after_a_crash_in_mid_request_the_person_is_told_to_look(room: RoomOnStage) -> None:
    await press(room, MuteWork.MUTE, await an_alert(room))
    await _die_while_sending(room)
    await room.settle()
    assert room.told.said == []  # it may still land
    room.clock.wind(60)
    await room.settle()
    assert room.told.said == [("UANA", views.mute_unclear())]
    assert room.datadog.made == []


async def test_an_unmute_that_was_cut_off_is_simply_repeated(room: RoomOnStage) -> None:
    known = await an_alert(room)
    await press(room, MuteWork.MUTE, known)
    await room.settle()
    await press(room, MuteWork.UNMUTE, known)
    await _die_while_sending(room)
    room.clock.wind(60)
    await room.settle()
    assert room.datadog.taken_back == ["downtime-1"]
    assert (await room.only_cycle()).mute.until == 0


async def _die_while_sending(room: RoomOnStage) -> None:
    dead = room.another("dead").mutes
    (row,) = await claim(dead._leases, alert_mutes.c.state == MuteState.ASKED, 5)
    assert await dead.write(dead._leases.fence(row), state=MuteState.SENDING)


async def test_a_downtime_that_is_gone_already_counts_as_taken_back(room: RoomOnStage) -> None:
    known = await an_alert(room)
    await press(room, MuteWork.MUTE, known)
    await room.settle()
    room.datadog.trouble = [NotFound("404")]
    await press(room, MuteWork.UNMUTE, known, "UBEN")
    await room.settle()
    assert room.told.said == []
    assert (await room.only_cycle()).mute.undone_by == "UBEN"


async def test_an_unmute_that_fails_leaves_it_muted_and_says_so(room: RoomOnStage) -> None:
    known = await an_alert(room)
    await press(room, MuteWork.MUTE, known)
    await room.settle()
    room.datadog.trouble = [Unavailable("503")]
    await press(room, MuteWork.UNMUTE, known, "UBEN")
    await room.settle()
    assert room.told.said == [("UBEN", views.mute_refused(Trouble(TroubleKind.NOT_REACHED), unmute=True))]
    assert (await room.only_cycle()).mute.by == "UANA"


async def test_the_mute_of_one_cycle_shows_while_the_alert_goes_on(room: RoomOnStage) -> None:
    known = await an_alert(room)
    await press(room, MuteWork.MUTE, known)
    await room.settle()
    await room.take(notice(Transition.WARN, 30))
    assert (await room.only_cycle()).mute.by == "UANA"


def test_a_group_becomes_a_scope_only_where_it_can_be_written_as_one() -> None:
    for group, scope in (
        ("", "*"),
        ("host:web-1", "host:web-1"),
        ("host:web-1, kube_namespace:a/b", "host:web-1 AND kube_namespace:a/b"),
        ("no tag", "*"),
        ("host:web-1, no tag", "*"),
        ("host:a OR env:prod", "*"),
        ("host:a) OR (env:*", "*"),
        ("host:*", "*"),
        (",", "*"),
    ):
        assert scope_of(group) == scope
