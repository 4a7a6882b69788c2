"""Investigations on the fake: what is refused, what runs how long, what the bill says."""

from typing import Any

import httpx

from bot.sandbox.datadog import FakeAlert, FakeDatadog, Script, samples
from tests.sandbox.datadog.conftest import RUNS, Body, Clock, about, question, started, trigger_body


async def status_of(http: httpx.AsyncClient, run_id: str) -> tuple[str, int]:
    attributes = (await http.get(f"{RUNS}/{run_id}")).json()["data"]["attributes"]
    return attributes["status"], len(attributes["conclusions"])


async def test_a_run_walks_its_script_on_the_clock(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert, clock: Clock
) -> None:
    fake.plan(Script(states=(("pending", 10), ("in progress", 60)), end="conclusive", conclusions=samples.THREE))
    run_id = await started(http, about(alert))
    seen = [await status_of(http, run_id)]
    for seconds in (10, 59, 1):
        clock.turn(seconds)
        seen.append(await status_of(http, run_id))
    assert seen == [("pending", 0), ("in progress", 0), ("in progress", 0), ("conclusive", 3)]


async def test_the_default_run_is_over_within_a_second(http: httpx.AsyncClient, alert: FakeAlert, clock: Clock) -> None:
    run_id = await started(http, about(alert))
    clock.turn(1)
    assert await status_of(http, run_id) == ("conclusive", 1)


