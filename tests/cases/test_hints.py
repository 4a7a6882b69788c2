"""Datadog says that cases have changed: all of an organisation come due together, soon, and no look follows another too soon."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, update

from bot.cases.follows import PAUSE, CaseHints
from bot.cases.repository import CaseRepository
from bot.cases.tables import case_follows
from bot.storage.engine import Database
from tests.cases.library import THREAD, case
from tests.clock import Clock
from tests.pg import database_url, ready_postgres_url

__all__ = ["database_url", "ready_postgres_url"]

GATHER = 3.0


@pytest.fixture
async def cases(database_url: str) -> AsyncIterator[CaseRepository]:
    clock = Clock()
    clock.now = 1_700_000_000.0
    database = Database(database_url, clock=clock)
    await database.open()
    repository = CaseRepository(database, lambda _: None, look_within=600.0)
    for number, org in enumerate(("acme", "acme", "other")):
        await repository.remember(org, case(number), place=THREAD, person="U1", card=True)
    yield repository
    await database.close()


def hints(cases: CaseRepository) -> CaseHints:
    """Each as in a process that knows of no other word."""
    return CaseHints(cases.database, GATHER)


async def due_in(cases: CaseRepository) -> list[float]:
    table = case_follows.c
    rows = await cases.database.all(select((table.due_at - cases.database.now).label("left")).order_by(table.id))
    return [float(row.left) for row in rows]


async def set_all(cases: CaseRepository, **values: object) -> None:
    await cases.database.write(update(case_follows).values(**values))


async def test_those_of_the_organisation_come_due_together_after_a_while(cases: CaseRepository) -> None:
    before = await due_in(cases)
    assert await hints(cases).take("acme")
    one, two, other = await due_in(cases)
    assert one == two
    assert GATHER <= one <= 2 * GATHER
    assert other == before[2]
    assert not await hints(cases).take("acme"), "they are to be looked at already"
    assert not await hints(cases).take("nobody")


async def test_more_word_within_the_while_asks_the_database_nothing(cases: CaseRepository) -> None:
    now = 0.0
    taking = CaseHints(cases.database, GATHER, clock=lambda: now)
    assert await taking.take("acme")
    await set_all(cases, due_at=9e9)
    assert not await taking.take("acme")
    assert await taking.take("other")
    now = GATHER
    assert await taking.take("acme")


async def test_no_look_follows_another_too_soon_and_none_a_limit_of_datadogs(cases: CaseRepository) -> None:
    await set_all(cases, not_before=cases.database.now + 120, due_at=cases.database.now + 9_000)
    assert await hints(cases).take("acme")
    assert await due_in(cases) == [120, 120, 9_000]
    assert PAUSE * GATHER < 120


async def test_what_is_looked_at_just_now_is_looked_at_again(cases: CaseRepository) -> None:
    """The look may have come too early; whoever holds it learns of the word."""
    await set_all(cases, owner="somebody", due_at=cases.database.now + 30)
    assert await hints(cases).take("acme")
    assert await due_in(cases) == [30, 30, 30]
    rows = await cases.database.all(select(case_follows.c.hinted_at).order_by(case_follows.c.id))
    assert [row.hinted_at is not None for row in rows] == [True, True, False]
