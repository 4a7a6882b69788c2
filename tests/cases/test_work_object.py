"""A case as a Work Object: whatever Datadog's words are, Slack takes it, and only what is ours to change is changed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cases import work_object
from bot.cases.model import CaseActionKind, KnownCase
from bot.datadog.cases import SECURITY_TYPE, Case, Comment, Insight, Person
from bot.sandbox.slack.entities import problems_of

URL = "https://app.datadoghq.com"
WORDS = st.text(max_size=120)


def known(**facts: Any) -> KnownCase:
    return KnownCase(1, "default", "uuid-1", "CASEM-42", **{"title": "Disk full", "status": "OPEN"} | facts)


@given(WORDS, WORDS, WORDS, st.lists(st.tuples(WORDS, WORDS), max_size=4), st.text(max_size=3000))
def test_slack_takes_whatever_words_there_are(
    title: str, name: str, priority: str, statuses: list[tuple[str, str]], long: str
) -> None:
    shown = known(
        title=title, status_name=name, priority=priority, statuses=tuple(statuses), assignee=name, project_name=title
    )
    told = Case(
        "uuid-1", "K", title, description=long, insights=(Insight(name, "/x", long),), assignee=Person("u", name)
    )
    comments = [Comment(long, datetime.now(UTC), "1", name), Comment("", None, "", "")]
    for entity in (
        work_object.card_entity(shown, URL),
        work_object.details(shown, URL),
        work_object.details(shown, URL, told, comments, note=long, edited={"status": name, "priority": priority}),
    ):
        assert problems_of(entity, "entity") == []
        assert "<" not in str(entity["entity_payload"]["attributes"]["title"])


def entered(**fields: Any) -> dict[str, Any]:
    return {"state": {"values": {name: {f"{name}.input": value} for name, value in fields.items()}}}


def chosen(value: str) -> dict[str, Any]:
    return {"selected_option": {"value": value}}


def test_only_what_was_changed_is_done() -> None:
    edits = work_object.read_edits(
        known(status_name="Open", priority="P1"),
        entered(status=chosen("Open"), priority=chosen("P3"), assignee={"selected_user": "U0123456"}),
    )
    assert edits.problems == {}
    assert edits.changes == {
        "priority": (CaseActionKind.PRIORITY, "P3"),
        "assignee": (CaseActionKind.ASSIGN, "U0123456"),
    }


@pytest.mark.parametrize(
    ("fields", "facts"),
    [
        ({"status": chosen("Painted")}, {}),
        ({"status": {}}, {}),
        ({"status": chosen("Closed")}, {"type_id": SECURITY_TYPE}),
        ({"priority": chosen("P9")}, {}),
        ({"assignee": {"selected_user": "<!channel>"}}, {}),
        ({"title": {"value": "Mine"}}, {}),
    ],
)
def test_what_is_not_possible_says_why_at_its_field(fields: dict[str, Any], facts: dict[str, Any]) -> None:
    edits = work_object.read_edits(known(**facts), entered(**fields))
    assert edits.changes == {}
    assert list(edits.problems) == list(fields)


def test_a_reference_of_anothers_is_no_case() -> None:
    entity = work_object.card_entity(known(), URL)
    assert work_object.case_id_of(entity["external_ref"]) == "uuid-1"
    for strange in ({"id": "uuid-1", "type": "ticket"}, {}, None, "uuid-1", [1]):
        assert work_object.case_id_of(strange) == ""


def test_a_security_case_offers_no_status_that_closes_it() -> None:
    entity = work_object.details(known(type_id=SECURITY_TYPE), URL)
    options = entity["entity_payload"]["fields"]["status"]["edit"]["select"]["static_options"]
    assert [each["value"] for each in options] == ["Open", "In Progress"]
