"""Downtimes, which is how a monitor is muted: create, get, list, cancel, and which of them cover a monitor."""

import re

from bot.sandbox.datadog import checks, times
from bot.sandbox.datadog.alerts import FakeDowntime
from bot.sandbox.datadog.answers import Answer, Json, Refusal, strings
from bot.sandbox.datadog.api import monitors
from bot.sandbox.datadog.api.call import Call, Route

PATH = "/api/v2/downtime"
_STATES = ("alert", "no data", "warn")
_ENDS = ("canceled", "expired")
_NEW = checks.resource(
    "downtime",
    checks.record(
        {"scope": checks.text, "monitor_identifier": checks.anything},
        {
            "schedule": checks.record({}, {"start": checks.optional(checks.text), "end": checks.optional(checks.text)}),
            "message": checks.optional(checks.text),
            "mute_first_recovery_notification": checks.boolean,
            "notify_end_types": checks.many(checks.one_of(*_ENDS)),
            "notify_end_states": checks.many(checks.one_of(*_STATES)),
            "display_timezone": checks.optional(checks.text),
        },
    ),
)


def create(call: Call) -> Answer:
    _NEW(call.body, "")
    asked = call.body["data"]["attributes"]
    # the scope is `*`, or `key:value` joined by AND and OR
    words = [word for word in re.split(r"[\s()]+", asked["scope"]) if word and word not in {"AND", "OR", "NOT"}]
    if not words or (words != ["*"] and not all(re.fullmatch(r"-?[^:]+:.+", word) for word in words)):
        raise Refusal(strings(400, "All values must have a key"))
    monitor_id, tags = _target(call, asked["monitor_identifier"])
    start, end = _window(call, asked.get("schedule", {}))
    downtime = FakeDowntime(
        id=call.world.new_id(),
        scope=asked["scope"],
        monitor_id=monitor_id,
        monitor_tags=tags,
        start=start,
        end=end,
        created=call.now,
        message=asked.get("message") or "",
        mute_first_recovery=asked.get("mute_first_recovery_notification", False),
        notify_end_states=tuple(asked.get("notify_end_states", _STATES)),
        notify_end_types=tuple(asked.get("notify_end_types", ("expired",))),
    )
    call.org.downtimes[downtime.id] = downtime
    call.world.happened("downtime", call.org, downtime)
    return _answer(call, downtime)


def _target(call: Call, identifier: Json) -> tuple[int | None, tuple[str, ...]]:
    if isinstance(identifier, dict) and "monitor_id" in identifier:
        checks.record({"monitor_id": checks.integer})(identifier, "data.attributes.monitor_identifier")
        if identifier["monitor_id"] not in call.org.monitors:
            raise Refusal(strings(400, "Monitor not found"))
        return identifier["monitor_id"], ()
    tags = checks.many(checks.text, least=1)
    checks.record({"monitor_tags": tags})(identifier, "data.attributes.monitor_identifier")
    return None, tuple(identifier["monitor_tags"])


def _window(call: Call, schedule: Json) -> tuple[float, float | None]:
    start = _utc(schedule.get("start"), call.now)
    end = _utc(schedule["end"], call.now) if schedule.get("end") else None
    if end is not None and end <= max(start, call.now):
        raise Refusal(strings(400, "End must be in the future and after start"))
    return start, end


def _utc(text: str | None, now: float) -> float:
    if text is None:
        return now
    moment = times.parse_iso(text)
    if moment is None or not re.search(r"(Z|[+-]00:?00)$", text):
        raise Refusal(strings(400, "Dates must be ISO-8601 with a UTC offset of zero"))
    return moment


def describe(call: Call, downtime: FakeDowntime) -> Json:
    by_id = downtime.monitor_id is not None
    identifier: Json = {"monitor_id": downtime.monitor_id} if by_id else {"monitor_tags": list(downtime.monitor_tags)}
    created = times.offset(downtime.created)
    attributes = {
        "mute_first_recovery_notification": downtime.mute_first_recovery,
        "status": downtime.status(call.now),
        "created": created,
        "modified": times.offset(downtime.canceled or downtime.created),
        "notify_end_states": list(downtime.notify_end_states),
        "notify_end_types": list(downtime.notify_end_types),
        "canceled": times.offset(downtime.canceled) if downtime.canceled else None,
        "display_timezone": "UTC",
        "monitor_identifier": identifier,
        "scope": downtime.scope,
        "schedule": {
            "start": times.offset(downtime.start),
            "end": times.offset(downtime.end) if downtime.end else None,
        },
        "message": downtime.message,
    }
    monitor = {"type": "monitors", "id": str(downtime.monitor_id)} if by_id else None
    creator = {"data": {"type": "users", "id": call.org.owner.id}}
    return {
        "type": "downtime",
        "attributes": attributes,
        "id": downtime.id,
        "relationships": {"created_by": creator, "monitor": {"data": monitor}},
    }


def _answer(call: Call, downtime: FakeDowntime) -> Answer:
    return Answer({"data": describe(call, downtime), "included": [call.org.owner.json(call.org.uuid)]})


def _find(call: Call) -> FakeDowntime:
    downtime_id = call.args["downtime_id"]
    if not checks.UUID.fullmatch(downtime_id):
        raise Refusal(strings(400, "Invalid URL param: downtime_id must be an uuid"))
    if downtime_id not in call.org.downtimes:
        raise Refusal(strings(404, f"Downtime {downtime_id} not found"))
    return call.org.downtimes[downtime_id]


def get(call: Call) -> Answer:
    return _answer(call, _find(call))


def list_all(call: Call) -> Answer:
    only_current = call.query.get("current_only") == "true"
    found = [one for one in call.org.downtimes.values() if not only_current or one.status(call.now) == "active"]
    return _page(call, [describe(call, downtime) for downtime in found])


def cancel(call: Call) -> Answer:
    """Cancelling again is answered the same."""
    downtime = _find(call)
    if downtime.canceled is None:
        downtime.canceled = call.now
        call.world.happened("downtime_canceled", call.org, downtime)
    return Answer(status=204)


def matches(call: Call) -> Answer:
    monitor = monitors.find(call.org, call.args["monitor_id"])
    found = [
        {"type": "downtime_match", "id": downtime.id, "attributes": _match(downtime)}
        for downtime in call.org.downtimes.values()
        if downtime.status(call.now) == "active" and monitors.covers(downtime, monitor)
    ]
    return _page(call, found)


def _match(downtime: FakeDowntime) -> Json:
    end = times.offset(downtime.end) if downtime.end else None
    return {"groups": [downtime.scope], "scope": downtime.scope, "start": times.offset(downtime.start), "end": end}


def _page(call: Call, found: list[Json]) -> Answer:
    limit = checks.number_param(call.query, "page[limit]", 30, least=1, most=1000)
    start = checks.number_param(call.query, "page[offset]", 0, least=0)
    meta = {"page": {"total_filtered_count": len(found)}}
    return Answer({"data": found[start : start + limit], "meta": meta})


_MUTE = ("monitors_downtime",)
_PAGE = ("page[offset]", "page[limit]")
ROUTES = (
    Route("POST", PATH, create, _MUTE, "downtime", body=True),
    Route("GET", PATH, list_all, _MUTE, "downtime", ("current_only", "include", *_PAGE)),
    Route("GET", PATH + "/{downtime_id}", get, _MUTE, "downtime", ("include", "with_run_as")),
    Route("DELETE", PATH + "/{downtime_id}", cancel, _MUTE, "downtime"),
    Route("GET", "/api/v2/monitor/{monitor_id}/downtime_matches", matches, _MUTE, "downtime", _PAGE),
)
