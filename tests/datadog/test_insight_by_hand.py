"""The form for what stands in no link: what is taken, and what is said about what is not."""

from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.insight_recognition import by_hand, recognise
from bot.datadog.insights import KINDS, InsightDraft, InsightType
from bot.datadog.links import SITES, Location, Site

UUID = "9f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f"
HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
APP = "https://app.datadoghq.com"
T = InsightType


def test_what_is_typed_becomes_an_insight(us1: Site) -> None:
    cases: list[tuple[T, tuple[str, str], str, str]] = [
        (T.MONITOR, ("", " 12345 "), "/monitors/12345", "12345"),
        (T.MONITOR, (f"{APP}/monitors/12345/edit?from_ts=1", "12345"), "/monitors/12345", "12345"),
        (T.MONITOR, ("/monitors/12345", ""), "/monitors/12345", "12345"),
        (T.EVENT, ("", "8788641826233093636"), "/event/event?id=8788641826233093636", "8788641826233093636"),
        (T.EVENT, ("", "AgAAAYGC-_+/=="), "/event/explorer?event=AgAAAYGC-_%2B%2F%3D%3D", "AgAAAYGC-_+/=="),
        (T.INCIDENT, ("", "42"), "/incidents/42", "42"),
        (T.INCIDENT, ("", UUID.upper()), f"/incidents/{UUID}", UUID),
        (T.SECURITY_SIGNAL, ("", "AQAAAYabc-_"), "/security/signal?event=AQAAAYabc-_", "AQAAAYabc-_"),
        (T.ERROR_TRACKING, ("", UUID), f"/error-tracking?issueId={UUID}", UUID),
        (T.WATCHDOG_STORY, ("", HEX), f"/watchdog/story/{HEX}", HEX),
        (T.WIDGET, ("/dashboard/a-b-c?fullscreen_widget=7&live=true", ""), "/dashboard/a-b-c?fullscreen_widget=7", "7"),
        (T.WIDGET, ("/dashboard/a-b-c", "7"), "/dashboard/a-b-c", "7"),
        (
            T.SECURITY_FINDING,
            (f"{APP}/security/csm/vm?v=1&to_ts=2", "Zm9vfmJhcg=="),
            "/security/csm/vm?v=1",
            "Zm9vfmJhcg==",
        ),
        (T.RESOURCE_POLICY, ("/infrastructure/policies", "p-1"), "/infrastructure/policies", "p-1"),
        (T.INSIGHT_SCORECARD_CAMPAIGN, ("/software/scorecards", UUID), "/software/scorecards", UUID),
        (
            T.SCM_URL,
            ("https://gitlab.corp.example/a/b/-/merge_requests/7?utm_source=x", ""),
            "https://gitlab.corp.example/a/b/-/merge_requests/7",
            "https://gitlab.corp.example/a/b/-/merge_requests/7",
        ),
        (T.SCM_URL, ("", "https://github.com/a/b"), "https://github.com/a/b", "https://github.com/a/b"),
    ]
    for type_, typed, ref, resource_id in cases:
        made = by_hand(type_, *typed, Location(us1))
        assert isinstance(made, InsightDraft), made
        assert (made.type, made.ref, made.resource_id) == (type_, ref, resource_id)


def test_a_page_and_an_id_that_contradict_each_other_are_noticed(us1: Site) -> None:
    problems = by_hand(T.INCIDENT, "/incidents/42", UUID, Location(us1))
    assert not isinstance(problems, InsightDraft)
    assert problems["resource_id"] == "The page is Incident 42. Correct the id or the page."


def test_every_problem_is_named_at_its_field(us1: Site) -> None:
    cases: list[tuple[str, str, str, list[str]]] = [
        ("", "", "", ["type"]),
        ("NO_SUCH_TYPE", "/monitors/1", "1", ["type"]),
        ("MONITOR", "", "", ["resource_id"]),
        ("MONITOR", "", "12a", ["resource_id"]),
        ("MONITOR", "", "\u0661\u0662", ["resource_id"]),
        ("MONITOR", "/monitors/6", "5", ["resource_id"]),
        ("MONITOR", "https://evil.com/monitors/5", "5", ["ref"]),
        ("MONITOR", "https://us3.datadoghq.com/monitors/5", "5", ["ref"]),
        ("MONITOR", "//evil.com/monitors/5", "x", ["resource_id"]),
        ("MONITOR", "monitors/5", "5", ["ref"]),
        ("MONITOR", "https://github.com/a/b", "5", ["ref"]),
        ("MONITOR", "/monitors/5\n/x", "5", ["ref"]),
        ("ERROR_TRACKING", "", "123", ["resource_id"]),
        ("WATCHDOG_STORY", "", HEX[:-1], ["resource_id"]),
        ("SECURITY_FINDING", "", "short", ["resource_id", "ref"]),
        ("RESOURCE_POLICY", "", "p-1", ["ref"]),
        ("RESOURCE_POLICY", "/x", "two words", ["resource_id"]),
        ("RESOURCE_POLICY", "/x", "i" * 501, ["resource_id"]),
        ("SCM_URL", "", "", ["ref"]),
        ("SCM_URL", "http://github.com/a/b", "", ["ref"]),
        ("SCM_URL", "https://user@github.com/a/b", "", ["ref"]),
        ("SCM_URL", "https://github.com/" + "a" * 3000, "", ["ref"]),
    ]
    for type_name, ref, resource_id, fields in cases:
        problems = by_hand(type_name, ref, resource_id, Location(us1))
        assert not isinstance(problems, InsightDraft)
        assert list(problems) == fields
        assert all(problem.endswith(".") for problem in problems.values())


def test_another_organisations_page_is_refused(us1: Site) -> None:
    problems = by_hand("MONITOR", "https://acme.datadoghq.com/monitors/5", "5", Location(us1, "umbrella"))
    assert not isinstance(problems, InsightDraft)
    assert "another Datadog organisation" in problems["ref"]


@given(st.sampled_from(list(InsightType)), st.text(), st.text(), st.sampled_from(SITES))
def test_any_typing_is_answered(type_: InsightType, ref: str, resource_id: str, site: Site) -> None:
    made = by_hand(type_, ref, resource_id, Location(site))
    assert isinstance(made, InsightDraft) or made


@given(st.sampled_from(list(InsightType)), st.sampled_from(SITES), st.data())
def test_an_id_of_the_right_form_is_taken_and_its_page_is_recognised_again(
    type_: InsightType, site: Site, data: st.DataObject
) -> None:
    form = KINDS[type_].id_form
    # of the 500 letters an id may have, a few tell as much
    resource_id = data.draw(st.from_regex(form.pattern, fullmatch=True).filter(form.fits))
    made = by_hand(type_, "", resource_id, Location(site))
    if isinstance(made, InsightDraft) and type_ is not T.SCM_URL:
        again = recognise(f"<{site.app_url}{made.ref}>", Location(site)).drafts
        assert [(one.key, one.ref) for one in again] == [(made.key, made.ref)]
    elif not isinstance(made, InsightDraft):
        assert list(made) == ["ref"]
