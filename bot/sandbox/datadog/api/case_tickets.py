"""Tickets in other systems that hang on a case: Jira, ServiceNow, a notebook; and one change for many cases at once."""

from bot.sandbox.datadog import checks
from bot.sandbox.datadog.answers import Answer, Json, Refusal, bad_request, problem
from bot.sandbox.datadog.api import case_common as common
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.api.case_changes import CHANGES
from bot.sandbox.datadog.case_model import FakeCase

_JIRA = checks.resource(
    "issues",
    checks.record(
        {"issue_type_id": checks.filled, "jira_account_id": checks.filled, "project_id": checks.filled},
        {"fields": checks.table(checks.anything)},
    ),
)
_JIRA_LINK = checks.resource("issues", checks.record({"jira_issue_url": checks.filled}))
_SERVICE_NOW = checks.resource(
    "tickets", checks.record({"instance_name": checks.filled}, {"assignment_group": checks.text})
)
_NOTEBOOK = checks.resource("notebook")
_ACTIONS = (
    "priority",
    "status",
    "assign",
    "unassign",
    "archive",
    "unarchive",
    "jira",
    "servicenow",
    "linear",
    "update_project",
)
_BULK = checks.resource(
    "bulk",
    checks.record(
        {"case_ids": checks.many(checks.filled, least=1, most=100), "type": checks.one_of(*_ACTIONS)},
        {"payload": checks.table(checks.text)},
    ),
)
_ANSWERED = {"priority": "priority", "status": "status", "assign": "assignee_id"}


def create_jira(call: Call) -> Answer:
    """Only noted here; Datadog makes the issue in its own time."""
    _JIRA(call.body, "")
    jira, asked = call.org.case_management.jira, call.body["data"]["attributes"]
    known = jira and (jira.account_id, jira.project_id, jira.issue_type_id)
    if known != (asked["jira_account_id"], asked["project_id"], asked["issue_type_id"]):
        raise bad_request("no such Jira account, project or issue type")
    return _start(call, common.find(call), "jira_issue")


def link_jira(call: Call) -> Answer:
    """The one call of cases that is declared to answer 409."""
    _JIRA_LINK(call.body, "")
    case = common.find(call)
    if "jira_issue" in case.tickets:
        raise Refusal(problem(409, "Conflict", "the case is linked to a Jira issue already"))
    url = call.body["data"]["attributes"]["jira_issue_url"]
    key = url.rstrip("/").rpartition("/")[2]
    result = {"issue_id": "10001", "issue_key": key, "issue_url": url, "project_key": key.partition("-")[0]}
    case.tickets["jira_issue"] = {"status": "COMPLETED", "result": result}
    common.touch(call, case, "ticket_linked", url)
    return Answer(status=204)


def unlink_jira(call: Call) -> Answer:
    case = common.find(call)
    if case.tickets.pop("jira_issue", None) is not None:
        common.touch(call, case, "ticket_unlinked")
    return Answer(status=204)


def create_service_now(call: Call) -> Answer:
    _SERVICE_NOW(call.body, "")
    if call.body["data"]["attributes"]["instance_name"] not in call.org.case_management.service_now:
        raise bad_request("no such ServiceNow instance")
    return _start(call, common.find(call), "service_now_ticket")


def create_notebook(call: Call) -> Answer:
    _NOTEBOOK(call.body, "")
    case = common.find(call)
    case.notebooks += 1
    common.touch(call, case, "notebook_created")
    return Answer(status=204)


def _start(call: Call, case: FakeCase, name: str) -> Answer:
    case.tickets[name] = {"status": "IN_PROGRESS"}
    common.touch(call, case, "ticket_asked", name)
    return Answer(status=202)


def bulk(call: Call) -> Answer:
    _BULK(call.body, "")
    asked = call.body["data"]["attributes"]
    cases = [_known(call, case_id) for case_id in asked["case_ids"]]
    for case in cases:
        _apply(call, case, asked["type"], asked.get("payload", {}))
        common.touch(call, case, "case_updated", action=asked["type"])
    return Answer(status=200)


def _known(call: Call, case_id: str) -> FakeCase:
    case = call.org.case_management.find(case_id)
    if case is None:
        raise bad_request(f"unknown case {case_id}")
    return case


def _apply(call: Call, case: FakeCase, action: str, payload: Json) -> None:
    change = CHANGES.get(action)
    if change is None:
        raise bad_request(f'bulk action "{action}" is not set up in this organization', "Generic Error")
    name = _ANSWERED.get(action)
    attributes = {name: payload.get(name, "")} if name else {}
    if change.attributes:
        change.attributes(attributes, "data.attributes.payload")
    change.apply(call, case, attributes)


_CASE = common.PATH + "/{case_id}"
_TICKETS = f"{_CASE}/relationships"
ROUTES = (
    Route("POST", common.PATH + "/bulk", bulk, common.WRITE, "cases_update", body=True),
    Route("POST", f"{_TICKETS}/jira_issues", create_jira, common.WRITE, "cases_update", body=True),
    Route("PATCH", f"{_TICKETS}/jira_issues", link_jira, common.WRITE, "cases_update", body=True),
    Route("DELETE", f"{_TICKETS}/jira_issues", unlink_jira, common.WRITE, "cases_update"),
    Route("POST", f"{_TICKETS}/servicenow_tickets", create_service_now, common.WRITE, "cases_update", body=True),
    Route("POST", f"{_TICKETS}/notebook", create_notebook, common.WRITE, "cases_update", body=True),
)
