"""The room's background work: what wakes it, and what is handed back at a stop."""

from bot.alerts.tables import ALERT_CARD
from bot.rules.model import AlertFilter
from bot.storage.engine import wake
from bot.storage.outbox import posted
from tests.alerts.conftest import RoomOnStage, channel, notice

BODY = b'{"monitor_id": "42", "event_id": "7", "transition": "Triggered"}'


async def test_a_notice_wakes_whoever_sorts_and_nobody_else(room: RoomOnStage) -> None:
    assert await room.room.intake.take("default", BODY, "application/json")
    assert _woken(room) == ["router"]
    _all_asleep(room)
    assert not await room.room.intake.take("default", BODY, "application/json")
    assert _woken(room) == []


async def test_a_start_is_looked_at_when_its_card_stands(room: RoomOnStage) -> None:
    room.rules.written = [channel(auto=AlertFilter())]
    await room.take(notice())
    assert room.considered.starts == []
    _all_asleep(room)
    await room.post()
    async with room.database.transaction() as connection:
        wake(connection, posted(ALERT_CARD))  # as the outbox does
    assert _woken(room) == ["starts"]


def _all_asleep(room: RoomOnStage) -> None:
    for part in (room.room.router, room.room.starts, room.room.mutes):
        part.alarm.off()


def _woken(room: RoomOnStage) -> list[str]:
    parts = {"router": room.room.router, "starts": room.room.starts, "mutes": room.room.mutes}
    return [name for name, part in parts.items() if part.alarm.at <= room.clock.now]


async def test_at_a_stop_what_is_mid_step_is_finished_and_the_rest_handed_back(room: RoomOnStage) -> None:
    assert await room.room.intake.keep("default", notice())
    await room.room.router.step()
    await room.room.router.finish(5)
    assert await room.cards() == ["C1"]
