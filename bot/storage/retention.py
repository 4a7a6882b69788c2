"""How long the rows of each table live, and what becomes of them when a workspace leaves.

Each table says so beside its definition, with `keep`; it is carried out here. No table is named here.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Table,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.ddl import sort_tables

from bot.storage.engine import Database

logger = logging.getLogger(__name__)

HOUR, DAY = 3600.0, 86_400.0
EVERY = HOUR
BATCH = 500  # rows a transaction: nobody waits long for the database because of this
SOON = 1.0  # seconds until the next batch

Whose = Callable[[str], ColumnElement[bool]]  # which rows are a workspace's, where they don't name it themselves
BeforeUninstall = Callable[[Database, AsyncConnection, str], Awaitable[None]]


class Kept(Enum):
    """For how many days; each has a setting, where the operator may say otherwise."""

    # more than a year: until then an old message's buttons answer
    CONCLUSIONS = 400, "Days an investigation and its conclusions are kept after their last use."
    ALERTS = 400, "Days an alert with a card or buttons is kept after its last change."
    CASES = 400, "Days what is known of a case, or was entered for a new one, is kept."
    AUDIT = 400, "Days it is kept who started what, and what was refused."
    BUDGET = 400, "Days it is kept how many starts were used on a day."
    ASKS = 90, "Days an ask is kept after it was answered."
    DELIVERIES = (
        90,
        "Days it is kept which message shows what; the cards of alerts and cases stay known as long as those.",
    )
    INSIGHTS = 30, "Days what was attached to a case is kept after that."
    SEEN_ALERTS = 30, "Days an alert that was recognised in a channel is kept."
    WEBHOOK = 14, "Days a notification of Datadog's webhook, and what followed from it, is kept after that."

    def __init__(self, days: int, meaning: str) -> None:
        self.days = days
        self.meaning = meaning


Days = Mapping[Kept, int]
USUAL: Days = {kept: kept.days for kept in Kept}


class Lives(Enum):
    UNTIL_TAKEN_AWAY = "somebody removes them, nobody's clock does"
    WITH_ANOTHER = "as long as the row of another table that they are a part of"


class AtUninstall(Enum):
    DELETED = "their `workspace` says whose they are"
    KEPT = "numbers without content: leaving and coming back makes no new money and no new patience"
    BY_ITS_ROOM = "they tell who has left, so they go while that is found out"
    NOBODYS = "they belong to no workspace"


@dataclass(frozen=True, slots=True)
class Life:
    """Rows are old when `since` is so many seconds ago; `only` tells those that may go at all."""

    lasts: Kept | float
    since: ColumnElement[float] | ColumnElement[int]
    only: ColumnElement[bool] = true()  # noqa: RUF009  nobody changes it
    in_days: bool = False  # `since` counts days since 1970

    def seconds(self, days: Days) -> float:
        return days[self.lasts] * DAY if isinstance(self.lasts, Kept) else self.lasts


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of another table that go with the row they belong to, which stays while one of them is new or unfinished."""

    row: Column[int]  # the number of the row they belong to
    only: ColumnElement[bool] = true()  # noqa: RUF009
    since: ColumnElement[float] | None = None
    unfinished: ColumnElement[bool] | None = None
    life: Life | None = None  # of their own, where they need not stay as long as the row


@dataclass(frozen=True, slots=True)
class Rule:
    holds: str
    lives: Sequence[Life] | Lives
    at_uninstall: AtUninstall | Whose
    parts: Sequence[Part]
    before_uninstall: BeforeUninstall | None


rules: dict[Table, Rule] = {}


def keep(
    table: Table,
    lives: Sequence[Life] | Lives,
    *,
    holds: str,
    at_uninstall: AtUninstall | Whose,
    parts: Sequence[Part] = (),
    before_uninstall: BeforeUninstall | None = None,
) -> None:
    """`holds` tells the readers of docs/data.md what is kept here.

    `before_uninstall` is for what has to be done in the same transaction, and before anything is deleted.
    """
    rules[table] = Rule(holds, lives, at_uninstall, parts, before_uninstall)


