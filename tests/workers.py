"""What all workers go through together at a bot's start and stop, for one of them."""

from bot.storage.all_workers import Worker
from bot.storage.engine import Database


async def recover(database: Database, worker: Worker) -> None:
    async with database.transaction() as connection:
        await worker.recover(connection)


async def close(database: Database, worker: Worker, within: float) -> None:
    await worker.finish(within)
    async with database.transaction() as connection:
        await worker.hand_back(connection)
