"""What threads are still owed: claimed by lease, marked `sending` before a post and holding its `ts` after.

A row found in `sending` by somebody new may or may not stand in Slack: whoever claims it looks there first. What a
delivery says is not stored here; its kind and subject tell where to look. Deliveries with one
thread key go out in order.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Place
from bot.storage.engine import Database, wake
from bot.storage.leases import Fence
from bot.storage.tables import at, behind, deliveries, newly_due, record

PENDING, SENDING, SENT, REFUSED = "pending", "sending", "sent", "refused"


@dataclass(frozen=True, slots=True)
class NewPost:
    """A message to be delivered: what it shows, and where it belongs."""

    key: str  # stands in the message's metadata; the same for ever, unique among all installations
    kind: str
    thread_key: str  # what has the same one goes out in order
    subject_id: int  # of the kind's own table
    workspace: str
    channel: str
    thread_ts: str = ""  # empty: the channel itself, or under the first message with this thread key
    requester: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    fence: Fence
    post: NewPost
    thread_ts: str  # where it goes now
    state: str
    ts: str  # where it stands already
    digest: str
    wanted: int
    attempt: int
    first_try_at: float | None
    looked_to: str  # up to this message it was looked for already
    age: float  # seconds since it was written down
    tried_for: float  # seconds since it was first sent

    @property
    def may_stand_already(self) -> bool:
        return self.state == SENDING and not self.ts


async def enqueue(database: Database, connection: AsyncConnection, post: NewPost) -> bool:
    """In the transaction that makes it due; False when it was there already."""
    told = asdict(post)
    lane = told.pop("thread_key")
    inserted = await connection.execute(
        database.insert_new(deliveries)
        .values(**told, lane=lane, state=PENDING, wanted=1, shown=0, **newly_due(database.now))
        .returning(deliveries.c.id)
    )
    wake(connection, deliveries)
    return inserted.first() is not None


async def is_owed(connection: AsyncConnection, key: str) -> bool:
    """Whether this was written down before."""
    return (await connection.execute(select(deliveries.c.id).where(deliveries.c.key == key))).first() is not None


async def show_anew(connection: AsyncConnection, kind: str, subject_id: int) -> None:
    """What these messages show has changed. Counted, so that a change during a post is not lost."""
    table = deliveries.c
    await connection.execute(
        update(deliveries).where(table.kind == kind, table.subject_id == subject_id).values(wanted=table.wanted + 1)
    )
    wake(connection, deliveries)


async def take_over(database: Database, connection: AsyncConnection, key: str, post: NewPost) -> bool:
    """A message that stands already shows something else from now on, by edits only; False where nobody knows whether it
    stands, or somebody is at it this moment."""
    table = deliveries.c
    is_certain = or_(and_(table.state == SENT, table.ts.is_not(None)), and_(table.state == PENDING, table.ts.is_(None)))
    told = asdict(post)
    lane = told.pop("thread_key")
    fresh = {"wanted": table.wanted + 1, "problem": None, "first_try_at": None, "looked_to": None}
    taken = await connection.execute(
        update(deliveries)
        .where(table.key == key, is_certain, table.owner.is_(None))
        .values(**told, lane=lane, **fresh, **newly_due(database.now))
    )
    if taken.rowcount:
        wake(connection, deliveries)
    return bool(taken.rowcount)


Shown = Callable[[AsyncConnection, str, int], Awaitable[None]]  # of a kind and what it shows, in the same transaction


async def show_openers(connection: AsyncConnection, opener: str, kind: str, subject_id: int) -> None:
    """The messages that open the threads in which one of this kind stands have more to show."""
    table = deliveries.c
    query = select(table.workspace, table.channel, table.thread_ts).where(
        table.kind == kind, table.subject_id == subject_id, table.thread_ts != ""
    )
    for row in (await connection.execute(query)).all():
        await show_opener(connection, opener, Place(row.workspace, row.channel, row.thread_ts))


async def show_opener(connection: AsyncConnection, opener: str, thread: Place) -> None:
    if thread.thread_ts:
        wanted = deliveries.c.wanted + 1
        shown = update(deliveries).where(opens_thread(opener, thread)).values(wanted=wanted)
        if (await connection.execute(shown)).rowcount:
            wake(connection, deliveries)


async def try_refused_again(
    database: Database, connection: AsyncConnection, subject_id: int, kinds: tuple[str, ...], place: Place
) -> None:
    """Somebody let the bot in and pressed again: what the channel refused is tried once more."""
    table = deliveries.c
    await connection.execute(
        update(deliveries)
        .where(
            table.subject_id == subject_id,
            table.kind.in_(kinds),
            at(deliveries, place),
            table.state == REFUSED,
            table.ts.is_(None),
        )
        .values(state=PENDING, problem=None, due_at=database.now, attempt=0, wanted=table.shown + 1)
    )
    wake(connection, deliveries)


OWED = and_(deliveries.c.state.in_([PENDING, SENDING, SENT]), behind(deliveries))


@cache
def due() -> ColumnElement[bool]:
    """What is behind, those with one thread key in order."""
    table, earlier = deliveries.c, deliveries.alias()
    unsent_before = exists().where(
        earlier.c.lane == table.lane,
        earlier.c.id < table.id,
        earlier.c.ts.is_(None),
        earlier.c.state.in_([PENDING, SENDING]),
        behind(earlier),
    )
    return and_(OWED, ~unsent_before)


async def read_deliveries(
    connection: AsyncConnection, rows: Sequence[Row[Any]], fence: Callable[[Row[Any]], Fence], lease: float
) -> list[Delivery]:
    """What was claimed, with the thread each belongs to."""
    opened = await _opened(connection, [row.id for row in rows if not row.thread_ts])
    return [
        record(
            Delivery,
            row,
            fence=fence(row),
            post=record(NewPost, row, thread_key=row.lane),
            thread_ts=row.thread_ts or opened.get(row.id, ""),
            ts=row.ts or "",
            digest=row.digest or "",
            looked_to=row.looked_to or "",
            age=row.due_at - lease - row.created_at,
            tried_for=row.due_at - lease - (row.first_try_at or row.due_at - lease),
        )
        for row in rows
    ]


async def _opened(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, str]:
    """The message that opened a delivery's thread in its channel, where one did."""
    if not ids:
        return {}
    table, first = deliveries.c, deliveries.alias()
    under = and_(
        first.c.lane == table.lane, first.c.channel == table.channel, first.c.id < table.id, first.c.ts.is_not(None)
    )
    query = (
        select(table.id, func.min(first.c.ts).label("ts"))
        .join(first, under)
        .where(table.id.in_(ids))
        .group_by(table.id)
    )
    return {row.id: row.ts for row in await connection.execute(query)}


