"""Where Datadog's webhook arrives: a notice is in the database when `take` returns. Nothing here calls Slack or Datadog."""

import time
from collections.abc import Callable

from bot.alerts.model import Notice
from bot.alerts.payload import notice_key, read_notice
from bot.alerts.records import notice_record
from bot.storage.alert_tables import alert_notices
from bot.storage.engine import Database

NEW, SORTED, UNROUTED = "new", "sorted", "unrouted"


class Intake:
    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        self._database = database
        self._wake = wake

    async def take(self, org: str, body: bytes, content_type: str) -> bool:
        """False for a notification that is here already. Raises MalformedError for what is no alert."""
        notice = read_notice(body, content_type, received_at=time.time())
        if not await self._write(org, notice):
            return False
        self._wake()
        return True

    async def _write(self, org: str, notice: Notice) -> bool:
        now = self._database.now
        async with self._database.transaction() as connection:
            inserted = await connection.execute(
                self._database.insert_new(alert_notices)
                .values(
                    key=notice_key(org, notice),
                    org=org,
                    content=notice_record(notice),
                    state=NEW,
                    received_at=now,
                    due_at=now,
                    attempt=0,
                )
                .returning(alert_notices.c.id)
            )
            return inserted.first() is not None
