"""Projects and types are asked for once, kept, and renewed while a form opens with the old ones; what selects offer of them."""

import asyncio

import pytest

from bot.cases.catalog import (
    FRESH_FOR,
    Catalogs,
    first_status,
    offered_types,
    preselected_type,
    priority_of,
    search_projects,
    sorted_projects,
    status_names,
)
from bot.datadog.case_attributes import CustomAttribute
from bot.datadog.cases import STANDARD_TYPE, CaseType, Project, StatusOption
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

    async def custom_attributes(self) -> tuple[CustomAttribute, ...]:
        raise Unavailable("no form waits or fails for their names")

    async def types(self) -> tuple[CaseType, ...]:
        return (CaseType(STANDARD_TYPE, "Standard"), CaseType("t2", "Gone", deleted=True))


class Org:
    def __init__(self) -> None:
        self.name = "default"
        self.cases = Calls()


class Orgs:
    def __init__(self) -> None:
        self.org = Org()

    async def get(self, name: str, workspace: str) -> Org | None:
        return self.org if (name, workspace) == ("default", "T1") else None


class KeptCatalogs:
    def __init__(self) -> None:
        self.orgs, self.clock, self.tasks = Orgs(), Clock(), Tasks()
        self.catalogs = Catalogs(self.orgs, self.tasks, clock=self.clock)  # type: ignore[arg-type]

    @property
    def calls(self) -> Calls:
        return self.orgs.org.cases

    async def name(self) -> str:
        catalog = await self.catalogs.get("default", "T1")
        assert catalog is not None
        return catalog.projects[0].name


@pytest.fixture
def kept() -> KeptCatalogs:
    return KeptCatalogs()


async def test_callers_at_the_same_time_share_one_request(kept: KeptCatalogs) -> None:
    assert await asyncio.gather(*(kept.name() for _ in range(5))) == ["Name 1"] * 5
    assert await kept.name() == "Name 1"
    assert kept.calls.asked == 1


async def test_an_old_catalog_serves_while_a_new_one_is_fetched(kept: KeptCatalogs) -> None:
    await kept.name()
    kept.clock.wind(FRESH_FOR + 1)
    assert await kept.name() == "Name 1"
    await kept.tasks.finish(1)
    assert await kept.name() == "Name 2"


async def test_a_refresh_that_fails_leaves_what_is_known(kept: KeptCatalogs) -> None:
    await kept.name()
    kept.clock.wind(FRESH_FOR + 1)
    kept.calls.broken = True
    assert await kept.name() == "Name 1"
    await kept.tasks.finish(1)
    assert await kept.name() == "Name 1"


async def test_a_first_request_that_fails_is_told_to_everyone_and_made_again(kept: KeptCatalogs) -> None:
    kept.calls.broken = True
    outcomes = await asyncio.gather(kept.name(), kept.name(), return_exceptions=True)
    assert [isinstance(each, DatadogError) for each in outcomes] == [True, True]
    kept.calls.broken = False
    assert await kept.name() == "Name 2"


async def test_one_impatient_caller_does_not_take_it_from_the_others(kept: KeptCatalogs) -> None:
    impatient = asyncio.create_task(kept.name())
    patient = asyncio.create_task(kept.name())
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == "Name 1"
    assert kept.calls.asked == 1


async def test_what_is_not_connected_has_none_and_what_is_forgotten_is_asked_for_anew(kept: KeptCatalogs) -> None:
    assert await kept.catalogs.get("other", "T1") is None
    await kept.name()
    assert await kept.catalogs.get("default", "T2") is None, "known, but not theirs"
    kept.catalogs.forget("default")
    assert kept.catalogs.known("default") is None
    assert await kept.name() == "Name 2"


async def test_settings_name_projects_by_key_or_id_and_types_by_name_or_id(kept: KeptCatalogs) -> None:
    await kept.name()
    catalog = kept.catalogs.known("default")
    assert catalog is not None
    assert [bool(catalog.project_named(word)) for word in ("casem", "p1", "", "other")] == [True, True, False, False]
    assert [bool(catalog.type_named(word)) for word in ("standard", STANDARD_TYPE, "", "Gone")] == [
        True,
        True,
        False,
        False,
    ]


# -- what the selects of the form offer ---------------------------------------------------------------------------------

CHANGE = CaseType(
    "00000000-0000-0000-0000-000000000004",
    "Change Request",
    internal=True,
    statuses=(
        StatusOption("Open", "open"),
        StatusOption("Draft", "open", default=True),
        StatusOption("Approved", "in_progress"),
        StatusOption("Open", "in_progress"),
        StatusOption("Completed", "closed"),
    ),
)
STANDARD = CaseType(STANDARD_TYPE, "Standard", internal=True)
OURS = CaseType("c1", "audit")
THEIRS = CaseType("c2", "Zoo")
GONE = CaseType("c3", "Old", deleted=True)
OF_A_PRODUCT = CaseType("00000000-0000-0000-0000-000000000005", "Error Tracking", internal=True)

SRE = Project("1", "SRE", "Site reliability")
WEB = Project("2", "WEB", "Shop front")
SREX = Project("3", "SREX", "Research")


def test_priorities_carry_over() -> None:
    cases: list[tuple[int | None, str]] = [
        (1, "P1"),
        (5, "P5"),
        (0, "NOT_DEFINED"),
        (6, "NOT_DEFINED"),
        (None, "NOT_DEFINED"),
    ]
    for monitor, case in cases:
        assert priority_of(monitor) == case


def test_types_are_offered_standard_first_and_never_deleted_ones_or_those_that_products_make() -> None:
    assert offered_types([GONE, THEIRS, OURS, CHANGE, OF_A_PRODUCT, STANDARD]) == (STANDARD, CHANGE, OURS, THEIRS)


def test_a_project_offers_the_custom_types_it_takes() -> None:
    types = [THEIRS, OURS, STANDARD]
    assert offered_types(types, Project("1", "SRE", "SRE", enabled_type_ids=("c2",))) == (STANDARD, THEIRS)
    assert offered_types(types, SRE) == (STANDARD, OURS, THEIRS)


def test_a_type_is_preselected() -> None:
    offered = offered_types([OURS, STANDARD])
    assert preselected_type(offered) == STANDARD
    assert preselected_type(offered, "c1") == OURS
    assert preselected_type(offered, "c3") == STANDARD
    assert preselected_type([]) is None


def test_statuses_are_named_in_the_types_own_words_each_once() -> None:
    assert [option.name for option in status_names(CHANGE)] == ["Open", "Draft", "Approved", "Completed"]
    assert first_status(CHANGE) == StatusOption("Draft", "open", default=True)
    assert status_names(None) == ()
    assert first_status(STANDARD) is None


def test_projects_are_sorted_by_name() -> None:
    assert sorted_projects([SRE, WEB, SREX]) == (SREX, WEB, SRE)


def test_projects_are_found_by_key_and_name() -> None:
    cases: list[tuple[str, tuple[Project, ...]]] = [
        ("sre", (SRE, SREX)),
        ("SREX", (SREX,)),
        ("shop", (WEB,)),
        ("front web", (WEB,)),
        ("re", (SREX, SRE)),
        ("", (SREX, WEB, SRE)),
        ("nothing", ()),
    ]
    for words, found in cases:
        assert search_projects([WEB, SREX, SRE], words) == found


def test_a_select_gets_no_more_than_it_takes() -> None:
    many = [Project(str(number), f"P{number}", "project") for number in range(500)]
    assert len(search_projects(many, "p")) == 100
