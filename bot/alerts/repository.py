"""Cycles as stored: one row for each alert of each group, whichever of its notices comes first and wherever it is shown.

A change that people can see makes all its cards due in the same transaction.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.model import Cycle, KnownCycle, Mute, Notice, Taken, Transition, joined, standing
from bot.alerts.tables import ALERT_CARD, RECOVERED, UNROUTED, alert_cycles, alert_notices, alert_watchers
from bot.model import AlertRef, MonitorRef, Place
from bot.storage.engine import Database, wake
from bot.storage.leases import HELD_ELSEWHERE
from bot.storage.outbox import NewPost, enqueue, opens_thread, show_anew
from bot.storage.tables import A_PLACE, deliveries, of_place

_NOBODY: dict[str, Any] = {"taken_by": None, "taken_in": None, "taken_at": None}


class CycleRepository:
    def __init__(self, database: Database) -> None:
        self.database = database

    # -- a notice comes in --------------------------------------------------------------------------------------

    async def join(self, connection: AsyncConnection, org: str, notice: Notice) -> KnownCycle:
        """The cycle with this notice in it, begun by it if need be."""
        rows = await self._fetch(connection, org, notice.identity)
        row = _meant(rows, notice)
        if row is None:
            generation = rows[0].generation + 1 if rows else 0
            row = await self._begin(connection, org, generation, notice)
        known = _known(row)
        after = joined(known.cycle, notice)
        if after != known.cycle:
            await self._write(connection, row.id, content=after)
            if standing(after).state is Transition.RECOVERED:
                await self._tell_watchers(connection, known)
        return replace(known, cycle=after)

    async def _fetch(self, connection: AsyncConnection, org: str, identity: str) -> Sequence[Row[Any]]:
        """Locked until the transaction ends, so that two notices of one cycle are taken in one after the other."""
        table = alert_cycles.c
        query = select(alert_cycles).where(table.org == org, table.identity == identity)
        found = await connection.execute(query.order_by(table.generation.desc()).limit(2).with_for_update())
        return found.all()

    async def _begin(self, connection: AsyncConnection, org: str, generation: int, notice: Notice) -> Row[Any]:
        """Or fetch it, where another process begins the same one at this moment."""
        inserted = await connection.execute(
            self.database.insert_new(alert_cycles)
            .values(
                ref=secrets.token_hex(6),
                org=org,
                identity=notice.identity,
                generation=generation,
                content=joined(None, notice),
                changed_at=self.database.now,
                muted_by="",
                downtime_id="",
                unmuted_by="",
            )
            .returning(*alert_cycles.c)
        )
        if row := inserted.first():
            return row
        table = alert_cycles.c
        same = (table.org == org, table.identity == notice.identity, table.generation == generation)
        return (await connection.execute(select(alert_cycles).where(*same).with_for_update())).one()

    async def _write(self, connection: AsyncConnection, cycle_id: int, **values: Any) -> None:
        changed = update(alert_cycles).where(alert_cycles.c.id == cycle_id)
        await connection.execute(changed.values(**values, changed_at=self.database.now))
        await show_anew(connection, ALERT_CARD, cycle_id)

    # -- who is on it, and who wants to hear of its end ------------------------------------------------------------

    async def take(self, cycle_id: int, person: str, workspace: str) -> None:
        values = {"taken_by": person, "taken_in": workspace, "taken_at": self.database.now} if person else _NOBODY
        async with self.database.transaction() as connection:
            await self._write(connection, cycle_id, **values)

    async def watch(self, known: KnownCycle, place: Place, person: str) -> bool:
        """False when it has recovered by now, and nobody has to be told of it later."""
        async with self.database.transaction() as connection:
            query = select(alert_cycles).where(alert_cycles.c.id == known.id).with_for_update()
            row = (await connection.execute(query)).first()
            if row is None or standing(row.content).state is Transition.RECOVERED:
                return False
            who = {"workspace": place.workspace, "channel": place.channel, "person": person}
            watcher = self.database.insert_new(alert_watchers)
            await connection.execute(watcher.values(cycle_id=known.id, **who, created_at=self.database.now))
        return True

    async def _tell_watchers(self, connection: AsyncConnection, known: KnownCycle) -> None:
        """Each once, under the card."""
        gone = delete(alert_watchers).where(alert_watchers.c.cycle_id == known.id).returning(*alert_watchers.c)
        for row in (await connection.execute(gone)).all():
            post = NewPost(
                key=f"{RECOVERED}:{known.ref}:{row.workspace}:{row.channel}:{row.person}",
                kind=RECOVERED,
                thread_key=thread_key(known, row.channel),
                subject_id=known.id,
                workspace=row.workspace,
                channel=row.channel,
                requester=row.person,
            )
            await enqueue(self.database, connection, post)

    # -- cards --------------------------------------------------------------------------------------------------

    async def owe_card(self, connection: AsyncConnection, known: KnownCycle, workspace: str, channel: str) -> bool:
        """One card for a cycle in a channel, for ever; False when it is owed or stands there already."""
        key = f"{ALERT_CARD}:{known.ref}:{workspace}:{channel}"
        post = NewPost(key, ALERT_CARD, thread_key(known, channel), known.id, workspace, channel)
        return await enqueue(self.database, connection, post)

    async def cards(self, cycle_id: int, workspace: str) -> list[Place]:
        """The threads under its cards that stand in this workspace."""
        table = deliveries.c
        here = and_(table.kind == ALERT_CARD, table.subject_id == cycle_id, table.workspace == workspace)
        rows = await self.database.all(select(table.channel, table.ts).where(here, table.ts.is_not(None)))
        return [Place(workspace, row.channel, row.ts) for row in rows]

    async def has_cards(self, connection: AsyncConnection, cycle_id: int) -> bool:
        table = deliveries.c
        query = select(table.id).where(table.kind == ALERT_CARD, table.subject_id == cycle_id).limit(1)
        return (await connection.execute(query)).first() is not None

    async def org_of_card(self, place: Place) -> str:
        """The organisation of the card this thread hangs under; empty for every other thread."""
        if not place.thread_ts:
            return ""
        row = await self.database.first(_org_of_card(), of_place(place))
        return str(row.org) if row else ""

    async def subject_of_card(self, place: Place) -> AlertRef | MonitorRef | None:
        """What the buttons of the card mean that this thread hangs under; None for every other thread."""
        if not place.thread_ts:
            return None
        opener = exists().where(deliveries.c.subject_id == alert_cycles.c.id, opens_thread(ALERT_CARD, place))
        known = await self._one(opener)
        return standing(known.cycle).subject if known else None

    async def get(self, cycle_id: int) -> KnownCycle | None:
        """For who holds a row of ours that names it; a number from Slack goes through `get_in`."""
        return await self._one(alert_cycles.c.id == cycle_id)

    async def read(self, connection: AsyncConnection, cycle_id: int) -> KnownCycle | None:
        row = (await connection.execute(select(alert_cycles).where(alert_cycles.c.id == cycle_id))).first()
        return _known(row) if row else None

    async def get_in(self, workspace: str, cycle_id: int) -> KnownCycle | None:
        """Only if a card of it is owed to a channel of this workspace: numbers in buttons come back from clients."""
        table = deliveries.c
        shown_here = exists().where(
            table.kind == ALERT_CARD, table.subject_id == alert_cycles.c.id, table.workspace == workspace
        )
        return await self._one(and_(alert_cycles.c.id == cycle_id, shown_here))

    async def _one(self, condition: ColumnElement[bool]) -> KnownCycle | None:
        row = await self.database.first(select(alert_cycles).where(condition))
        return _known(row) if row else None

    # -- muting -------------------------------------------------------------------------------------------------

    async def muted(
        self, connection: AsyncConnection, cycle_id: int, *, until: float, by: str, place: str, downtime_id: str
    ) -> None:
        values = {"muted_until": until, "muted_by": by, "muted_in": place, "downtime_id": downtime_id[:64]}
        values |= {"unmuted_by": ""}
        await self._write(connection, cycle_id, **values)
        wake(connection, alert_cycles)

    async def unmuted(self, connection: AsyncConnection, cycle_id: int, *, by: str, place: str) -> None:
        values = {"muted_until": None, "downtime_id": "", "unmuted_by": by, "unmuted_in": place}
        await self._write(connection, cycle_id, **values)

    async def end_mutes(self) -> float | None:
        """Mutes that have run out: their cards no longer say so. The answer is when the next one does."""
        table = alert_cycles.c
        over = select(table.id).where(table.muted_until <= self.database.now).with_for_update(skip_locked=True)
        async with self.database.transaction() as connection:
            for cycle_id in (await connection.execute(over)).scalars().all():
                await self._write(connection, cycle_id, muted_until=None, downtime_id="")
            next_in: float | None = (await connection.execute(self.next_mute_end())).scalar()
        return None if next_in is None else max(next_in, HELD_ELSEWHERE)

    def next_mute_end(self) -> Select[float | None]:
        return select(func.min(alert_cycles.c.muted_until) - self.database.now)

    # -- how it goes --------------------------------------------------------------------------------------------

    async def unrouted(self, orgs: Iterable[str], within: float) -> int:
        """Notices these organisations sent in the last seconds that no channel asked for."""
        table = alert_notices.c
        since = self.database.now - within
        query = select(func.count()).where(
            table.org.in_(list(orgs)), table.state == UNROUTED, table.received_at > since
        )
        async with self.database.transaction() as connection:
            return int((await connection.execute(query)).scalar_one())


def _known(row: Row[Any]) -> KnownCycle:
    place = (row.muted_in if row.muted_until else row.unmuted_in) or ""
    mute = Mute(row.muted_until or 0.0, row.muted_by, row.downtime_id, row.unmuted_by, place)
    taken = Taken(row.taken_by or "", row.taken_at or 0.0, row.taken_in or "")
    return KnownCycle(row.id, row.ref, row.org, row.content, mute, taken)


def thread_key(known: KnownCycle, channel: str) -> str:
    """What goes out under the card goes out after it."""
    return f"alert:{known.ref}:{channel}"[:64]


def _meant(rows: Sequence[Row[Any]], notice: Notice) -> Row[Any] | None:
    """The newest cycle of a group, the one before it for what comes late, or None for one that begins now."""
    if notice.cycle or not rows:
        return rows[0] if rows else None
    newest = rows[0]
    cycle: Cycle = newest.content
    now = standing(cycle)
    if now.state is Transition.RECOVERED and notice.transition is not Transition.RECOVERED:
        return None if notice.event_ts > (now.recovered_at or 0) else newest
    if len(rows) > 1 and notice.event_ts < cycle.moments[0].ts:
        before = standing(rows[1].content).recovered_at
        return rows[1] if before is None or notice.event_ts <= before else newest
    return newest


@cache
def _org_of_card() -> Select[str]:
    its_card = and_(alert_cycles.c.id == deliveries.c.subject_id, opens_thread(ALERT_CARD, A_PLACE))
    return select(alert_cycles.c.org).where(its_card).limit(1)
