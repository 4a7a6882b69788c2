"""A request is one case, however often it is sent; actions on one case keep their request."""

import json
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from bot.cases.actions import CaseActions
from bot.cases.model import CaseAction, CaseActionKind, CaseRequestState, CaseSource
from bot.cases.repository import CaseRepository, read_action
from bot.cases.requests import CaseRequests
from bot.cases.tables import case_acts, case_orders
from bot.datadog.trouble import Trouble, TroubleKind
from bot.model import AlertRef, EventRef, MonitorRef
from bot.storage.engine import Database
from bot.storage.leases import Leases
from tests.cases.library import ELSEWHERE, MONITOR, THREAD, case, content
from tests.claims import claim
from tests.clock import Clock
from tests.pg import database_url, ready_postgres_url, sqlite_only

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
def requests(database: Database) -> CaseRequests:
    return CaseRequests(database, CaseRepository(database, lambda _org: None))


@pytest.fixture
def actions(requests: CaseRequests) -> CaseActions:
    return CaseActions(requests.database, CaseRepository(requests.database, lambda _org: None))


def _leases(requests: CaseRequests, owner: str = "one") -> Leases:
    return Leases(requests.database, case_orders, owner=owner, lease=30)


@sqlite_only
@pytest.mark.parametrize(
    "source",
    [
        CaseSource(),
        CaseSource(7, AlertRef(1, "2", 3, "Disk", "host:a"), "t", "w", "https://acme.slack.com/x"),
        CaseSource(alert=MonitorRef(1, "Disk")),
        CaseSource(alert=EventRef("5")),
    ],
)
async def test_what_a_form_was_opened_from_is_read_back(requests: CaseRequests, source: CaseSource) -> None:
    request = await requests.draft("default", THREAD, "U1", source)
    assert request.source == source
    assert await requests.get(request.key, "T1", "U1") == request


@sqlite_only
async def test_rows_written_by_earlier_versions_are_read(requests: CaseRequests) -> None:
    stored = {
        "source": {
            "investigation": 7,
            "alert": {"kind": "monitor", "monitor_id": 1, "monitor_name": "Disk", "group": "", "host": "app.example"},
            "title": "t",
            "words": "w",
            "permalink": "",
        },
        "wanted": {
            "title": "Disk full",
            "description": "d",
            "project_id": "p1",
            "project_key": "CASEM",
            "type_id": "t1",
            "status_name": "",
            "priority": "P2",
            "assignee": "U5",
            "insights": [{"type": "MONITOR", "ref": "/monitors/1", "resource_id": "1"}],
            "comment": "",
            "of a later version": [1],
        },
        "notes": [["assignee", {"why": "no_user", "detail": "", "permission": "", "wait": None, "about": "U5"}]],
        "problem": {"why": "rate_limited", "detail": "d", "permission": "", "wait": 30.0, "about": ""},
    }
    request = await requests.draft("default", THREAD, "U1", CaseSource())
    async with requests.database.transaction() as connection:
        for column, record in stored.items():
            as_json = {"record": json.dumps(record), "id": request.id}
            await connection.execute(text(f"UPDATE case_orders SET {column} = :record WHERE id = :id"), as_json)
    read = await requests.now(request)
    assert read is not None
    assert read.source == CaseSource(7, MonitorRef(1, "Disk"), "t", "w")
    assert read.content == content(description="d", priority="P2", assignee="U5", insights=(MONITOR,))
    assert read.notes == (("assignee", Trouble(TroubleKind.NO_USER, about="U5")),)
    assert read.problem == Trouble(TroubleKind.RATE_LIMITED, "d", wait=30.0)


@sqlite_only
async def test_another_persons_or_workspaces_key_opens_nothing(requests: CaseRequests) -> None:
    request = await requests.draft("default", THREAD, "U1", CaseSource())
    assert await requests.get(request.key, "T1", "U2") is None
    assert await requests.get(request.key, "T2", "U1") is None
    assert await requests.get("", "T1", "U1") is None


async def test_the_first_submit_counts(requests: CaseRequests, clock: Clock) -> None:
    request = await requests.draft("default", THREAD, "U1", CaseSource())
    assert await requests.submit(request, content("one", insights=(MONITOR,)), "V1")
    assert not await requests.submit(request, content("two"), "V2")
    await requests.remember_draft(request, wanted=content("three"))
    clock.wind(1)
    (row,) = await claim(_leases(requests), CaseRequests.due(), 5)
    assert row.wanted.title == "one"
    now = await requests.now(request)
    assert now is not None
    assert now.content == content("one", insights=(MONITOR,))


@sqlite_only
async def test_it_is_not_taken_up_before_the_answer_to_the_submit_is_on_the_screen(
    requests: CaseRequests, clock: Clock
) -> None:
    request = await requests.draft("default", THREAD, "U1", CaseSource())
    await requests.submit(request, content(), "V1")
    assert await claim(_leases(requests), CaseRequests.due(), 5) == []
    clock.wind(0.3)
    assert len(await claim(_leases(requests), CaseRequests.due(), 5)) == 1


