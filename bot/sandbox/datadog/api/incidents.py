"""Incidents: declare, get by uuid, and the search."""

from bot.sandbox.datadog import checks, query, times
from bot.sandbox.datadog.answers import Answer, Json, Refusal, strings
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.org import FakeIncident

PATH = "/api/v2/incidents"


_SEVERITIES = ("UNKNOWN", "SEV-0", "SEV-1", "SEV-2", "SEV-3", "SEV-4", "SEV-5")
_KINDS = ("dropdown", "textbox", "textarray", "metrictag", "autocomplete")
_FIELD = checks.record({}, {"type": checks.one_of(*_KINDS), "value": checks.anything})
_NEW = checks.resource(
    "incidents",
    checks.record(
        {"customer_impacted": checks.boolean, "title": checks.filled},
        {
            "customer_impact_scope": checks.text,
            "fields": checks.table(_FIELD),
            "incident_type_uuid": checks.uuid,
            "is_test": checks.boolean,
        },
    ),
)


def declare(call: Call) -> Answer:
    _NEW(call.body, "")
    asked = call.body["data"]["attributes"]
    if asked["customer_impacted"] and not asked.get("customer_impact_scope", "").strip():
        raise Refusal(strings(400, "customer_impact_scope is required where customers are impacted"))
    fields = {name: field.get("value") for name, field in asked.get("fields", {}).items()}
    severity = fields.get("severity", "UNKNOWN")
    if severity not in _SEVERITIES:
        raise Refusal(strings(400, f"Invalid severity: {severity}"))
    incident = FakeIncident(
        call.world.new_id(),
        len(call.org.incidents) + 411,
        asked["title"],
        call.now,
        severity,
        summary=fields.get("summary"),
        impact=asked.get("customer_impact_scope"),
    )
    call.org.incidents.append(incident)
    call.world.happened("incident_declared", call.org, incident)
    return Answer({"data": describe(call, incident)}, 201)


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
        "customer_impact_scope": incident.impact,
        "customer_impacted": incident.impact is not None,
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
            "summary": {"type": "textbox", "value": incident.summary},
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
    order = call.query.get("sort", "created")
    checks.one_of("created", "-created")(order, "sort")
    found = sorted(_found(call, call.query["query"]), key=lambda each: each.public_id, reverse=order == "-created")
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
    Route("POST", PATH, declare, ("incident_write",), "incidents", body=True),
    Route("GET", PATH + "/search", search, _READ, "incidents", _SEARCH),
    Route("GET", PATH + "/{incident_id}", get, _READ, "incidents", ("include",)),
)
