"""Projects and types are asked for once, kept, and renewed behind the back of whoever opens a form."""

import asyncio

import pytest

from bot.cases.catalog import Catalogs
from bot.datadog.case_model import STANDARD_TYPE, CaseType, Project
from bot.datadog.errors import DatadogError, Unavailable
from bot.storage.workers import Tasks
from tests.clock import Clock


class Calls:
    """Datadog's two lists; `broken` makes them fail."""

    def __init__(self) -> None:
        self.asked = 0
        self.broken = False

    async def projects(self) -> tuple[Project, ...]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.broken:
            raise Unavailable("down")
        return (Project("p1", "CASEM", f"Name {self.asked}"),)

    async def types(self) -> tuple[CaseType, ...]:
        return (CaseType(STANDARD_TYPE, "Standard"), CaseType("t2", "Gone", deleted=True))


class Org:
    def __init__(self) -> None:
        self.cases = Calls()


class Orgs:
    def __init__(self) -> None:
        self.org = Org()

    async def get(self, name: str) -> Org | None:
        return self.org if name == "default" else None


class AttachFormStore:
    def __init__(self) -> None:
        self.orgs, self.clock, self.tasks = Orgs(), Clock(), Tasks()
        self.catalogs = Catalogs(self.orgs, self.tasks, fresh_for=600, clock=self.clock)  # type: ignore[arg-type]

    @property
    def calls(self) -> Calls:
        return self.orgs.org.cases

    async def name(self) -> str:
        catalog = await self.catalogs.get("default")
        assert catalog is not None
        return catalog.projects[0].name


@pytest.fixture
def shelf() -> AttachFormStore:
    return AttachFormStore()


async def test_callers_at_the_same_time_share_one_request(shelf: AttachFormStore) -> None:
    assert await asyncio.gather(*(shelf.name() for _ in range(5))) == ["Name 1"] * 5
    assert await shelf.name() == "Name 1"
    assert shelf.calls.asked == 1


async def test_an_old_catalog_serves_while_a_new_one_is_fetched(shelf: AttachFormStore) -> None:
    await shelf.name()
    shelf.clock.wind(601)
    assert await shelf.name() == "Name 1"
    await shelf.tasks.finish(1)
    assert await shelf.name() == "Name 2"


async def test_a_refresh_that_fails_leaves_what_is_known(shelf: AttachFormStore) -> None:
    await shelf.name()
    shelf.clock.wind(601)
    shelf.calls.broken = True
    assert await shelf.name() == "Name 1"
    await shelf.tasks.finish(1)
    assert await shelf.name() == "Name 1"


async def test_a_first_request_that_fails_is_told_to_everyone_and_made_again(shelf: AttachFormStore) -> None:
    shelf.calls.broken = True
    outcomes = await asyncio.gather(shelf.name(), shelf.name(), return_exceptions=True)
    assert [isinstance(each, DatadogError) for each in outcomes] == [True, True]
    shelf.calls.broken = False
    assert await shelf.name() == "Name 2"


async def test_one_impatient_caller_does_not_take_it_from_the_others(shelf: AttachFormStore) -> None:
    impatient = asyncio.create_task(shelf.name())
    patient = asyncio.create_task(shelf.name())
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == "Name 1"
    assert shelf.calls.asked == 1


async def test_what_is_not_connected_has_none_and_what_is_forgotten_is_asked_for_anew(shelf: AttachFormStore) -> None:
    assert await shelf.catalogs.get("other") is None
    await shelf.name()
    shelf.catalogs.forget("default")
    assert shelf.catalogs.known("default") is None
    assert await shelf.name() == "Name 2"


async def test_settings_name_projects_by_key_or_id_and_types_by_name_or_id(shelf: AttachFormStore) -> None:
    await shelf.name()
    catalog = shelf.catalogs.known("default")
    assert catalog is not None
    assert [bool(catalog.project_named(word)) for word in ("casem", "p1", "", "other")] == [True, True, False, False]
    assert [bool(catalog.type_named(word)) for word in ("standard", STANDARD_TYPE, "", "Gone")] == [
        True,
        True,
        False,
        False,
    ]
