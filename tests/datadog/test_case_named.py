"""Which case is meant by what somebody typed or pasted."""

from bot.datadog.links import Location, Site, case_named

UUID = "9f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f"
APP = "https://app.datadoghq.com"


def test_a_case_is_named_in_many_ways(us1: Site) -> None:
    cases: list[tuple[str, str]] = [
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
    ]
    for text, identifier in cases:
        assert case_named(text, Location(us1, "acme")) == identifier
        assert case_named(text) == identifier


def test_anything_else_names_no_case_of_ours(us1: Site) -> None:
    for text in (
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
    ):
        assert case_named(text, Location(us1, "acme")) == ""
