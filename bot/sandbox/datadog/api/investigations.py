"""Bits AI investigations: trigger, list, get."""

from urllib.parse import urlencode

from bot.sandbox.datadog import checks
from bot.sandbox.datadog.alerts import FakeAlert
from bot.sandbox.datadog.answers import Answer, Json, bad_request, missing
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.investigations import FakeInvestigation
from bot.sandbox.datadog.org import FakeOrg

PATH = "/api/v2/bits-ai/investigations"
SUPPORTED = frozenset(
    {
        "metric alert",
        "query alert",
        "service check",
        "log alert",
        "composite",
        "slo alert",
        "synthetics alert",
        "rum alert",
    }
)

_ALERT = checks.record(
    {"monitor_id": checks.integer, "event_id": checks.digits, "event_ts": checks.integer},
)
_QUESTION = checks.record(
    {"description": checks.at_most(4096)},
    {"tags": checks.many(checks.text), "start_time": checks.integer, "end_time": checks.integer},
)
_KINDS = {"monitor_alert_trigger": _ALERT, "general_investigation": _QUESTION}
_REQUEST = checks.resource("trigger_investigation_request", checks.record({"trigger": checks.anything}))


def trigger(call: Call) -> Answer:
    kind, asked = _read_trigger(call.body)
    run = _start_alert(call, asked) if kind == "monitor_alert_trigger" else _start_question(call, asked)
    call.world.happened("trigger", call.org, run)
    attributes = {"investigation_id": run.id}
    return Answer({"data": {"id": run.answer_id, "type": "trigger_investigation_response", "attributes": attributes}})


def _read_trigger(body: Json) -> tuple[str, Json]:
    _REQUEST(body, "")
    trigger_body = body["data"]["attributes"]["trigger"]
    kind = trigger_body.get("type") if isinstance(trigger_body, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise bad_request(f'invalid trigger type "{kind or ""}". Must be one of {", ".join(_KINDS)}')
    checks.record({"type": checks.text, kind: _KINDS[kind]})(trigger_body, "data.attributes.trigger")
    return kind, trigger_body[kind]


def _start_alert(call: Call, asked: Json) -> FakeInvestigation:
    alert = _alert_of(call.org, asked)
    return call.world.start_investigation(
        call.org,
        alert.title,
        monitor_id=alert.monitor.id,
        event_id=alert.event_id,
        event_ts=asked["event_ts"],
    )


def _alert_of(org: FakeOrg, asked: Json) -> FakeAlert:
    monitor = org.monitors.get(asked["monitor_id"])
    if monitor is None:
        raise missing("monitor not found")
    if monitor.type not in SUPPORTED:
        raise bad_request(f'monitor type "{monitor.type}" is not supported')
    alert = org.alert(asked["event_id"])
    if alert is None or alert.monitor is not monitor:
        raise bad_request(f"event {asked['event_id']} not found for monitor {monitor.id}")
    if abs(alert.event_ts - asked["event_ts"]) > 60_000:
        raise bad_request("event_ts does not match the event; it is Unix time in milliseconds")
    return alert


def _start_question(call: Call, asked: Json) -> FakeInvestigation:
    if not call.org.general_investigations:
        raise bad_request("general investigations are not enabled for this organization")
    if ("start_time" in asked) != ("end_time" in asked):
        raise bad_request("start_time and end_time must be given together")
    if asked.get("start_time", 0) > asked.get("end_time", 0):
        raise bad_request("start_time must be before end_time")
    title = asked["description"].strip().splitlines()[0][:120]
    return call.world.start_investigation(call.org, title, question=asked)


def list_page(call: Call) -> Answer:
    limit = checks.number_param(call.query, "page[limit]", 10, least=1, most=100)
    offset = checks.number_param(call.query, "page[offset]", 0, least=0)
    found = _in_order(call)
    items = [_item(call, run) for run in found[offset : offset + limit]]
    page = {"limit": limit, "offset": offset, "total": len(found)}
    return Answer({"data": items, "links": _links(call, limit, offset), "meta": {"page": page}})


def _in_order(call: Call) -> list[FakeInvestigation]:
    runs = list(call.org.investigations)
    if "filter[monitor_id]" in call.query:
        wanted = checks.number_param(call.query, "filter[monitor_id]", 0, least=0)
        runs = [run for run in runs if run.monitor_id == wanted]
    return runs[::-1] if call.world.newest_first else runs


def _links(call: Call, limit: int, offset: int) -> Json:
    kept = {name: value for name, value in call.query.items() if not name.startswith("page")}

    def link(start: int) -> str:
        return f"{call.base_url}{PATH}?{urlencode({**kept, 'page[limit]': limit, 'page[offset]': start})}"

    previous = link(max(0, offset - limit)) if offset else None
    return {"first": link(0), "self": link(offset), "next": link(offset + limit), "prev": previous, "last": None}


def _item(call: Call, run: FakeInvestigation) -> Json:
    attributes = {"title": run.title, "status": call.world.spelled(run.status(call.now))}
    return {"id": run.id, "type": "investigation", "attributes": attributes}


def get(call: Call) -> Answer:
    run = call.org.investigation(call.args["id"])
    if run is None:
        raise missing("investigation not found")
    item = _item(call, run)
    item["attributes"]["conclusions"] = [
        {"title": found.title, "summary": found.summary, "description": found.description}
        for found in run.conclusions(call.now)
    ]
    return Answer({"data": item, "links": {"self": f"{call.org.app_url}/bits-ai/investigations/{run.id}"}})


def _needed(body: Json) -> tuple[str, ...]:
    try:
        asks_for_alert = body["data"]["attributes"]["trigger"]["type"] == "monitor_alert_trigger"
    except (KeyError, TypeError):
        asks_for_alert = False
    return ("bits_investigations_write", *(("monitors_read",) if asks_for_alert else ()))


_READ = ("bits_investigations_read",)
ROUTES = (
    Route("POST", PATH, trigger, _needed, "bits_investigations_trigger", body=True),
    Route(
        "GET", PATH, list_page, _READ, "bits_investigations_list", ("page[offset]", "page[limit]", "filter[monitor_id]")
    ),
    Route("GET", PATH + "/{id}", get, _READ, "bits_investigations_get"),
)
