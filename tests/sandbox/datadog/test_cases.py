"""Cases on the fake: what is refused in which words, how their JSON looks, what stays hidden."""

import re
from typing import Any

import httpx
import pytest

from bot.sandbox.datadog import CHANGE_REQUEST, SECURITY, STANDARD, FakeCase, FakeDatadog, FakeProject
from tests.sandbox.datadog.conftest import Body, Clock, case_body

CASES = "/api/v2/cases"
PLAIN = {"status": "400", "title": "Bad Request"}
NOBODY = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def project(fake: FakeDatadog) -> FakeProject:
    return fake.add_project("SRE")


@pytest.fixture
def case(fake: FakeDatadog, project: FakeProject) -> FakeCase:
    return fake.add_case("Disk is filling up", project)


def new(project: FakeProject, **attributes: Any) -> Body:
    body = case_body(**({"title": "Disk", "type_id": STANDARD.id} | attributes))
    body["data"]["relationships"] = {"project": {"data": {"id": project.id, "type": "project"}}}
    return body


def one(kind: str, resource: str, ref: str = "/x") -> dict[str, str]:
    return {"type": kind, "ref": ref, "resource_id": resource}


async def refusal(http: httpx.AsyncClient, path: str, body: Body, method: str = "POST") -> tuple[int, Any]:
    answer = await http.request(method, path, json=body)
    assert answer.headers["Content-Type"] == "application/vnd.api+json"
    return answer.status_code, answer.json()["errors"][0]


async def test_a_new_case_looks_as_recorded(http: httpx.AsyncClient, fake: FakeDatadog, project: FakeProject) -> None:
    answer = await http.post(CASES, json=new(project))
    assert answer.status_code == 201
    data = answer.json()["data"]
    attributes = data["attributes"]
    assert {"modified_at", "closed_at", "archived_at", "due_date"}.isdisjoint(attributes)
    assert re.fullmatch(r".*\.\d{6}Z", attributes.pop("created_at"))
    assert attributes == {
        "attributes": {},
        "comment_count": 0,
        "creation_source": "MANUAL",
        "custom_attributes": {},
        "description": "",
        "insights": [],
        "internal_id": data["id"],
        "key": "SRE-42",
        "merge_status": "NOT_MERGED",
        "priority": "NOT_DEFINED",
        "public_id": "99261",
        "status": "OPEN",
        "status_group": "SG_OPEN",
        "status_name": "Open",
        "title": "Disk",
        "type": "STANDARD",
        "type_id": STANDARD.id,
    }
    assert set(data["relationships"]) == {"created_by", "project"}
    assert [user["id"] for user in answer.json()["included"]] == [fake.org.owner.id]


async def test_creation_is_refused_in_the_recorded_words(
    http: httpx.AsyncClient, fake: FakeDatadog, project: FakeProject
) -> None:
    cases: list[tuple[Body, tuple[int, Body]]] = [
        ({"title": ""}, (400, PLAIN)),
        ({"title": "   "}, (400, PLAIN)),
        ({"type_id": "STANDARD"}, (400, PLAIN)),
        ({"type_id": NOBODY}, (404, {"code": "resource_not_found", "title": "case type not found"})),
        (
            {"priority": "P1234"},
            (
                400,
                {
                    "status": "400",
                    "title": "Generic Error",
                    "detail": "invalid priority P1234. Must be one of P1, P2, P3, P4, P5, NOT_DEFINED",
                },
            ),
        ),
    ]
    for attributes, told in cases:
        assert await refusal(http, CASES, new(project, **attributes)) == told
        assert fake.cases() == []


async def test_wrong_types_are_told(http: httpx.AsyncClient, project: FakeProject, case: FakeCase) -> None:
    wrong = new(project)
    wrong["data"]["relationships"]["assignee"] = {"data": {"id": NOBODY, "type": "userx"}}
    assert (await refusal(http, CASES, wrong))[1]["detail"] == 'got type "userx" expected one of "user"'
    archive = {"data": {"type": "project"}}
    told = await refusal(http, f"{CASES}/{case.key}/archive", archive)
    assert told[1]["detail"] == 'got type "project" expected one of "case"'


