"""Cases: create, search, get, and the two ways to count them."""

from collections import Counter

from bot.sandbox.datadog import checks
from bot.sandbox.datadog.answers import JSON_API, Answer, Json, bad_request
from bot.sandbox.datadog.api import case_common as common
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.case_model import PRIORITIES, FakeCase

_SORTS = ("created_at", "priority", "status")
_NEW = checks.resource(
    "case",
    checks.record(
        {"title": checks.filled, "type_id": checks.uuid},
        {
            "description": checks.text,
            "priority": common.check_priority,
            "status_name": checks.text,
            "custom_attributes": checks.table(common.check_custom_attribute),
        },
    ),
    checks.record(
        {"project": checks.reference("project")},
        {"assignee": checks.optional(checks.reference("user"))},
    ),
)
_AGGREGATE = checks.resource(
    "aggregate",
    checks.record(
        {
            "query_filter": checks.text,
            "group_by": checks.record({"groups": checks.many(checks.text)}, {"limit": checks.integer}),
        }
    ),
)


def create(call: Call) -> Answer:
    _NEW(call.body, "")
    data = call.body["data"]
    if "relationships" not in data:
        raise bad_request('missing required relationship "project"')
    case = _build(call, data["attributes"], data["relationships"])
    call.org.case_management.cases[case.id] = case
    call.world.happened("case_created", call.org, case)
    return common.answer(call, case, 201)


def _build(call: Call, asked: Json, related: Json) -> FakeCase:
    project = common.project(call, related["project"]["data"]["id"])
    kind = common.case_type(call, asked["type_id"])
    assignee = related.get("assignee")
    person = common.person(call, assignee["data"]["id"]) if assignee else None
    case_management = call.org.case_management
    case = FakeCase(
        id=call.world.new_id(),
        number=case_management.next_number(),
        key="",
        title=asked["title"],
        project=project,
        type=kind,
        created=call.now,
        created_by=call.org.owner,
        description=asked.get("description", ""),
        priority=asked.get("priority", "NOT_DEFINED"),
        assignee=person,
        custom_attributes=dict(asked.get("custom_attributes", {})),
    )
    common.set_status_name(case, asked.get("status_name", "Open"), call.now)
    case.key = case_management.next_key(project)
    return case


def search(call: Call) -> Answer:
    size = checks.number_param(call.query, "page[size]", 10, least=1, most=100)
    number = checks.number_param(call.query, "page[number]", 1, least=1)
    found = _sorted(call, _found(call, call.query.get("filter", "")))
    items = found[(number - 1) * size : number * size]
    people = {user.id: user for case in items for user in case.people()}
    show = call.org.case_management.show_insights
    page = {"current": number, "size": len(items), "total": -(-len(found) // size)}
    body = {
        "data": [_listed(case, show_insights=show) for case in items],
        "meta": {"total_cases": len(found), "page": page},
        "included": [user.included() for user in people.values()],
    }
    return Answer(body, content_type=JSON_API)


def _listed(case: FakeCase, *, show_insights: bool) -> dict[str, Json]:
    """Lists carry a member more than a single case does."""
    data = case.data(show_insights=show_insights, fine=True)
    data["attributes"]["created_by_author"] = case.created_by.author()
    return data


def _found(call: Call, text: str) -> list[FakeCase]:
    matcher = common.parsed(text)
    return [
        case for case in call.org.case_management.cases.values() if not case.archived and common.matches(matcher, case)
    ]


def _sorted(call: Call, cases: list[FakeCase]) -> list[FakeCase]:
    name = call.query.get("sort[field]", "created_at")
    checks.one_of(*_SORTS)(name, "sort[field]")
    ascending = call.query.get("sort[asc]", "false")
    checks.one_of("true", "false")(ascending, "sort[asc]")
    keys = {
        "created_at": lambda case: (case.created, case.number),
        "priority": lambda case: (PRIORITIES.index(case.priority), case.number),
        "status": lambda case: (common.STATUSES.index(case.status), case.number),
    }
    return sorted(cases, key=keys[name], reverse=ascending == "false")


def get(call: Call) -> Answer:
    return common.answer(call, common.find(call), fine=True)


def count(call: Call) -> Answer:
    limit = checks.number_param(call.query, "limit", 10, least=1, most=100)
    names = [name for name in call.query.get("group_bys", "").split(",") if name]
    found = _found(call, call.query.get("query_filter", ""))
    groups = [
        {"group": name, "group_values": [{"value": value, "count": n} for value, n in _tally(found, name)[:limit]]}
        for name in names
    ]
    data = {"id": call.world.new_id(), "type": "count", "attributes": {"groups": groups}}
    return Answer({"data": data}, content_type=JSON_API)


def aggregate(call: Call) -> Answer:
    _AGGREGATE(call.body, "")
    asked = call.body["data"]["attributes"]
    found = _found(call, asked["query_filter"])
    tallies = [(name, _tally(found, name)) for name in asked["group_by"]["groups"]]
    groups = [{"group": f"{name}:{value}", "value": [n]} for name, tally in tallies for value, n in tally]
    limit = asked["group_by"].get("limit", 10)
    data = {
        "id": call.world.new_id(),
        "type": "aggregate",
        "attributes": {"total": len(found), "groups": groups[:limit]},
    }
    return Answer({"data": data}, content_type=JSON_API)


def _tally(cases: list[FakeCase], name: str) -> list[tuple[str, int]]:
    known = {
        "status": lambda case: case.status,
        "priority": lambda case: case.priority,
        "project": lambda case: case.project.key,
        "type": lambda case: case.type.word,
    }
    if name not in known:
        raise bad_request(f'invalid group "{name}"')
    return Counter(known[name](case) for case in cases).most_common()


_SEARCH = ("page[size]", "page[number]", "sort[field]", "filter", "sort[asc]")
ROUTES = (
    Route("POST", common.PATH, create, common.WRITE, "cases_create", body=True),
    Route("GET", common.PATH, search, common.READ, "cases_search", _SEARCH),
    Route("GET", common.PATH + "/count", count, common.READ, "cases_search", ("query_filter", "group_bys", "limit")),
    Route("POST", common.PATH + "/aggregate", aggregate, common.READ, "cases_search", body=True),
    Route("GET", common.PATH + "/{case_id}", get, common.READ, "cases_get"),
)
