"""Notices on their way into the database: many at once, some twice, and what is none."""

import asyncio

import pytest

from bot.web.datadog_webhook import MalformedError
from tests.alerts.conftest import RoomOnStage, notice
from tests.meter import Meter


async def test_a_storm_is_written_together_each_notice_once(both_rooms: RoomOnStage) -> None:
    room = both_rooms
    told = [notice(at=at % 100) for at in range(200)]
    meter = Meter(room.database)
    new = await asyncio.gather(*(room.room.intake.keep("default", each) for each in told))
    assert sum(new) == 100
    assert meter.transactions <= 2
    assert len(await room.notice_states()) == 100
    assert not any(await asyncio.gather(*(room.room.intake.keep("default", each) for each in told)))


async def test_what_is_no_alert_is_not_kept(room: RoomOnStage) -> None:
    with pytest.raises(MalformedError):
        await room.room.intake.take("default", b"{}", "application/json")
    assert await room.notice_states() == []