async def test_a_deleted_type_can_not_be_used(http: httpx.AsyncClient, project: FakeProject) -> None:
    types = (await http.get(f"{CASES}/types")).json()["data"]
    deleted = [kind for kind in types if "deleted_at" in kind["attributes"]]
    assert [kind["attributes"]["name"] for kind in deleted] == ["World"]
    status, _ = await refusal(http, CASES, new(project, type_id=deleted[0]["id"]))
    assert status == 404


async def test_a_change_that_is_not_right_changes_nothing(http: httpx.AsyncClient, case: FakeCase) -> None:
    cases: list[tuple[str, Body, str]] = [
        ("status", {"status": "DONE"}, "invalid status DONE. Must be one of NOT_STARTED, IN_PROGRESS"),
        ("status", {"status_name": "Approved"}, 'invalid status name "Approved" for case type Standard'),
        ("status", {}, "exactly one of"),
        ("status", {"status": "OPEN", "status_name": "Open"}, "exactly one of"),
        ("priority", {"priority": "high"}, "invalid priority high"),
        ("priority", {"priority": "P1", "reason": "x"}, 'unknown attribute "reason"'),
        ("title", {"name": "x"}, 'missing required attribute "title"'),
        ("attributes", {"attributes": {"service": "web"}}, 'decoding attribute "attributes": invalid type string'),
        ("attributes", {"attributes": []}, 'decoding attribute "attributes": invalid type array'),
        ("due_date", {"due_date": "tomorrow"}, "invalid due_date"),
        ("resolved_reason", {"security_resolved_reason": "FALSE_POSITIVE"}, "only security cases"),
        ("custom_attributes/x", {"type": "NUMBER", "is_multi": False, "value": "7"}, "invalid value"),
        ("custom_attributes/x", {"type": "TEXT", "is_multi": True, "value": "a"}, "must be a list"),
    ]
    for action, attributes, detail in cases:
        status, error = await refusal(http, f"{CASES}/{case.key}/{action}", case_body(**attributes))
        assert (status, detail in error["detail"]) == (400, True)
        assert (case.modified, case.comments) == (None, [])


async def test_some_refusals_have_no_detail_at_all(http: httpx.AsyncClient, case: FakeCase) -> None:
    cases: list[tuple[str, Body]] = [
        ("title", {"title": ""}),
        ("comment", {"comment": " "}),
        ("assign", {"assignee_id": NOBODY}),
        ("assign", {"assignee_id": "Ada"}),
    ]
    for action, attributes in cases:
        assert await refusal(http, f"{CASES}/{case.key}/{action}", case_body(**attributes)) == (400, PLAIN)


async def test_a_change_is_stamped_only_if_something_changed(
    http: httpx.AsyncClient, fake: FakeDatadog, case: FakeCase, clock: Clock
) -> None:
    path = f"{CASES}/{case.key}/unassign"
    same = (await http.post(path, json={"data": {"type": "case"}})).json()["data"]
    assert "modified_at" not in same["attributes"]
    clock.turn(60)
    answer = await http.post(f"{CASES}/{case.key}/status", json=case_body(status="CLOSED"))
    attributes = answer.json()["data"]["attributes"]
    assert (attributes["status_name"], attributes["status_group"]) == ("Closed", "SG_CLOSED")
    assert re.fullmatch(r".*\.\d{6}Z", attributes["modified_at"])
    assert "modified_by" in answer.json()["data"]["relationships"]
    read = (await http.get(f"{CASES}/{case.id}")).json()["data"]["attributes"]
    assert re.fullmatch(r".*\.\d{7,9}Z", read["closed_at"])
    assert [effect.details["action"] for effect in fake.journal.effects] == ["status"]
    reopened = (await http.post(f"{CASES}/{case.key}/status", json=case_body(status="OPEN"))).json()
    assert "closed_at" not in reopened["data"]["attributes"]


