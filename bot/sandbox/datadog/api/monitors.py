"""Monitors: get, list, and the two searches."""

from bot.sandbox.datadog import checks, query, times
from bot.sandbox.datadog.alerts import FakeDowntime, FakeMonitor, GroupState, state_json
from bot.sandbox.datadog.answers import Answer, Json, Refusal, strings
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.org import FakeOrg

_STATES = {"alert": "Alert", "warn": "Warn", "no data": "No Data", "ok": "OK"}


def find(org: FakeOrg, raw: str) -> FakeMonitor:
    if not raw.isdigit():
        raise Refusal(strings(400, f"Invalid value for monitor_id: {raw}"))
    monitor = org.monitors.get(int(raw))
    if monitor is None:
        raise Refusal(strings(404, "Monitor not found"))
    return monitor


def get(call: Call) -> Answer:
    monitor = find(call.org, call.args["monitor_id"])
    answer = describe(call, monitor)
    wanted = _wanted_states(call.query.get("group_states", ""))
    if wanted:
        groups = {name: state for name, state in monitor.groups.items() if state.status in wanted}
        answer["state"] = {"groups": {name or "*": state_json(name, state) for name, state in groups.items()}}
    if call.query.get("with_downtimes") == "true":
        answer["matching_downtimes"] = [_matching(downtime) for downtime in _muting(call, monitor)]
    return Answer(answer)


def _wanted_states(raw: str) -> frozenset[str]:
    names = [name.strip() for name in raw.split(",") if name.strip()]
    if "all" in names:
        return frozenset(_STATES.values())
    unknown = [name for name in names if name not in _STATES]
    if unknown:
        raise Refusal(strings(400, f"Invalid group_states: {', '.join(unknown)}"))
    return frozenset(_STATES[name] for name in names)


def describe(call: Call, monitor: FakeMonitor) -> dict[str, Json]:
    owner = call.org.owner
    silenced = {one.scope: int(one.end) if one.end else None for one in _muting(call, monitor)}
    return {
        "id": monitor.id,
        "org_id": call.org.id,
        "type": monitor.type,
        "name": monitor.name,
        "message": monitor.message,
        "tags": list(monitor.tags),
        "query": monitor.query,
        "options": {"include_tags": True, "notify_no_data": False, "silenced": silenced},
        "multi": any(monitor.groups),
        "created_at": int(monitor.created) * 1000,
        "created": times.offset(monitor.created),
        "modified": times.offset(monitor.modified),
        "deleted": None,
        "restricted_roles": None,
        "priority": monitor.priority,
        "overall_state_modified": times.offset(monitor.modified),
        "overall_state": monitor.overall_state,
        "creator": {"name": owner.name, "handle": owner.handle, "email": owner.email, "id": 4_351_227},
    }


def _muting(call: Call, monitor: FakeMonitor) -> list[FakeDowntime]:
    return [
        downtime
        for downtime in call.org.downtimes.values()
        if downtime.status(call.now) == "active" and covers(downtime, monitor)
    ]


def covers(downtime: FakeDowntime, monitor: FakeMonitor) -> bool:
    tags = set(downtime.monitor_tags)
    return downtime.monitor_id == monitor.id or bool(tags and (tags == {"*"} or tags <= set(monitor.tags)))


def _matching(downtime: FakeDowntime) -> Json:
    return {
        "id": int(downtime.id.replace("-", "")[:8], 16),
        "start": int(downtime.start),
        "end": int(downtime.end) if downtime.end else None,
        "scope": [downtime.scope],
        "groups": ["total"],
    }


def list_all(call: Call) -> Answer:
    wanted = call.query.get("name", "").lower()
    tags = {tag for tag in call.query.get("monitor_tags", "").split(",") if tag}
    found = [
        describe(call, monitor)
        for monitor in call.org.monitors.values()
        if wanted in monitor.name.lower() and tags <= set(monitor.tags)
    ]
    size = checks.number_param(call.query, "page_size", 100, least=1, most=1000)
    start = checks.number_param(call.query, "page", 0, least=0) * size
    return Answer(found[start : start + size])


def search(call: Call) -> Answer:
    matcher = _matcher(call)
    found = [monitor for monitor in call.org.monitors.values() if _matches(matcher, monitor)]
    return _page(call, "monitors", [_summary(call, monitor) for monitor in found])


def search_groups(call: Call) -> Answer:
    matcher = _matcher(call)
    groups = [
        _group_summary(monitor, name, state)
        for monitor in call.org.monitors.values()
        if _matches(matcher, monitor)
        for name, state in monitor.groups.items()
    ]
    return _page(call, "groups", groups)


def _matcher(call: Call) -> query.Matcher:
    try:
        return query.parse(call.query.get("query", ""))
    except query.BadQuery:
        raise Refusal(strings(400, "Invalid query")) from None


def _matches(matcher: query.Matcher, monitor: FakeMonitor) -> bool:
    def facet(key: str, value: str) -> bool:
        known = {
            "id": [str(monitor.id)],
            "type": [monitor.type],
            "status": [monitor.overall_state],
            "priority": [f"p{monitor.priority}"],
            "title": [monitor.name],
        }
        if key == "tag":
            return value in monitor.tags
        return any(query.same(value, held) for held in known.get(key, [])) or f"{key}:{value}" in monitor.tags

    return matcher(facet, lambda text: text.lower() in monitor.name.lower())


def _summary(call: Call, monitor: FakeMonitor) -> Json:
    owner = call.org.owner
    return {
        "id": monitor.id,
        "name": monitor.name,
        "type": monitor.type,
        "status": monitor.overall_state,
        "query": monitor.query,
        "tags": list(monitor.tags),
        "scopes": [],
        "metrics": [],
        "classification": "metric",
        "creator": {"name": owner.name, "handle": owner.handle},
        "notifications": [],
        "last_triggered_ts": max((state.last_triggered for state in monitor.groups.values()), default=0) or None,
        "org_id": call.org.id,
    }


def _group_summary(monitor: FakeMonitor, name: str, state: GroupState) -> Json:
    return {
        "monitor_id": monitor.id,
        "monitor_name": monitor.name,
        "group": name or "*",
        "group_tags": [part for part in name.split(",") if part],
        "status": state.status,
        "last_triggered_ts": state.last_triggered or None,
        "last_nodata_ts": state.last_nodata,
    }


def _page(call: Call, member: str, found: list[Json]) -> Answer:
    size = checks.number_param(call.query, "per_page", 30, least=1, most=100)
    number = checks.number_param(call.query, "page", 0, least=0)
    items = found[number * size : (number + 1) * size]
    pages = -(-len(found) // size)
    metadata = {"page": number, "page_count": pages, "per_page": size, "total_count": len(found)}
    return Answer({member: items, "metadata": metadata, "counts": {}})


_READ = ("monitors_read",)
_SEARCH = ("query", "page", "per_page", "sort")
ROUTES = (
    Route("GET", "/api/v1/monitor/search", search, _READ, "monitor_search", _SEARCH),
    Route("GET", "/api/v1/monitor/groups/search", search_groups, _READ, "monitor_search", _SEARCH),
    Route(
        "GET",
        "/api/v1/monitor/{monitor_id}",
        get,
        _READ,
        "monitor_get",
        ("group_states", "with_downtimes", "with_assets"),
    ),
    Route(
        "GET",
        "/api/v1/monitor",
        list_all,
        _READ,
        "monitor_list",
        ("group_states", "name", "tags", "monitor_tags", "with_downtimes", "id_offset", "page", "page_size"),
    ),
)
