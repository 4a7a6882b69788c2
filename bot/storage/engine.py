"""One database behind everything durable: an SQLite file by default, PostgreSQL for several replicas.

Here live the engine, transactions, the clock all replicas share and the schema at start; no table is named here.
"""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from functools import partial
from typing import IO, TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Float,
    Insert,
    Row,
    Table,
    UpdateBase,
    bindparam,
    cast,
    event,
    func,
    literal,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from bot.storage import migrations, postgres
from bot.storage.metered import measure
from bot.storage.postgres import UNLIMITED, SessionLimits
from bot.storage.shared_commit import SharedCommit
from bot.storage.sqlite_file import FileInUseError, hold
from bot.storage.turns import Turns
from bot.storage.workers import Alarm

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

logger = logging.getLogger(__name__)

Clock = Callable[[], float]
Parameters = Mapping[str, Any]
T = TypeVar("T")

_SCHEMA_LOCK = 7_105_215  # any number, the same in every replica
_WOKEN = "woken"  # what a transaction has made due
_ALONE = "alone"  # a statement for itself, without BEGIN and COMMIT
_CHANGED = "changed"  # which tables it has written to
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=30000",
    "foreign_keys=ON",
    "secure_delete=ON",  # what is removed is overwritten; not every build of SQLite does that by itself
)


class DatabaseUnusableError(Exception):
    """The database can't be used as it is now; the message is for the person at the terminal."""


def why_unusable(url: URL, error: Exception) -> str:
    # as people write it; a query may hold words that are nobody else's business
    where = url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    reason = "no answer in time" if isinstance(error, TimeoutError) else said[0] if said else type(error).__name__
    if postgres.is_poolers(error):
        return (
            f"The database {where} is behind a pooler that hands out a connection for one transaction only, and knows no prepared "
            f"statements ({reason}). Use its session mode, PgBouncer 1.21 or newer with max_prepared_statements, or "
            "PostgreSQL's own port."
        )
    return (
        f"The database {where} can't be opened: {reason}. Check DATABASE_URL, that the server runs or the folder "
        "is writable, and that nobody has it locked."
    )


def wake(connection: AsyncConnection, work: Table | str, *, after: float = 0.0) -> None:
    """Rows of this table are due now, or in so many seconds: whoever works on them looks once this is committed."""
    connection.info.setdefault(_WOKEN, []).append((_name(work), after))