async def test_a_monitor_s_own_usual_run_goes_before_that_of_any(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    fake.plan_always(Script.at_once("failed"))
    fake.plan_always(Script.at_once("inconclusive", samples.NOTHING_CERTAIN), monitor=alert.monitor)
    about_it, about_nothing = await started(http, about(alert)), await started(http, question(description="Why?"))
    assert await status_of(http, about_it) == ("inconclusive", 1)
    assert await status_of(http, about_nothing) == ("failed", 0)


async def test_the_journal_keeps_what_was_answered(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    run_id = await started(http, about(alert))
    (seen,) = fake.asked("POST", RUNS)
    assert seen.answer["data"]["attributes"] == {"investigation_id": run_id}


async def test_a_held_run_ends_when_it_is_told_to(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert, clock: Clock
) -> None:
    fake.plan(Script.held())
    run_id = await started(http, about(alert))
    clock.turn(86_400)
    assert await status_of(http, run_id) == ("in progress", 0)
    fake.finish(run_id, "inconclusive", [])
    assert await status_of(http, run_id) == ("inconclusive", 0)


async def test_statuses_can_be_unknown_or_spelled_otherwise(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    fake.spell("in progress", "in_progress")
    fake.plan(Script.held(), Script.at_once("archived_by_policy", samples.LONG), Script.held(status="thinking"))
    ids = [await started(http, about(alert)) for _ in range(3)]
    assert [await status_of(http, run_id) for run_id in ids] == [
        ("in_progress", 0),
        ("archived_by_policy", 1),
        ("thinking", 0),
    ]


async def test_the_same_alert_triggered_twice_is_two_runs_on_the_bill(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    fake.investigate_elsewhere("Started in the app", monitor=alert.monitor)
    first, second = await started(http, about(alert)), await started(http, about(alert))
    assert first != second
    assert [run.id for run in fake.triggers()] == [first, second]


async def test_only_the_investigation_id_of_the_answer_can_be_asked_for(
    http: httpx.AsyncClient, alert: FakeAlert
) -> None:
    data = (await http.post(RUNS, json=about(alert))).json()["data"]
    assert data["type"] == "trigger_investigation_response"
    assert (await http.get(f"{RUNS}/{data['id']}")).status_code == 404
    assert (await http.get(f"{RUNS}/{data['attributes']['investigation_id']}")).status_code == 200


async def test_a_script_can_be_kept_for_one_monitor(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    fake.plan(Script.at_once("failed", samples.DISK_FULL), monitor=alert.monitor)
    fake.plan(Script.held())
    asked = await started(http, question(description="Why?"))
    assert await status_of(http, asked) == ("in progress", 0)
    assert await status_of(http, await started(http, about(alert))) == ("failed", 1)


async def test_the_list_tells_little_and_can_be_turned_round(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    ids = [fake.investigate_elsewhere(f"Run {n}", monitor=alert.monitor).id for n in range(3)]
    page = (await http.get(RUNS, params={"page[limit]": 2, "page[offset]": 1})).json()
    assert [item["id"] for item in page["data"]] == [ids[1], ids[0]]
    assert page["data"][0] == {
        "id": ids[1],
        "type": "investigation",
        "attributes": {"title": "Run 1", "status": "pending"},
    }
    assert page["meta"] == {"page": {"limit": 2, "offset": 1, "total": 3}}
    assert page["links"]["last"] is None
    assert page["links"]["next"].startswith(fake.url)
    fake.list_oldest_first()
    assert [item["id"] for item in (await http.get(RUNS)).json()["data"]] == ids
    fake.forget(ids[1])
    assert (await http.get(f"{RUNS}/{ids[1]}")).status_code == 404


async def test_the_list_refuses_what_it_does_not_know(http: httpx.AsyncClient) -> None:
    cases: list[tuple[Any, str]] = [
        ({"page[limit]": 101}, "at most 100"),
        ({"page[limit]": 0}, "at least 1"),
        ({"page[offset]": -1}, "at least 0"),
        ({"filter[monitor_id]": "disk"}, 'expected type "integer"'),
        ({"filter[status]": "failed"}, "unknown parameter"),
    ]
    for params, detail in cases:
        answer = await http.get(RUNS, params=params)
        assert answer.status_code == 400
        assert detail in answer.json()["errors"][0]["detail"]


def without(name: str) -> dict[str, Any]:
    asked = {"monitor_id": 1, "event_id": "1", "event_ts": 1}
    asked.pop(name)
    return trigger_body({"type": "monitor_alert_trigger", "monitor_alert_trigger": asked})


async def test_a_trigger_that_is_not_to_the_letter_is_refused(http: httpx.AsyncClient, fake: FakeDatadog) -> None:
    cases: list[Any] = [
        {},
        [],
        {"data": None},
        {"data": {"type": "trigger_investigation_request"}},
        {"data": {"type": "investigation", "attributes": {}}},
        trigger_body({"type": "monitor_alert"}),
        trigger_body({"type": "monitor_alert_trigger"}),
        trigger_body({"type": "monitor_alert_trigger", "monitor_alert_trigger": {}, "general_investigation": {}}),
        without("monitor_id"),
        without("event_id"),
        without("event_ts"),
        question(),
        question(description=""),
        question(description="x" * 4097),
        question(description="x", tags="service:web"),
        question(description="x", start_time=1_700_000_000_000),
        question(description="x", start_time=2, end_time=1),
        question(description="x", start_time="now-1h", end_time="now"),
        question(description="x", monitor_id=1),
    ]
    for body in cases:
        answer = await http.post(RUNS, json=body)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["title"] == "Bad Request"
        assert fake.triggers() == []


async def test_an_alert_that_is_not_quite_the_alert_is_refused(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    cases: list[tuple[Body, int]] = [
        ({"event_id": 8788641826233093636}, 400),
        ({"event_id": "evt-1"}, 400),
        ({"event_id": "8788641826233093636"}, 400),
        ({"event_ts": 1_795_000_000}, 400),
        ({"event_ts": 1_795_000_000_250.0}, 400),
        ({"event_ts": "1795000000250"}, 400),
        ({"monitor_id": 1}, 404),
        ({"monitor_id": "120000001"}, 400),
        ({"monitor_id": True}, 400),
        ({"group": "host:db-3"}, 400),
    ]
    for changed, status in cases:
        answer = await http.post(RUNS, json=about(alert, **changed))
        assert (answer.status_code, fake.triggers()) == (status, [])


async def test_another_monitors_event_and_an_unsupported_monitor_are_refused(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    other = fake.fire(fake.add_monitor("CPU"))
    answer = await http.post(RUNS, json=about(alert, event_id=other.event_id))
    assert (answer.status_code, "not found for monitor" in answer.text) == (400, True)
    process = fake.fire(fake.add_monitor("nginx is up", type="process alert"))
    answer = await http.post(RUNS, json=about(process))
    assert (answer.status_code, "is not supported" in answer.text) == (400, True)


async def test_an_organisation_without_general_investigations_says_so(
    http: httpx.AsyncClient, fake: FakeDatadog
) -> None:
    fake.org.general_investigations = False
    answer = await http.post(RUNS, json=question(description="Why?"))
    assert answer.status_code == 400
    assert "not enabled" in answer.json()["errors"][0]["detail"]


async def test_the_seconds_of_a_link_are_close_enough(http: httpx.AsyncClient, alert: FakeAlert) -> None:
    await started(http, about(alert, event_ts=alert.event_ts // 1000 * 1000))


def test_the_samples_hold_what_stories_need() -> None:
    long = samples.LONG.description
    assert len(long.encode()) > 9_000
    assert all(part in long for part in ("|---|", "```python", "](https://", "<!channel>", "@here"))
    assert all(part in samples.HOSTILE.summary for part in ("<!here>", "<@U", "<https://evil.example|"))