async def test_status_names_belong_to_the_type(
    http: httpx.AsyncClient, fake: FakeDatadog, project: FakeProject
) -> None:
    case = fake.add_case("Rotate keys", project, type=CHANGE_REQUEST)
    path = f"{CASES}/{case.key}/status"
    answer = await http.post(path, json=case_body(status_name="Implementing"))
    attributes = answer.json()["data"]["attributes"]
    assert (attributes["status"], attributes["status_name"]) == ("IN_PROGRESS", "Implementing")
    assert (await http.post(path, json=case_body(status="CLOSED"))).json()["data"]["attributes"][
        "status_name"
    ] == "Completed"
    secure = fake.add_case("Breach", project, type=SECURITY)
    reason = case_body(security_resolved_reason="FALSE_POSITIVE")
    assert (await http.post(f"{CASES}/{secure.key}/resolved_reason", json=reason)).status_code == 200


async def test_insights_come_in_1_to_100(http: httpx.AsyncClient, case: FakeCase) -> None:
    for count in (0, 101):
        for method in ("PUT", "DELETE"):
            body = case_body(insights=[one("EVENT", str(n)) for n in range(count)])
            status, error = await refusal(http, f"{CASES}/{case.key}/insights", body, method)
            assert (status, f"got {count}" in error["detail"]) == (400, True)


async def test_one_bad_insight_refuses_the_batch(http: httpx.AsyncClient, case: FakeCase) -> None:
    cases: list[Body] = [
        {"type": "MONITOR", "ref": "/monitors/1"},
        {"type": "LOG", "ref": "/logs", "resource_id": "1"},
        {"type": "MONITOR", "ref": "/monitors/1", "resource_id": 1},
        {"type": "MONITOR", "ref": "", "resource_id": "1"},
        {"type": "MONITOR", "ref": "/monitors/1", "resource_id": "1", "label": "x"},
    ]
    for insight in cases:
        body = case_body(insights=[one("EVENT", "7"), insight])
        assert (await refusal(http, f"{CASES}/{case.key}/insights", body, "PUT"))[0] == 400
        assert case.insights == {}


async def test_insights_are_a_set_and_can_be_kept_hidden(
    http: httpx.AsyncClient, fake: FakeDatadog, case: FakeCase
) -> None:
    path = f"{CASES}/{case.key}/insights"
    two = case_body(insights=[one("MONITOR", "1"), one("EVENT", "1"), one("MONITOR", "1", "/monitors/1")])
    shown = (await http.put(path, json=two)).json()["data"]["attributes"]["insights"]
    assert shown == [one("MONITOR", "1", "/monitors/1"), one("EVENT", "1")]
    await http.put(path, json=two)
    gone = case_body(insights=[one("MONITOR", "1", "/another"), one("MONITOR", "2")])
    left = (await http.request("DELETE", path, json=gone)).json()["data"]["attributes"]["insights"]
    assert left == [one("EVENT", "1")]
    assert [effect.kind for effect in fake.journal.effects] == ["insights_added", "insights_removed"]
    fake.hide_insights()
    assert "insights" not in (await http.get(f"{CASES}/{case.key}")).json()["data"]["attributes"]


async def test_a_comment_is_counted_and_remembered(http: httpx.AsyncClient, fake: FakeDatadog, case: FakeCase) -> None:
    answer = await http.post(f"{CASES}/{case.key}/comment", json=case_body(comment="Found it"))
    assert isinstance(answer.json()["data"], list)
    assert re.fullmatch(r".*\.\d{7,9}Z", answer.json()["data"][0]["attributes"]["created_at"])
    assert fake.comments() == ["Found it"]
    assert (await http.get(f"{CASES}/{case.key}")).json()["data"]["attributes"]["comment_count"] == 1


