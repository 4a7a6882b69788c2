"""Cases by rule on the database: ordered once by however many replicas, bounded, woken by what they wait for and by nothing else."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import update

from bot.alerts.case_rows import MOST_A_DAY
from bot.alerts.model import Transition
from bot.alerts.room import AlertRoom
from bot.alerts.tables import RULE_CASE, alert_cases
from bot.cases.model import CaseContent, CaseRequest
from bot.cases.tables import case_acts, case_orders
from bot.datadog.cases import Case
from bot.datadog.trouble import Trouble, TroubleKind
from bot.model import Place
from bot.rules.model import AutoCase, CaseDefaults
from bot.storage.tables import deliveries
from tests.alerts.conftest import NOW_MS, RoomOnStage, channel, notice

HOUR = 3600
CARD = Place("T1", "C1", "1700000000.000100")


@dataclass
class Filling:
    """Plays what fills in a new case."""

    trouble: Trouble | None = None
    asked: int = 0

    async def by_itself(self, request: CaseRequest) -> CaseRequest | Trouble:
        self.asked += 1
        return self.trouble or replace(request, content=CaseContent("Disk almost full"))


class CasesOnPaper:
    async def get(self, case: str) -> Case:
        told = {"status": "OPEN", "status_name": "Open", "insights": (), "comments": 0}
        return Case(case, "CASEM-42", "Disk almost full", **told)  # type: ignore[arg-type]


def _ruled(room: RoomOnStage, minutes: int | None = 30, *names: str, **more: Any) -> Filling:
    case = CaseDefaults(create=AutoCase(2, minutes), **more)
    room.rules.written = [channel(name, case=case) for name in names or ("C1",)]
    filling = room.filling = Filling()
    room.room = room.another("one")
    return filling


async def _fired(room: RoomOnStage, *groups: str) -> None:
    """As if an hour before the clock's now."""
    room.clock.now = NOW_MS / 1000 + HOUR
    for number, group in enumerate(groups or ("host:web-1",)):
        await room.take(notice(priority=1, group=group, group_key=group, cycle=f"c{number}", event_id=str(number + 1)))
    await _posted(room)


async def _posted(room: RoomOnStage) -> None:
    """Each card stands for itself, and opens a thread of its own."""
    for number in await room.column(deliveries.c.id):
        values = {"ts": f"1700000000.{number:06}", "state": "sent", "shown": deliveries.c.wanted}
        await room.database.write(update(deliveries).where(deliveries.c.id == number).values(**values))


async def _at_work(*replicas: AlertRoom) -> None:
    for _ in range(3):
        await asyncio.gather(*(each.rule_cases.step() for each in replicas))
        await asyncio.gather(*(each.rule_cases._tasks.finish(10) for each in replicas))


async def _ordered(room: RoomOnStage) -> int:
    return sum(state == "ordered" for state in await room.column(case_orders.c.state))


async def test_two_replicas_order_one_case(both_rooms: RoomOnStage) -> None:
    room = both_rooms
    _ruled(room)
    other = room.another("two")
    await _fired(room)
    await _at_work(room.room, other)
    assert await _ordered(room) == 1
    assert await room.column(alert_cases.c.state) == ["ordered"]
    (order,) = await room.column(case_orders.c.requester)
    assert order == ""


async def test_of_two_channels_one_orders_it_also_when_two_replicas_decide_at_once(both_rooms: RoomOnStage) -> None:
    room = both_rooms
    _ruled(room, 30, "C1", "C2")
    other = room.another("two")
    room.room.rule_cases.slots = other.rule_cases.slots = 1  # type: ignore[misc]
    await _fired(room)
    await _at_work(room.room, other)
    room.clock.now += HOUR
    await _at_work(room.room, other)
    assert await _ordered(room) == 1
    assert await room.column(alert_cases.c.state) == ["ordered", "ordered"]
    assert len(set(await room.column(alert_cases.c.order_id))) == 1


async def test_the_bound_holds_between_replicas(both_rooms: RoomOnStage) -> None:
    room = both_rooms
    _ruled(room)
    other = room.another("two")
    await _fired(room, *(f"host:web-{number}" for number in range(MOST_A_DAY + 4)))
    for _ in range(3):
        await _at_work(room.room, other)
        room.clock.now += 60
    assert await _ordered(room) == MOST_A_DAY
    assert sorted(await room.column(alert_cases.c.outcome)) == [""] * MOST_A_DAY + ["full"] * 4
    assert await _told(room) == ["not_made"]


async def test_the_next_day_there_are_more(room: RoomOnStage) -> None:
    _ruled(room)
    await _fired(room, *(f"host:web-{number}" for number in range(MOST_A_DAY)))
    await _at_work(room.room)
    room.clock.now += 24 * HOUR
    await room.take(notice(at=24 * HOUR - HOUR, priority=1, group="host:new", group_key="host:new", cycle="new"))
    await _posted(room)
    await _at_work(room.room)
    assert await _ordered(room) == MOST_A_DAY + 1


