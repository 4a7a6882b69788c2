"""Who gets in, and what the doors say: keys, scopes, paths, bodies, organisations, rate limits."""

import asyncio

import httpx
import pytest

from bot.sandbox.datadog import FakeAlert, FakeDatadog
from tests.sandbox.datadog.conftest import KEYS, RUNS, Clock, about, question

API, APP = "DD-API-KEY", "DD-APPLICATION-KEY"


async def test_keys(fake: FakeDatadog) -> None:
    cases: list[tuple[str, dict[str, str], int, list[str] | None]] = [
        ("/api/v1/validate", {}, 403, ["API key required"]),
        ("/api/v1/validate", {API: "nobody"}, 403, ["Forbidden"]),
        ("/api/v1/validate", {API: "sandbox-api-key"}, 200, None),
        ("/api/v2/validate", {API: "sandbox-api-key"}, 200, None),
        ("/api/v2/validate_keys", {API: "sandbox-api-key"}, 401, ["Unauthorized"]),
        (RUNS, {}, 401, ["Unauthorized"]),
        (RUNS, {API: "nobody", APP: "sandbox-app-key"}, 403, ["Forbidden"]),
        (RUNS, {API: "sandbox-api-key", APP: "nobody"}, 403, ["Forbidden"]),
        (RUNS, KEYS, 200, None),
    ]
    for path, headers, status, errors in cases:
        async with httpx.AsyncClient(base_url=fake.url, trust_env=False) as client:
            answer = await client.get(path, headers=headers)
        assert (answer.status_code, answer.json().get("errors")) == (status, errors)


async def test_a_wrong_api_key_is_answered_by_the_edge(http: httpx.AsyncClient) -> None:
    body = (await http.get(RUNS, headers={API: "nobody"})).json()
    assert {"status", "code", "errors", "statuspage", "twitter", "email"} == set(body)


async def test_a_missing_scope_is_forbidden_before_anything_is_looked_at(
    http: httpx.AsyncClient, fake: FakeDatadog
) -> None:
    cases: list[tuple[str, str, str]] = [
        ("GET", RUNS, "bits_investigations_read"),
        ("GET", f"{RUNS}/1", "bits_investigations_read"),
        ("POST", RUNS, "bits_investigations_write"),
        ("GET", "/api/v1/monitor/1", "monitors_read"),
        ("POST", "/api/v2/events/search", "events_read"),
        ("GET", "/api/v2/cases", "cases_read"),
        ("POST", "/api/v2/cases", "cases_write"),
        ("PUT", "/api/v2/cases/SRE-1/insights", "cases_write"),
        ("POST", "/api/v2/downtime", "monitors_downtime"),
        ("GET", "/api/v2/users", "user_access_read"),
        ("GET", "/api/v2/incidents/1", "incident_read"),
    ]
    for method, path, scope in cases:
        body: dict[str, str] | None = {} if method in {"POST", "PUT"} else None
        assert (await http.request(method, path, json=body)).status_code != 403
        fake.revoke(scope)
        answer = await http.request(method, path, json=body)
        assert (answer.status_code, answer.json()["errors"][0]) == (403, "Forbidden")
        fake.grant(scope)
        assert (await http.request(method, path, json=body)).status_code != 403


async def test_unknown_paths_methods_and_content_types(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/v2/bits-ai/hypotheses")).json()["code"] == 404
    assert (await http.delete(RUNS)).status_code == 405
    sent = await http.post(RUNS, content=b"{}", headers={"Content-Type": "text/plain"})
    assert sent.status_code == 415
    assert (await http.post(RUNS)).status_code == 400
    twice = await http.post(RUNS, content=b'{"data":1,"data":2}', headers={"Content-Type": "application/json"})
    assert "invalid JSON" in twice.text


async def test_organisations_on_one_server_do_not_see_each_other(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    acme = fake.add_org("acme", "acme-api", "acme-app", subdomain="acme")
    theirs = fake.fire(fake.add_monitor("Theirs", org=acme))
    fake.add_case("Theirs", fake.add_project("ACME", org=acme), org=acme)
    keys = {API: "acme-api", APP: "acme-app"}
    assert (await http.post(RUNS, json=about(alert), headers=keys)).status_code == 404
    assert (await http.post(RUNS, json=about(theirs), headers=keys)).status_code == 200
    assert (await http.get(RUNS)).json()["data"] == []
    assert (await http.get("/api/v2/cases")).json()["meta"]["total_cases"] == 0
    assert (await http.get("/api/v2/cases", headers=keys)).json()["meta"]["total_cases"] == 1
    run = fake.triggers()[0]
    assert (run.org, fake.link_to(run)) == ("acme", f"https://acme.datadoghq.com/bits-ai/investigations/{run.id}")
    assert theirs.link().startswith("https://acme.datadoghq.com/monitors/")
    mixed = await http.get(RUNS, headers={API: "acme-api", APP: "sandbox-app-key"})
    assert mixed.status_code == 403
    with pytest.raises(ValueError, match="taken"):
        fake.add_org("again", "acme-api", "other")


async def test_a_limit_is_counted_by_calendar_period_and_organisation(
    http: httpx.AsyncClient, fake: FakeDatadog, clock: Clock
) -> None:
    clock.now = 1_795_000_020.0 // 60 * 60 + 45
    fake.add_org("acme", "acme-api", "acme-app")
    fake.limit("/api/v2/bits-ai/*", 2, 60)
    answers = [await http.get(RUNS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].headers["X-RateLimit-Reset"] == "15"
    assert answers[2].json()["errors"][0].startswith("Rate limit of 2 requests in 60 seconds")
    assert (await http.get(RUNS, headers={API: "acme-api", APP: "acme-app"})).status_code == 200
    assert (await http.get("/api/v2/current_user")).headers.get("X-RateLimit-Limit") is None
    clock.turn(15)
    assert (await http.get(RUNS)).status_code == 200


async def test_the_journal_holds_requests_and_effects_but_no_keys(http: httpx.AsyncClient, fake: FakeDatadog) -> None:
    await http.post(RUNS, json=question(description="Why?"), params={})
    await http.get(RUNS, params={"page[limit]": 5})
    seen = [(one.method, one.path, one.query, one.status, one.org) for one in fake.journal.requests]
    assert seen == [("POST", RUNS, {}, 200, "default"), ("GET", RUNS, {"page[limit]": "5"}, 200, "default")]
    assert fake.asked("POST", RUNS)[0].json == question(description="Why?")
    assert [effect.kind for effect in fake.journal.effects] == ["trigger"]
    assert "sandbox-api-key" not in repr(fake.journal.requests)


async def test_waiting_for_what_never_comes_tells_what_came(http: httpx.AsyncClient, fake: FakeDatadog) -> None:
    await http.get(RUNS)
    with pytest.raises(TimeoutError, match=f"GET {RUNS} -> 200"):
        await fake.wait_for(lambda: len(fake.triggers()) == 1, timeout=0.01)


async def test_a_slip_in_a_predicate_reaches_the_one_who_waits(http: httpx.AsyncClient, fake: FakeDatadog) -> None:
    def slip() -> bool:
        return bool(fake.journal.requests and fake.journal.requests[5])

    waiting = asyncio.create_task(fake.wait_for(slip, timeout=1))
    await http.get(RUNS)
    with pytest.raises(IndexError):
        await waiting
