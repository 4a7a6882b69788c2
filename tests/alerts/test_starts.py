"""Investigations that channels want by themselves: which alerts are put forward, when, and where they are answered."""

from dataclasses import replace
from typing import Any

from sqlalchemy import true

from bot.alerts.model import Transition
from bot.alerts.not_started import used_up
from bot.alerts.starts import MOST_LOOKS
from bot.alerts.tables import alert_starts
from bot.datadog.errors import Forbidden, Unavailable
from bot.model import AlertRef, Ask, MonitorRef, Place, Source
from bot.orgs.model import Elsewhere, NoneConnected
from bot.rules.budget import Limits, OverBudget, Usage
from bot.rules.model import AlertFilter
from tests.alerts.conftest import RoomOnStage, channel, notice
from tests.claims import claim

ALERT, WARN, RECOVERED = Transition.ALERT, Transition.WARN, Transition.RECOVERED
RUN = "0195c8a2-7b1e-7c3a-9f00-3a5b1c2d4e5f"
CARD_TS = "1700000000.000100"
MESSAGE = Place("T1", "C9", "1700000000.000900")
ALERT_REF = AlertRef(42, "77", 1_700_000_000_000, "Disk almost full", "host:web-1")


def wants(**auto: Any) -> dict[str, Any]:
    return {"auto": AlertFilter(**auto)}


async def test_a_start_waits_for_its_card_and_goes_into_its_thread(both_rooms: RoomOnStage) -> None:
    room = both_rooms
    room.rules.written = [channel(**wants())]
    await room.take(notice())
    assert room.considered.starts == []
    await room.post()
    await room.settle()
    ((place, alert, facts),) = room.considered.starts
    assert place == Place("T1", "C1", CARD_TS)
    assert (alert.monitor_id, alert.event_id, alert.group) == (42, notice().event_id, "host:web-1")
    assert facts.tags == {"team:core", "host:web-1"}
    assert await room.decisions() == ["started"]


async def test_a_channel_whose_card_does_not_stand_holds_up_no_other(room: RoomOnStage) -> None:
    room.rules.written = [channel("C1", **wants()), channel("C2", **wants())]
    await room.take(notice())
    await room.post("C2")
    await room.settle()
    assert [place.channel for place, _, _ in room.considered.starts] == ["C2"]


async def test_what_never_starts_by_itself(room: RoomOnStage) -> None:
    room.rules.written = [channel(**wants()), channel("C2")]
    await room.take(
        notice(test=True),
        notice(cycle="c2", event_id=""),
        notice(cycle="c3", event_id="3", monitor_id=0),
        notice(RECOVERED, cycle="c4", event_id="4"),
        notice(RECOVERED, 90, cycle="c5"),
        notice(ALERT, 30, cycle="c5"),  # late: it is over by now
    )
    assert await room.decisions() == []


async def test_only_what_the_rule_names_is_put_forward(room: RoomOnStage) -> None:
    room.rules.written = [channel(**wants(transitions=frozenset({"warn"}), priorities=frozenset({1})))]
    await room.take(notice(priority=1), notice(WARN, 10, priority=2), notice(WARN, 20, priority=1))
    await room.post()
    await room.settle()
    ((_, alert, facts),) = room.considered.starts
    assert alert.event_id == notice(WARN, 20).event_id
    assert facts.transition == "warn"


async def test_hours_later_nobody_waits_for_it(room: RoomOnStage) -> None:
    room.rules.written = [channel(**wants())]
    await room.take(notice())
    room.clock.wind(3 * 3600)
    await room.post()
    await room.settle()
    assert room.considered.starts == []
    assert await room.decisions() == ["it was too late for it"]


async def test_a_decision_that_was_cut_off_is_made_again(room: RoomOnStage) -> None:
    room.rules.written = [channel(**wants())]
    await room.take(notice())
    await room.post()
    dead = room.another("dead").starts
    assert len(await claim(dead._leases, true(), 5)) == 1
    room.clock.wind(60)
    await room.settle()
    assert len(room.considered.starts) == 1


# -- under Datadog's own messages ---------------------------------------------------------------------------------


async def saw(room: RoomOnStage, **auto: Any) -> None:
    rules = channel(MESSAGE.channel, route=None, **wants(**auto))
    room.rules.written = [rules]
    assert await room.room.messages.noticed(MESSAGE, ALERT_REF, "alert", rules)
    await room.settle()


async def test_a_message_of_datadogs_is_answered_under_itself_at_once(room: RoomOnStage) -> None:
    await saw(room)
    ((place, alert, facts),) = room.considered.starts
    assert (place, alert) == (MESSAGE, ALERT_REF)
    assert facts.tags == {"host:web-1"}
    assert room.datadog.looks == 0


