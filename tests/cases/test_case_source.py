"""What a message is about: which of its links go into the case, what the case is called, and of which type it is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cases.model import CaseSource
from bot.cases.source import link_host, linked, named_by_hand, proposed_type, source_of, unnamed
from bot.datadog.cases import SECURITY_TYPE, Insight
from bot.datadog.links import SITES, Location

HOME = Location(SITES[0])
APP = "https://app.datadoghq.com"
ISSUE = "1d2c3b4a-5e6f-4a1b-8c9d-0e1f2a3b4c5d"
STORY = "0123456789abcdef0123456789abcdef"

LINKED = [
    ("/security/signal?event=AQAAAYGCFXAgAAAA&from_ts=1", ("SECURITY_SIGNAL", "AQAAAYGCFXAgAAAA"), SECURITY_TYPE),
    (f"/error-tracking?issueId={ISSUE}", ("ERROR_TRACKING", ISSUE), ""),
    (f"/watchdog/story/{STORY}", ("WATCHDOG_STORY", STORY), ""),
    ("/event/explorer?event=AgAAAYGCFXAgAAAA", ("EVENT", "AgAAAYGCFXAgAAAA"), ""),
    ("/incidents/411/overview", ("INCIDENT", "411"), ""),
]
UNNAMED = [
    ("/cost/recommendations?view=7", "CLOUD_COST_RECOMMENDATION", ""),
    ("/sensitive-data-scanner/telemetry?id=7", "SENSITIVE_DATA_SCANNER_ISSUE", SECURITY_TYPE),
    ("/security/csm/vm?vulnerability=7", "SECURITY_FINDING", SECURITY_TYPE),
]


def by_datadog(page: str, title: str = "Impossible travel") -> dict[str, Any]:
    return {"bot_id": "B1", "attachments": [{"title": title, "title_link": APP + page, "text": "more words"}]}


@pytest.mark.parametrize(("page", "key", "type_id"), LINKED)
def test_what_a_message_links_goes_into_its_case(page: str, key: tuple[str, str], type_id: str) -> None:
    source = source_of(by_datadog(page))
    assert source.title == "Impossible travel"
    assert [each.key for each in linked(source, HOME)] == [key]
    assert proposed_type(source, HOME) == type_id
    assert link_host(source) == "app.datadoghq.com"
    assert unnamed(source, HOME) is None


@pytest.mark.parametrize(("page", "kind", "type_id"), UNNAMED)
def test_of_a_page_that_names_nothing_the_id_is_asked_for(page: str, kind: str, type_id: str) -> None:
    source = source_of(by_datadog(page))
    asked = unnamed(source, HOME)
    assert asked is not None
    assert asked.type == kind
    assert proposed_type(source, HOME) == type_id
    assert linked(source, HOME) == ()
    assert named_by_hand(source, "", HOME) is None
    named = named_by_hand(source, "YWJj~1", HOME)
    if kind == "SECURITY_FINDING":
        assert isinstance(named, str)
    else:
        assert named == Insight(kind, page, "YWJj~1")


def test_a_link_of_another_organisation_is_not_attached() -> None:
    source = source_of(by_datadog("/incidents/411"))
    assert linked(source, Location(SITES[1])) == ()
    assert linked(source_of({"text": "https://acme.datadoghq.com/incidents/4"}), Location(SITES[0], "globex")) == ()


def test_links_beside_the_matter_are_not_attached() -> None:
    words = f"<{APP}/monitors/7?event_id=99> <{APP}/dashboard/abc-def-ghi?fullscreen_widget=12> <{APP}/logs?query=x>"
    assert source_of({"text": words}).links == ()


def test_a_title_is_the_attachments_the_links_words_or_what_was_written_around_it() -> None:
    labelled = f"please look: <{APP}/incidents/411|Checkout &amp; cart are down>"
    assert source_of({"text": labelled}).title == "Checkout & cart are down"
    assert source_of({"text": f"checkout is down <{APP}/incidents/411>"}).title == "checkout is down"
    assert source_of({"text": f"<{APP}/incidents/411>"}).title == ""
    unfurled = {
        "text": f"<{APP}/incidents/411>",
        "attachments": [{"from_url": f"{APP}/incidents/411", "title": "Down"}],
    }
    assert source_of(unfurled).title == "Down"


def test_links_that_do_not_agree_leave_the_organisation_open() -> None:
    assert link_host(CaseSource(links=(f"{APP}/incidents/1", "https://app.datadoghq.eu/incidents/2"))) == ""


@given(st.recursive(st.text(max_size=40), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_message_is_read(content: Any) -> None:
    source = source_of({"text": content, "attachments": content, "blocks": content})
    linked(source, HOME)
    unnamed(source, HOME)
