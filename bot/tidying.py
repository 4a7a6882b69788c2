"""Rows of rules and budgets that nobody needs any more are removed, at most once an hour however often it is asked."""

import time
from collections.abc import Callable

from sqlalchemy import delete

from bot.rules.audit import KEPT_FOR
from bot.rules.budget import DAY
from bot.rules.model import LONGEST_COOLDOWN
from bot.rules.tables import audit, cooldowns, spending
from bot.storage.engine import Database

AGAIN_AFTER = 3600.0


class Tidying:
    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._next = 0.0

    async def step(self) -> None:
        if self._clock() < self._next:
            return
        self._next = self._clock() + AGAIN_AFTER
        now = self._database.now
        async with self._database.transaction() as connection:
            await connection.execute(delete(audit).where(audit.c.at < now - KEPT_FOR))
            await connection.execute(delete(cooldowns).where(cooldowns.c.started_at < now - LONGEST_COOLDOWN * 60.0))
            await connection.execute(delete(spending).where(spending.c.day < now / DAY - KEPT_FOR / DAY))
