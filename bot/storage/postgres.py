"""What keeps one process of ours, frozen or cut off, from holding up the others on a shared PostgreSQL."""

import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause, event, func, select, text
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

logger = logging.getLogger(__name__)

APPLICATION = "bits-bot"


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long one session may take for what, in seconds; the longest of our own transactions takes a fraction of one."""

    idle_in_transaction: float = 5.0
    transaction: float = 20.0  # known to PostgreSQL since 17
    lock: float = 8.0
    statement: float = 30.0
    answer: float | None = 32.0  # by then the server has ended it: no answer means no connection
    connect: float = 10.0
    stuck: float = 10.0  # a session that waits for its client so long in mid-work belongs to nobody who works

    def as_settings(self) -> dict[str, str]:
        limits = {
            "idle_in_transaction_session_timeout": self.idle_in_transaction,
            "transaction_timeout": self.transaction,
            "lock_timeout": self.lock,
            "statement_timeout": self.statement,
        }
        keepalives = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
        return {name: f"{seconds * 1000:.0f}" for name, seconds in limits.items()} | keepalives


# for schema changes, which may take what they need: 0 is no limit to PostgreSQL
UNLIMITED = SessionLimits(idle_in_transaction=0, transaction=0, lock=0, statement=0, answer=None)


def engine_of(url: URL, limits: SessionLimits, connections: int) -> AsyncEngine:
    patience = {"timeout": limits.connect, "command_timeout": limits.answer}
    pool = {"pool_size": connections, "max_overflow": connections // 2}
    engine = create_async_engine(url, **pool, connect_args=patience, hide_parameters=True)
    introduction = _introduction({"application_name": APPLICATION} | limits.as_settings())

    def introduce(connection: Any, _record: Any) -> None:
        # set here, not asked for with the connection: a pooler between us and the server refuses what it does not know
        connection.run_async(lambda driver: driver.execute(introduction))

    event.listen(engine.sync_engine, "connect", introduce)
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    event.listen(engine.sync_engine, "handle_error", _no_answer_is_no_connection)
    return engine


def _introduction(settings: dict[str, str]) -> str:
    wanted = ", ".join(f"('{name}', '{value}')" for name, value in settings.items())
    known = f"(VALUES {wanted}) AS wanted (name, value) JOIN pg_catalog.pg_settings USING (name)"
    return f"SELECT pg_catalog.set_config(name, wanted.value, false) FROM {known}"  # noqa: S608  all of it is ours


def _refuse_closed(connection: Any, _record: Any, _proxy: Any) -> None:
    """The driver has seen the server go: a new connection instead, without asking over the old one first."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def is_poolers(error: Exception) -> bool:
    """Whether it shows that the server behind the connection is another from one statement to the next."""
    cause = getattr(getattr(error, "orig", None), "__cause__", None)
    return type(cause).__name__ in {
        "DuplicatePreparedStatementError",
        "InvalidSQLStatementNameError",
        "ProtocolViolationError",
    }


async def look_at_pooler(autocommitting: AsyncEngine, engine: AsyncEngine) -> None:
    """Raises what a pooler without prepared statements says; warns of one that hands out a connection for a transaction only."""
    whose = select(func.pg_backend_pid())
    async with autocommitting.connect() as one, engine.begin() as other:
        first, taken, again = await one.scalar(whose), await other.scalar(whose), await one.scalar(whose)
        if first == taken or first != again:
            logger.warning(
                "a pooler gives each transaction another connection: how long a statement may take is not certain to be limited. "
                "Use its session mode, or PostgreSQL's own port"
            )


def _no_answer_is_no_connection(context: ExceptionContext) -> None:
    """Over a line that went dead nothing will come, nor over those that were opened when it was."""
    if isinstance(context.original_exception, TimeoutError):
        context.is_disconnect = context.invalidate_pool_on_disconnect = True


def end_stuck(limits: SessionLimits) -> TextClause:
    """Ends sessions of ours whose process does not go on: it may be stopped, or cut off, and keeps rows locked."""
    return text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = current_user AND application_name = :application"
        " AND pid <> pg_backend_pid() AND state <> 'idle' AND xact_start IS NOT NULL"
        " AND (wait_event_type = 'Client' OR state LIKE 'idle in transaction%')"
        " AND state_change < clock_timestamp() - make_interval(secs => :seconds)"
    ).bindparams(application=APPLICATION, seconds=limits.stuck)
