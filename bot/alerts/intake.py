"""Where Datadog's webhook arrives: a notice is in the database when `take` returns. Nothing here calls Slack or Datadog.

In a storm, notices that wait for the database are written together: each waits for one commit, not for all those before it.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from bot.alerts.model import Notice
from bot.alerts.payload import notice_key, read_notice
from bot.alerts.records import notice_record
from bot.alerts.tables import alert_notices
from bot.storage.engine import Database, wake

NEW, SORTED, UNROUTED = "new", "sorted", "unrouted"
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class _Waiting:
    org: str
    key: str
    notice: Notice
    is_new: "asyncio.Future[bool]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Intake:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._turn = asyncio.Lock()

    async def take(self, org: str, body: bytes, content_type: str) -> bool:
        """False for a notification that is here already. Raises MalformedError for what is no alert."""
        notice = read_notice(body, content_type, received_at=time.time())
        return await self.keep(org, notice)

    async def keep(self, org: str, notice: Notice) -> bool:
        mine = _Waiting(org, notice_key(org, notice), notice)
        self._waiting.append(mine)
        async with self._turn:
            while not mine.is_new.done():  # unless whoever had the turn before has written it too
                await self._write_those_waiting()
        return await mine.is_new

    async def _write_those_waiting(self) -> None:
        batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        try:
            new = await self._write(batch)
        except asyncio.CancelledError:
            self._waiting = batch + self._waiting  # the others are still to be written
            raise
        except Exception as error:  # noqa: BLE001  each of them has to hear of it
            for waiting in batch:
                waiting.is_new.set_exception(error)
            return
        for waiting in batch:
            waiting.is_new.set_result(waiting.key in new)
            new.discard(waiting.key)  # the same one twice in a batch is new once

    async def _write(self, batch: list[_Waiting]) -> set[str]:
        """The keys that were not known yet."""
        async with self._database.transaction() as connection:
            inserted = await connection.execute(
                self._database.insert_new(alert_notices)
                .values([self._values(waiting) for waiting in batch])
                .returning(alert_notices.c.key)
            )
            new = set(inserted.scalars())
            if new:
                wake(connection, alert_notices)
        return new

    def _values(self, waiting: _Waiting) -> dict[str, Any]:
        now = self._database.now
        return {
            "key": waiting.key,
            "org": waiting.org,
            "content": notice_record(waiting.notice),
            "state": NEW,
            "received_at": now,
            "due_at": now,
            "attempt": 0,
        }
