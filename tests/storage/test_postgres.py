"""A PostgreSQL that several processes share: one that is frozen or cut off must not hold up the others."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.investigations.tables import poll_turns
from bot.storage.engine import Database, why_unusable
from bot.storage.postgres import SessionLimits
from tests.line import Line

QUICK = SessionLimits(idle_in_transaction=0.3, transaction=5, lock=1, statement=1, answer=1.5, connect=2, stuck=0.2)


@pytest.fixture
async def line(ready_postgres_url: str) -> AsyncIterator[Line]:
    line = Line(ready_postgres_url)
    yield line
    await line.stop()


@pytest.fixture
async def replica(ready_postgres_url: str) -> AsyncIterator[Database]:
    database = Database(ready_postgres_url, limits=QUICK)
    await database.write(poll_turns.insert().values(org="default", next_at=0.0, slow_at=0.0))
    yield database
    await database.close()


TAKE_TURN = update(poll_turns).values(next_at=poll_turns.c.next_at + 1)


async def test_a_replica_that_stops_inside_a_transaction_loses_it(ready_postgres_url: str, replica: Database) -> None:
    other = Database(ready_postgres_url, limits=QUICK)

    async def stops_in_between() -> None:
        async with other.transaction() as connection:
            await connection.execute(TAKE_TURN)
            await replica.write(TAKE_TURN)  # waits until the server has ended the other's session

    with pytest.raises(SQLAlchemyError):
        await stops_in_between()
    await other.close()
    assert [row.next_at for row in await replica.all(select(poll_turns))] == [1.0]


_FROZEN_IN_MID_STATEMENT = """
import asyncio, os, signal, sys
import asyncpg
async def main():
    connection = await asyncpg.connect(sys.argv[1], server_settings={"application_name": "bits-bot"})
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("UPDATE poll_turns SET next_at = 100")
    # half a statement: parsed, and its values never sent
    connection._transport.write(b"P" + (4 + 1 + 9 + 2).to_bytes(4, "big") + b"\\0SELECT 1\\0\\0\\0" + b"H" + (4).to_bytes(4, "big"))
    await asyncio.sleep(0.2)
    print("frozen", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
asyncio.run(main())
"""


async def test_a_session_frozen_in_mid_statement_is_ended_by_the_others(
    ready_postgres_url: str, replica: Database
) -> None:
    """PostgreSQL itself takes it for busy, so none of its time-outs ends it."""
    url = ready_postgres_url.replace("+asyncpg", "")
    frozen = subprocess.Popen([sys.executable, "-c", _FROZEN_IN_MID_STATEMENT, url], stdout=subprocess.PIPE)  # noqa: ASYNC220
    try:
        assert frozen.stdout is not None
        assert await asyncio.to_thread(frozen.stdout.readline) == b"frozen\n"
        with pytest.raises(DBAPIError):
            await replica.write(TAKE_TURN)
        await replica.end_stuck_sessions()
        assert await replica.write(TAKE_TURN)
        assert [row.next_at for row in await replica.all(select(poll_turns))] == [1.0]
    finally:
        frozen.send_signal(signal.SIGKILL)
        await asyncio.to_thread(frozen.communicate)


async def test_only_sessions_of_ours_that_do_not_go_on_are_ended(ready_postgres_url: str, replica: Database) -> None:
    other = Database(ready_postgres_url, limits=SessionLimits(stuck=QUICK.stuck))
    await other.first(text("SELECT 1"))  # idle in its pool from here on
    working = asyncio.create_task(other.first(select(func.pg_sleep(QUICK.stuck * 3))))
    async with replica.transaction() as connection:
        await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        await connection.execute(text("SET application_name = 'psql'"))
        await other.first(select(func.pg_sleep(QUICK.stuck * 1.5)))  # it is PostgreSQL's clock that counts
        await other.end_stuck_sessions()
        await connection.execute(text("SELECT 1"))
    await working
    await other.close()


@pytest.mark.usefixtures("replica")
async def test_over_a_line_that_went_dead_one_statement_fails_and_the_next_one_works(line: Line) -> None:
    database = Database(await line.start(), limits=QUICK)
    async with database.transaction() as first, database.transaction() as second:
        await first.execute(text("SELECT 1"))
        await second.execute(text("SELECT 1"))
    line.goes_dead()
    async with asyncio.timeout(10):
        with pytest.raises((SQLAlchemyError, TimeoutError)):
            await database.all(select(poll_turns))
        assert await database.all(select(poll_turns))
        await database.write(TAKE_TURN)
        await database.close()


async def test_a_server_that_went_and_came_back_costs_nobody_a_failure(
    ready_postgres_url: str, replica: Database
) -> None:
    database = Database(ready_postgres_url)
    async with database.transaction() as connection:
        pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        driver = (await connection.get_raw_connection()).driver_connection
    ended = asyncio.Event()
    assert driver is not None
    driver.add_termination_listener(lambda _: ended.set())
    await replica.first(select(func.pg_terminate_backend(pid)))
    await ended.wait()
    assert await database.all(select(poll_turns))
    await database.close()


async def test_schema_changes_take_as_long_as_they_need(ready_postgres_url: str) -> None:
    async with Database(ready_postgres_url, limits=QUICK)._unlimited() as engine, engine.begin() as connection:
        for name in QUICK.as_settings():
            if name.endswith("timeout"):
                shown = await connection.execute(text("SELECT current_setting(:name, true)").bindparams(name=name))
                assert shown.scalar_one() in {"0", None}


async def test_a_pooler_that_knows_no_prepared_statements_is_named_and_none_is_seen_where_there_is_none(
    ready_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(ready_postgres_url)
    await database.open()
    assert "pooler" not in caplog.text
    async with database.engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        await connection.exec_driver_sql("DEALLOCATE ALL")  # as if the next statement came to another server
        with pytest.raises(DBAPIError) as lost:
            await connection.execute(text("SELECT 1"))
    await database.close()
    told = why_unusable(database.url, lost.value)
    assert "is behind a pooler" in told
    assert "max_prepared_statements" in told
