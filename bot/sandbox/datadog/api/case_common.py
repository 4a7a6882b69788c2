"""What every call about a case shares: finding it, marking it changed, answering it whole."""

from typing import Any

from bot.sandbox.datadog import checks, query
from bot.sandbox.datadog.answers import JSON_API, Answer, Json, bad_request, missing
from bot.sandbox.datadog.api.call import Call
from bot.sandbox.datadog.case_model import PRIORITIES, FakeCase, FakeCaseType, FakeProject
from bot.sandbox.datadog.users import FakeUser

PATH = "/api/v2/cases"
READ = ("cases_read",)
WRITE = ("cases_write",)
STATUSES = ("OPEN", "IN_PROGRESS", "CLOSED")
_STATUS_TEXT = (
    "NOT_STARTED, IN_PROGRESS, CLOSED, ACKNOWLEDGED, TRIGGERED, PENDING_APPROVAL, COMPLETED, CANCELLED, DECLINED, "
    "SUNKNOWN, OPEN, RESOLVED, APPROVED, IMPLEMENTING"
)


def find(call: Call) -> FakeCase:
    """By uuid or by key."""
    case = call.org.case_management.find(call.args["case_id"])
    if case is None:
        raise missing("case not found")
    return case


def answer(call: Call, case: FakeCase, status: int = 200, *, fine: bool = False) -> Answer:
    data = case.data(show_insights=call.org.case_management.show_insights, fine=fine)
    included = [user.included() for user in case.people()]
    return Answer({"data": data, "included": included}, status, JSON_API)


def touch(call: Call, case: FakeCase, kind: str, subject: Any = None, **details: Any) -> None:
    case.modified = call.now
    case.modified_by = call.org.owner
    call.world.happened(kind, call.org, subject if subject is not None else case, case=case, **details)


def person(call: Call, user_id: str) -> FakeUser:
    """The recorded refusal of a bad or unknown assignee has no detail at all."""
    user = call.org.person(user_id) if checks.UUID.fullmatch(user_id) else None
    if user is None:
        raise bad_request()
    return user


def project(call: Call, project_id: str) -> FakeProject:
    found = call.org.case_management.projects.get(project_id)
    if found is None:
        raise missing("project not found")
    return found


def case_type(call: Call, type_id: str) -> FakeCaseType:
    found = call.org.case_management.types.get(type_id)
    if found is None or found.deleted:
        raise missing("case type not found")
    return found


def check_priority(value: Json, _where: str) -> None:
    if value not in PRIORITIES:
        raise bad_request(f"invalid priority {value}. Must be one of {', '.join(PRIORITIES)}", "Generic Error")


def check_status(value: Json, _where: str) -> None:
    if value not in STATUSES:
        raise bad_request(f"invalid status {value}. Must be one of {_STATUS_TEXT}", "Generic Error")


_CUSTOM = checks.record(
    {
        "type": checks.one_of("URL", "TEXT", "NUMBER", "SELECT"),
        "is_multi": checks.boolean,
        "value": checks.anything,
    }
)


def check_custom_attribute(value: Json, where: str) -> None:
    _CUSTOM(value, where)
    held = value["value"]
    if isinstance(held, list) != value["is_multi"]:
        raise bad_request("value must be a list if is_multi is true, and only then", "Generic Error")
    kinds = (int, float) if value["type"] == "NUMBER" else (str,)
    if not all(isinstance(one, kinds) for one in (held if isinstance(held, list) else [held])):
        raise bad_request(f"invalid value for a custom attribute of type {value['type']}", "Generic Error")


def check_configured(call: Call, case: FakeCase, key: str, value: Json) -> None:
    """What the organisation has set up for the case's type binds; other keys are taken as they come."""
    configured = call.org.case_management.custom_attributes.values()
    attribute = next((each for each in configured if each.key == key and each.type_id == case.type.id), None)
    if attribute is None:
        return
    if (attribute.type, attribute.is_multi) != (value["type"], value["is_multi"]):
        raise bad_request(f"custom attribute {key} is {attribute.type}, multi {attribute.is_multi}", "Generic Error")
    held = value["value"] if isinstance(value["value"], list) else [value["value"]]
    if attribute.type == "SELECT" and attribute.options and not set(held) <= set(attribute.options):
        raise bad_request(f"invalid option for custom attribute {key}", "Generic Error")
    if attribute.type == "URL" and not all("://" in one for one in held):
        raise bad_request(f"custom attribute {key} must be a URL", "Generic Error")


def set_status_name(case: FakeCase, name: str, now: float) -> None:
    if case.type.group_of(name) is None:
        raise bad_request(f'invalid status name "{name}" for case type {case.type.name}', "Generic Error")
    case.status_name = name
    closed = case.status == "CLOSED"
    case.closed = (case.closed or now) if closed else None


def parsed(text: str) -> query.Matcher:
    try:
        return query.parse(text)
    except query.BadQuery as error:
        raise bad_request(f"invalid filter: {error}") from None


def matches(matcher: query.Matcher, case: FakeCase) -> bool:
    facets = _facets(case)

    def facet(key: str, value: str) -> bool:
        held = facets.get(key.lstrip("@"), case.attributes.get(key.lstrip("@"), []))
        return any(query.same(value, one) for one in held)

    return matcher(facet, lambda text: text.lower() in case.title.lower())


def _facets(case: FakeCase) -> dict[str, list[str]]:
    assignee = case.assignee
    return {
        "status": [case.status, case.status_name],
        "priority": [case.priority],
        "project": [case.project.key, case.project.name],
        "type": [case.type.word, case.type.name],
        "creation_source": [case.creation_source],
        "assignee": [assignee.name, assignee.email, assignee.handle] if assignee else [],
        "key": [case.key],
    }
