"""An order is one case, however often it is sent; acts on one case keep their order."""

from collections.abc import AsyncIterator

import pytest

from bot.cases.actions import CaseAction, CaseActions, read_act
from bot.cases.known import CaseActionKind
from bot.cases.repository import CaseRepository
from bot.cases.requests import CaseRequests, CaseRequestState, Source
from bot.cases.tables import case_acts, case_orders
from bot.cases.trouble import Trouble, Why
from bot.model import AlertRef, EventRef, MonitorRef
from bot.storage.engine import Database
from bot.storage.leases import Leases
from tests.cases.library import ELSEWHERE, MONITOR, THREAD, case, wanted
from tests.claims import claim
from tests.clock import Clock
from tests.pg import database_url, ready_postgres_url

__all__ = ["database_url", "ready_postgres_url"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(database_url: str, clock: Clock) -> AsyncIterator[Database]:
    database = Database(database_url, clock=clock)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def orders(database: Database) -> CaseRequests:
    return CaseRequests(database, CaseRepository(database))


@pytest.fixture
def acts(orders: CaseRequests) -> CaseActions:
    return CaseActions(orders.database, CaseRepository(orders.database))


def _leases(orders: CaseRequests, owner: str = "one") -> Leases:
    return Leases(orders.database, case_orders, owner=owner, lease=30)


@pytest.mark.parametrize(
    "source",
    [
        Source(),
        Source(7, AlertRef(1, "2", 3, "Disk", "host:a"), "t", "w", "https://acme.slack.com/x"),
        Source(alert=MonitorRef(1, "Disk")),
        Source(alert=EventRef("5")),
    ],
)
async def test_what_a_form_was_opened_from_is_read_back(orders: CaseRequests, source: Source) -> None:
    order = await orders.draft("default", THREAD, "U1", source)
    assert order.source == source
    assert await orders.get(order.key, "T1", "U1") == order


async def test_another_persons_or_workspaces_key_opens_nothing(orders: CaseRequests) -> None:
    order = await orders.draft("default", THREAD, "U1", Source())
    assert await orders.get(order.key, "T1", "U2") is None
    assert await orders.get(order.key, "T2", "U1") is None
    assert await orders.get("", "T1", "U1") is None


async def test_the_first_submit_counts(orders: CaseRequests, clock: Clock) -> None:
    order = await orders.draft("default", THREAD, "U1", Source())
    assert await orders.place_order(order, wanted("one", insights=(MONITOR,)), "V1")
    assert not await orders.place_order(order, wanted("two"), "V2")
    await orders.remember_form(order, wanted=wanted("three"))
    clock.wind(1)
    (row,) = await claim(_leases(orders), CaseRequests.due(), 5)
    assert row.wanted["title"] == "one"
    now = await orders.by_id(order.id)
    assert now is not None
    assert now.wanted == wanted("one", insights=(MONITOR,))


async def test_it_is_not_taken_up_before_the_answer_to_the_submit_is_on_the_screen(
    orders: CaseRequests, clock: Clock
) -> None:
    order = await orders.draft("default", THREAD, "U1", Source())
    await orders.place_order(order, wanted(), "V1")
    assert await claim(_leases(orders), CaseRequests.due(), 5) == []
    clock.wind(0.3)
    assert len(await claim(_leases(orders), CaseRequests.due(), 5)) == 1


async def test_whoever_lost_the_claim_makes_nothing(orders: CaseRequests, clock: Clock) -> None:
    order = await orders.draft("default", THREAD, "U1", Source())
    await orders.place_order(order, wanted(), "V1")
    clock.wind(1)
    one, two = _leases(orders, "one"), _leases(orders, "two")
    (row,) = await claim(one, CaseRequests.due(), 5)
    clock.wind(60)
    (again,) = await claim(two, CaseRequests.due(), 5)
    assert not await orders.made(one.fence(row), order, case(1))
    assert await orders.made(two.fence(again), order, case(2))
    book = CaseRepository(orders.database)
    assert await book.find("default", "CASEM-1") is None
    known = await book.of_thread(THREAD)
    assert known is not None
    assert [act.said for act in known.done] == ["opened this case"]


async def test_an_order_goes_back_only_from_where_it_may(orders: CaseRequests, clock: Clock) -> None:
    order = await orders.draft("default", THREAD, "U1", Source())
    assert not await orders.edit_again(order)
    assert not await orders.order_again(order, "")
    await orders.place_order(order, wanted(), "V1")
    assert not await orders.order_again(order, "")
    clock.wind(1)
    leases = _leases(orders)
    (row,) = await claim(leases, CaseRequests.due(), 1)
    trouble = Trouble(Why.FORBIDDEN, "no", "cases_write")
    await orders.refuse(leases.fence(row), trouble)
    refused = await orders.by_id(order.id)
    assert refused is not None
    assert (refused.state, refused.problem) == (CaseRequestState.REFUSED, trouble)
    assert await orders.edit_again(refused)
    assert await orders.place_order(refused, wanted("better"), "V1")
    again = await orders.by_id(order.id)
    assert again is not None
    assert (again.problem, again.wanted and again.wanted.title) == (None, "better")


async def test_a_case_being_made_for_the_same_thread_is_seen(orders: CaseRequests) -> None:
    hers = await orders.draft("default", THREAD, "U1", Source())
    his = await orders.draft("default", THREAD, "U2", Source())
    other = await orders.draft("default", ELSEWHERE, "U3", Source())
    assert await orders.under_way(his) is None
    await orders.place_order(hers, wanted(), "V1")
    rival = await orders.under_way(his)
    assert rival is not None
    assert rival.requester == "U1"
    assert await orders.under_way(hers) is None
    assert await orders.under_way(other) is None


async def test_acts_on_one_case_come_one_after_the_other(acts: CaseActions, orders: CaseRequests) -> None:
    book = acts.book
    one = await book.remember("default", case(1), place=THREAD, person="U1")
    two = await book.remember("default", case(2), place=THREAD, person="U1")
    for key, row in (("a", one.id), ("b", one.id), ("c", two.id), ("a", one.id)):
        await acts.take(CaseAction(key, row, THREAD, "U1", CaseActionKind.PRIORITY, "P1"))
    leases = Leases(orders.database, case_acts, owner="one", lease=30)

    first = await claim(leases, CaseActions.due(), 10)
    assert [row.key for row in first] == ["a", "c"]
    assert await claim(leases, CaseActions.due(), 10) == []
    await acts.done(leases.fence(first[0]), read_act(first[0]), "default", case(1, at=1), "set the priority to P1")
    assert [row.key for row in await claim(leases, CaseActions.due(), 10)] == ["b"]
    known = await book.get(one.id)
    assert known is not None
    assert [act.said for act in known.done] == ["set the priority to P1"]


async def test_only_a_refused_act_of_ones_own_is_taken_again(acts: CaseActions, orders: CaseRequests) -> None:
    known = await acts.book.remember("default", case(1), place=THREAD, person="U1")
    await acts.take(CaseAction("a", known.id, THREAD, "U1", CaseActionKind.COMMENT, "words"))
    leases = Leases(orders.database, case_acts, owner="one", lease=30)
    (row,) = await claim(leases, CaseActions.due(), 10)
    assert not await acts.take_again(row.id, "T1", "U1", "again")
    await acts.refuse(leases.fence(row), Trouble(Why.CONFLICT))
    assert not await acts.take_again(row.id, "T1", "U2", "again")
    assert not await acts.take_again(row.id, "T2", "U1", "again")
    assert await acts.take_again(row.id, "T1", "U1", "again")
    assert not await acts.take_again(row.id, "T1", "U1", "again"), "one press, one act"
    (anew,) = await claim(leases, CaseActions.due(), 10)
    assert (anew.kind, anew.value) == ("comment", "words")
