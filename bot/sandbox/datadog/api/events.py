"""Events: the search in its two forms, and one event by either of its ids."""

import base64
import binascii
import json
from urllib.parse import urlencode

from bot.sandbox.datadog import checks, query, times
from bot.sandbox.datadog.alerts import FakeAlert
from bot.sandbox.datadog.answers import Answer, Json, Refusal, problem, strings
from bot.sandbox.datadog.api.call import Call, Route

_SEARCH = checks.record(
    {},
    {
        "filter": checks.record({}, {"query": checks.text, "from": checks.text, "to": checks.text}),
        "sort": checks.one_of("timestamp", "-timestamp"),
        "page": checks.record({}, {"limit": checks.integer, "cursor": checks.text}),
        "options": checks.record({}, {"timezone": checks.text, "timeOffset": checks.integer}),
    },
)
_DEFAULTS = {"query": "*", "from": "now-15m", "to": "now"}


def search(call: Call) -> Answer:
    asked = call.body or {}
    _SEARCH(asked, "")
    if len(asked.get("options", {})) > 1:
        raise _bad("options", "timezone and timeOffset exclude each other")
    page = asked.get("page", {})
    return _answer(call, asked.get("filter", {}), asked.get("sort", "timestamp"), page)


def list_page(call: Call) -> Answer:
    given = {name: call.query[f"filter[{name}]"] for name in _DEFAULTS if f"filter[{name}]" in call.query}
    page: dict[str, Json] = {"limit": checks.number_param(call.query, "page[limit]", 10, least=1, most=1000)}
    if "page[cursor]" in call.query:
        page["cursor"] = call.query["page[cursor]"]
    sort = call.query.get("sort", "-timestamp")
    checks.one_of("timestamp", "-timestamp")(sort, "sort")
    return _answer(call, given, sort, page)


def _bad(field: str, why: str) -> Refusal:
    """The recorded 400: a list literal of another language inside a string."""
    return Refusal(strings(400, f"{{'errors': [u\"input_validation_error(Field '{field}' is invalid: {why})\"]}}"))


def _answer(call: Call, given: dict[str, str], sort: str, page: dict[str, Json]) -> Answer:
    limit = page.get("limit", 10)
    if not 1 <= limit <= 1000:
        raise _bad("page", "limit must be between 1 and 1000")
    found = sorted(_found(call, given), key=lambda alert: alert.event_ts, reverse=sort.startswith("-"))
    start = _start(found, page.get("cursor"))
    items = found[start : start + limit]
    if not items:
        return Answer({"data": []})
    after = base64.urlsafe_b64encode(json.dumps({"after": items[-1].uid}).encode()).decode().rstrip("=")
    members = {f"filter[{name}]": value for name, value in given.items()}
    following = urlencode({**members, "page[cursor]": after, "page[limit]": limit, "sort": sort})
    return Answer(
        {
            "meta": {"page": {"after": after}},
            "data": [describe(call, alert) for alert in items],
            "links": {"next": f"{call.base_url}/api/v2/events?{following}"},
        }
    )


def _found(call: Call, given: dict[str, str]) -> list[FakeAlert]:
    asked = _DEFAULTS | given
    matcher = _matcher(asked["query"])
    start, end = (_moment(call, name, asked[name]) for name in ("from", "to"))
    return [alert for alert in call.org.alerts if start <= alert.event_ts / 1000 <= end and _matches(matcher, alert)]


def _moment(call: Call, name: str, text: str) -> float:
    moment = times.parse_math(text, call.now)
    if moment is None:
        raise _bad("filter", f"invalid date in {name}")
    return moment


def _matcher(text: str) -> query.Matcher:
    try:
        return query.parse(text)
    except query.BadQuery as error:
        raise _bad("filter", f"invalid query: {error}") from None


