"""Who works on a row, until when, and who may still write about it. Every story runs on both databases."""

import asyncio
from typing import Any

from sqlalchemy import Row, select, true, update

from bot.investigations.tables import asks
from bot.model import ThreadRef
from bot.storage.engine import Database
from bot.storage.leases import Leases, new_owner
from tests.claims import claim
from tests.clock import Clock

LEASE = 30.0
SETTLE = 20.0
WAITING = asks.c.state == "waiting"


async def write_down(database: Database, *keys: str, due_in: float = 0.0) -> None:
    async with database.transaction() as connection:
        for key in keys:
            await connection.execute(
                asks.insert().values(
                    key=key,
                    org="default",
                    workspace="T1",
                    channel="C1",
                    thread_ts="1.1",
                    requester="U1",
                    source="button",
                    subject=ThreadRef(),
                    state="waiting",
                    created_at=database.now,
                    due_at=database.now + due_in,
                )
            )


async def rows(database: Database) -> list[Row[Any]]:
    async with database.transaction() as connection:
        return list((await connection.execute(select(asks).order_by(asks.c.id))).all())


def leases(database: Database, owner: str = "") -> Leases:
    return Leases(database, asks, owner=owner or new_owner(), lease=LEASE)


def keys(claimed: list[Row[Any]]) -> list[str]:
    return [row.key for row in claimed]


async def written(database: Database, fence: Any) -> bool:
    async with database.transaction() as connection:
        changed = await connection.execute(update(asks).where(fence.holds(asks)).values(problem="written"))
    return bool(changed.rowcount)


async def test_a_row_is_claimed_once(database: Database) -> None:
    await write_down(database, "a", "b")
    ada, ben = leases(database), leases(database)
    assert keys(await claim(ada, WAITING, 10)) == ["a", "b"]
    assert await claim(ben, WAITING, 10) == []


async def test_the_limit_holds_and_the_longest_due_goes_first(database: Database, clock: Clock) -> None:
    await write_down(database, "late", due_in=5)
    await write_down(database, "early")
    await write_down(database, "future", due_in=60)
    clock.wind(10)
    ada = leases(database)
    assert keys(await claim(ada, WAITING, 1)) == ["early"]
    assert keys(await claim(ada, WAITING, 5)) == ["late"]


async def test_the_limit_holds_among_many(database: Database) -> None:
    await write_down(database, *(f"key {number}" for number in range(300)))
    async with database.transaction() as connection:
        if not database.is_sqlite:
            await connection.exec_driver_sql("SET LOCAL enable_hashjoin = off")
            await connection.exec_driver_sql("SET LOCAL enable_hashagg = off")
        mine = leases(database)
        claimed = await mine.claim(connection, mine.claiming(WAITING), 7)
    assert len(claimed) == 7


async def test_only_what_the_caller_means_is_claimed(database: Database) -> None:
    await write_down(database, "a", "b")
    assert keys(await claim(leases(database), asks.c.key == "b", 10)) == ["b"]


async def test_a_lease_that_ran_out_is_taken_over_and_the_first_owner_can_no_longer_write(
    database: Database, clock: Clock
) -> None:
    await write_down(database, "a")
    ada, ben = leases(database), leases(database)
    (hers,) = await claim(ada, WAITING, 1)
    clock.wind(LEASE - 1)
    assert await claim(ben, WAITING, 1) == []
    assert await written(database, ada.fence(hers))
    clock.wind(1)
    (his,) = await claim(ben, WAITING, 1)
    assert his.attempt == hers.attempt + 1
    assert not await written(database, ada.fence(hers))
    assert await written(database, ben.fence(his))


async def test_the_same_owner_s_older_claim_is_lost_too(database: Database, clock: Clock) -> None:
    """A process that was frozen beyond its own lease may claim the row again before the old task wakes."""
    await write_down(database, "a")
    ada = leases(database)
    (before,) = await claim(ada, WAITING, 1)
    clock.wind(LEASE)
    (after,) = await claim(ada, WAITING, 1)
    assert not await written(database, ada.fence(before))
    assert await written(database, ada.fence(after))


async def test_claims_at_the_same_time_share_the_work_and_never_a_row(database: Database) -> None:
    await write_down(database, *(f"key {number}" for number in range(40)))
    claimed = await asyncio.gather(*(claim(leases(database), WAITING, 10) for _ in range(8)))
    taken = [key for rows_ in claimed for key in keys(rows_)]
    assert len(taken) == len(set(taken))
    taken += keys(await claim(leases(database), WAITING, 40))  # whoever was skipped comes round again
    assert sorted(taken) == sorted(f"key {number}" for number in range(40))


async def test_after_a_crash_work_comes_back_once_its_requests_must_have_landed(
    database: Database, clock: Clock
) -> None:
    await write_down(database, "a")
    await claim(leases(database, "the dead one"), WAITING, 1)
    clock.wind(5)
    successor = leases(database)
    async with database.transaction() as connection:
        await successor.settle_old(connection, WAITING, SETTLE)
    clock.wind(SETTLE - 1)
    assert await claim(successor, WAITING, 1) == []
    clock.wind(1)
    assert keys(await claim(successor, WAITING, 1)) == ["a"]


async def test_settling_never_puts_work_off(database: Database, clock: Clock) -> None:
    await write_down(database, "a")
    await claim(leases(database, "the dead one"), WAITING, 1)
    clock.wind(LEASE - 2)
    successor = leases(database)
    async with database.transaction() as connection:
        await successor.settle_old(connection, WAITING, SETTLE)
    clock.wind(2)
    assert keys(await claim(successor, WAITING, 1)) == ["a"]


async def test_settling_leaves_alone_what_nobody_held(database: Database, clock: Clock) -> None:
    await write_down(database, "retry later", due_in=300)
    successor = leases(database)
    async with database.transaction() as connection:
        await successor.settle_old(connection, true(), 0)
    clock.wind(200)
    assert await claim(successor, WAITING, 1) == []


async def test_the_dead_owner_cannot_write_after_settling(database: Database) -> None:
    await write_down(database, "a")
    dead = leases(database)
    (claimed,) = await claim(dead, WAITING, 1)
    async with database.transaction() as connection:
        await leases(database).settle_old(connection, WAITING, SETTLE)
    assert not await written(database, dead.fence(claimed))


async def test_a_clean_stop_hands_back_at_once_what_is_certain_and_later_what_is_open(
    database: Database, clock: Clock
) -> None:
    await write_down(database, "certain", "open")
    ada = leases(database)
    await claim(ada, WAITING, 2)
    async with database.transaction() as connection:
        await ada.hand_back(connection, asks.c.key == "open", SETTLE)
    ben = leases(database)
    assert keys(await claim(ben, WAITING, 2)) == ["certain"]
    clock.wind(SETTLE)
    assert keys(await claim(ben, WAITING, 2)) == ["open"]


async def test_a_clean_stop_touches_nobody_else_s_work(database: Database) -> None:
    await write_down(database, "a")
    await claim(leases(database, "ada"), WAITING, 1)
    async with database.transaction() as connection:
        await leases(database, "ben").hand_back(connection, WAITING, 0)
    (row,) = await rows(database)
    assert row.owner == "ada"