class Database:
    def __init__(self, url: str, *, clock: Clock | None = None, limits: SessionLimits | None = None) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._limits = limits or SessionLimits()
        self._clock = clock
        self._alarms: dict[str, list[Alarm]] = {}
        self._forgets: dict[str, list[Callable[[], None]]] = {}
        self._built: dict[Callable[[Database], Any], Any] = {}
        self._lock_file: IO[str] | None = None
        self.engine = _engine(self.url, self._limits)
        self._turns = Turns()
        self._shared_commit = SharedCommit(self.transaction, self._turns.first_waits) if self.is_sqlite else None
        # for what must not wait until a worker gives a connection back
        self._first = self.engine if self.is_sqlite else _engine(self.url, self._limits, 1)
        for engine in {self.engine, self._first}:
            event.listen(engine.sync_engine, "before_execute", _note_change)
        self._is_measured = False
        # each statement for itself: there a transaction would only be one more thing to be frozen in
        alone = {_ALONE: True} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._single = self.engine.execution_options(**alone)

    @property
    def now(self) -> ColumnElement[float]:
        """Unix seconds by the one clock all replicas share: the database's, where there can be several."""
        if (own := self.own_time) is not None:
            return literal(own, Float)
        # of the statement, not of the moment: what is the same throughout may be looked for in an index
        return cast(func.extract("epoch", func.statement_timestamp()), Float)

    @property
    def own_time(self) -> float | None:
        """The same where it is this process's clock; None where only the database knows."""
        if self._clock is not None:
            return self._clock()
        return time.time() if self.is_sqlite else None

    @property
    def moment(self) -> ColumnElement[float]:
        """`now` for a statement that is built once and executed many times, with `at_moment` among its parameters."""
        return self.now if self.own_time is None else bindparam("moment", type_=Float)

    @property
    def at_moment(self) -> dict[str, Any]:
        own = self.own_time
        return {} if own is None else {"moment": own}

    def time_in(self, seconds: float = 0.0) -> Any:
        """`now` and later, as a value to be written: a plain number where this process's clock is the one."""
        own = self.own_time
        return self.now + seconds if own is None else own + seconds

    def once(self, build: "Callable[[Database], T]") -> T:
        """A statement that is built at its first use and executed many times: to build one takes longer than to run it."""
        if build not in self._built:
            self._built[build] = build(self)
        built: T = self._built[build]
        return built

    def be_measured(self) -> None:
        """From the first time that somebody wants to know: until then a statement costs nothing more."""
        if not self._is_measured:
            for engine in {self.engine, self._first}:
                measure(engine.sync_engine)
        self._is_measured = True

    async def open(self) -> None:
        try:
            if self.is_sqlite:
                self._lock_file = self._hold()
            await self._migrate()
            if not self.is_sqlite:
                await postgres.look_at_pooler(self._single, self.engine)
        except (OSError, SQLAlchemyError) as error:
            await self.close()
            raise DatabaseUnusableError(why_unusable(self.url, error)) from error
        except BaseException:
            await self.close()
            raise

    def _hold(self) -> IO[str] | None:
        try:
            return hold(self.url)
        except FileInUseError as error:
            raise DatabaseUnusableError(
                f"Another Bits Bot is already using {error}. Stop it first, "
                "or set DATABASE_URL to a PostgreSQL database to run several."
            ) from error

    async def _migrate(self) -> None:
        async with self._unlimited() as engine, engine.begin() as connection:
            if not self.is_sqlite:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})"))
            try:
                await connection.run_sync(migrations.upgrade)
            except migrations.SchemaTooOldError as error:
                raise DatabaseUnusableError(str(error)) from error

    @asynccontextmanager
    async def _unlimited(self) -> AsyncIterator[AsyncEngine]:
        """For schema changes, which take as long as they take."""
        if self.is_sqlite:
            yield self.engine
            return
        engine = _engine(self.url, UNLIMITED)
        try:
            yield engine
        finally:
            await engine.dispose()

    async def close(self) -> None:
        if self._shared_commit is not None:
            await self._shared_commit.finish()
        await self.engine.dispose()
        await self._first.dispose()
        if self._lock_file is not None:
            self._lock_file.close()

    @asynccontextmanager
    async def transaction(self, *, first: bool = False) -> AsyncIterator[AsyncConnection]:
        """What `wake` was called with rings its alarms after the commit, and not at all when there is none.

        `first`: somebody outside waits for it, so it comes before all who wait in here.
        """
        woken: list[tuple[str, float]] = []
        changed: set[str] = set()
        try:
            async with self._turn(first=first), (self._first if first else self.engine).begin() as connection:
                connection.info[_WOKEN], connection.info[_CHANGED] = woken, changed
                yield connection
        finally:  # whoever was cancelled does not know whether it is committed
            self._forget(changed | {name for name, _ in woken})
        for name, after in woken:
            for alarm in self._alarms.get(name, ()):
                alarm.ring(after)

    async def together(self, write: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """A transaction of its own, or one with others who write at the same time: PostgreSQL joins their commits by itself."""
        if self._shared_commit is not None:
            return await self._shared_commit.write(write)
        async with self.transaction() as connection:
            return await write(connection)

    def _turn(self, *, first: bool = False) -> AbstractAsyncContextManager[None]:
        return self._turns.turn(first=first) if self.is_sqlite else nullcontext()

    async def first(self, query: Executable, parameters: Parameters | None = None) -> Row[Any] | None:
        async with self._turn(), self._single.begin() as connection:
            return (await connection.execute(query, parameters)).first()

    async def all(self, query: Executable, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        async with self._turn(), self._single.begin() as connection:
            return (await connection.execute(query, parameters)).all()

    async def write(self, change: Executable) -> bool:
        """Whether it changed any row."""
        if self._shared_commit is not None:
            return await self._shared_commit.write(partial(_changes, change=change))
        try:
            async with self._single.begin() as connection:
                return await _changes(connection, change)
        finally:
            if isinstance(table := getattr(change, "table", None), Table):
                self._forget({table.name})

    async def end_stuck_sessions(self) -> None:
        """Those of our own processes that were frozen or cut off in mid-work; nobody else could work on what they hold."""
        ended = await self.all(postgres.end_stuck(self._limits))
        if ended:
            logger.warning("ended %d database sessions of a bot that does not go on", len(ended))

    def ticks(self) -> float:
        """Seconds that only ever go on, by this process."""
        return (self._clock or time.monotonic)()

    def on_change(self, forget: Callable[[], None], *work: Table | str) -> None:
        """Called when this process has written to one of these tables, or has called `wake` with that name."""
        for each in work:
            self._forgets.setdefault(_name(each), []).append(forget)

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            for forget in self._forgets.get(name, ()):
                forget()

    def alarm(self, *work: Table | str, lasting: bool = False) -> Alarm:
        """Rings when a transaction of this process has made rows of these tables due."""
        alarm = Alarm(self.ticks, lasting=lasting)
        for each in work:
            self._alarms.setdefault(_name(each), []).append(alarm)
        return alarm

    def insert_new(self, table: Table) -> Insert:
        """An insert that leaves an existing row alone; RETURNING answers nothing then."""
        return self._insert(table).on_conflict_do_nothing()

    def upsert(self, table: Table, values: dict[str, Any], *, key: tuple[str, ...]) -> Insert:
        """An insert that replaces the row with the same key."""
        return self.upserts(table, values, key=key).values(values)

    def upserts(
        self, table: Table, columns: Iterable[str], *, key: tuple[str, ...]
    ) -> "sqlite.Insert | postgresql.Insert":
        """The same for many rows at once, which are given to `execute`."""
        inserted = self._insert(table)
        changed = {name: inserted.excluded[name] for name in columns if name not in key}
        return inserted.on_conflict_do_update(index_elements=key, set_=changed)

    def add_up(
        self, table: Table, columns: Iterable[str], *, key: tuple[str, ...]
    ) -> "sqlite.Insert | postgresql.Insert":
        """An insert that adds these columns to the row with the same key."""
        inserted = self._insert(table)
        sums = {name: table.c[name] + inserted.excluded[name] for name in columns}
        return inserted.on_conflict_do_update(index_elements=key, set_=sums)

    def _insert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        if self.is_sqlite:
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415  only where that is the database

        return postgresql.insert(table)


async def _changes(connection: AsyncConnection, change: Executable) -> bool:
    return bool((await connection.execute(change)).rowcount)


def _note_change(connection: Connection, statement: object, *_: object) -> None:
    if isinstance(statement, UpdateBase) and isinstance(statement.table, Table):
        connection.info.setdefault(_CHANGED, set()).add(statement.table.name)


def _name(work: Table | str) -> str:
    return work if isinstance(work, str) else work.name


def _engine(url: URL, limits: SessionLimits, connections: int = 8) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        return postgres.engine_of(url, limits, connections)
    # one connection, each transaction to itself; that also holds for a database in memory
    pool = {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": 60}
    engine = create_async_engine(url, **pool, hide_parameters=True)  # people's words must not stand in an error's text
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    event.listen(engine.sync_engine, "do_connect", _connect_quickly)
    event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "invalidate", _give_up_lock)
    return engine


def _begin(connection: Any) -> None:
    if not connection.get_execution_options().get(_ALONE):
        connection.connection.driver_connection.begin()


def _connect_quickly(_dialect: Any, _record: Any, _args: Any, options: dict[str, Any]) -> None:
    from bot.storage import sqlite_driver  # noqa: PLC0415  only where that is the database

    options["async_creator_fn"] = sqlite_driver.connect


def _set_pragmas(connection: Any, _record: Any) -> None:
    # the driver opens no transaction for DDL: a killed start would leave half a schema
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _give_up_lock(connection: Any, _record: Any, _error: BaseException | None) -> None:
    """SQLite keeps the lock of a closed connection until the last cursor is collected, and a cancelled task may hold one."""
    with suppress(Exception):  # it may have been closed before
        connection.rollback()
