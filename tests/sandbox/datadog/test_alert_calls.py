"""The calls around an alert: events, monitors, downtimes, people and incidents, and their recorded refusals."""

from typing import Any

import httpx

from bot.sandbox.datadog import FakeAlert, FakeDatadog
from tests.sandbox.datadog.conftest import Body, Clock

SEARCH = "/api/v2/events/search"
NOBODY = "11111111-1111-4111-8111-111111111111"


async def ids(http: httpx.AsyncClient, query: str, **window: str) -> list[str]:
    answer = await http.post(SEARCH, json={"filter": {"query": query, **window}, "sort": "timestamp"})
    assert answer.status_code == 200, answer.text
    return [event["attributes"]["attributes"]["evt"]["id"] for event in answer.json()["data"]]


async def test_events_are_found_by_their_facets(http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert) -> None:
    back = fake.fire(alert.monitor, group=alert.group, transition="alert recovery")
    other = fake.fire(fake.add_monitor("CPU", tags=["service:web"]), transition="warning")
    me = f"@monitor.id:{alert.monitor.id}"
    transition = "@monitor.transition.transition_type"
    assert await ids(http, "*") == [alert.event_id, back.event_id, other.event_id]
    assert await ids(http, f"source:alert {me}") == [alert.event_id, back.event_id]
    assert await ids(http, f'{me} {transition}:"alert recovery"') == [back.event_id]
    assert await ids(http, f"{transition}:(alert OR warning)") == [alert.event_id, other.event_id]
    assert await ids(http, f"{me} @monitor.groups:host:db-3 -{transition}:alert*") == []
    assert await ids(http, "@monitor.groups:host:db-3 status:error") == [alert.event_id]
    assert await ids(http, "service:web") == [other.event_id]
    assert await ids(http, f"monitor_id:{alert.monitor.id}") == []
    assert await ids(http, "source:deployment") == []


async def test_events_are_found_in_a_window(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert, clock: Clock
) -> None:
    clock.turn(1200)
    assert await ids(http, "*") == []
    assert await ids(http, "*", **{"from": "now-1h"}) == [alert.event_id]
    exact = str(alert.event_ts)
    assert await ids(http, "*", **{"from": exact, "to": exact}) == [alert.event_id]
    assert fake.asked("POST", SEARCH)[-1].json["filter"]["to"] == exact


async def test_bad_searches_are_refused(http: httpx.AsyncClient) -> None:
    cases: list[tuple[Body, str]] = [
        ({"filter": {"from": "yesterday"}}, "Field 'filter' is invalid: invalid date in from"),
        ({"filter": {"query": "("}}, "Field 'filter' is invalid: invalid query"),
        ({"page": {"limit": 1001}}, "Field 'page' is invalid"),
        ({"page": {"cursor": "%%%"}}, "Field 'page' is invalid: invalid cursor"),
        ({"options": {"timezone": "UTC", "timeOffset": 1}}, "exclude each other"),
        ({"filters": {}}, 'unknown attribute "filters"'),
        ({"sort": "newest"}, "Must be one of"),
    ]
    for body, text in cases:
        answer = await http.post(SEARCH, json=body)
        assert answer.status_code == 400
        error = answer.json()["errors"][0]
        assert text in (error if isinstance(error, str) else error["detail"])


