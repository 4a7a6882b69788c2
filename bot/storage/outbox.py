"""What threads are still owed: claimed by lease, which marks a post `sending`, and holding its `ts` after.

A row found in `sending` by somebody new may or may not stand in Slack: whoever claims it looks there first. What a
delivery says is not stored here; its kind and subject tell where to look. Deliveries with one
thread key go out in order.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Float,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from bot.model import Place
from bot.storage.engine import Database, wake
from bot.storage.leases import Fence, Leases, fenced
from bot.storage.tables import A_PLACE, at, behind, deliveries, literally, newly_due, of_place, record
from bot.storage.together import Together
from bot.storage.workers import FAR

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
    ts: str  # where it stands already
    digest: str
    wanted: int
    attempt: int
    may_stand_already: bool  # somebody had it before, and what became of it is open
    first_try_at: float | None
    looked_to: str  # up to this message it was looked for already
    age: float  # seconds since it was written down
    tried_for: float  # seconds since it was first sent, or was first edited to what it is to show
    more_wait: bool  # for the same channel


_OF_KIND: Any = bindparam("of_kind")
_OF_SUBJECT: Any = bindparam("of_subject")
_MORE = update(deliveries).values(wanted=deliveries.c.wanted + 1)  # counted, so that a change during a post is not lost
_ONE_ANEW = _MORE.where(deliveries.c.key == bindparam("of_key"))
_ANEW = _MORE.where(deliveries.c.kind == _OF_KIND, deliveries.c.subject_id == _OF_SUBJECT)


async def enqueue(database: Database, connection: AsyncConnection, post: NewPost) -> bool:
    """In the transaction that makes it due; False when it was there already."""
    inserted = await connection.execute(database.once(_new), _columns(post) | database.at_moment)
    wake(connection, deliveries)
    return inserted.first() is not None


def _new(database: Database) -> ReturningInsert[int]:
    first = {"state": PENDING, "wanted": 1, "shown": 0, **newly_due(database.moment)}
    return database.insert_new(deliveries).values(first).returning(deliveries.c.id)


def _columns(post: NewPost) -> dict[str, Any]:
    told = asdict(post)
    told["lane"] = told.pop("thread_key")
    return told


async def is_owed(connection: AsyncConnection, key: str) -> bool:
    """Whether this was written down before."""
    return (await connection.execute(select(deliveries.c.id).where(deliveries.c.key == key))).first() is not None


async def show_anew(connection: AsyncConnection, kind: str, subject_id: int, *, openers: Sequence[str] = ()) -> None:
    """What these messages show has changed, and what those of the kinds `openers` show that open their threads."""
    told = {"of_kind": kind, "of_subject": subject_id}
    await connection.execute(_ANEW, told)
    if openers:
        await connection.execute(_openers_anew(tuple(openers)), told)
    wake(connection, deliveries)


@cache
def _openers_anew(openers: tuple[str, ...]) -> Update:
    first, inside = deliveries.alias(), deliveries.alias()
    opens = and_(
        literally(first.c.kind, *openers),
        first.c.workspace == inside.c.workspace,
        first.c.channel == inside.c.channel,
        first.c.ts == inside.c.thread_ts,
    )
    shown = and_(inside.c.kind == _OF_KIND, inside.c.subject_id == _OF_SUBJECT, inside.c.thread_ts != "")
    return _MORE.where(deliveries.c.id.in_(select(first.c.id).select_from(inside.join(first, opens)).where(shown)))


async def show_again(connection: AsyncConnection, key: str) -> bool:
    """One message's, whoever is at it this moment; False where there is none."""
    return bool((await connection.execute(_ONE_ANEW, {"of_key": key})).rowcount)


async def take_over(database: Database, connection: AsyncConnection, key: str, post: NewPost) -> bool:
    """A message that stands already shows something else from now on, by edits only; False where nobody knows whether it
    stands, or somebody is at it this moment."""
    taken = await connection.execute(database.once(_taken), _columns(post) | {"of_key": key} | database.at_moment)
    if taken.rowcount:
        wake(connection, deliveries)
    return bool(taken.rowcount)


