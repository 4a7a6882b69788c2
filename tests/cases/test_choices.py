"""What the selects of the case form offer."""

import pytest

from bot.cases.choices import (
    first_status,
    offered_types,
    preselected_type,
    priority_of,
    search_projects,
    sorted_projects,
    status_names,
)
from bot.datadog.case_model import STANDARD_TYPE, CaseType, Project, StatusOption

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

SRE = Project("1", "SRE", "Site reliability")
WEB = Project("2", "WEB", "Shop front")
SREX = Project("3", "SREX", "Research")


@pytest.mark.parametrize(
    ("monitor", "case"), [(1, "P1"), (5, "P5"), (0, "NOT_DEFINED"), (6, "NOT_DEFINED"), (None, "NOT_DEFINED")]
)
def test_priorities_carry_over(monitor: int | None, case: str) -> None:
    assert priority_of(monitor) == case


def test_types_are_offered_standard_first_and_never_deleted_ones() -> None:
    assert offered_types([GONE, THEIRS, OURS, CHANGE, STANDARD]) == (STANDARD, CHANGE, OURS, THEIRS)


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


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("sre", (SRE, SREX)),
        ("SREX", (SREX,)),
        ("shop", (WEB,)),
        ("front web", (WEB,)),
        ("re", (SREX, SRE)),
        ("", (SREX, WEB, SRE)),
        ("nothing", ()),
    ],
)
def test_projects_are_found_by_key_and_name(words: str, found: tuple[Project, ...]) -> None:
    assert search_projects([WEB, SREX, SRE], words) == found


def test_a_select_gets_no_more_than_it_takes() -> None:
    many = [Project(str(number), f"P{number}", "project") for number in range(500)]
    assert len(search_projects(many, "p")) == 100