async def test_the_last_page_still_points_on_and_the_one_after_is_bare(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    first = (await http.post(SEARCH, json={"page": {"limit": 5}})).json()
    assert (len(first["data"]), first["data"][0]["id"]) == (1, alert.uid)
    assert first["links"]["next"].startswith(f"{fake.url}/api/v2/events?")
    body = {"page": {"limit": 5, "cursor": first["meta"]["page"]["after"]}}
    assert (await http.post(SEARCH, json=body)).json() == {"data": []}
    assert (await http.get(first["links"]["next"])).json() == {"data": []}


async def test_the_two_ids_of_an_event_are_not_confused(http: httpx.AsyncClient, alert: FakeAlert) -> None:
    old = (await http.get(f"/api/v1/events/{alert.event_id}")).json()["event"]
    assert (old["monitor_id"], old["monitor_groups"]) == (alert.monitor.id, ["host:db-3"])
    assert old["date_happened"] == alert.event_ts // 1000
    assert (await http.get(f"/api/v1/events/{alert.uid}")).status_code == 400
    assert (await http.get(f"/api/v2/events/{alert.event_id}")).status_code == 400
    assert (await http.get("/api/v1/events/1")).status_code == 404
    assert (await http.get("/api/v2/events/AwAAAZunknown")).status_code == 404


async def test_a_monitor_tells_only_the_groups_asked_for(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    path = f"/api/v1/monitor/{alert.monitor.id}"
    fake.fire(alert.monitor, group="host:db-4", transition="no data")
    assert "state" not in (await http.get(path)).json()
    states = (await http.get(path, params={"group_states": "alert,warn"})).json()["state"]["groups"]
    assert list(states) == ["host:db-3"]
    assert states["host:db-3"]["last_triggered_ts"] == alert.event_ts // 1000
    everything = (await http.get(path, params={"group_states": "all"})).json()["state"]["groups"]
    assert everything["host:db-4"]["status"] == "No Data"
    assert (await http.get(path, params={"group_states": "sad"})).status_code == 400
    assert (await http.get("/api/v1/monitor/disk")).status_code == 400


def muting(**changed: Any) -> Body:
    attributes = {"scope": "*", "monitor_identifier": {"monitor_id": 12}} | changed
    return {"data": {"type": "downtime", "attributes": attributes}}


async def test_a_downtime_is_refused_in_plain_strings(http: httpx.AsyncClient, fake: FakeDatadog) -> None:
    cases: list[tuple[Body, str]] = [
        ({"scope": "host"}, "All values must have a key"),
        ({"scope": ""}, "All values must have a key"),
        ({"monitor_identifier": {"monitor_id": 13}}, "Monitor not found"),
        ({"schedule": {"start": None, "end": "2026-11-18T10:26:40Z"}}, "End must be in the future"),
        ({"schedule": {"start": None, "end": "2036-11-18T10:26:40+01:00"}}, "UTC offset of zero"),
        ({"schedule": {"start": None, "end": "in an hour"}}, "UTC offset of zero"),
    ]
    fake.add_monitor("Disk", id=12)
    for changed, text in cases:
        answer = await http.post("/api/v2/downtime", json=muting(**changed))
        assert answer.status_code == 400
        assert text in answer.json()["errors"][0]
        assert fake.effects("downtime") == []


async def test_a_muted_monitor_says_so_until_the_downtime_ends(
    http: httpx.AsyncClient, fake: FakeDatadog, clock: Clock
) -> None:
    fake.add_monitor("Disk", id=12)
    end = "2026-11-18T12:06:40+00:00"
    made = (await http.post("/api/v2/downtime", json=muting(schedule={"start": None, "end": end}))).json()["data"]
    assert (made["attributes"]["status"], made["attributes"]["schedule"]["end"]) == (
        "active",
        "2026-11-18T12:06:40.000000+00:00",
    )
    assert (await http.get("/api/v1/monitor/12")).json()["options"]["silenced"] == {"*": 1_795_003_600}
    clock.turn(3600)
    read = (await http.get(f"/api/v2/downtime/{made['id']}")).json()["data"]
    assert read["attributes"]["status"] == "ended"
    assert (await http.get("/api/v2/monitor/12/downtime_matches")).json()["data"] == []


async def test_what_is_not_there_is_told_in_plain_strings(http: httpx.AsyncClient) -> None:
    cases: list[tuple[str, int, str]] = [
        (f"/api/v2/downtime/{NOBODY}", 404, f"Downtime {NOBODY} not found"),
        ("/api/v2/downtime/12", 400, "Invalid URL param: downtime_id must be an uuid"),
        ("/api/v1/monitor/12345", 404, "Monitor not found"),
        (f"/api/v2/incidents/{NOBODY}", 404, "Incident not found"),
        ("/api/v2/incidents/411", 400, "Invalid URL param: incident_id must be an uuid"),
        ("/api/v2/incidents/search", 400, "query is required"),
    ]
    for path, status, text in cases:
        answer = await http.get(path)
        assert (answer.status_code, answer.json()["errors"]) == (status, [text])


async def test_incidents_and_people_are_found(http: httpx.AsyncClient, fake: FakeDatadog) -> None:
    incident = fake.add_incident("Checkout is down")
    found = (await http.get("/api/v2/incidents/search", params={"query": f"public_id:{incident.public_id}"})).json()
    assert [hit["data"]["id"] for hit in found["data"]["attributes"]["incidents"]] == [incident.id]
    people = [fake.add_user(f"P{n}", f"p{n}@acme.example") for n in range(12)]
    page = {"filter": "acme.example", "filter[status]": "Active", "page[number]": "1"}
    users = (await http.get("/api/v2/users", params=page)).json()
    assert [user["id"] for user in users["data"]] == [person.id for person in people[10:]]
    assert users["meta"]["page"] == {"total_count": 13, "total_filtered_count": 12}
