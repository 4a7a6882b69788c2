"""Notices on their way into the database: many at once, some twice, and a database that does not take them."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bot.alerts.notices import AT_ONCE, Intake
from bot.web.datadog_webhook import MalformedError
from tests.alerts.conftest import RoomOnStage, notice


async def test_a_storm_is_written_together_each_notice_once(both_rooms: RoomOnStage) -> None:
    room = both_rooms
    told = [notice(at=at % 100) for at in range(200)]
    commits = _counted(room.room.intake)
    new = await asyncio.gather(*(room.room.intake.keep("default", each) for each in told))
    assert sum(new) == 100
    assert len(await room.notice_states()) == 100
    assert len(commits) <= 200 / AT_ONCE + 1
    assert not any(await asyncio.gather(*(room.room.intake.keep("default", each) for each in told)))


async def test_a_database_that_does_not_answer_fails_each_and_keeps_none_waiting(
    room: RoomOnStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_batch: object) -> set[str]:
        raise OperationalError("insert", {}, OSError("disk full"))

    intake = room.room.intake
    with monkeypatch.context() as patch:
        patch.setattr(intake, "_write", broken)
        told = await asyncio.gather(*(intake.keep("default", notice(at=at)) for at in range(5)), return_exceptions=True)
    assert [type(each) for each in told] == [OperationalError] * 5
    assert await intake.keep("default", notice(at=1))


async def test_one_who_gives_up_takes_no_other_along(room: RoomOnStage, monkeypatch: pytest.MonkeyPatch) -> None:
    intake, permissions = room.room.intake, asyncio.Event()
    write = intake._write

    async def slow(batch: Any) -> set[str]:
        permissions.set()
        await asyncio.sleep(0)
        return await write(batch)

    monkeypatch.setattr(intake, "_write", slow)
    tasks = [asyncio.create_task(intake.keep("default", notice(at=at))) for at in range(3)]
    await permissions.wait()
    tasks[0].cancel()
    assert await asyncio.gather(*tasks[1:]) == [True, True]
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]


async def test_what_is_no_alert_is_not_kept(room: RoomOnStage) -> None:
    with pytest.raises(MalformedError):
        await room.room.intake.take("default", b"{}", "application/json")
    assert await room.notice_states() == []


def _counted(intake: Intake) -> list[int]:
    """How many notices each transaction took."""
    write, sizes = intake._write, []

    async def counting(batch: Any) -> set[str]:
        sizes.append(len(batch))
        return await write(batch)

    intake._write = counting  # type: ignore[method-assign]
    return sizes
