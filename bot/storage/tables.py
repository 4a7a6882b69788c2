"""What every table is made with, the outbox, and what Slack told us to wait for. Times are Unix seconds; states are names never renamed once in use."""

import logging
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    Float,
    FromClause,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    and_,
    bindparam,
    literal_column,
)
from sqlalchemy.types import TypeDecorator

from bot.model import Adapter, Place
from bot.storage.retention import HOUR, AtUninstall, Kept, Life, Lives, Part, keep

logger = logging.getLogger(__name__)

R = TypeVar("R")
E = TypeVar("E", bound=StrEnum)

metadata = MetaData()

# SQLite numbers rows by itself only in a column of exactly this type
RowId = BigInteger().with_variant(Integer, "sqlite")


def claimable() -> tuple[Column[float], Column[str], Column[int]]:
    """`due_at` is due time, retry time and end of the lease in one; owner and attempt are the fence."""
    return (
        Column("due_at", Float, nullable=False),
        Column("owner", String(64), nullable=True),
        Column("attempt", Integer, nullable=False, server_default="0"),
    )


def newly_due(now: ColumnElement[float], after: float = 0.0) -> dict[str, Any]:
    """What a row to be claimed is written down with."""
    return {"created_at": now, "due_at": now + after, "attempt": 0}


def placed() -> tuple[Column[str], Column[str], Column[str]]:
    """Where a row belongs. `thread_ts` is empty for the channel itself."""
    return (
        Column("workspace", String(32), nullable=False),
        Column("channel", String(32), nullable=False),
        Column("thread_ts", String(32), nullable=False),
    )


def place_of(row: Row[Any]) -> Place:
    return Place(row.workspace, row.channel, row.thread_ts)


_OF_PLACE = tuple(each.name for each in fields(Place))
A_PLACE = Place(*(cast(str, bindparam(f"of_{name}")) for name in _OF_PLACE))
"""Any place: for statements that are built once, with `of_place` among their parameters."""


def at(table: Table, place: Place) -> ColumnElement[bool]:
    """The rows that belong there."""
    return and_(*(table.c[name] == getattr(place, name) for name in _OF_PLACE))


def of_place(place: Place) -> dict[str, str]:
    return {f"of_{name}": getattr(place, name) for name in _OF_PLACE}


def literally(column: ColumnElement[str], *states: str) -> ColumnElement[bool]:
    """One of these, written out in the statement: both databases see that an index of only such rows holds them all, and
    SQLAlchemy need not write its list anew each time."""
    told = [f"'{state}'" for state in states]
    if len(told) == 1:
        return column == literal_column(told[0])
    return column.bool_op("IN")(literal_column(f"({', '.join(told)})"))


def index_of_some(name: str, *columns: Column[Any], only: ColumnElement[bool]) -> Index:
    """An index that stays small however many rows there are; a statement that repeats `only` goes by it.

    Here for SQLite only: on PostgreSQL the migration makes it, and to say it here would load what nobody else needs.
    """
    return Index(name, *columns, sqlite_where=only)


def record(kind: type[R], row: Row[Any], /, **otherwise: Any) -> R:
    """A row as a dataclass whose members are called like its columns; `otherwise` holds those that are not."""
    same = (each.name for each in fields(kind) if each.name not in otherwise)  # type: ignore[arg-type]  # it is one
    return kind(**{name: getattr(row, name) for name in same}, **otherwise)


class NewerVersionError(ValueError):
    """A row says what this version does not know; a newer one, beside this or after it, will work on it."""


def known(kind: type[E], value: str) -> E:
    """A word of a row that decides what is done: one we don't know is nothing to guess at."""
    try:
        return kind(value)
    except ValueError as error:
        raise NewerVersionError(f"{value!r} is no {kind.__name__} that this version knows") from error


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """Stands for a record that can't be read, so that the other rows of its query still are: whoever uses it fails alone."""

    problems: int

    def __getattr__(self, name: str) -> Any:
        raise NewerVersionError(f"a stored record can't be read ({self.problems} problems), so it has no {name}")


