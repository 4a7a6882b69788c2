"""What starts cost: a day's budget for the workspace and for each channel, counted in the transaction that starts.

A day is a UTC day by the database's clock. The counters are locked before they are read, so that they are right to the
unit however many people, webhooks and replicas ask at once. Following what runs already costs nothing.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from sqlalchemy import Integer, case, cast, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from bot.model import AlertRef, Ask, Place, Source
from bot.rules.model import ChannelRules, WorkspaceRules
from bot.rules.repository import RuleRepository
from bot.rules.tables import charges, cooldowns, spending
from bot.storage.engine import Database

WHOLE_WORKSPACE = ""
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    """None means no limit."""

    workspace: int | None = None
    channel: int | None = None
    automatic: int | None = None  # of the workspace's

    @classmethod
    def of(cls, channel: ChannelRules, workspace: WorkspaceRules) -> Self:
        return cls(workspace.budget_per_day, channel.budget_per_day, workspace.automatic_share)


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms an ask may start something; gathered before its transaction."""

    limits: Limits
    rule: str = ""
    cooldown: float = 0.0  # seconds since the last automatic start for the same monitor and group
    confirmed: bool = False  # somebody who may has said: over budget, start anyway


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a day's budget is used; a limit of None is none."""

    workspace: int
    channel: int
    automatic: int
    limits: Limits

    def words(self) -> str:
        """For the audit and for status, as in "workspace 7 of 40, channel 3 of 12"."""
        counts = [("workspace", self.workspace, self.limits.workspace), ("channel", self.channel, self.limits.channel)]
        if self.limits.automatic is not None:
            counts.append(("automatic", self.automatic, self.limits.automatic))
        return ", ".join(f"{name} {used}{'' if limit is None else f' of {limit}'}" for name, used, limit in counts)


def used_words(used: int, limit: int | None) -> str:
    """For people."""
    return f"{used} started, no limit" if limit is None else f"{used} of {limit} used"


@dataclass(frozen=True, slots=True)
class OverBudget:
    """Why one more would be too many."""

    scope: str  # workspace | channel | automatic
    used: int
    limit: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class CoolingDown:
    """The monitor and group had an automatic start a short while ago."""

    until: float


