"""What threads are still owed: claimed by lease, marked `sending` before a post and holding its `ts` after.

A row found in `sending` by somebody new may or may not stand in Slack: whoever claims it looks there first. What a
delivery says is not stored here; its kind and subject tell where to look. Deliveries of one lane go out in order.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.engine import Database
from bot.storage.leases import Fence, Leases
from bot.storage.tables import deliveries

PENDING, SENDING, SENT, REFUSED = "pending", "sending", "sent", "refused"


@dataclass(frozen=True, slots=True)
class Owed:
    """A message to be delivered: what it shows, and where it belongs."""

    key: str  # stands in the message's metadata; the same for ever, unique among all installations
    kind: str
    lane: str
    subject_id: int  # of the kind's own table
    workspace: str
    channel: str
    thread_ts: str = ""  # empty: the channel itself, or under the first message of the lane
    requester: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    fence: Fence
    owed: Owed
    thread_ts: str  # where it goes now
    state: str
    ts: str  # where it stands already
    digest: str
    wanted: int
    attempt: int
    first_try_at: float | None
    age: float  # seconds since it became owed

    @property
    def may_stand_already(self) -> bool:
        return self.state == SENDING and not self.ts


async def enqueue(database: Database, connection: AsyncConnection, owed: Owed) -> bool:
    """In the transaction that makes it owed; False when it was owed already."""
    inserted = await connection.execute(
        database.insert_new(deliveries)
        .values(
            key=owed.key,
            kind=owed.kind,
            lane=owed.lane,
            subject_id=owed.subject_id,
            workspace=owed.workspace,
            channel=owed.channel,
            thread_ts=owed.thread_ts,
            requester=owed.requester,
            state=PENDING,
            wanted=1,
            shown=0,
            created_at=database.now,
            due_at=database.now,
            attempt=0,
        )
        .returning(deliveries.c.id)
    )
    return inserted.first() is not None


async def show_anew(connection: AsyncConnection, kind: str, subject_id: int) -> None:
    """What these messages show has changed. Counted, so that a change during a post is not lost."""
    table = deliveries.c
    await connection.execute(
        update(deliveries).where(table.kind == kind, table.subject_id == subject_id).values(wanted=table.wanted + 1)
    )


async def try_refused_again(
    database: Database,
    connection: AsyncConnection,
    subject_id: int,
    kinds: tuple[str, ...],
    place: tuple[str, str, str],
) -> None:
    """Somebody let the bot in and pressed again: what the channel refused is tried once more."""
    table = deliveries.c
    workspace, channel, thread_ts = place
    await connection.execute(
        update(deliveries)
        .where(
            table.subject_id == subject_id,
            table.kind.in_(kinds),
            table.workspace == workspace,
            table.channel == channel,
            table.thread_ts == thread_ts,
            table.state == REFUSED,
            table.ts.is_(None),
        )
        .values(state=PENDING, problem=None, due_at=database.now, attempt=0, wanted=table.shown + 1)
    )


class Outbox:
    def __init__(self, database: Database, *, owner: str, lease: float) -> None:
        self.database = database
        self._lease = lease
        self._leases = Leases(database, deliveries, owner=owner, lease=lease)

    async def claim(self, limit: int, *, not_in: set[str]) -> list[Delivery]:
        """Deliveries that are due, those of one lane in order, none in the channels named."""
        rows = await self._leases.claim(_due(not_in), limit)
        return [await self._delivery(row) for row in rows]

    async def _delivery(self, row: Row[Any]) -> Delivery:
        opened, now = await self._lane(row)
        return Delivery(
            fence=self._leases.fence(row),
            owed=Owed(
                row.key, row.kind, row.lane, row.subject_id, row.workspace, row.channel, row.thread_ts, row.requester
            ),
            thread_ts=row.thread_ts or opened,
            state=row.state,
            ts=row.ts or "",
            digest=row.digest or "",
            wanted=row.wanted,
            attempt=row.attempt,
            first_try_at=row.first_try_at,
            age=now - row.created_at,
        )

    async def _lane(self, row: Row[Any]) -> tuple[str, float]:
        """The message that opened this delivery's lane in its channel, and the time."""
        table = deliveries.c
        first = select(func.min(table.ts)).where(
            table.lane == row.lane, table.channel == row.channel, table.id < row.id, table.ts.is_not(None)
        )
        async with self.database.transaction() as connection:
            opened, now = (await connection.execute(select(first.scalar_subquery(), self.database.now))).one()
        return opened or "", now

    async def sending(self, delivery: Delivery) -> bool:
        """Written before the post leaves; False when somebody else has it now."""
        # the lease starts anew: it also has to cover the time in which the post may still land
        values: dict[str, Any] = {"state": SENDING, "due_at": self.database.now + self._lease}
        if delivery.first_try_at is None:
            values["first_try_at"] = self.database.now
        return await self._write(delivery, **values)

    async def sent(self, delivery: Delivery, ts: str, digest: str) -> None:
        await self._settled(delivery, ts=ts, digest=digest, shown=delivery.wanted, problem=None)

    async def adopted(self, delivery: Delivery, ts: str) -> None:
        """Found in Slack after all. What it shows is unknown: what can change is edited once more."""
        await self._settled(delivery, ts=ts, digest=None, shown=delivery.wanted - 1)

    async def _settled(self, delivery: Delivery, **values: Any) -> None:
        await self._write(delivery, **values, state=SENT, owner=None, attempt=0, due_at=self.database.now)

    async def not_sent(self, delivery: Delivery, wait: float, problem: str) -> None:
        """Slack certainly has not got it: try again later without looking."""
        state = SENT if delivery.ts else PENDING
        await self._later(delivery, wait, state=state, problem=problem[:64])

    async def not_tried(self, delivery: Delivery, wait: float, problem: str) -> None:
        """Nothing was sent this time; whether it stands there already is as open or as certain as before."""
        await self._later(delivery, wait, problem=problem[:64])

    async def outcome_open(self, delivery: Delivery, wait: float, problem: str) -> None:
        """Slack may have got it: look before trying again, and not before it must have landed."""
        state = SENT if delivery.ts else SENDING
        await self._later(delivery, wait, state=state, problem=problem[:64])

    async def _later(self, delivery: Delivery, wait: float, **values: Any) -> None:
        await self._write(delivery, **values, due_at=self.database.now + wait, owner=None)

    async def refused(self, delivery: Delivery, problem: str) -> bool:
        return await self._write(delivery, state=REFUSED, problem=problem[:64], owner=None)

    async def instead_to_requester(self, delivery: Delivery) -> None:
        """What a channel refuses goes to the person who asked."""
        owed = delivery.owed
        instead = Owed(
            key=f"direct:{owed.key}",
            kind=owed.kind,
            lane=f"direct:{owed.lane}",
            subject_id=owed.subject_id,
            workspace=owed.workspace,
            channel=owed.requester,
            requester=owed.requester,
        )
        async with self.database.transaction() as connection:
            await enqueue(self.database, connection, instead)

    async def _write(self, delivery: Delivery, **values: Any) -> bool:
        async with self.database.transaction() as connection:
            changed = await connection.execute(
                update(deliveries).where(delivery.fence.holds(deliveries)).values(**values)
            )
        return bool(changed.rowcount)

    async def recover(self, settle: float) -> None:
        await self._leases.settle_old(deliveries.c.state == SENDING, settle)
        await self._leases.settle_old(deliveries.c.state != SENDING, 0)

    async def hand_back(self, settle: float) -> None:
        await self._leases.hand_back(deliveries.c.state == SENDING, settle)


def _due(not_in: set[str]) -> ColumnElement[bool]:
    table, earlier = deliveries.c, deliveries.alias()
    unsent_before = exists().where(
        earlier.c.lane == table.lane,
        earlier.c.id < table.id,
        earlier.c.ts.is_(None),
        earlier.c.state.in_([PENDING, SENDING]),
    )
    due = and_(table.state.in_([PENDING, SENDING, SENT]), table.shown < table.wanted, ~unsent_before)
    return and_(due, table.channel.not_in(not_in)) if not_in else due