def _taken(database: Database) -> Update:
    table = deliveries.c
    is_certain = or_(and_(table.state == SENT, table.ts.is_not(None)), and_(table.state == PENDING, table.ts.is_(None)))
    fresh = {"problem": None, "first_try_at": None, "looked_to": None, **newly_due(database.moment)}
    return _MORE.values(fresh).where(table.key == bindparam("of_key"), is_certain, table.owner.is_(None))


async def show_opener(connection: AsyncConnection, opener: str, thread: Place) -> None:
    told = {"opener": opener, **of_place(thread)}
    if thread.thread_ts and (await connection.execute(_opener_anew(), told)).rowcount:
        wake(connection, deliveries)


@cache
def _opener_anew() -> Update:
    return _MORE.where(opens_thread(bindparam("opener"), A_PLACE))


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


OWED = and_(literally(deliveries.c.state, PENDING, SENDING, SENT), behind(deliveries))


@cache
def due() -> ColumnElement[bool]:
    """What is behind, those with one thread key in order."""
    table, earlier = deliveries.c, deliveries.alias()
    unsent_before = exists().where(
        earlier.c.lane == table.lane,
        earlier.c.id < table.id,
        earlier.c.ts.is_(None),
        literally(earlier.c.state, PENDING, SENDING),
        behind(earlier),
    )
    return and_(OWED, ~unsent_before)


def claiming(
    leases: Leases,
    now: ColumnElement[float],
    which: ColumnElement[bool],
    first: Sequence[ColumnElement[Any]] = (),
) -> Executable:
    """Edits, and of the posts the first of each channel: they are marked in the statement that claims them, so that nobody
    who finds them after a crash repeats one that stands. Of what waits behind them nothing is in doubt."""
    table, others = deliveries.c, deliveries.alias()
    is_post = table.ts.is_(None)
    nth = func.row_number().over(partition_by=(is_post, table.channel), order_by=(*first, table.due_at, table.id))
    ranked = (
        select(table.id, is_post.label("is_post"), nth.label("nth")).where(which, leases.has_come(now)).cte("ranked")
    )
    chosen = select(ranked.c.id).where(or_(~ranked.c.is_post, ranked.c.nth == 1))
    # named in full: in what SQLite is to return, SQLAlchemy names each column as if there were one table
    channel: ColumnElement[str] = literal_column(f"{deliveries.name}.channel")
    number: ColumnElement[int] = literal_column(f"{deliveries.name}.id")
    in_its_channel = and_(others.c.channel == channel, others.c.id != number, others.c.due_at <= now)
    is_free = and_(others.c.ts.is_(None), literally(others.c.state, PENDING, SENDING), others.c.owner.is_(None))
    more_wait = exists().where(in_its_channel, is_free, behind(others))
    is_new, is_open = and_(table.state == PENDING, is_post), and_(table.state == SENDING, is_post)
    is_first = or_(is_new, and_(~is_post, table.attempt == 0))
    return leases.claiming(
        and_(OWED, table.id.in_(chosen)),
        first,
        tells=[more_wait.label("more_wait")],
        state=case({is_new: SENDING}, else_=table.state),
        first_try_at=case({is_first: now}, else_=table.first_try_at),
        # empty: it is to be looked for from the beginning; nothing: what was claimed before had come to a certain end
        looked_to=case({is_open: func.coalesce(table.looked_to, "")}, else_=null()),
    )


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
            may_stand_already=row.looked_to is not None,
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


def shown_in(kind: Any, subject_id: Any, where: Any) -> ColumnElement[bool]:
    """The message of a kind that shows this in a channel; `where` has its workspace and channel."""
    table = deliveries.c
    in_channel = and_(table.workspace == where.workspace, table.channel == where.channel)
    return and_(table.kind == kind, table.subject_id == subject_id, in_channel)


def opens_thread(kind: Any, place: Place) -> ColumnElement[bool]:
    """The message of a kind under which this thread hangs."""
    return and_(shown_in(kind, deliveries.c.subject_id, place), deliveries.c.ts == place.thread_ts)


def posted(kind: str) -> str:
    """What `wake` is called with when a message of this kind stands in Slack for the first time."""
    return f"posted {kind}"