def _start(found: list[FakeAlert], cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        after = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))["after"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise _bad("page", "invalid cursor") from None
    return next((index + 1 for index, alert in enumerate(found) if alert.uid == after), len(found))


def _facets(alert: FakeAlert) -> dict[str, list[str]]:
    monitor = alert.monitor
    return {
        "source": ["alert"],
        "status": [alert.status],
        "priority": [str(monitor.priority)] if monitor.priority else [],
        "@monitor.id": [str(monitor.id)],
        "@monitor.name": [monitor.name],
        "@monitor.type": [monitor.type],
        "@monitor.transition.transition_type": [alert.transition],
        "@monitor.groups": [part for part in alert.group.split(",") if part],
        "@monitor.alert_cycle_key_txt": [alert.cycle_key],
        "@evt.id": [alert.event_id],
        "@evt.type": [alert.event_type],
    }


def _matches(matcher: query.Matcher, alert: FakeAlert) -> bool:
    facets = _facets(alert)

    def facet(key: str, value: str) -> bool:
        if key in facets:
            return any(query.same(value, held) for held in facets[key])
        return any(query.same(f"{key}:{value}", tag) for tag in alert.tags)

    return matcher(facet, lambda text: text.lower() in f"{alert.title} {alert.text}".lower())


def describe(call: Call, alert: FakeAlert) -> Json:
    attributes = {
        "timestamp": times.seconds(alert.event_ts // 1000),
        "message": f"%%%\n{alert.text}\n%%%",
        "tags": alert.tags,
        "attributes": _inner(call, alert),
    }
    return {"id": alert.uid, "type": "event", "attributes": attributes}


def _inner(call: Call, alert: FakeAlert) -> dict[str, Json]:
    service = next((tag.partition(":")[2] for tag in alert.tags if tag.startswith("service:")), "undefined")
    return {
        "evt": {"id": alert.event_id, "type": alert.event_type, "source_id": 36},
        "timestamp": alert.event_ts,
        "monitor_id": alert.monitor.id,
        "monitor_groups": [part for part in alert.group.split(",") if part],
        "status": alert.status,
        **({"priority": str(alert.monitor.priority)} if alert.monitor.priority else {}),
        "service": service,
        "title": alert.title,
        "aggregation_key": alert.aggregation_key,
        "monitor": _monitor(call, alert),
        "sourcecategory": "monitor_alert",
    }


def _monitor(call: Call, alert: FakeAlert) -> dict[str, Json]:
    monitor = alert.monitor
    return {
        "id": monitor.id,
        "name": monitor.name,
        "type": monitor.type,
        "query": monitor.query,
        "message": monitor.message,
        "tags": list(monitor.tags),
        "groups": [part for part in alert.group.split(",") if part],
        "created_at": int(monitor.created) * 1000,
        "modified": int(monitor.modified) * 1000,
        "alert_cycle_key_txt": alert.cycle_key,
        "transition": {
            "transition_type": alert.transition,
            "source_state": alert.source_state,
            "destination_state": alert.state,
        },
        "result": {
            "alert_url": f"{call.org.app_url}/monitors/{monitor.id}?event_id={alert.event_id}",
            "group_key": alert.group,
        },
    }


def get_by_uid(call: Call) -> Answer:
    uid = call.args["event_id"]
    if uid.isdigit():
        raise Refusal(problem(400, "Bad Request", "invalid event id"))
    alert = next((alert for alert in call.org.alerts if alert.uid == uid), None)
    if alert is None:
        raise Refusal(problem(404, "Not Found", "event not found"))
    return Answer({"data": describe(call, alert)})


def get_by_number(call: Call) -> Answer:
    """The first version of the API: the numeric id, times in seconds."""
    raw = call.args["event_id"]
    if not raw.isdigit():
        raise Refusal(strings(400, "Invalid event id"))
    alert = call.org.alert(raw)
    if alert is None:
        raise Refusal(strings(404, "No event matches that event_id."))
    event = {
        "id": int(alert.event_id),
        "id_str": alert.event_id,
        "title": alert.title,
        "text": f"%%%\n{alert.text}\n%%%"[:4000],
        "date_happened": alert.event_ts // 1000,
        "alert_type": {"error": "error", "warn": "warning", "ok": "success"}[alert.status],
        "priority": "normal",
        "source": "Monitor Alert",
        "source_type_name": "Monitor Alert",
        "tags": alert.tags,
        "host": None,
        "url": f"/event/event?id={alert.event_id}",
        "monitor_id": alert.monitor.id,
        "monitor_groups": [part for part in alert.group.split(",") if part],
        "payload": "{}",
    }
    return Answer({"event": {name: value for name, value in event.items() if value is not None}})


_READ = ("events_read",)
_PARAMS = ("filter[query]", "filter[from]", "filter[to]", "sort", "page[cursor]", "page[limit]")
ROUTES = (
    Route("POST", "/api/v2/events/search", search, _READ, "events_search", body=True),
    Route("GET", "/api/v2/events", list_page, _READ, "events_search", _PARAMS),
    Route("GET", "/api/v2/events/{event_id}", get_by_uid, _READ, "events_get"),
    Route("GET", "/api/v1/events/{event_id}", get_by_number, _READ, "events_get"),
)