def all_lives() -> Iterator[tuple[Table, Life]]:
    for table, rule in rules.items():
        if not isinstance(rule.lives, Lives):
            yield from ((table, life) for life in rule.lives)
        yield from ((part.row.table, part.life) for part in rule.parts if part.life is not None)


# -- old rows ---------------------------------------------------------------------------------------------------


async def remove_old(database: Database, days: Days = USUAL) -> float | None:
    """A batch of each table's old rows; the answer is when to go on, if there may be more."""
    full = False
    for table, life in all_lives():
        try:
            async with database.transaction() as connection:
                full |= await remove(connection, table, is_old(database, table, life, days)) == BATCH
        except Exception:
            logger.exception("old rows of %s could not be removed; the next round tries again", table.name)
    return SOON if full else None


def is_old(database: Database, table: Table, life: Life, days: Days = USUAL) -> ColumnElement[bool]:
    oldest = database.now - life.seconds(days)
    conditions = [life.only, life.since <= _day_of(oldest) if life.in_days else life.since < oldest]
    if (number := table.autoincrement_column) is not None:
        # SQLite gives the highest number out again, and numbers stand in the buttons of old messages
        highest = table.alias()
        conditions.append(number != select(func.max(highest.c[number.name])).scalar_subquery())
    for part in rules[table].parts:
        holding = [part.since >= oldest] if part.since is not None else []
        holding += [part.unfinished] if part.unfinished is not None else []
        if holding:
            conditions.append(~exists().where(part.row == table.c.id, part.only, or_(*holding)))
    return and_(*conditions)


def _day_of(time: ColumnElement[float]) -> ColumnElement[int]:
    """Neither database has a way of its own to round down that the other has, too."""
    return cast(func.round(time / DAY - 0.5), Integer)


async def remove(connection: AsyncConnection, table: Table, which: ColumnElement[bool]) -> int:
    """One batch of rows with all their parts; the answer is how many rows."""
    keys = list(table.primary_key.columns)
    this = and_(
        *(key == bindparam(f"old_{key.name}") for key in keys)
    )  # SQLite finds several columns at once by no index
    rows = (await connection.execute(select(*keys).where(which).limit(BATCH).with_for_update())).all()
    if rows:
        for part in rules[table].parts:
            theirs = part.row.in_([row[0] for row in rows])
            await connection.execute(delete(part.row.table).where(theirs, part.only))
        await connection.execute(
            delete(table).where(this),
            [{f"old_{key.name}": value for key, value in zip(keys, row, strict=True)} for row in rows],
        )
    return len(rows)


# -- a workspace leaves -----------------------------------------------------------------------------------------


async def forget_workspace(
    database: Database, workspace: str, unless: Callable[[str], ColumnElement[bool]] = lambda _: false()
) -> None:
    """All that is kept for it goes in one transaction; doing it again changes nothing.

    `unless` it has come back by now. Each statement asks for itself: whoever was frozen between two of them takes nothing
    from a new install, whose rows are all younger than itself. Nothing is posted: there is no one left to read it. What
    other workspaces wait for as well goes on.
    """
    gone = not_(unless(workspace))
    async with database.transaction() as connection:
        if not (await connection.execute(select(gone))).scalar_one():
            return
        for rule in rules.values():
            if rule.before_uninstall is not None:
                await rule.before_uninstall(database, connection, workspace)
        # whose these are stands in rows that are deleted after them
        for table, rule in rules.items():
            if not isinstance(rule.at_uninstall, AtUninstall):
                while await remove(connection, table, and_(rule.at_uninstall(workspace), gone)):
                    pass
        for table in reversed(sort_tables(rules)):
            if rules[table].at_uninstall is AtUninstall.DELETED:
                await connection.execute(delete(table).where(table.c.workspace == workspace, gone))