class Budget:
    def __init__(self, database: Database, rules: RuleRepository) -> None:
        self._database = database
        self._rules = rules

    async def limits(self, place: Place) -> Limits:
        rules = await self._rules.known(place.workspace, place.channel)
        return Limits.of(rules.channel, rules.workspace)

    async def usage(self, place: Place) -> Usage:
        """What is used today, without touching it."""
        limits = await self.limits(place)
        async with self._database.transaction() as connection:
            return await self._usage(connection, place, await self._today(connection), limits)

    async def charge(
        self, connection: AsyncConnection, ask: Ask, investigation_id: int, subject: object, terms: Terms
    ) -> Usage | OverBudget | CoolingDown:
        """One unit for a new investigation. After a refusal the caller undoes what it began."""
        automatic = ask.source is Source.AUTOMATIC
        if automatic and isinstance(subject, AlertRef):
            cooling = await self._cool_down(connection, ask.place.workspace, subject, terms.cooldown)
            if cooling is not None:
                return cooling
        before, day = await self._take(connection, ask.place, terms.limits, automatic=automatic)
        over = None if terms.confirmed else _too_many(before, automatic=automatic)
        if over is not None:
            return over
        where = {"workspace": ask.place.workspace, "channel": ask.place.channel, "day": day}
        taken = {"investigation_id": investigation_id, "automatic": automatic, "returned": False}
        await connection.execute(_CHARGED, where | taken)
        return Usage(before.workspace + 1, before.channel + 1, before.automatic + automatic, terms.limits)

    async def _take(
        self, connection: AsyncConnection, place: Place, limits: Limits, *, automatic: bool
    ) -> tuple[Usage, int]:
        """Counts one more; what was used before, and the day. The workspace's counter comes first for everybody: nobody
        waits in a circle."""
        one = {"workspace": place.workspace, "used": 1, "automatic": int(automatic)}
        if (own_time := self._database.own_time) is not None:
            one["day"] = int(own_time // DAY)
        counters = [one | {"channel": channel} for channel in (WHOLE_WORKSPACE, place.channel)]
        taken = await connection.execute(self._database.once(_one_more), counters)
        now = {row.channel: row for row in taken}
        whole, channel = now[WHOLE_WORKSPACE], now[place.channel]
        return Usage(whole.used - 1, channel.used - 1, whole.automatic - automatic, limits), whole.day

    async def _today(self, connection: AsyncConnection) -> int:
        return int(float((await connection.execute(select(self._database.now))).scalar_one()) // DAY)

    async def _usage(self, connection: AsyncConnection, place: Place, day: int, limits: Limits) -> Usage:
        table = spending.c
        query = (
            select(table.channel, table.used, table.automatic)
            .where(table.workspace == place.workspace, table.channel.in_([WHOLE_WORKSPACE, place.channel]))
            .where(table.day == day)
        )
        rows = (await connection.execute(query)).all()
        used = {row.channel: row.used for row in rows}
        automatic = next((row.automatic for row in rows if row.channel == WHOLE_WORKSPACE), 0)
        return Usage(used.get(WHOLE_WORKSPACE, 0), used.get(place.channel, 0), automatic, limits)

    async def _cool_down(
        self, connection: AsyncConnection, workspace: str, alert: AlertRef, seconds: float
    ) -> CoolingDown | None:
        table, now = cooldowns.c, self._database.now
        group = sha256(alert.group.encode()).hexdigest() if alert.group else ""
        key = {"workspace": workspace, "monitor_id": alert.monitor_id, "group_hash": group}
        first = await connection.execute(
            self._database.insert_new(cooldowns).values(**key, started_at=now).returning(table.started_at)
        )
        if first.first() is not None:
            return None
        same = [table[name] == value for name, value in key.items()]
        again = await connection.execute(
            update(cooldowns).where(*same, table.started_at <= now - seconds).values(started_at=now)
        )
        if again.rowcount:
            return None
        started_at = (await connection.execute(select(table.started_at).where(*same))).scalar_one()
        return CoolingDown(started_at + seconds)


_CHARGED = charges.insert()


def _one_more(database: Database) -> ReturningInsert[Any]:
    table = spending.c
    # not every SQLite knows how to round down
    day = {} if database.own_time is not None else {"day": cast(func.floor(database.now / DAY), Integer)}
    taken = database.add_up(spending, ("used", "automatic"), key=("workspace", "channel", "day")).values(day)
    return taken.returning(table.channel, table.used, table.automatic, table.day)


async def give_back(connection: AsyncConnection, investigation_id: int) -> bool:
    """Nothing was started after all: its unit goes back to the day it was taken from, once."""
    table = charges.c
    returned = await connection.execute(
        update(charges)
        .where(table.investigation_id == investigation_id, table.returned.is_(False))
        .values(returned=True)
        .returning(table.workspace, table.channel, table.day, table.automatic)
    )
    row = returned.first()
    if row is None:
        return False
    await _count(connection, **row._asdict(), by=-1)
    return True


async def _count(
    connection: AsyncConnection, workspace: str, channel: str, day: int, *, by: int, automatic: bool
) -> None:
    """The workspace's counter first, then the channel's: the order in which everybody locks them."""
    table = spending.c
    for each in (WHOLE_WORKSPACE, channel):
        await connection.execute(
            update(spending)
            .where(table.workspace == workspace, table.channel == each, table.day == day)
            .values(
                used=_never_below_zero(table.used + by), automatic=_never_below_zero(table.automatic + by * automatic)
            )
        )


def _never_below_zero(count: Any) -> Any:
    return case({count > 0: count}, else_=0)


def _too_many(usage: Usage, *, automatic: bool) -> OverBudget | None:
    limits = usage.limits
    counts = [("workspace", usage.workspace, limits.workspace), ("channel", usage.channel, limits.channel)]
    if automatic:
        counts.insert(0, ("automatic", usage.automatic, limits.automatic))
    return next(
        (OverBudget(scope, used, limit, usage) for scope, used, limit in counts if limit is not None and used >= limit),
        None,
    )