class TypedJson(TypeDecorator[Any]):
    """A column of one pydantic-readable type; members it does not know are ignored, those that lack get their defaults."""

    impl = JSON
    cache_ok = True

    def __init__(self, adapter: Adapter[Any] | TypeAdapter[Any]) -> None:
        super().__init__(none_as_null=True)
        self.adapter = adapter

    def process_bind_param(self, value: Any, _dialect: Dialect) -> Any:
        return None if value is None else self.adapter.dump_python(value, mode="json")

    def process_result_value(self, value: Any, _dialect: Dialect) -> Any:
        if value is None:
            return None
        try:
            return self.adapter.validate_python(value)
        except ValidationError as error:
            logger.error("a stored record can't be read: %s", error.errors(include_input=False, include_url=False))  # noqa: TRY400  values stay out of the log
            return UnreadableRecord(error.error_count())


deliveries = Table(
    "deliveries",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(128), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("lane", String(64), nullable=False),  # deliveries of one lane go out in order
    Column("subject_id", RowId, nullable=False),  # of the kind's own table
    Column("requester", String(32), nullable=False),
    *placed(),
    Column("state", String(16), nullable=False),  # pending | sending | sent | refused
    Column("wanted", Integer, nullable=False),  # counts what is to be shown; behind `shown` there is work
    Column("shown", Integer, nullable=False),
    Column("digest", String(64), nullable=True),  # of what was last shown: an edit that changes nothing is not sent
    Column("ts", String(32), nullable=True),
    Column("first_try_at", Float, nullable=True),
    Column("looked_to", String(32), nullable=True),  # the message up to which its thread was searched for it
    Column("problem", String(64), nullable=True),
    Column("created_at", Float, nullable=False),
    *claimable(),
    Index("deliveries_done", "kind", "due_at"),
    Index("deliveries_subject", "kind", "subject_id"),
    Index("deliveries_lane", "lane"),
    Index("deliveries_stand", "channel", "ts"),
)


def behind(table: FromClause) -> ColumnElement[bool]:
    """Those that Slack has yet to see, as they are now."""
    return and_(~literally(table.c.state, "refused"), table.c.shown < table.c.wanted)


index_of_some("deliveries_behind", deliveries.c.due_at, only=behind(deliveries))
index_of_some(
    "deliveries_refused",
    deliveries.c.workspace,
    deliveries.c.created_at,
    only=literally(deliveries.c.state, "refused"),
)

keep(
    deliveries,
    Lives.WITH_ANOTHER,
    holds="which message of ours in Slack shows what; not what it says",
    at_uninstall=AtUninstall.DELETED,
)


def messages(*kinds: str, done_after: Kept | None = None) -> Part:
    """The deliveries that show a row; while one is still to be sent or edited, the row stays.

    `done_after`: from then on nobody edits them any more, though the row is still kept.
    """
    table = deliveries.c
    ours, unfinished = table.kind.in_(kinds), behind(deliveries)
    life = None
    if done_after is not None:
        done = and_(ours, ~unfinished, table.state.in_(["sent", "refused"]))
        life = Life(done_after, table.due_at, done)  # the time of the last post or edit
    return Part(table.subject_id, only=ours, unfinished=unfinished, life=life)


told_waits = Table(
    "told_waits",
    metadata,
    Column("workspace", String(32), primary_key=True),
    Column("method", String(64), primary_key=True),
    Column("channel", String(32), primary_key=True),  # empty: everywhere in the workspace
    Column("until", Float, nullable=False),
    Index("told_waits_until", "until"),
)

keep(
    told_waits,
    [Life(HOUR, since=told_waits.c.until)],
    holds="until when Slack told us to leave a method alone",
    at_uninstall=AtUninstall.DELETED,
)
