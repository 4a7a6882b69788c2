"""Which case is meant by what somebody typed or pasted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cases.match import CaseMatch, CaseSearch, match_case, search_for
from bot.datadog.sites import SITES, Site

UUID = "9f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f"
APP = "https://app.datadoghq.com"


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("CASEM-42", "CASEM-42"),
        (" casem-42. ", "CASEM-42"),
        ("#SRE2-7", "SRE2-7"),
        (UUID, UUID),
        (UUID.upper(), UUID),
        (f"{APP}/cases/CASEM-42", "CASEM-42"),
        (f"{APP}/work/CASEM-42?tab=activity", "CASEM-42"),
        (f"{APP}/cases/{UUID}", UUID),
        (f"<{APP}/cases/CASEM-42|CASEM-42>", "CASEM-42"),
        (f"<{APP}/work/CASEM-42?a=b&amp;c=d>", "CASEM-42"),
        ("https://acme.datadoghq.com/cases/CASEM-42", "CASEM-42"),
        ("app.datadoghq.com/cases/CASEM-42", "CASEM-42"),
    ],
)
def test_a_case_is_named_in_many_ways(us1: Site, text: str, identifier: str) -> None:
    assert match_case(text, site=us1, subdomain="acme") == CaseMatch(identifier)
    assert match_case(text) == CaseMatch(identifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CASEM",
        "CASEM-",
        "42",
        "-42",
        "CASEM-\u0664\u0662",
        "CASEM-42 SRE-7",
        "checkout is down",
        f"see {APP}/cases/CASEM-42",
        f"{APP}/cases",
        f"{APP}/monitors/42",
        "https://evil.com/cases/CASEM-42",
        "https://app.datadoghq.com@evil.com/cases/CASEM-42",
        "http://app.datadoghq.com/cases/CASEM-42",
        "https://us3.datadoghq.com/cases/CASEM-42",
        "https://umbrella.datadoghq.com/cases/CASEM-42",
    ],
)
def test_anything_else_names_no_case_of_ours(us1: Site, text: str) -> None:
    assert match_case(text, site=us1, subdomain="acme") is None


@pytest.mark.parametrize(
    ("text", "exact", "query"),
    [
        ("", None, ""),
        ('" \\', None, ""),
        ("checkout is down", None, '"checkout is down"'),
        ('a" OR status:open "', None, '"a OR status:open"'),
        ("casem-42", "CASEM-42", '"casem-42"'),
        (f"{APP}/cases/{UUID}", UUID, ""),
        (f"{APP}/cases/CASEM-42", "CASEM-42", '"CASEM-42"'),
    ],
)
def test_the_picker_asks_for_the_exact_case_first(us1: Site, text: str, exact: str | None, query: str) -> None:
    assert search_for(text, site=us1) == CaseSearch(CaseMatch(exact) if exact else None, query)


@given(st.text())
def test_no_typing_leaves_the_quotes(text: str) -> None:
    found = search_for(text, site=SITES[0])
    assert found.query == "" or (found.query[0] == found.query[-1] == '"' and found.query.count('"') == 2)
    assert "\\" not in found.query
    assert len(found.query) <= 202