async def test_search_pages_count_pages_not_cases(
    http: httpx.AsyncClient, fake: FakeDatadog, project: FakeProject
) -> None:
    for number in range(5):
        fake.add_case(f"Case {number}", project, archived=1.0 if number == 4 else None)
    found = (await http.get(CASES, params={"page[size]": 3, "page[number]": 2, "filter": "project:SRE"})).json()
    assert found["meta"] == {"total_cases": 4, "page": {"current": 2, "size": 1, "total": 2}}
    assert [case["attributes"]["title"] for case in found["data"]] == ["Case 0"]
    assert [user["id"] for user in found["included"]] == [fake.org.owner.id]
    for params in ({"page[size]": "101"}, {"page[number]": "0"}, {"sort[field]": "title"}, {"filter": "("}):
        assert (await http.get(CASES, params=params)).status_code == 400


async def test_cases_are_sorted_by_what_is_asked(
    http: httpx.AsyncClient, fake: FakeDatadog, project: FakeProject
) -> None:
    for priority in ("P3", "P1", "NOT_DEFINED"):
        fake.add_case(priority, project, priority=priority)

    async def order(**params: str) -> list[str]:
        found = await http.get(CASES, params={f"sort[{name}]": value for name, value in params.items()})
        return [case["attributes"]["title"] for case in found.json()["data"]]

    assert await order() == ["NOT_DEFINED", "P1", "P3"]
    assert await order(field="priority", asc="true") == ["P1", "P3", "NOT_DEFINED"]


async def test_a_project_key_is_its_own(http: httpx.AsyncClient, project: FakeProject) -> None:
    def body(key: str) -> Body:
        return {"data": {"type": "project", "attributes": {"key": key, "name": key}}}

    path = f"{CASES}/projects"
    answers = [await http.post(path, json=body(key)) for key in ("WEB", "CASE", "web", project.key)]
    assert [answer.status_code for answer in answers] == [201, 400, 400, 409]


async def test_several_cases_change_at_once_or_not_at_all(
    http: httpx.AsyncClient, fake: FakeDatadog, project: FakeProject, case: FakeCase
) -> None:
    other = fake.add_case("Other", project)

    def bulk(action: str, ids: list[str], **payload: str) -> Body:
        attributes = {"case_ids": ids, "type": action, "payload": payload}
        return {"data": {"type": "bulk", "attributes": attributes}}

    path = f"{CASES}/bulk"
    assert (await http.post(path, json=bulk("priority", [case.id, "SRE-0"], priority="P1"))).status_code == 400
    assert case.priority == "NOT_DEFINED"
    assert (await http.post(path, json=bulk("priority", [case.id, other.key], priority="P1"))).status_code == 200
    assert (case.priority, other.priority) == ("P1", "P1")
    assert (await http.post(path, json=bulk("status", [case.id], status="DONE"))).status_code == 400
    assert (await http.post(path, json=bulk("archive", [case.id]))).status_code == 200
    assert case.archived is not None


async def test_tickets_elsewhere_are_made_in_their_own_time(
    fake: FakeDatadog, http: httpx.AsyncClient, case: FakeCase
) -> None:
    path = f"{CASES}/{case.key}/relationships"
    connected = fake.connect_jira("Bug")
    fake.connect_service_now("acme")
    jira = {"issue_type_id": "10004", "jira_account_id": connected.account_id, "project_id": "10000"}
    made = await http.post(f"{path}/jira_issues", json={"data": {"type": "issues", "attributes": jira}})
    snow = {"data": {"type": "tickets", "attributes": {"instance_name": "acme"}}}
    assert (made.status_code, (await http.post(f"{path}/servicenow_tickets", json=snow)).status_code) == (202, 202)
    attributes = (await http.get(f"{CASES}/{case.key}")).json()["data"]["attributes"]
    assert attributes["jira_issue"] == attributes["service_now_ticket"] == {"status": "IN_PROGRESS"}
    assert (await http.delete(f"{path}/jira_issues")).status_code == 204
    assert (await http.post(f"{path}/notebook", json={"data": {"type": "notebook"}})).status_code == 204
    assert "jira_issue" not in (await http.get(f"{CASES}/{case.key}")).json()["data"]["attributes"]
