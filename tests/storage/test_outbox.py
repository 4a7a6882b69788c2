"""What became of a delivery is written by whoever has it, and by nobody who had it before."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select, text, update

from bot.storage.engine import Database
from bot.storage.leases import Leases
from bot.storage.outbox import Delivery, NewPost, Outbox, claiming, due, enqueue, read_deliveries, show_anew
from bot.storage.tables import deliveries
from tests.clock import Clock
from tests.pg import ready, ready_postgres_url

__all__ = ["ready_postgres_url"]

LEASE = 10.0

Outcome = Callable[[Outbox, Delivery], Awaitable[object]]

OUTCOMES: dict[str, Outcome] = {
    "sent": lambda outbox, delivery: outbox.sent(delivery, "1.1", "what it says"),
    "adopted": lambda outbox, delivery: outbox.adopted(delivery, "1.1"),
    "not sent": lambda outbox, delivery: outbox.not_sent(delivery, 5, "away"),
    "open": lambda outbox, delivery: outbox.outcome_open(delivery, 5, "no answer"),
    "refused": lambda outbox, delivery: outbox.refused(delivery, "is_archived"),
    "sending": lambda outbox, delivery: outbox.sending(delivery),
    "looked": lambda outbox, delivery: outbox.looked(delivery, "0.9"),
}


async def owe(database: Database, *keys: str) -> None:
    async with database.transaction() as connection:
        for number, key in enumerate(keys):
            post = NewPost(key, "card", f"thread:{key}", number, "T1", f"C{number}", "1.0", "U1")
            await enqueue(database, connection, post)


async def claimed(database: Database, owner: str) -> list[Delivery]:
    leases = Leases(database, deliveries, owner=owner, lease=LEASE)
    async with database.transaction() as connection:
        rows = await leases.claim(connection, claiming(leases, database.moment, due()), 10)
        return await read_deliveries(connection, rows, leases.fence, LEASE)


async def kept(database: Database) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await database.all(select(deliveries).order_by(deliveries.c.id))]


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
async def test_who_was_given_up_for_dead_writes_nothing(database: Database, clock: Clock, outcome: Outcome) -> None:
    outbox = Outbox(database, lease=LEASE)
    await owe(database, "a")
    (late,) = await claimed(database, "late")
    clock.wind(LEASE + 1)
    (current,) = await claimed(database, "current")
    before = await kept(database)
    await outcome(outbox, late)
    assert await kept(database) == before
    await outcome(outbox, current)
    assert await kept(database) != before


async def test_of_a_group_only_those_are_written_that_are_still_held(database: Database, clock: Clock) -> None:
    outbox = Outbox(database, lease=LEASE)
    await owe(database, "a", "b", "c")
    a, b, c = await claimed(database, "ours")
    await database.write(update(deliveries).where(deliveries.c.key == "b").values(owner="another"))
    clock.wind(1)
    await asyncio.gather(*(outbox.sent(each, f"{each.fence.id}.0", "what it says") for each in (a, b, c)))
    rows = await database.all(select(deliveries).order_by(deliveries.c.id))
    assert [(row.key, row.state, row.ts, row.owner) for row in rows] == [
        ("a", "sent", f"{a.fence.id}.0", None),
        ("b", "sending", None, "another"),
        ("c", "sent", f"{c.fence.id}.0", None),
    ]


async def test_a_claim_tells_whether_more_wait_for_its_own_channel(database: Database) -> None:
    await owe(database, "a", "b")
    async with database.transaction() as connection:
        await enqueue(database, connection, NewPost("c", "card", "thread:c", 9, "T1", "C0", "2.0", "U1"))
    assert {each.post.key: each.more_wait for each in await claimed(database, "ours")} == {"a": True, "b": False}


_WAITS = text("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


@pytest.mark.parametrize("plan_without", ["", "seqscan", "indexscan", "bitmapscan", "hashjoin", "nestloop", "hashagg"])
async def test_what_changes_while_messages_are_settled_is_shown_once_more(
    ready_postgres_url: str, plan_without: str
) -> None:
    """PostgreSQL looks once more at rows that it had to wait for, and not in every plan it finds all that it had found."""
    async with ready(Database(ready_postgres_url)) as database:
        async with database.transaction() as connection:
            await enqueue(database, connection, NewPost("opener", "alert_card", "opener", 1, "T1", "C1"))
            await enqueue(database, connection, NewPost("card", "card", "card", 7, "T1", "C1", "1.0"))
            await connection.execute(update(deliveries).where(deliveries.c.key == "opener").values(ts="1.0"))

        async def changes() -> None:
            async with database.transaction() as connection:
                if plan_without:
                    await connection.execute(text(f"SET LOCAL enable_{plan_without} = off"))
                await show_anew(connection, "card", 7, openers=["alert_card"])

        async with database.transaction() as connection:
            await connection.execute(update(deliveries).values(shown=1))
            changing = asyncio.create_task(changes())
            async with asyncio.timeout(30):
                while await database.first(_WAITS) is None:
                    assert not changing.done()
        await changing
        wanted = {row.key: row.wanted for row in await database.all(select(deliveries))}
        assert wanted == {"opener": 2, "card": 2}
