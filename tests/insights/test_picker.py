"""The case picker under a Datadog that is slow, refuses or is asked too much: an answer in time, always."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cases.repository import CaseRepository
from bot.datadog.cases import Case
from bot.datadog.errors import DatadogError, Forbidden, NotFound, Unavailable
from bot.datadog.links import SITES, Location, Site
from bot.insights.picker import CaseOffer, CasePicker, CaseSearch, PickerHint, search_for
from bot.model import Place
from bot.orgs.repository import OrgRepository
from bot.storage.engine import Database
from bot.storage.workers import Tasks
from tests.clock import Clock
from tests.pg import ready

UUID = "9f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f"
APP = "https://app.datadoghq.com"
PLACE = Place("T1", "C1", "1.2")
DISK, CHECKOUT = Case("uuid-1", "CASEM-42", "Disk full"), Case("uuid-2", "CASEM-43", "Checkout slow")


class Calls:
    """A Datadog whose answers wait for a gate."""

    def __init__(self) -> None:
        self.cases: tuple[Case, ...] = ()
        self.asked: list[str] = []
        self.error: DatadogError | None = None
        self.permissions = asyncio.Event()
        self.permissions.set()

    async def search(self, query: str = "", **_: object) -> tuple[Case, ...]:
        self.asked.append(query)
        await self.permissions.wait()
        if self.error:
            raise self.error
        return tuple(case for case in self.cases if query.strip('"').casefold() in case.title.casefold())

    async def get(self, case: str) -> Case:
        await self.permissions.wait()
        for each in self.cases:
            if case in {each.id, each.key}:
                return each
        raise NotFound("no such case")


class Org:
    def __init__(self, calls: Calls) -> None:
        self.name = "default"
        self.cases = calls


class Orgs:
    def __init__(self, org: Org | None) -> None:
        self.org = org

    async def get(self, _org: str, _workspace: str) -> Any:
        return self.org


Ask = Callable[[str], Any]


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def book() -> AsyncIterator[CaseRepository]:
    async with ready(Database("sqlite+aiosqlite:///:memory:")) as database:
        yield CaseRepository(database, lambda _org: None)


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    tasks = Tasks()
    yield tasks
    await tasks.finish(1)


@pytest.fixture
def offer(calls: Calls, book: CaseRepository, tasks: Tasks, clock: Clock) -> Ask:
    picker = CasePicker(book, cast("OrgRepository", Orgs(Org(calls))), tasks, patience=0.02, clock=clock)
    return lambda typed: picker.offer("default", typed, place=PLACE, person="U0001", home=Location(SITES[0]))


def keys(offered: CaseOffer) -> list[str]:
    return [case.key for case in offered.cases]


async def test_what_was_found_is_kept_for_a_minute(offer: Ask, calls: Calls, clock: Clock) -> None:
    calls.cases = (DISK,)
    for typed in ("disk", " DISK "):
        assert keys(await offer(typed)) == ["CASEM-42"]
    assert calls.asked == ['"disk"']
    clock.wind(61)
    await offer("disk")
    assert len(calls.asked) == 2


async def test_while_it_is_slow_what_fits_out_of_earlier_answers_is_shown(offer: Ask, calls: Calls) -> None:
    calls.cases = (DISK,)
    await offer("disk")
    calls.permissions.clear()
    offered = await offer("disk f")
    assert (keys(offered), offered.hint) == (["CASEM-42"], PickerHint.SLOW)
    calls.permissions.set()


async def test_hasty_typing_does_not_pile_up_requests(offer: Ask, calls: Calls) -> None:
    calls.permissions.clear()
    offered = await asyncio.gather(*(offer(f"words {number}") for number in range(30)))
    assert {each.hint for each in offered} == {PickerHint.SLOW}
    assert len(calls.asked) <= 6
    calls.permissions.set()


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (Forbidden("no"), PickerHint.FORBIDDEN),
        (Unavailable("no"), PickerHint.FAILING),
        (NotFound("no"), PickerHint.FAILING),
    ],
)
async def test_a_failure_still_offers_what_is_known_here(
    offer: Ask, calls: Calls, book: CaseRepository, error: DatadogError, hint: PickerHint
) -> None:
    await book.remember("default", DISK, place=PLACE, person="U0001")
    calls.error = error
    offered = await offer("disk")
    assert (keys(offered), offered.hint) == (["CASEM-42"], hint)


async def test_a_failure_is_soon_forgotten(offer: Ask, calls: Calls, clock: Clock) -> None:
    calls.error = Unavailable("no")
    await offer("disk")
    calls.error, calls.cases = None, (DISK,)
    clock.wind(0.1)
    assert keys(await offer("disk")) == ["CASEM-42"]


async def test_without_recent_ones_the_latest_of_datadog_are_offered(offer: Ask, calls: Calls) -> None:
    calls.cases = (DISK, CHECKOUT)
    assert keys(await offer("")) == ["CASEM-42", "CASEM-43"]


async def test_the_exact_key_stands_first_and_each_case_once(offer: Ask, calls: Calls, book: CaseRepository) -> None:
    mention = Case("uuid-3", "CASEM-44", "like casem-43", created_at=datetime.now(UTC))
    await book.remember("default", mention, place=PLACE, person="U0001")
    calls.cases = (mention, CHECKOUT)
    assert keys(await offer("casem-43")) == ["CASEM-43", "CASEM-44"]
    assert keys(await offer("https://app.datadoghq.com/work/CASEM-43"))[0] == "CASEM-43"


async def test_nothing_found_and_nobody_to_ask_are_told_apart(offer: Ask, book: CaseRepository, tasks: Tasks) -> None:
    assert await offer("nothing") == CaseOffer((), PickerHint.NOTHING)
    nobody = CasePicker(book, cast("OrgRepository", Orgs(None)), tasks)
    assert (
        await nobody.offer("default", "x", place=PLACE, person="U1", home=Location(SITES[0]))
    ).hint is PickerHint.NO_ORG


def test_the_picker_asks_for_the_exact_case_first(us1: Site) -> None:
    cases: list[tuple[str, str, str]] = [
        ("", "", ""),
        ('" \\', "", ""),
        ("checkout is down", "", '"checkout is down"'),
        ('a" OR status:open "', "", '"a OR status:open"'),
        ("casem-42", "CASEM-42", '"casem-42"'),
        (f"{APP}/cases/{UUID}", UUID, ""),
        (f"{APP}/cases/CASEM-42", "CASEM-42", '"CASEM-42"'),
    ]
    for text, exact, query in cases:
        assert search_for(text, Location(us1)) == CaseSearch(exact, query)


@given(st.text())
def test_no_typing_leaves_the_quotes(text: str) -> None:
    found = search_for(text, Location(SITES[0]))
    assert found.query == "" or (found.query[0] == found.query[-1] == '"' and found.query.count('"') == 2)
    assert "\\" not in found.query
    assert len(found.query) <= 202