async def test_what_has_to_last_is_not_looked_at_before(room: RoomOnStage) -> None:
    filling = _ruled(room, 90)
    await _fired(room)
    await _at_work(room.room)
    assert filling.asked == 0
    (due_at,) = await room.column(alert_cases.c.due_at)
    assert due_at == room.clock.now + 900  # in steps: a clock may be set back
    room.clock.now += 29 * 60
    await _at_work(room.room)
    assert filling.asked == 0
    room.clock.now += 60
    await _at_work(room.room)
    assert filling.asked == 1
    assert await _ordered(room) == 1


async def test_one_whose_investigation_is_awaited_is_due_for_nobody(room: RoomOnStage) -> None:
    filling = _ruled(room, None)
    await _fired(room)
    await _at_work(room.room)
    room.clock.now += 24 * HOUR
    row = await room.database.first(room.room.rule_cases.next_due())
    assert row is not None
    assert row[0] is None
    assert filling.asked == 0


async def test_what_may_pass_is_tried_again_and_then_told(room: RoomOnStage) -> None:
    filling = _ruled(room)
    filling.trouble = Trouble(TroubleKind.NOT_REACHED)
    await _fired(room)
    for _ in range(12):
        await _at_work(room.room)
        room.clock.now += 60
    assert await room.column(alert_cases.c.outcome) == ["failed"]
    assert filling.asked == 8
    assert await _told(room) == ["not_made"]


async def test_of_a_monitor_that_flaps_it_is_told_five_times_a_day_that_nothing_can_be_made(room: RoomOnStage) -> None:
    filling = _ruled(room)
    filling.trouble = Trouble(TroubleKind.FORBIDDEN)
    await _fired(room, *(f"host:web-{number}" for number in range(MOST_A_DAY + 2)))
    await _at_work(room.room)
    assert await room.column(alert_cases.c.outcome) == ["failed"] * (MOST_A_DAY + 2)
    assert await _told(room) == ["not_made"] * MOST_A_DAY


async def test_a_rule_that_is_off_by_then_makes_none_and_counts_anew_when_it_is_on(room: RoomOnStage) -> None:
    _ruled(room)
    await _fired(room)
    room.rules.written = [channel("C1")]
    await _at_work(room.room)
    assert await room.column(alert_cases.c.outcome) == ["off"]
    _ruled(room)
    await room.take(notice(Transition.RENOTIFY, HOUR, priority=1, group="host:web-1", cycle="c0"))
    await _at_work(room.room)
    assert await _ordered(room) == 1


async def test_an_alert_that_recovers_while_its_case_is_made_is_not_missed(room: RoomOnStage) -> None:
    _ruled(room, close=True)
    await _fired(room)
    await _at_work(room.room)
    await room.take(
        notice(Transition.RECOVERED, HOUR, priority=1, group="host:web-1", group_key="host:web-1", cycle="c0")
    )
    await _made(room)
    room.datadog.cases = CasesOnPaper()  # type: ignore[attr-defined]
    await _at_work(room.room)
    assert await _told(room) == ["made"]
    assert await room.column(alert_cases.c.state) == ["closing"]
    assert [key.partition(":")[0] for key in await room.column(case_acts.c.key)] == ["close-by-rule"]


async def test_a_case_whose_alert_goes_on_sleeps(room: RoomOnStage) -> None:
    _ruled(room, close=True)
    await _fired(room)
    await _at_work(room.room)
    await _made(room)
    await _at_work(room.room)
    assert await room.column(alert_cases.c.state) == ["watching"]
    assert await room.column(alert_cases.c.roused) == [False]
    row = await room.database.first(room.room.rule_cases.next_due())
    assert row is not None
    assert row[0] is None


async def _made(room: RoomOnStage) -> None:
    """As the maker of cases leaves it."""
    (order,) = await room.column(case_orders.c.id)
    requests = room.room.rule_cases.requests
    known = await room.room.rule_cases.cases.remember(
        "default", Case("case-1", "CASEM-42", "Disk almost full"), place=CARD
    )
    content = CaseContent("Disk almost full")
    values = {"state": "done", "told": True, "case_row": known.id, "wanted": content}
    await room.database.write(update(case_orders).where(case_orders.c.id == order).values(**values))
    assert await requests.by_number(order) is not None


async def _told(room: RoomOnStage) -> list[str]:
    table = deliveries.c
    keys, kinds = await room.column(table.key), await room.column(table.kind)
    return [key.rpartition(":")[2] for key, kind in zip(keys, kinds, strict=True) if kind == RULE_CASE]
