"""Cases: what is sent for every change, and what is understood of recorded and of strange answers."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.cases import Case, Cases, CaseType, Insight, Person, Project, StatusOption, moment, quoted, read_case
from bot.datadog.client import Datadog
from bot.datadog.errors import Conflict, Forbidden, NoAnswer, NotFound, Unreadable
from tests.datadog.conftest import Wire

RECORDED: dict[str, Any] = {
    "data": {
        "id": "c-1",
        "type": "case",
        "attributes": {
            "key": "DDFC-98805",
            "public_id": "99261",
            "title": "Checkout is slow",
            "status": "OPEN",
            "status_name": "Open",
            "status_group": "SG_OPEN",
            "priority": "P4",
            "type": "STANDARD",
            "type_id": "00000000-0000-0000-0000-000000000001",
            "comment_count": 2,
            "attributes": {"service": ["web", "db"]},
            "insights": [
                {"type": "MONITOR", "ref": "/monitors/12345?q=total", "resource_id": "12345"},
                {"type": "BRAND_NEW", "ref": "", "resource_id": "x"},
                {"type": "MONITOR"},
            ],
            "created_at": "2025-12-30T13:49:45.033566123Z",
            "modified_at": "2025-12-30T13:49:45.033566Z",
        },
        "relationships": {
            "project": {"data": {"id": "p-1", "type": "project"}},
            "assignee": {"data": {"id": "u-1", "type": "user"}},
            "created_by": {"data": {"id": "u-2", "type": "user"}},
        },
    },
    "included": [
        {"id": "u-1", "type": "user", "attributes": {"name": "Jane", "email": "jane@acme.example", "handle": "jane"}}
    ],
}
SPARSE = {"data": {"id": "c-1", "type": "case"}}
MONITOR = Insight("MONITOR", "/monitors/1", "1")


@pytest.fixture
def cases(datadog: Datadog) -> Cases:
    return Cases(datadog)


async def test_a_recorded_case_is_understood(wire: Wire, cases: Cases) -> None:
    wire.answers(httpx.Response(200, json=RECORDED, headers={"content-type": "application/vnd.api+json"}))

    assert await cases.get("DDFC-98805") == Case(
        id="c-1",
        key="DDFC-98805",
        title="Checkout is slow",
        status="OPEN",
        status_name="Open",
        priority="P4",
        type="STANDARD",
        type_id="00000000-0000-0000-0000-000000000001",
        project_id="p-1",
        assignee=Person("u-1", "Jane", "jane@acme.example", "jane"),
        insights=(Insight("MONITOR", "/monitors/12345?q=total", "12345"), Insight("BRAND_NEW", "", "x")),
        created_at=datetime(2025, 12, 30, 13, 49, 45, 33566, tzinfo=UTC),
        modified_at=datetime(2025, 12, 30, 13, 49, 45, 33566, tzinfo=UTC),
        attributes=(("service", ("web", "db")),),
        comments=2,
    )
    assert wire.called == "GET /api/v2/cases/DDFC-98805"


async def test_a_case_of_absent_members(wire: Wire, cases: Cases) -> None:
    wire.answers_json(SPARSE)

    case = await cases.get("X-1")

    assert case == Case(id="c-1", key="", title="")
    assert case.insights is None


async def test_an_answer_without_a_case_is_unreadable(wire: Wire, cases: Cases) -> None:
    known_cases: list[dict[str, Any]] = [{}, {"data": None}, {"data": []}, {"data": {"id": ""}}]
    for body in known_cases:
        wire.answers_json(body)

        with pytest.raises(Unreadable):
            await cases.set_priority("X-1", "P2")


async def test_a_case_is_created_with_what_is_given(wire: Wire, cases: Cases) -> None:
    wire.answers(httpx.Response(201, json=RECORDED), httpx.Response(201, json=RECORDED))

    await cases.create("T", "p-1", "t-1")
    assert wire.called == "POST /api/v2/cases"
    assert wire.body == {
        "data": {
            "type": "case",
            "attributes": {"title": "T", "type_id": "t-1"},
            "relationships": {"project": {"data": {"id": "p-1", "type": "project"}}},
        }
    }

    await cases.create("T", "p-1", "t-1", description="D", priority="P2", status_name="Open", assignee_id="u-1")
    assert wire.body["data"]["attributes"] == {
        "title": "T",
        "type_id": "t-1",
        "description": "D",
        "priority": "P2",
        "status_name": "Open",
    }
    assert wire.body["data"]["relationships"]["assignee"] == {"data": {"id": "u-1", "type": "user"}}


async def test_a_case_is_never_created_twice(wire: Wire, cases: Cases) -> None:
    wire.answers(NoAnswer("slow"))

    with pytest.raises(NoAnswer) as caught:
        await cases.create("T", "p-1", "t-1")

    assert caught.value.may_have_happened
    assert len(wire.sent) == 1


Change = Callable[[Cases], Awaitable[Any]]


async def test_every_change_as_it_is_sent(wire: Wire, cases: Cases) -> None:
    known_cases: list[tuple[Change, str, dict[str, Any]]] = [
        (lambda cases: cases.set_status("X-1", "CLOSED"), "status", {"status": "CLOSED"}),
        (lambda cases: cases.set_status_name("X-1", "In Progress"), "status", {"status_name": "In Progress"}),
        (lambda cases: cases.set_priority("X-1", "P2"), "priority", {"priority": "P2"}),
        (lambda cases: cases.assign("X-1", "u-1"), "assign", {"assignee_id": "u-1"}),
        (lambda cases: cases.comment("X-1", "Hello"), "comment", {"comment": "Hello"}),
    ]
    for change, path, attributes in known_cases:
        wire.answers_json(RECORDED)

        await change(cases)

        assert wire.called == f"POST /api/v2/cases/X-1/{path}"
        assert wire.body == {"data": {"type": "case", "attributes": attributes}}


async def test_insights_are_added_and_removed(wire: Wire, cases: Cases) -> None:
    wire.answers_json(RECORDED, RECORDED)
    body = {
        "data": {
            "type": "case",
            "attributes": {"insights": [{"type": "MONITOR", "ref": "/monitors/1", "resource_id": "1"}]},
        }
    }

    await cases.add_insights("X-1", [MONITOR])
    assert (wire.called, wire.body) == ("PUT /api/v2/cases/X-1/insights", body)

    await cases.remove_insights("X-1", [MONITOR])
    assert (wire.called, wire.body) == ("DELETE /api/v2/cases/X-1/insights", body)


async def test_too_few_or_too_many_insights_are_not_sent(wire: Wire, cases: Cases) -> None:
    for count in (0, 101):
        with pytest.raises(ValueError, match="1 to 100"):
            await cases.add_insights("X-1", [MONITOR] * count)

        assert wire.sent == []


async def test_adding_insights_is_tried_again_because_it_can_be_repeated(wire: Wire, cases: Cases) -> None:
    wire.answers(httpx.Response(502), NoAnswer("slow"), httpx.Response(200, json=RECORDED))

    assert (await cases.add_insights("X-1", [MONITOR])).key == "DDFC-98805"


async def test_a_search(wire: Wire, cases: Cases) -> None:
    wire.answers_json(
        {
            "data": [RECORDED["data"], {"type": "case"}, None],
            "included": RECORDED["included"],
            "meta": {"page": {"current": 2, "size": 1, "total": 3}, "total_cases": 21},
        }
    )

    found = await cases.search('"checkout" status:open', size=5, page=2)

    assert [case.key for case in found] == ["DDFC-98805"]
    assert found[0].assignee == Person("u-1", "Jane", "jane@acme.example", "jane")
    assert dict(wire.last.url.params) == {
        "filter": '"checkout" status:open',
        "page[size]": "5",
        "page[number]": "2",
        "sort[field]": "created_at",
        "sort[asc]": "false",
    }


async def test_a_search_for_everything_with_nothing_found(wire: Wire, cases: Cases) -> None:
    wire.answers_json({"data": []})

    assert await cases.search() == ()
    assert "filter" not in wire.last.url.params


def test_typed_words_stay_words() -> None:
    for words, query in (
        ("slow checkout", '"slow checkout"'),
        ('a" OR status:closed "', '"a OR status:closed"'),
        ("\\", '""'),
    ):
        assert quoted(words) == query


async def test_projects(wire: Wire, cases: Cases) -> None:
    attributes = {"key": "SRE", "name": "Reliability", "restricted": True, "enabled_custom_case_types": ["t-9"]}
    wire.answers_json(
        {"data": [{"id": "p-1", "attributes": attributes}, {"id": "p-2", "attributes": {"key": "X"}}, {}]}
    )

    assert await cases.projects() == (
        Project("p-1", "SRE", "Reliability", enabled_type_ids=("t-9",)),
        Project("p-2", "X", "X"),
    )


async def test_types_with_their_own_status_names(wire: Wire, cases: Cases) -> None:
    statuses = {
        "closed": {"status_options": [{"name": "Completed"}, {"name": "Declined"}], "default": "Completed"},
        "open": {"status_options": [{"name": "Open"}], "default": "Open"},
        "in_progress": {"status_options": [{"name": "Implementing"}, {}, None]},
    }
    wire.answers_json(
        {
            "data": [
                {"id": "t-4", "attributes": {"name": "Change", "internal": True, "statuses_config": statuses}},
                {"id": "t-9", "attributes": {"name": "Old", "deleted_at": "2026-01-01T00:00:00Z"}},
                {"attributes": {}},
            ]
        }
    )

    assert await cases.types() == (
        CaseType(
            "t-4",
            "Change",
            internal=True,
            statuses=(
                StatusOption("Open", "open", default=True),
                StatusOption("Implementing", "in_progress"),
                StatusOption("Completed", "closed", default=True),
                StatusOption("Declined", "closed"),
            ),
        ),
        CaseType("t-9", "Old", deleted=True),
    )


async def test_refusals(wire: Wire, cases: Cases) -> None:
    known_cases: list[tuple[int, type[Exception]]] = [(403, Forbidden), (404, NotFound), (409, Conflict)]
    for status, kind in known_cases:
        body = {"errors": [{"code": "resource_not_found", "title": "case not found"}]}
        wire.answers(httpx.Response(status, json=body))

        with pytest.raises(kind) as caught:
            await cases.set_priority("X-1", "P1")

        assert getattr(caught.value, "detail", "") == "case not found"
        assert getattr(caught.value, "permission", "cases_write") == "cases_write"


def test_a_strange_time_is_no_time() -> None:
    for timestamp in ("", "yesterday", "2025-13-01T00:00:00Z", "0"):
        assert moment(timestamp) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "id"]), inner),
    max_leaves=3,
)


@given(
    st.fixed_dictionaries(
        {"id": json_values},
        optional={
            "attributes": json_values
            | st.fixed_dictionaries({}, optional=dict.fromkeys(RECORDED["data"]["attributes"], json_values)),
            "relationships": json_values | st.fixed_dictionaries({"assignee": json_values}),
        },
    ),
    json_values,
)
def test_no_shape_of_a_case_breaks_the_reader(data: dict[str, Any], included: Any) -> None:
    try:
        case = read_case({"data": data, "included": [included]}, "GET", "/api/v2/cases/1")
    except Unreadable:
        return
    assert case.id