@sqlite_only
async def test_whoever_lost_the_claim_makes_nothing(requests: CaseRequests, clock: Clock) -> None:
    request = await requests.draft("default", THREAD, "U1", CaseSource())
    await requests.submit(request, content(), "V1")
    clock.wind(1)
    one, two = _leases(requests, "one"), _leases(requests, "two")
    (row,) = await claim(one, CaseRequests.due(), 5)
    clock.wind(60)
    (again,) = await claim(two, CaseRequests.due(), 5)
    assert not await requests.made(one.fence(row), request, case(1))
    assert await requests.made(two.fence(again), request, case(2))
    cases = CaseRepository(requests.database, lambda _org: None)
    assert await cases.find("default", "CASEM-1") is None
    known = await cases.of_thread(THREAD)
    assert known is not None
    assert [action.said for action in known.done] == ["opened this case"]


@sqlite_only
async def test_a_request_goes_back_only_from_where_it_may(requests: CaseRequests, clock: Clock) -> None:
    request = await requests.draft("default", THREAD, "U1", CaseSource())
    assert not await requests.edit_again(request)
    assert not await requests.submit_again(request, "")
    await requests.submit(request, content(), "V1")
    assert not await requests.submit_again(request, "")
    clock.wind(1)
    leases = _leases(requests)
    (row,) = await claim(leases, CaseRequests.due(), 1)
    trouble = Trouble(TroubleKind.FORBIDDEN, "no", "cases_write")
    await requests.refuse(leases.fence(row), trouble)
    refused = await requests.now(request)
    assert refused is not None
    assert (refused.state, refused.problem) == (CaseRequestState.REFUSED, trouble)
    assert await requests.edit_again(refused)
    assert await requests.submit(refused, content("better"), "V1")
    again = await requests.now(request)
    assert again is not None
    assert (again.problem, again.content and again.content.title) == (None, "better")


@sqlite_only
async def test_a_case_being_made_for_the_same_thread_is_seen(requests: CaseRequests) -> None:
    hers = await requests.draft("default", THREAD, "U1", CaseSource())
    his = await requests.draft("default", THREAD, "U2", CaseSource())
    other = await requests.draft("default", ELSEWHERE, "U3", CaseSource())
    assert await requests.under_way(his) is None
    await requests.submit(hers, content(), "V1")
    rival = await requests.under_way(his)
    assert rival is not None
    assert rival.requester == "U1"
    assert await requests.under_way(hers) is None
    assert await requests.under_way(other) is None


async def test_actions_on_one_case_come_one_after_the_other(actions: CaseActions, requests: CaseRequests) -> None:
    cases = actions.cases
    one = await cases.remember("default", case(1), place=THREAD, person="U1")
    two = await cases.remember("default", case(2), place=THREAD, person="U1")
    for key, row in (("a", one.id), ("b", one.id), ("c", two.id), ("a", one.id)):
        await actions.take(CaseAction(key, row, THREAD, "U1", CaseActionKind.PRIORITY, "P1"))
    leases = Leases(requests.database, case_acts, owner="one", lease=30)

    first = await claim(leases, CaseActions.due(), 10)
    assert [row.key for row in first] == ["a", "c"]
    assert await claim(leases, CaseActions.due(), 10) == []
    await actions.done(
        leases.fence(first[0]), read_action(first[0]), "default", case(1, at=1), "set the priority to P1"
    )
    assert [row.key for row in await claim(leases, CaseActions.due(), 10)] == ["b"]
    known = await cases.get(one.id)
    assert known is not None
    assert [action.said for action in known.done] == ["set the priority to P1"]


@sqlite_only
async def test_only_a_refused_action_of_ones_own_is_taken_again(actions: CaseActions, requests: CaseRequests) -> None:
    known = await actions.cases.remember("default", case(1), place=THREAD, person="U1")
    await actions.take(CaseAction("a", known.id, THREAD, "U1", CaseActionKind.COMMENT, "words"))
    leases = Leases(requests.database, case_acts, owner="one", lease=30)
    (row,) = await claim(leases, CaseActions.due(), 10)
    assert not await actions.take_again(row.id, "T1", "U1", "again")
    await actions.refuse(leases.fence(row), Trouble(TroubleKind.CONFLICT))
    assert not await actions.take_again(row.id, "T1", "U2", "again")
    assert not await actions.take_again(row.id, "T2", "U1", "again")
    assert await actions.take_again(row.id, "T1", "U1", "again")
    assert not await actions.take_again(row.id, "T1", "U1", "again"), "one press, one action"
    (anew,) = await claim(leases, CaseActions.due(), 10)
    assert (anew.kind, anew.value) == ("comment", "words")
