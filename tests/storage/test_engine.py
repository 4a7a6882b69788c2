"""Opening the database: the schema comes by itself, twice does no harm, and one SQLite file serves one process."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from bot.investigations.tables import poll_turns
from bot.storage.engine import Database, DatabaseUnusableError


async def test_what_was_kept_is_there_after_a_restart(empty_database_url: str) -> None:
    first = Database(empty_database_url)
    await first.open()
    async with first.transaction() as connection:
        await connection.execute(poll_turns.insert().values(org="default", next_at=1.0, slow_at=2.0))
    await first.close()

    second = Database(empty_database_url)
    await second.open()
    async with second.transaction() as connection:
        assert (await connection.execute(select(poll_turns))).all() == [("default", 1.0, 2.0)]
    await second.close()


async def test_replicas_that_start_at_once_on_an_empty_database_all_come_up(postgres_url: str) -> None:
    replicas = [Database(postgres_url) for _ in range(4)]
    await asyncio.gather(*(replica.open() for replica in replicas))
    await asyncio.gather(*(replica.first(text("SELECT 1")) for replica in replicas))
    await asyncio.gather(*(replica.close() for replica in replicas))


async def test_what_is_committed_to_the_file_is_on_the_disk(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite3")
    async with database.transaction() as connection:
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar_one() == 2  # FULL
    await database.close()


async def test_a_transaction_given_up_at_any_point_leaves_the_file_free(tmp_path: Path) -> None:
    """What takes too long is cancelled, in the middle of a statement too: the next transaction must not find it locked."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite3")
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE kept (number INTEGER)"))
    kept: set[int] = set()
    for steps in range(100):
        writing = asyncio.create_task(_write(database, steps))
        for _ in range(steps):
            await asyncio.sleep(0)
        writing.cancel()
        (outcome,) = await asyncio.gather(writing, return_exceptions=True)
        kept |= {steps} if outcome is None else set()
        async with asyncio.timeout(20), database.transaction() as connection:
            await connection.execute(text("INSERT INTO kept VALUES (-1)"))
    await _write(database, 100)
    rows = await database.all(text("SELECT number, count(*) AS times FROM kept WHERE number >= 0 GROUP BY number"))
    found = {row.number: row.times for row in rows}
    assert set(found.values()) == {3}  # all of it or nothing
    assert kept | {100} <= set(found)
    await database.close()


async def _write(database: Database, number: int) -> None:
    async with database.transaction() as connection:
        for _ in range(3):
            await connection.execute(text("INSERT INTO kept VALUES (:number) RETURNING number"), {"number": number})


async def test_what_goes_wrong_with_a_row_is_told_without_what_it_holds(database: Database) -> None:
    with pytest.raises(SQLAlchemyError) as told:
        await database.write(text("INSERT INTO nowhere VALUES (:words)").bindparams(words="our customers"))
    assert "nowhere" in str(told.value)
    assert "customers" not in str(told.value)


async def test_a_second_process_on_the_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite3"
    database = Database(url)
    await database.open()
    program = (
        "import asyncio\n"
        "from bot.storage.engine import Database, DatabaseUnusableError\n"
        "try:\n"
        f"    asyncio.run(Database({url!r}).open())\n"
        "except DatabaseUnusableError as error:\n"
        "    print(error)\n"
    )
    other = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert other.stdout == (
        f"Another Bits Bot is already using {tmp_path}/ledger.sqlite3. Stop it first, "
        "or set DATABASE_URL to a PostgreSQL database to run several.\n"
    )
    await database.close()


async def test_the_file_is_free_again_after_closing(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/new/folder/ledger.sqlite3"
    first, second = Database(url), Database(url)
    await first.open()
    with pytest.raises(DatabaseUnusableError):
        await second.open()
    await first.close()
    await second.open()
    await second.first(text("SELECT 1"))
    await second.close()


async def test_a_start_that_fails_lets_go_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_text("no database at all, but long enough to be read as the header of one" * 20)
    broken = Database(f"sqlite+aiosqlite:///{path}")
    with pytest.raises(Exception, match="file is not a database"):
        await broken.open()
    path.unlink()
    await broken.open()
    await broken.close()


async def test_an_error_in_a_transaction_leaves_no_trace(database: Database) -> None:
    async def half_done() -> None:
        async with database.transaction() as connection:
            await connection.execute(poll_turns.insert().values(org="default", next_at=1.0, slow_at=1.0))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await half_done()
    async with database.transaction() as connection:
        assert (await connection.execute(select(poll_turns))).all() == []


async def test_insert_new_leaves_what_is_there_alone(database: Database) -> None:
    async with database.transaction() as connection:
        for value, kept in ((1.0, True), (2.0, False)):
            insert = database.insert_new(poll_turns).values(org="default", next_at=value, slow_at=value)
            inserted = await connection.execute(insert.returning(poll_turns.c.org))
            assert (inserted.first() is not None) is kept
        assert (await connection.execute(select(poll_turns.c.next_at))).scalar_one() == 1.0


async def test_upsert_replaces_the_row_with_the_same_key(database: Database) -> None:
    async with database.transaction() as connection:
        for value in (1.0, 2.0):
            values = {"org": "default", "next_at": value, "slow_at": value}
            await connection.execute(database.upsert(poll_turns, values, key=("org",)))
        assert (await connection.execute(select(poll_turns.c.next_at))).all() == [(2.0,)]


async def test_replicas_go_by_the_database_s_clock(postgres_url: str) -> None:
    database = Database(postgres_url)
    async with database.transaction() as connection:
        first = (await connection.execute(select(database.now))).scalar_one()
        second = (await connection.execute(select(database.now))).scalar_one()
        told = (await connection.execute(text("SELECT extract(epoch FROM now())"))).scalar_one()
    assert first < second  # it goes on within a transaction
    assert abs(first - float(told)) < 5
    await database.close()
