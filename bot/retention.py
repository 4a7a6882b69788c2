"""A workspace leaves: what it asked for, was owed and had set is forgotten, and nobody watches for it any more.

Nothing is posted: there is no one left to read it. What other workspaces wait for as well goes on.
"""

from sqlalchemy import ColumnElement, Select, Table, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.investigations.model import State
from bot.investigations.tables import investigations, subscribers
from bot.rules.tables import charges
from bot.schema import metadata
from bot.storage.engine import Database

# numbers without content: leaving and coming back makes no new money and no new patience
KEPT = {"charges", "cooldowns", "spending"}


def forgotten_tables() -> list[Table]:
    """Every table that says whose a row is, those that refer to others first."""
    tables = reversed(metadata.sorted_tables)
    return [table for table in tables if "workspace" in table.c and table.name not in KEPT]


async def forget_workspace(database: Database, workspace: str) -> None:
    """In one transaction; doing it again changes nothing."""
    async with database.transaction() as connection:
        never_started = await _end_what_only_it_awaits(database, connection, workspace)
        for table in forgotten_tables():
            await connection.execute(delete(table).where(table.c.workspace == workspace))
        # a number may be given out again, and must not come with an old charge
        await connection.execute(delete(charges).where(charges.c.investigation_id.in_(never_started)))
        await connection.execute(delete(investigations).where(investigations.c.id.in_(never_started)))


async def _end_what_only_it_awaits(database: Database, connection: AsyncConnection, workspace: str) -> list[int]:
    """Whoever works on one of them loses the claim. Returns those that were not even started."""
    table = investigations.c
    awaited_here = table.id.in_(_awaited(subscribers.c.workspace == workspace))
    awaited_elsewhere = table.id.in_(_awaited(subscribers.c.workspace != workspace))
    ours = and_(awaited_here, ~awaited_elsewhere)
    over = {"finished_at": database.now, "owner": None, "version": table.version + 1}
    for state, ended in ((State.RUNNING, State.EXPIRED), (State.TRIGGERING, State.UNCERTAIN)):
        await connection.execute(update(investigations).where(ours, table.state == state).values(state=ended, **over))
    requested = await connection.execute(select(table.id).where(ours, table.state == State.REQUESTED).with_for_update())
    return list(requested.scalars())


def _awaited(by: ColumnElement[bool]) -> Select[tuple[int]]:
    return select(subscribers.c.investigation_id).where(by)