async def test_the_link_of_a_message_says_which_organisation_it_is_about(room: RoomOnStage) -> None:
    room.chooser.choice = "acme-id"
    linked = replace(ALERT_REF, host="acme.datadoghq.eu")
    rules = channel(MESSAGE.channel, route=None, org="Acme Europe", **wants())
    assert await room.room.messages.noticed(MESSAGE, linked, "alert", rules)
    await room.settle()
    assert room.chooser.asked == [(MESSAGE, "acme.datadoghq.eu")]
    assert room.considered.orgs == ["acme-id"]


async def test_an_organisation_that_is_connected_in_the_meantime_will_do(room: RoomOnStage) -> None:
    room.chooser.choice = NoneConnected()
    rules = channel(MESSAGE.channel, route=None, **wants())
    assert await room.room.messages.noticed(MESSAGE, ALERT_REF, "alert", rules)
    room.chooser.choice = "acme-id"
    await room.settle()
    assert room.considered.orgs == ["acme-id"]


async def test_nothing_starts_and_nothing_is_followed_where_no_organisation_can_be_told(room: RoomOnStage) -> None:
    room.chooser.choice = Elsewhere("other.datadoghq.eu")
    await room.seen_alerts.saw_run(MESSAGE.workspace, MESSAGE.channel, MESSAGE.thread_ts, RUN)
    await saw(room)
    assert (room.considered.starts, room.considered.asks) == ([], [])
    (decision,) = await room.decisions()
    assert decision.startswith("which Datadog organisation it belongs to can't be told")


async def test_tags_and_priority_that_a_message_does_not_show_are_looked_up(room: RoomOnStage) -> None:
    await saw(room, tags=frozenset({"env:prod"}))
    ((_, _, facts),) = room.considered.starts
    assert facts.tags == {"host:web-1", "env:prod"}
    assert facts.priority == 1


async def test_a_datadog_that_does_not_answer_is_asked_again_for_a_while(room: RoomOnStage) -> None:
    room.datadog.trouble = [Unavailable("503"), Unavailable("503")]
    await saw(room, priorities=frozenset({1}))
    assert room.considered.starts == []
    for _ in range(2):
        room.clock.wind(30)
        await room.settle()
    ((_, _, facts),) = room.considered.starts
    assert facts.priority == 1


async def test_then_what_is_known_has_to_do(room: RoomOnStage) -> None:
    room.datadog.trouble = [Unavailable("503")] * MOST_LOOKS
    await saw(room, priorities=frozenset({1}))
    for _ in range(MOST_LOOKS):
        room.clock.wind(60)
        await room.settle()
    ((_, _, facts),) = room.considered.starts
    assert facts.priority is None
    assert room.datadog.looks == MOST_LOOKS


async def test_a_refusal_is_not_repeated(room: RoomOnStage) -> None:
    room.datadog.trouble = [Forbidden("403")]
    await saw(room, priorities=frozenset({1}))
    assert len(room.considered.starts) == 1


async def test_a_message_that_names_no_event_starts_nothing_by_itself(room: RoomOnStage) -> None:
    rules = channel(MESSAGE.channel, route=None, nudge=True, **wants())
    await room.room.messages.noticed(MESSAGE, MonitorRef(42, "Disk almost full"), "alert", rules)
    assert await room.decisions() == []


async def test_a_message_is_noticed_once(both_rooms: RoomOnStage) -> None:
    room = both_rooms
    rules = channel(MESSAGE.channel, route=None, nudge=True, **wants())
    assert await room.room.messages.noticed(MESSAGE, ALERT_REF, "alert", rules)
    assert not await room.room.messages.noticed(MESSAGE, AlertRef(42, "88", 1), "alert", rules)
    nudge = await room.room.messages.get(1)
    assert nudge is not None
    assert nudge.subject == ALERT_REF
    assert await room.decisions() == [""]


# -- refused by the budget ------------------------------------------------------------------------------------------


async def test_what_the_budget_refused_is_noted_until_a_person_starts_that_alert_there(both_rooms: RoomOnStage) -> None:
    room = both_rooms
    room.rules.written = [channel(**wants())]
    room.considered.reason = used_up(OverBudget("automatic", 5, 5, Usage(5, 5, 5, Limits(automatic=5))))
    await room.take(notice())
    await room.post()
    await room.settle()
    ((place, alert, _),) = room.considered.starts
    not_started = room.room.starts.not_started
    ((cycle_id,), channel_) = (await room.column(alert_starts.c.cycle_id), Place("T1", "C1"))
    assert "(5 of 5). Press Investigate" in await not_started.note(channel_, cycle_id, alert)

    async def begins(ask: Ask) -> None:
        async with room.database.transaction() as connection:
            await not_started.begun(connection, ask)

    by_ana = Ask("1", alert, place, "UANN", Source.BUTTON)
    for other in (
        replace(by_ana, subject=replace(alert, event_id="1")),
        replace(by_ana, place=replace(place, channel="C2")),
        replace(by_ana, requester=""),
    ):
        await begins(other)
    assert await not_started.note(channel_, cycle_id, alert)
    await begins(by_ana)
    assert await not_started.note(channel_, cycle_id, alert) == ""