@dataclass(frozen=True, slots=True)
class _Outcome:
    delivery: Delivery
    values: dict[str, Any]
    wait: float = 0.0


class Outbox:
    """What became of a delivery, under the fence of whoever claimed it."""

    def __init__(self, database: Database, *, lease: float) -> None:
        self.database = database
        self._lease = lease
        self._outcomes = Together(database, self._write)

    async def sending(self, delivery: Delivery) -> bool:
        """Written before it is posted after a look; False when somebody else has it now."""
        # the lease starts anew: it also has to cover the time in which the post may still land
        values: dict[str, Any] = {"state": SENDING, "due_at": self.database.time_in(self._lease), "looked_to": None}
        async with self.database.transaction() as connection:
            return await delivery.fence.write(connection, deliveries, **values)

    async def sent(self, delivery: Delivery, ts: str, digest: str) -> None:
        await self._settled(delivery, ts=ts, digest=digest, shown=delivery.wanted, problem=None)

    async def adopted(self, delivery: Delivery, ts: str) -> None:
        """Found in Slack after all. What it shows is unknown: what can change is edited once more."""
        await self._settled(delivery, ts=ts, digest=None, shown=delivery.wanted - 1)

    async def _settled(self, delivery: Delivery, **values: Any) -> None:
        await self._outcomes.keep(_Outcome(delivery, values | {"state": SENT, "attempt": 0}))

    async def not_sent(self, delivery: Delivery, wait: float, problem: str) -> None:
        """Slack certainly has not got it: try again later without looking."""
        state = SENT if delivery.ts else PENDING
        await self._later(delivery, wait, state=state, problem=problem[:64], first_try_at=None)

    async def looked(self, delivery: Delivery, looked_to: str) -> None:
        """It is not among what was read so far: whoever looks next goes on from there."""
        async with self.database.transaction() as connection:
            await delivery.fence.write(connection, deliveries, looked_to=looked_to)

    async def outcome_open(self, delivery: Delivery, wait: float, problem: str) -> None:
        """Slack may have got it: look before trying again, and not before it must have landed."""
        state = SENT if delivery.ts else SENDING
        await self._later(delivery, wait, state=state, problem=problem[:64])

    async def _later(self, delivery: Delivery, wait: float, **values: Any) -> None:
        await self._outcomes.keep(_Outcome(delivery, values, min(wait, FAR / 2)))

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

    # -- many outcomes in one transaction -----------------------------------------------------------------------

    async def _write(self, connection: AsyncConnection, outcomes: Sequence[_Outcome]) -> None:
        """Those that write the same columns in one statement, each under its own fence."""
        same: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for each in sorted(outcomes, key=lambda each: each.delivery.fence.id):  # nobody waits in a circle
            same.setdefault(tuple(sorted(each.values)), []).append(self._parameters(each))
            if each.wait:
                wake(connection, deliveries, after=each.wait)
            elif each.values.get("state") == SENT and not each.delivery.ts:
                wake(connection, posted(each.delivery.post.kind))
        for parameters in same.values():
            await connection.execute(self._settling, parameters)
        now = [each.delivery for each in outcomes if not each.wait]
        if now and (await connection.execute(self._any_owed, self._threads_of(now))).scalar():
            wake(connection, deliveries)

    def _parameters(self, outcome: _Outcome) -> dict[str, Any]:
        told = {**outcome.values, **outcome.delivery.fence.parameters, "wait": outcome.wait}
        return told | self.database.at_moment

    @cached_property
    def _settling(self) -> Update:
        return fenced(deliveries).values(owner=None, due_at=self.database.moment + bindparam("wait", type_=Float))

    @cached_property
    def _any_owed(self) -> Select[bool]:
        """Whether these threads wait for more: one of these has changed meanwhile, or has held up another."""
        table = deliveries.c
        in_threads = table.lane.in_(bindparam("threads", expanding=True))
        return select(exists().where(in_threads, OWED, table.owner.is_(None), table.due_at <= self.database.moment))

    def _threads_of(self, settled: Sequence[Delivery]) -> dict[str, Any]:
        return {"threads": sorted({each.post.thread_key for each in settled}), **self.database.at_moment}
