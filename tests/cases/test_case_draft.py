"""A case filled in from an investigation or an alert, whatever the texts in it try."""

from hypothesis import given
from hypothesis import strategies as st

from bot.cases.draft import (
    LONGEST_COMMENT,
    LONGEST_DESCRIPTION,
    LONGEST_TITLE,
    candidates,
    clean,
    comment_for,
    draft_case,
    whole_conclusion,
)
from bot.datadog.investigations import Conclusion
from bot.datadog.sites import Site
from bot.investigations.model import Investigation, State
from bot.model import AlertRef, Question

ALERT = AlertRef(444839, "8788641826233093636", 1788106679000, "High latency", "service:web")
CONCLUSION = Conclusion("Deploy 42 slowed checkout", "A missing index.", "See https://app.datadoghq.com/incidents/42.")
RUN_URL = "https://app.datadoghq.com/bits-ai/investigations/9f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f"
THREAD = "https://acme.slack.com/archives/C1/p1788106679000100"


def investigation(
    *conclusions: Conclusion, alert: AlertRef | None = ALERT, question: Question | None = None, title: str = ""
) -> Investigation:
    return Investigation(
        id=1,
        ref="inv-1",
        org="default",
        run=1,
        state=State.CONCLUDED,
        created_at=0.0,
        requested_by="U1",
        alert=alert,
        question=question,
        url=RUN_URL,
        title=title,
        conclusions=conclusions,
    )


def test_a_case_from_an_investigation_is_filled_in(us1: Site) -> None:
    case = draft_case(site=us1, investigation=investigation(CONCLUSION), permalink=THREAD, monitor_priority=2)
    assert case.title == "High latency on service:web"
    assert case.priority == "P2"
    assert case.description == (
        "Deploy 42 slowed checkout\n\nA missing index.\n\nSee https://app.datadoghq.com/incidents/42.\n\n"
        "Alert: High latency on service:web\nhttps://app.datadoghq.com/monitors/444839\n"
        f"Bits AI investigation: {RUN_URL}\nSlack thread: {THREAD}"
    )
    assert [(each.type.value, each.resource_id, each.label) for each in case.candidates] == [
        ("MONITOR", "444839", "Monitor: High latency"),
        ("EVENT", "8788641826233093636", "Event 8788641826233093636: High latency"),
        ("INCIDENT", "42", "Incident 42"),
    ]


def test_a_case_from_an_alert_alone(us1: Site) -> None:
    case = draft_case(site=us1, alert=AlertRef(7, "", 0), subdomain="acme")
    assert case.title == "Monitor 7"
    assert case.description == "Alert: Monitor 7\nhttps://acme.datadoghq.com/monitors/7"
    assert case.priority == "NOT_DEFINED"
    assert [each.label for each in case.candidates] == ["Monitor 7"]


def test_a_case_from_an_event_whose_monitor_is_unknown(us1: Site) -> None:
    case = draft_case(site=us1, alert=AlertRef(0, "99", 0))
    assert case.title == "Case from Slack"
    assert [each.label for each in case.candidates] == ["Event 99"]
    assert case.description == ""


def test_a_case_from_a_question(us1: Site) -> None:
    asked = investigation(CONCLUSION, alert=None, question=Question("Why is checkout\nslow?"))
    case = draft_case(site=us1, investigation=asked)
    assert case.title == "Deploy 42 slowed checkout"
    assert case.description.startswith("Question: Why is checkout\nslow?\n\nDeploy 42")
    assert draft_case(site=us1, investigation=investigation(alert=None, question=Question("Why?"))).title == "Why?"


def test_a_case_from_nothing_and_from_a_title(us1: Site) -> None:
    assert draft_case(site=us1).title == "Case from Slack"
    typed = draft_case(site=us1, investigation=investigation(CONCLUSION, title="Datadog's"), title=" Mine ")
    assert typed.title == "Mine"
    assert draft_case(site=us1, investigation=investigation(title="Datadog's")).title == "Datadog's"


def test_links_of_others_are_no_candidates(us1: Site) -> None:
    told = Conclusion(
        "t", "s", "https://evil.com/monitors/5 https://us3.datadoghq.com/monitors/6 https://github.com/a/b"
    )
    found = candidates(
        site=us1, investigation=investigation(told, alert=None), texts=["https://app.datadoghq.com/monitors/7"]
    )
    assert [each.resource_id for each in found] == ["https://github.com/a/b", "7"]


def test_long_conclusions_are_shortened_and_the_comment_has_them_whole(us1: Site) -> None:
    long = [Conclusion(f"Cause {n}", f"Summary {n}", "word " * 1800) for n in (1, 2)]
    found = investigation(*long)
    case = draft_case(site=us1, investigation=found, permalink=THREAD)
    assert len(case.description) <= LONGEST_DESCRIPTION
    assert case.description.startswith("Cause 1\n\nSummary 1\n\nCause 2\n\nSummary 2\n\nAlert:")
    assert case.description.endswith(THREAD)
    comment = comment_for(found, case.description)
    assert comment
    assert all(whole_conclusion(each) in comment for each in long)
    assert RUN_URL in comment


def test_a_conclusion_without_a_summary_is_cut_visibly(us1: Site) -> None:
    case = draft_case(site=us1, investigation=investigation(Conclusion("Cause", "", "word " * 1800)))
    assert "(shortened)" in case.description
    assert case.description.count("word") > 50


def test_the_comment_says_nothing_twice(us1: Site) -> None:
    found = investigation(CONCLUSION)
    case = draft_case(site=us1, investigation=found)
    assert comment_for(found, case.description) is None
    assert comment_for(found, "  " + case.description.replace("\n\n", "\n")) is None
    comment = comment_for(found, "rewritten by hand")
    assert comment
    assert "A missing index." in comment
    assert comment_for(investigation(), "anything") is None
    assert whole_conclusion(Conclusion("T", "said", "also said here")) == "T\n\nalso said here"


def test_hostile_text_stays_text(us1: Site) -> None:
    name = "<!channel> ](https://evil.com) \u202egnp.exe\x00\u200b\ud800\nsecond line"
    alert = AlertRef(7, "99", 0, name, "")
    case = draft_case(site=us1, alert=alert)
    assert case.title == "<!channel> ](https://evil.com) gnp.exe second line"
    assert case.description == f"Alert: {case.title}\nhttps://app.datadoghq.com/monitors/7"
    assert case.candidates[0].label == f"Monitor: {case.title}"


texts = st.text(max_size=4000)
conclusions = st.lists(st.builds(Conclusion, texts, texts, texts), max_size=4)


@given(conclusions, texts, texts, st.one_of(st.none(), st.integers()))
def test_whatever_the_texts_the_limits_hold(
    told: list[Conclusion], name: str, group: str, priority: int | None
) -> None:
    from bot.datadog.sites import SITES

    found = investigation(*told, alert=AlertRef(1, "2", 3, name, group))
    case = draft_case(site=SITES[0], investigation=found, permalink=THREAD, monitor_priority=priority)
    assert 1 <= len(case.title) <= LONGEST_TITLE
    assert "\n" not in case.title
    assert len(case.description) <= LONGEST_DESCRIPTION
    assert case.description.endswith(THREAD)
    comment = comment_for(found, case.description)
    assert comment is None or len(comment) <= LONGEST_COMMENT
    for text in (case.title, case.description, comment or ""):
        assert clean(text) == text.strip()