def shown_in(kind: str, subject_id: Any, where: Any) -> ColumnElement[bool]:
    """The message of a kind that shows this in a channel; `where` has its workspace and channel."""
    table = deliveries.c
    in_channel = and_(table.workspace == where.workspace, table.channel == where.channel)
    return and_(table.kind == kind, table.subject_id == subject_id, in_channel)


def opens_thread(kind: str, place: Place) -> ColumnElement[bool]:
    """The message of a kind under which this thread hangs."""
    return and_(shown_in(kind, deliveries.c.subject_id, place), deliveries.c.ts == place.thread_ts)


def posted(kind: str) -> str:
    """What `wake` is called with when a message of this kind stands in Slack for the first time."""
    return f"posted {kind}"


class Outbox:
    """What became of a delivery, under the fence of whoever claimed it."""

    def __init__(self, database: Database, *, lease: float) -> None:
        self.database = database
        self._lease = lease

    async def sending(self, delivery: Delivery) -> bool:
        """Written before the post leaves; False when somebody else has it now."""
        # the lease starts anew: it also has to cover the time in which the post may still land
        values: dict[str, Any] = {"state": SENDING, "due_at": self.database.now + self._lease, "looked_to": None}
        if delivery.first_try_at is None:
            values["first_try_at"] = self.database.now
        async with self.database.transaction() as connection:
            return await delivery.fence.write(connection, deliveries, **values)

    async def sent(self, delivery: Delivery, ts: str, digest: str) -> None:
        await self._settled(delivery, ts=ts, digest=digest, shown=delivery.wanted, problem=None)

    async def adopted(self, delivery: Delivery, ts: str) -> None:
        """Found in Slack after all. What it shows is unknown: what can change is edited once more."""
        await self._settled(delivery, ts=ts, digest=None, shown=delivery.wanted - 1)

    async def _settled(self, delivery: Delivery, **values: Any) -> None:
        values |= {"state": SENT, "owner": None, "attempt": 0, "due_at": self.database.now}
        changed = update(deliveries).where(delivery.fence.holds(deliveries)).values(**values)
        # only a first post holds up others of its thread
        held_up = false() if delivery.ts else self._held_up(delivery)
        told = (deliveries.c.wanted > deliveries.c.shown).label("behind"), held_up.label("held_up")
        async with self.database.transaction() as connection:
            row = (await connection.execute(changed.returning(*told))).first()
            if row is None:
                return
            if not delivery.ts:
                wake(connection, posted(delivery.post.kind))
            if row.behind or row.held_up:
                wake(connection, deliveries)

    def _held_up(self, delivery: Delivery) -> ColumnElement[bool]:
        """Whether the thread waits for more."""
        others = deliveries.alias()
        owed = and_(others.c.state.in_([PENDING, SENDING, SENT]), behind(others), others.c.due_at <= self.database.now)
        return exists().where(others.c.lane == delivery.post.thread_key, others.c.id != delivery.fence.id, owed)

    async def not_sent(self, delivery: Delivery, wait: float, problem: str) -> None:
        """Slack certainly has not got it: try again later without looking."""
        state = SENT if delivery.ts else PENDING
        await self._later(delivery, wait, state=state, problem=problem[:64], first_try_at=None)

    async def not_tried(self, delivery: Delivery, wait: float, problem: str) -> None:
        """Nothing was sent this time; whether it stands there already is as open or as certain as before."""
        await self._later(delivery, wait, problem=problem[:64], attempt=delivery.attempt - 1)

    async def looked(self, delivery: Delivery, looked_to: str) -> None:
        """It is not among what was read so far: whoever looks next goes on from there."""
        async with self.database.transaction() as connection:
            await delivery.fence.write(connection, deliveries, looked_to=looked_to)

    async def outcome_open(self, delivery: Delivery, wait: float, problem: str) -> None:
        """Slack may have got it: look before trying again, and not before it must have landed."""
        state = SENT if delivery.ts else SENDING
        await self._later(delivery, wait, state=state, problem=problem[:64])

    async def _later(self, delivery: Delivery, wait: float, **values: Any) -> None:
        async with self.database.transaction() as connection:
            await delivery.fence.put_off(self.database, connection, deliveries, wait, **values)

    async def refused(self, delivery: Delivery, problem: str) -> bool:
        async with self.database.transaction() as connection:
            wake(connection, deliveries)  # what had to come after it need not wait any more
            return await delivery.fence.write(connection, deliveries, state=REFUSED, problem=problem[:64], owner=None)

    async def instead_to_requester(self, delivery: Delivery) -> None:
        """What a channel refuses goes to the person who asked."""
        post = delivery.post
        instead = replace(
            post, key=f"direct:{post.key}", thread_key=f"direct:{post.thread_key}", channel=post.requester, thread_ts=""
        )
        async with self.database.transaction() as connection:
            await enqueue(self.database, connection, instead)
