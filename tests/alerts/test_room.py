"""The room's background work: what wakes it, and what goes by the clock alone."""

import asyncio

from bot.storage.workers import Loop
from tests.alerts.conftest import RoomOnStage, notice


async def _turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_tidying_up_goes_by_the_clock_and_is_not_hurried() -> None:
    rounds: list[int] = []

    async def step() -> None:
        rounds.append(len(rounds))

    for steady, expected in ((True, 1), (False, 2)):
        rounds.clear()
        loop = Loop("tidying", step, every=3600, steady=steady)
        loop.start()
        await _turns()
        loop.wake.set()
        await _turns()
        assert len(rounds) == expected
        await asyncio.wait_for(loop.stop(), 5)


async def test_a_notice_wakes_whoever_sorts_and_nobody_else(room: RoomOnStage) -> None:
    loops = room.room.loops(every=3600)
    body = b'{"monitor_id": "42", "event_id": "7", "transition": "Triggered"}'
    assert await room.room.intake.take("default", body, "application/json")
    assert [loop._name for loop in loops if loop.wake.is_set()] == ["alerts"]


async def test_at_a_stop_what_is_mid_step_is_finished_and_the_rest_handed_back(room: RoomOnStage) -> None:
    assert await room.room.intake.keep("default", notice())
    await room.room.sorter.step()
    for close in room.room.closers():
        await close(5)
    assert await room.cards() == ["C1"]
