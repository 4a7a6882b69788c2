"""What is read from the database and from the bot's parts when somebody scrapes: what waits, for how long, and who is well."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import func, select, union_all

from bot import meters
from bot.investigations.model import State
from bot.investigations.tables import investigations
from bot.storage.all_workers import Workers
from bot.storage.engine import Database
from bot.web.health import Ready

ANSWERS_WITHIN = 2.0

_UNFINISHED = [state for state in State if not state.finished]


@dataclass(frozen=True, slots=True)
class Gauges:
    database: Database
    workers: Workers
    ready: Ready

    async def read(self) -> None:
        self.database.be_measured()
        meters.BUDGET.replace({(): meters.most_of_a_budget()})
        meters.TROUBLED.replace({(): float(len(self.workers.problems()))})
        meters.READY.replace({(part.name,): float(part.ok) for part in await self.ready()})
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                await self._read_database()
        except Exception:  # noqa: BLE001  what can't be read is not shown, and the rest is
            for gauge in (meters.UNFINISHED, meters.QUEUE, meters.QUEUE_AGE):
                gauge.replace({})

    async def _read_database(self) -> None:
        table = investigations.c
        running = select(table.state, func.count().label("number")).where(table.state.in_(_UNFINISHED))
        numbers = {row.state: row.number for row in await self.database.all(running.group_by(table.state))}
        meters.UNFINISHED.replace({(state,): float(numbers.get(state, 0)) for state in _UNFINISHED})
        queues = await self.database.all(union_all(*(each.backlog(name) for name, each in self.workers.queues.items())))
        meters.QUEUE.replace({(row.queue,): float(row.depth) for row in queues})
        meters.QUEUE_AGE.replace({(row.queue,): max(row.age or 0.0, 0.0) for row in queues})
