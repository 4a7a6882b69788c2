"""A case filled in from an investigation or an alert, whatever the texts in it try."""

from hypothesis import given
from hypothesis import strategies as st

from bot.cases.draft import (
    LONGEST_COMMENT,
    LONGEST_DESCRIPTION,
    LONGEST_TITLE,
    alert_insights,
    candidates,
    comment_for,
    draft_description,
    draft_title,
    whole_conclusion,
)
from bot.cases.model import CaseSource
from bot.datadog.investigations import Conclusion
from bot.datadog.links import Location, Site
from bot.investigations.model import Investigation, State
from bot.model import AlertRef, EventRef, MonitorRef, Question
from bot.slack.text import clean

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


APP = "https://app.datadoghq.com"
IN_THREAD = CaseSource(permalink=THREAD)


def test_a_case_from_an_investigation_is_filled_in(us1: Site) -> None:
    found = investigation(CONCLUSION)
    assert draft_title(IN_THREAD, found) == "High latency on service:web"
    assert draft_description(IN_THREAD, found, APP) == (
        "Deploy 42 slowed checkout\n\nA missing index.\n\nSee https://app.datadoghq.com/incidents/42.\n\n"
        "Alert: High latency on service:web\nhttps://app.datadoghq.com/monitors/444839\n"
        f"Bits AI investigation: {RUN_URL}\nSlack thread: {THREAD}"
    )
    offered = candidates(Location(us1), investigation=found)
    assert [(each.type.value, each.resource_id, each.label) for each in offered] == [
        ("MONITOR", "444839", "High latency · monitor"),
        ("EVENT", "8788641826233093636", "High latency · event 8788641826233093636"),
        ("INCIDENT", "42", "Incident 42"),
    ]


def test_a_case_from_an_alert_alone() -> None:
    source = CaseSource(alert=MonitorRef(7))
    assert draft_title(source, None) == "Monitor 7"
    description = draft_description(source, None, "https://acme.datadoghq.com")
    assert description == "Alert: Monitor 7\nhttps://acme.datadoghq.com/monitors/7"
    assert [each.label for each in alert_insights(AlertRef(7, "", 0))] == ["Monitor 7"]


def test_a_case_from_an_event_whose_monitor_is_unknown() -> None:
    source = CaseSource(alert=EventRef("99"))
    assert draft_title(source, None) == "Case from Slack"
    assert draft_description(source, None, APP) == ""
    assert source.about
    assert [each.label for each in alert_insights(source.about)] == ["Event 99"]


def test_a_case_from_a_question() -> None:
    asked = investigation(CONCLUSION, alert=None, question=Question("Why is checkout\nslow?"))
    assert draft_title(CaseSource(), asked) == "Deploy 42 slowed checkout"
    assert draft_description(CaseSource(), asked, APP).startswith("Question: Why is checkout\nslow?\n\nDeploy 42")
    assert draft_title(CaseSource(), investigation(alert=None, question=Question("Why?"))) == "Why?"


def test_a_case_from_nothing_and_from_a_title() -> None:
    assert draft_title(CaseSource(), None) == "Case from Slack"
    assert draft_title(CaseSource(title=" Mine "), investigation(CONCLUSION, title="Datadog's")) == "Mine"
    assert draft_title(CaseSource(), investigation(title="Datadog's")) == "Datadog's"


def test_a_monitors_name_says_more_than_a_headline() -> None:
    source = CaseSource(alert=AlertRef(7, "99", 0, "Disk full", "host:a"), title="[Triggered] Disk full")
    assert draft_title(source, None) == "Disk full on host:a"


def test_without_conclusions_the_messages_own_words_come_first() -> None:
    source = CaseSource(words="It broke " * 300, permalink=THREAD)
    described = draft_description(source, None, APP)
    assert described.startswith("It broke")
    assert described.endswith(f"\n\nSlack thread: {THREAD}")
    assert len(described) < 1_700
    assert "It broke" not in draft_description(source, investigation(CONCLUSION), APP)


def test_links_of_others_are_no_candidates(us1: Site) -> None:
    told = Conclusion(
        "t", "s", "https://evil.com/monitors/5 https://us3.datadoghq.com/monitors/6 https://github.com/a/b"
    )
    found = candidates(Location(us1), investigation=investigation(told, alert=None))
    assert [each.resource_id for each in found] == ["https://github.com/a/b"]


def test_long_conclusions_are_shortened_and_the_comment_has_them_whole() -> None:
    long = [Conclusion(f"Cause {n}", f"Summary {n}", "word " * 1800) for n in (1, 2)]
    found = investigation(*long)
    description = draft_description(IN_THREAD, found, APP)
    assert len(description) <= LONGEST_DESCRIPTION
    assert description.startswith("Cause 1\n\nSummary 1\n\nCause 2\n\nSummary 2\n\nAlert:")
    assert description.endswith(THREAD)
    comment = comment_for(found, description)
    assert comment
    assert all(whole_conclusion(each) in comment for each in long)
    assert RUN_URL in comment


def test_a_conclusion_without_a_summary_is_cut_visibly() -> None:
    description = draft_description(CaseSource(), investigation(Conclusion("Cause", "", "word " * 1800)), APP)
    assert "(shortened)" in description
    assert description.count("word") > 50


def test_the_comment_says_nothing_twice() -> None:
    found = investigation(CONCLUSION)
    description = draft_description(CaseSource(), found, APP)
    assert comment_for(found, description) is None
    assert comment_for(found, "  " + description.replace("\n\n", "\n")) is None
    comment = comment_for(found, "rewritten by hand")
    assert comment
    assert "A missing index." in comment
    assert comment_for(investigation(), "anything") is None
    assert whole_conclusion(Conclusion("T", "said", "also said here")) == "T\n\nalso said here"


def test_hostile_text_stays_text() -> None:
    name = "<!channel> ](https://evil.com) \u202egnp.exe\x00\u200b\ud800\nsecond line"
    source = CaseSource(alert=AlertRef(7, "99", 0, name, ""))
    title = draft_title(source, None)
    assert title == "<!channel> ](https://evil.com) gnp.exe second line"
    assert draft_description(source, None, APP) == f"Alert: {title}\nhttps://app.datadoghq.com/monitors/7"
    assert source.about
    assert next(alert_insights(source.about)).label == f"{title} · monitor"


texts = st.text(max_size=4000)
conclusions = st.lists(st.builds(Conclusion, texts, texts, texts), max_size=4)


@given(conclusions, texts, texts)
def test_whatever_the_texts_the_limits_hold(told: list[Conclusion], name: str, group: str) -> None:
    found = investigation(*told, alert=AlertRef(1, "2", 3, name, group))
    title, description = draft_title(IN_THREAD, found), draft_description(IN_THREAD, found, APP)
    assert 1 <= len(title) <= LONGEST_TITLE
    assert "\n" not in title
    assert len(description) <= LONGEST_DESCRIPTION
    assert description.endswith(THREAD)
    comment = comment_for(found, description)
    assert comment is None or len(comment) <= LONGEST_COMMENT
    for text in (title, description, comment or ""):
        assert clean(text).strip() == text.strip()
