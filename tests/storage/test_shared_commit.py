"""What is written at the same time shares a commit, and nobody's trouble is another's."""

import asyncio
import math
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.home.tables import home_tabs
from bot.logs import about, known
from bot.storage import shared_commit
from bot.storage.engine import Database, wake
from tests.meter import Meter


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A file: what is in memory only is lost with a connection on which somebody gave up."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite3"
    return str(request.getfixturevalue("ready_postgres_url"))


class _UnhappyError(Exception):
    pass


async def opened(connection: AsyncConnection, person: str, *, unhappy: bool = False) -> str:
    await connection.execute(
        home_tabs.insert().values(workspace="T1", person=person, opened_at=0, view_hash="", digest="")
    )
    if unhappy:
        raise _UnhappyError(person)
    return person


def opens(database: Database, *people: str, unhappy: str = "") -> "list[asyncio.Task[str]]":
    return [
        asyncio.create_task(database.together(partial(opened, person=person, unhappy=person == unhappy)))
        for person in people
    ]


async def kept(database: Database) -> list[str]:
    return [row.person for row in await database.all(select(home_tabs.c.person).order_by(home_tabs.c.person))]


async def test_each_hears_its_own_answer_and_what_one_raises_undoes_it_alone(database: Database) -> None:
    told = await asyncio.gather(*opens(database, "a", "b", "c", "d", unhappy="b"), return_exceptions=True)
    assert [str(each) for each in told] == ["a", "b", "c", "d"]
    assert isinstance(told[1], _UnhappyError)
    assert await kept(database) == ["a", "c", "d"]


async def test_on_a_file_what_comes_at_once_is_one_commit(database: Database) -> None:
    meter, people = Meter(database), [f"{number:03}" for number in range(shared_commit.AT_ONCE + 20)]
    await asyncio.gather(*opens(database, *people))
    assert await kept(database) == people
    assert meter.transactions == (2 if database.is_sqlite else len(people))


async def test_who_is_waited_for_outside_comes_between_and_the_rest_after_it(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite3")
    await database.open()
    begun, waits, seen = asyncio.Event(), asyncio.Event(), list[str]()

    async def slow(connection: AsyncConnection, person: str) -> str:
        begun.set()
        await waits.wait()
        return await opened(connection, person)

    async def outside() -> None:
        async with database.transaction(first=True) as connection:
            seen.extend((await connection.execute(select(home_tabs.c.person))).scalars())

    writing = [asyncio.create_task(database.together(partial(slow, person=each))) for each in "abc"]
    await begun.wait()
    reading = asyncio.create_task(outside())
    await asyncio.sleep(0)
    assert database._turns.first_waits()
    waits.set()
    await reading
    assert seen == ["a"]
    assert await asyncio.gather(*writing) == ["a", "b", "c"]
    assert await kept(database) == ["a", "b", "c"]
    await database.close()


async def test_whoever_waits_is_woken_and_log_lines_are_about_whom_they_concern(database: Database) -> None:
    alarm, heard = database.alarm("something"), list[str]()

    async def write(connection: AsyncConnection) -> None:
        wake(connection, "something")
        heard.append(known()["ref"])

    async def write_about(ref: str) -> None:
        with about(ref=ref):
            await database.together(write)

    await asyncio.gather(*(write_about(ref) for ref in "xyz"))
    assert alarm.at < math.inf
    assert sorted(heard) == ["x", "y", "z"]


async def test_whoever_gives_up_at_any_moment_takes_no_other_along(database: Database) -> None:
    left = 0
    for steps in range(60):
        tasks = opens(database, *(f"{steps:02} {each}" for each in range(3)))
        for _ in range(steps):
            await asyncio.sleep(0)
        tasks[1].cancel()
        told = await asyncio.gather(*tasks, return_exceptions=True)
        assert told[0] == f"{steps:02} 0"
        assert told[2] == f"{steps:02} 2"
        found = await kept(database)
        assert f"{steps:02} 1" in found or isinstance(told[1], asyncio.CancelledError)
        left += f"{steps:02} 1" not in found
    assert left


async def test_what_does_not_end_fails_alone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    if not database.is_sqlite:
        pytest.skip("its own limits end a statement there")
    monkeypatch.setattr(shared_commit, "WRITTEN_WITHIN", 0.05)

    async def hang(_: AsyncConnection) -> None:
        await asyncio.Event().wait()

    hanging = asyncio.create_task(database.together(hang))
    told = await asyncio.gather(*opens(database, "a"), hanging, *opens(database, "b"), return_exceptions=True)
    assert [type(each) for each in told] == [str, TimeoutError, str]
    assert await kept(database) == ["a", "b"]


async def test_what_is_under_way_at_a_stop_is_still_written(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/other.sqlite3")
    await database.open()
    tasks = opens(database, "a", "b")
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*tasks) == ["a", "b"]
