"""Changes of one case that answer it whole: status, priority, people, words, attributes, archive, insights, project."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.datadog import checks, times
from bot.sandbox.datadog.answers import Answer, Json, bad_request, missing
from bot.sandbox.datadog.api import case_common as common
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.case_model import INSIGHT_TYPES, FakeCase

Apply = Callable[[Call, FakeCase, Json], None]


@dataclass(frozen=True, slots=True)
class Change:
    """One `POST /cases/{id}/<action>`."""

    apply: Apply
    attributes: checks.Check | None = None

    def __call__(self, call: Call) -> Answer:
        checks.resource("case", self.attributes)(call.body, "")
        case = common.find(call)
        before = repr(case.data())
        self.apply(call, case, call.body["data"].get("attributes", {}))
        if repr(case.data()) != before:
            common.touch(call, case, "case_updated", action=call.path.rpartition("/")[2])
        return common.answer(call, case)


def _status(call: Call, case: FakeCase, asked: Json) -> None:
    if len(asked) != 1:
        raise bad_request("exactly one of status and status_name is required")
    name = asked.get("status_name", "")
    group = (
        case.type.group_of(name) if name else ("open", "in_progress", "closed")[common.STATUSES.index(asked["status"])]
    )
    if group == "closed" and case.group != "closed":
        _check_reason(call, case)
    if name:
        common.set_status_name(case, name, call.now)
    elif group and case.group != group:
        common.set_status_name(case, case.type.names(group)[0], call.now)


def _check_reason(call: Call, case: FakeCase) -> None:
    """A security case says why it is closed."""
    late = call.org.case_management.reasons_of_closed_only
    if case.type.word == "SECURITY" and not late and not case.resolved_reason:
        raise bad_request("a resolved reason is required to close a security case", "Generic Error")


def _priority(_: Call, case: FakeCase, asked: Json) -> None:
    case.priority = asked["priority"]


def _assign(call: Call, case: FakeCase, asked: Json) -> None:
    case.assignee = common.person(call, asked["assignee_id"])


def _unassign(_: Call, case: FakeCase, _asked: Json) -> None:
    case.assignee = None


def _title(_: Call, case: FakeCase, asked: Json) -> None:
    case.title = asked["title"]


def _description(_: Call, case: FakeCase, asked: Json) -> None:
    case.description = asked["description"]


def _attributes(_: Call, case: FakeCase, asked: Json) -> None:
    case.attributes = asked["attributes"]


def _check_attributes(value: Json, where: str) -> None:
    lists = list(value.values()) if isinstance(value, dict) else []
    wrong = next((one for one in lists if not isinstance(one, list)), None if isinstance(value, dict) else value)
    if wrong is not None or not isinstance(value, dict):
        raise bad_request(f'error decoding attribute "attributes": invalid type {checks.type_name(wrong)}')
    for name, values in value.items():
        checks.many(checks.text)(values, f"{where}.{name}")


def _due_date(_: Call, case: FakeCase, asked: Json) -> None:
    due = asked["due_date"]
    if due is not None and (len(due) != 10 or times.parse_iso(due) is None):
        raise bad_request("invalid due_date; expected YYYY-MM-DD")
    case.due_date = due or ""


def _resolved_reason(call: Call, case: FakeCase, asked: Json) -> None:
    if case.type.word != "SECURITY":
        raise bad_request("only security cases have a resolved reason", "Generic Error")
    if call.org.case_management.reasons_of_closed_only and case.group != "closed":
        raise bad_request("the case is not closed", "Generic Error")
    case.resolved_reason = asked["security_resolved_reason"]


def _archive(call: Call, case: FakeCase, _asked: Json) -> None:
    case.archived = case.archived or call.now


def _unarchive(_: Call, case: FakeCase, _asked: Json) -> None:
    case.archived = None


def _custom_attribute(call: Call, case: FakeCase, asked: Json) -> None:
    common.check_configured(call, case, call.args["key"], asked)
    case.custom_attributes = {**case.custom_attributes, call.args["key"]: asked}


def remove_custom_attribute(call: Call) -> Answer:
    case = common.find(call)
    if call.args["key"] not in case.custom_attributes:
        raise missing("custom attribute not found")
    case.custom_attributes.pop(call.args["key"])
    common.touch(call, case, "case_updated", action="custom_attributes")
    return common.answer(call, case)


# --- insights -------------------------------------------------------------------------------------------------------

_INSIGHT = checks.record({"type": checks.one_of(*INSIGHT_TYPES), "ref": checks.filled, "resource_id": checks.filled})
_INSIGHTS = checks.resource("case", checks.record({"insights": checks.many(_INSIGHT, least=1, most=100)}))


def add_insights(call: Call) -> Answer:
    """A set over (type, resource_id); adding one again overwrites its ref."""
    case, asked = _asked_insights(call)
    before = dict(case.insights)
    case.insights |= {(one["type"], one["resource_id"]): one["ref"] for one in asked}
    if case.insights != before:
        common.touch(call, case, "insights_added", asked)
    return common.answer(call, case)


def remove_insights(call: Call) -> Answer:
    """What is not there is passed over."""
    case, asked = _asked_insights(call)
    gone = [one for one in asked if case.insights.pop((one["type"], one["resource_id"]), None) is not None]
    if gone:
        common.touch(call, case, "insights_removed", gone)
    return common.answer(call, case)


def _asked_insights(call: Call) -> tuple[FakeCase, list[dict[str, str]]]:
    _INSIGHTS(call.body, "")
    return common.find(call), call.body["data"]["attributes"]["insights"]


def move_project(call: Call) -> Answer:
    """The key changes, and the old one finds nothing any more."""
    checks.reference("project")(call.body, "")
    case = common.find(call)
    project = common.project(call, call.body["data"]["id"])
    if project is not case.project:
        case.project = project
        case.key = call.org.case_management.next_key(project)
        common.touch(call, case, "case_updated", action="project")
    return common.answer(call, case)


def _one(name: str, check: checks.Check) -> checks.Check:
    return checks.record({name: check})


CHANGES = {
    "status": Change(_status, checks.record({}, {"status": common.check_status, "status_name": checks.filled})),
    "priority": Change(_priority, _one("priority", common.check_priority)),
    "assign": Change(_assign, _one("assignee_id", checks.text)),
    "unassign": Change(_unassign),
    "title": Change(_title, _one("title", checks.filled)),
    "description": Change(_description, _one("description", checks.text)),
    "attributes": Change(_attributes, _one("attributes", _check_attributes)),
    "due_date": Change(_due_date, _one("due_date", checks.optional(checks.text))),
    "resolved_reason": Change(_resolved_reason, _one("security_resolved_reason", checks.filled)),
    "archive": Change(_archive),
    "unarchive": Change(_unarchive),
    "custom_attributes/{key}": Change(_custom_attribute, common.check_custom_attribute),
}
_CASE = common.PATH + "/{case_id}"
ROUTES = (
    *(
        Route("POST", f"{_CASE}/{action}", change, common.WRITE, "cases_update", body=True)
        for action, change in CHANGES.items()
    ),
    Route("DELETE", f"{_CASE}/custom_attributes/{{key}}", remove_custom_attribute, common.WRITE, "cases_update"),
    Route("PUT", f"{_CASE}/insights", add_insights, common.WRITE, "cases_insights", body=True),
    Route("DELETE", f"{_CASE}/insights", remove_insights, common.WRITE, "cases_insights", body=True),
    Route("PATCH", f"{_CASE}/relationships/project", move_project, common.WRITE, "cases_update", body=True),
)
