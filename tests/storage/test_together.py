"""Many writes in one transaction and many reads in one statement; each for itself where one of them is wrong."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.engine import Database
from bot.storage.together import ReadTogether, Together


async def test_what_comes_while_one_is_written_is_written_together(database: Database) -> None:
    written: list[list[str]] = []

    async def write(_connection: AsyncConnection, items: Sequence[str]) -> None:
        written.append(list(items))

    together = Together(database, write)
    await asyncio.gather(*(together.keep(each) for each in "abcd"))
    assert [item for group in written for item in group] == ["a", "b", "c", "d"]
    assert len(written) <= 2


async def test_what_cannot_be_written_hurts_nobody_but_who_brought_it(database: Database) -> None:
    written: list[str] = []

    async def write(_connection: AsyncConnection, items: Sequence[str]) -> None:
        if "bad" in items:
            raise ValueError("bad")
        written.extend(items)

    together = Together(database, write)
    outcomes = await asyncio.gather(*(together.keep(each) for each in ("a", "bad", "b")), return_exceptions=True)
    assert [type(each) for each in outcomes] == [type(None), ValueError, type(None)]
    assert written == ["a", "b"]


async def test_who_is_cancelled_leaves_it_to_be_written(database: Database) -> None:
    written: list[str] = []
    go_on = asyncio.Event()

    async def write(_connection: AsyncConnection, items: Sequence[str]) -> None:
        await go_on.wait()
        written.extend(items)

    together = Together(database, write)
    impatient = asyncio.create_task(together.keep("a"))
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    go_on.set()
    await together.keep("b")
    assert written == ["a", "b"]


async def test_what_is_asked_at_the_same_time_is_read_once() -> None:
    read: list[list[int]] = []

    async def squares(numbers: Sequence[int]) -> dict[int, int]:
        read.append(list(numbers))
        return {number: number**2 for number in numbers if number < 10}

    reader = ReadTogether(squares)
    assert await asyncio.gather(*(reader.get(each) for each in (2, 3, 3, 11))) == [4, 9, 9, None]
    assert read == [[2, 3, 11]]


async def test_who_asks_later_gets_what_is_read_later() -> None:
    value, reads, go_on = 1, asyncio.Event(), asyncio.Event()

    async def read(keys: Sequence[str]) -> dict[str, int]:
        reads.set()
        seen = dict.fromkeys(keys, value)
        await go_on.wait()
        return seen

    reader = ReadTogether(read)
    first = asyncio.create_task(reader.get("a"))
    await reads.wait()
    value = 2
    second = asyncio.create_task(reader.get("a"))
    go_on.set()
    assert (await first, await second) == (1, 2)


async def test_a_read_that_fails_is_told_to_all_who_wait() -> None:
    async def read(_: Sequence[str]) -> dict[str, int]:
        raise OSError("away")

    reader = ReadTogether(read)
    outcomes = await asyncio.gather(reader.get("a"), reader.get("b"), return_exceptions=True)
    assert [type(each) for each in outcomes] == [OSError, OSError]
