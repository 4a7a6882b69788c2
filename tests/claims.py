"""Claims as a worker makes them, for tests that are about what is claimed and not about the worker."""

from typing import Any

from sqlalchemy import ColumnElement, Row

from bot.storage.leases import Leases


async def claim(leases: Leases, due: ColumnElement[bool], limit: int) -> list[Row[Any]]:
    async with leases._database.transaction() as connection:
        return await leases.claim(connection, leases.claiming(due), limit)
