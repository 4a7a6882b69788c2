"""What is known of cases: threads remember theirs, cards stay current, and an old answer never wins."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from bot.cases.catalog import Catalog
from bot.cases.repository import CaseRepository
from bot.cases.tables import CASE_CARD
from bot.datadog.cases import STANDARD_TYPE, CaseType, Project, StatusOption
from bot.model import Place
from bot.storage.engine import Database
from bot.storage.tables import deliveries
from tests.cases.library import ANA, CHANNEL, ELSEWHERE, FOREIGN, MONITOR, THREAD, case
from tests.clock import Clock
from tests.pg import database_url, ready_postgres_url, sqlite_only

__all__ = ["database_url", "ready_postgres_url"]

CATALOG = Catalog(
    projects=(Project("p1", "CASEM", "Case Management"),),
    types=(CaseType(STANDARD_TYPE, "Standard", statuses=(StatusOption("Open", "open"),)),),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def cases(database_url: str, clock: Clock) -> AsyncIterator[CaseRepository]:
    database = Database(database_url, clock=clock)
    await database.open()
    yield CaseRepository(database, lambda _org: CATALOG)
    await database.close()


async def _wanted(cases: CaseRepository) -> dict[str, int]:
    """How often each card is to be shown, by its thread."""
    async with cases.database.transaction() as connection:
        rows = await connection.execute(select(deliveries).where(deliveries.c.kind == CASE_CARD))
        return {row.thread_ts: row.wanted for row in rows}


async def _did(cases: CaseRepository, case_row: int, place: Place, person: str, said: str) -> None:
    async with cases.database.transaction() as connection:
        await cases.did(connection, case_row, place, person, said)


@sqlite_only
async def test_a_case_is_known_by_key_id_and_row_with_the_names_of_its_project_and_type(cases: CaseRepository) -> None:
    told = case(type_id=STANDARD_TYPE, project_id="p1", assignee=ANA, insights=(MONITOR,))
    known = await cases.remember("default", told)
    assert (known.key, known.title, known.assignee, known.insights) == ("CASEM-42", "Disk full", "Ana Lytic", 1)
    assert (known.project_name, known.type_name, known.statuses) == (
        "Case Management",
        "Standard",
        (("Open", "open"),),
    )
    for found in (
        await cases.find("default", "casem-42"),
        await cases.find("default", "UUID-42"),
        await cases.get(known.id),
    ):
        assert found == known
    assert await cases.find("other", "CASEM-42") is None


async def test_an_older_answer_never_overwrites_a_newer_one(cases: CaseRepository) -> None:
    await cases.remember("default", case(at=10, priority="P1"))
    known = await cases.remember("default", case(at=5, priority="P5"))
    assert known.priority == "P1"
    known = await cases.remember("default", case(at=10, priority="P3"))
    assert known.priority == "P3"


@sqlite_only
async def test_what_an_answer_leaves_out_is_kept(cases: CaseRepository) -> None:
    await cases.remember("default", case(insights=(MONITOR,)))
    known = await cases.remember("default", case(at=1, insights=None))
    assert known.insights == 1


@sqlite_only
async def test_a_card_is_owed_once_a_thread_and_again_after_every_change(cases: CaseRepository) -> None:
    await cases.remember("default", case(), place=THREAD, person="U1", card=True)
    await cases.remember("default", case(), place=THREAD, person="U2", card=True)
    assert await _wanted(cases) == {"1.0": 1}
    await cases.remember("default", case(at=1), place=ELSEWHERE, person="U2", card=True)
    assert await _wanted(cases) == {"1.0": 1, "7.0": 1}
    await cases.remember("default", case(at=2, priority="P1"))
    assert await _wanted(cases) == {"1.0": 2, "7.0": 2}
    await cases.remember("default", case(at=3, priority="P1"))
    assert await _wanted(cases) == {"1.0": 2, "7.0": 2}, "nothing changed that a card shows"


@sqlite_only
async def test_actions_are_told_in_order_and_only_the_latest(cases: CaseRepository, clock: Clock) -> None:
    known = await cases.remember("default", case(), place=THREAD, person="U1", card=True)
    for number in range(6):
        clock.wind(1)
        await _did(cases, known.id, THREAD, f"U{number}", f"did {number}")
    known = await cases.get(known.id) or known
    assert [(action.person, action.said) for action in known.done] == [(f"U{n}", f"did {n}") for n in (2, 3, 4, 5)]
    assert (await _wanted(cases))["1.0"] > 6


@sqlite_only
async def test_a_thread_remembers_its_latest_case(cases: CaseRepository, clock: Clock) -> None:
    assert await cases.of_thread(THREAD) is None
    first = await cases.remember("default", case(1), place=THREAD, person="U1")
    clock.wind(1)
    await cases.remember("default", case(2), place=THREAD, person="U1")
    assert (await cases.of_thread(THREAD) or first).key == "CASEM-2"
    clock.wind(1)
    await cases.remember("default", case(1), place=THREAD, person="U2")
    assert (await cases.of_thread(THREAD) or first).key == "CASEM-1"
    assert await cases.of_thread(THREAD, since=clock.now) is None
    assert await cases.of_thread(ELSEWHERE) is None
    assert await cases.of_thread(CHANNEL) is None, "a channel is no thread"


@sqlite_only
async def test_the_thread_under_a_card_in_the_channel_remembers_it_too(cases: CaseRepository) -> None:
    known = await cases.remember("default", case(), place=CHANNEL, person="U1", card=True)
    async with cases.database.transaction() as connection:
        await connection.execute(deliveries.update().values(ts="55.5"))
    assert await cases.of_thread(Place("T1", "C1", "55.5")) == known
    assert await cases.of_thread(Place("T1", "C1", "55.6")) is None
    assert await cases.of_thread(Place("T1", "C2", "55.5")) is None
    assert await cases.card_ts(known.id, CHANNEL) == "55.5"


@sqlite_only
async def test_a_gone_case_is_forgotten_by_its_thread_and_comes_back_when_seen(cases: CaseRepository) -> None:
    known = await cases.remember("default", case(), place=THREAD, person="U1", card=True)
    await cases.gone(known.id)
    assert await cases.of_thread(THREAD) is None
    assert await cases.find("default", "CASEM-42") is None
    assert (await cases.get(known.id) or known).gone
    assert await _wanted(cases) == {"1.0": 2}
    await cases.remember("default", case(at=1))
    assert await cases.of_thread(THREAD) is not None


async def test_recent_cases_are_those_of_the_channel_and_of_the_person(cases: CaseRepository, clock: Clock) -> None:
    for number, place, person in ((1, THREAD, "U9"), (2, ELSEWHERE, "U1"), (3, ELSEWHERE, "U9"), (4, FOREIGN, "U1")):
        clock.wind(1)
        await cases.remember("default", case(number), place=place, person=person)
    clock.wind(1)
    three = await cases.find("default", "CASEM-3")
    assert three is not None
    await _did(cases, three.id, ELSEWHERE, "U1", "set the status to Closed")
    recent = await cases.recent("default", workspace="T1", channel="C1", person="U1")
    assert [known.key for known in recent] == ["CASEM-3", "CASEM-2", "CASEM-1"]
    assert await cases.recent("other", workspace="T1", channel="C1", person="U1") == []


@sqlite_only
async def test_another_workspaces_case_is_none_of_its_business(cases: CaseRepository) -> None:
    known = await cases.remember("default", case(), place=THREAD, person="U1")
    assert await cases.get_in("T1", known.id) is not None
    assert await cases.get_in("T2", known.id) is None
