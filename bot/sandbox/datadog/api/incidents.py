"""Incidents: get by uuid, and the search."""

from bot.sandbox.datadog import checks, query, times
from bot.sandbox.datadog.answers import Answer, Json, Refusal, strings
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.org import FakeIncident

PATH = "/api/v2/incidents"


def get(call: Call) -> Answer:
    incident_id = call.args["incident_id"]
    if not checks.UUID.fullmatch(incident_id):
        raise Refusal(strings(400, "Invalid URL param: incident_id must be an uuid"))
    incident = next((incident for incident in call.org.incidents if incident.id == incident_id), None)
    if incident is None:
        raise Refusal(strings(404, "Incident not found"))
    return Answer({"data": describe(call, incident)})


def describe(call: Call, incident: FakeIncident) -> Json:
    created = times.offset(incident.created)
    attributes = {
        "public_id": incident.public_id,
        "incident_type_uuid": "41d2e10b-4108-4736-92d7-791d00ea0702",
        "title": incident.title,
        "resolved": None,
        "customer_impact_scope": None,
        "customer_impacted": False,
        "notification_handles": None,
        "created": created,
        "modified": created,
        "detected": created,
        "declared": created,
        "archived": None,
        "is_test": False,
        "fields": {
            "severity": {"type": "dropdown", "value": incident.severity},
            "state": {"type": "dropdown", "value": incident.state},
            "summary": {"type": "textbox", "value": None},
            "services": {"type": "autocomplete", "value": None},
        },
        "severity": incident.severity,
        "state": incident.state,
        "visibility": "organization",
        "case_id": None,
    }
    creator = {"data": {"type": "users", "id": call.org.owner.id}}
    return {
        "type": "incidents",
        "id": incident.id,
        "attributes": attributes,
        "relationships": {"created_by_user": creator, "commander_user": {"data": None}},
    }


def search(call: Call) -> Answer:
    if not call.query.get("query"):
        raise Refusal(strings(400, "query is required"))
    size = checks.number_param(call.query, "page[size]", 10, least=1, most=100)
    start = checks.number_param(call.query, "page[offset]", 0, least=0)
    found = _found(call, call.query["query"])
    items = found[start : start + size]
    attributes = {
        "total": len(found),
        "facets": {},
        "incidents": [{"data": describe(call, incident)} for incident in items],
    }
    pagination = {"offset": start, "next_offset": start + len(items), "size": len(items)}
    data = {"type": "incidents_search_results", "attributes": attributes}
    return Answer({"data": data, "meta": {"pagination": pagination}})


def _found(call: Call, text: str) -> list[FakeIncident]:
    try:
        matcher = query.parse(text)
    except query.BadQuery:
        raise Refusal(strings(400, "Invalid query")) from None
    return [incident for incident in call.org.incidents if _matches(matcher, incident)]


def _matches(matcher: query.Matcher, incident: FakeIncident) -> bool:
    facets = {
        "state": incident.state,
        "severity": incident.severity,
        "title": incident.title,
        "public_id": str(incident.public_id),
    }
    return matcher(
        lambda key, value: key in facets and query.same(value, facets[key]),
        lambda text: text.lower() in incident.title.lower(),
    )


_READ = ("incident_read",)
_SEARCH = ("include", "query", "sort", "page[size]", "page[offset]")
ROUTES = (
    Route("GET", PATH + "/search", search, _READ, "incidents", _SEARCH),
    Route("GET", PATH + "/{incident_id}", get, _READ, "incidents", ("include",)),
)
