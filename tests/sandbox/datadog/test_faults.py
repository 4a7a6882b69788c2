"""The knobs that break things, and what is left behind when they have."""

import asyncio

import httpx
import pytest

from bot.sandbox.datadog import FakeAlert, FakeDatadog, Fault
from tests.sandbox.datadog.conftest import KEYS, RUNS, about, started

HTML = "<html><body>busy</body></html>"


async def give_up(http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert, held: Fault) -> None:
    """Triggers, and hangs up once the call is under way."""
    asking = asyncio.create_task(http.post(RUNS, json=about(alert)))
    await fake.wait_for(lambda: held.hits)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_status_alone_brings_its_usual_body(http: httpx.AsyncClient, fake: FakeDatadog) -> None:
    cases: list[tuple[int, str]] = [
        (400, "json"),
        (401, "json"),
        (403, "json"),
        (404, "json"),
        (429, "json"),
        (500, "json"),
        (502, "html"),
        (503, "html"),
    ]
    for status, kind in cases:
        fake.break_next("GET", RUNS, status=status)
        answer = await http.get(RUNS)
        assert (answer.status_code, kind in answer.headers["Content-Type"]) == (status, True)
        assert (await http.get(RUNS)).status_code == 200


async def test_any_body_and_headers_can_be_answered(http: httpx.AsyncClient, fake: FakeDatadog) -> None:
    fake.break_next("GET", RUNS, status=429, body=HTML, headers={"X-RateLimit-Reset": "7"})
    fake.break_next("GET", RUNS, body="not json at all")
    fake.break_next("GET", RUNS, body={"data": "odd"})
    limited, odd, wrong = [await http.get(RUNS) for _ in range(3)]
    assert (limited.status_code, limited.text, limited.headers["X-RateLimit-Reset"]) == (429, HTML, "7")
    assert limited.headers["Content-Type"].startswith("text/html")
    assert (odd.status_code, odd.text) == (200, "not json at all")
    assert wrong.json() == {"data": "odd"}


async def test_an_error_after_the_work_was_done(http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert) -> None:
    fake.break_next("POST", RUNS, status=500, carried_out=True)
    fake.break_next("POST", RUNS, status=500)
    assert [(await http.post(RUNS, json=about(alert))).status_code for _ in range(2)] == [500, 500]
    assert len(fake.triggers()) == 1


@pytest.mark.parametrize(("drop", "billed"), [("before", 0), ("after", 1)])
async def test_a_connection_is_dropped_before_or_after_the_work(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert, drop: str, billed: int
) -> None:
    broken = fake.break_next("POST", RUNS, drop=drop)  # type: ignore[arg-type]
    with pytest.raises(httpx.HTTPError):
        await http.post(RUNS, json=about(alert))
    assert len(fake.triggers()) == billed
    assert [seen.status for seen in broken.hits] == [None]


async def test_the_second_of_three_is_hit(http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert) -> None:
    fake.break_next("POST", RUNS, skip=1, status=503)
    assert [(await http.post(RUNS, json=about(alert))).status_code for _ in range(3)] == [200, 503, 200]


async def test_a_fault_can_look_at_the_request_and_last(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    run_id = await started(http, about(alert))
    fake.break_next("*", "/api/v2/*", times=100, status=500, where=lambda seen: "page[limit]" in seen.query)
    assert (await http.get(RUNS, params={"page[limit]": 1})).status_code == 500
    assert (await http.get(RUNS, params={"page[limit]": 1})).status_code == 500
    assert (await http.get(f"{RUNS}/{run_id}")).status_code == 200
    fake.heal()
    assert (await http.get(RUNS, params={"page[limit]": 1})).status_code == 200


async def test_a_late_answer_comes_after_its_work(http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert) -> None:
    late = fake.break_next("POST", RUNS, delay=60)
    asking = asyncio.create_task(http.post(RUNS, json=about(alert)))
    assert len(await fake.wait_for(fake.triggers)) == 1
    assert not asking.done()
    late.release()
    assert (await asking).status_code == 200


async def test_a_sender_that_gives_up_on_a_hanging_call_leaves_nothing_behind(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    held = fake.break_next("POST", RUNS, hang=True)
    await give_up(http, fake, alert, held)
    assert (await http.get(RUNS)).json()["data"] == []


@pytest.mark.parametrize(("carried_out", "meanwhile"), [(None, 0), (True, 1)])
async def test_a_hanging_call_that_is_let_go_is_answered(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert, carried_out: bool | None, meanwhile: int
) -> None:
    held = fake.break_next("POST", RUNS, hang=True, carried_out=carried_out)
    asking = asyncio.create_task(http.post(RUNS, json=about(alert)))
    await fake.wait_for(lambda: held.hits)
    assert len(fake.triggers()) == meanwhile
    held.release()
    assert (await asking).json()["data"]["attributes"]["investigation_id"] == fake.triggers()[0].id


async def test_the_work_lands_after_its_sender_is_gone(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    later = fake.break_next("POST", RUNS, lands_after=60)
    with pytest.raises(httpx.HTTPError):
        await http.post(RUNS, json=about(alert))
    assert (await http.get(RUNS)).json()["data"] == []
    later.release()
    await fake.wait_for(lambda: len(fake.triggers()) == 1)


async def test_it_lands_also_when_the_sender_ran_out_of_patience(
    http: httpx.AsyncClient, fake: FakeDatadog, alert: FakeAlert
) -> None:
    held = fake.break_next("POST", RUNS, hang=True, lands_after=0.01)
    await give_up(http, fake, alert, held)
    await fake.wait_for(lambda: len(fake.triggers()) == 1)


@pytest.mark.parametrize("lands_after", [None, 0.01])
async def test_a_fake_with_hanging_calls_stops_at_once_and_nothing_lands_afterwards(lands_after: float | None) -> None:
    fake = FakeDatadog()
    await fake.start()
    alert = fake.fire(fake.add_monitor("Disk"))
    held = fake.break_next("POST", RUNS, hang=True, lands_after=lands_after)
    async with httpx.AsyncClient(base_url=fake.url, headers=KEYS, trust_env=False) as client:
        asking = asyncio.create_task(client.post(RUNS, json=about(alert)))
        await fake.wait_for(lambda: held.hits)
        await fake.stop()
        with pytest.raises(httpx.HTTPError):
            await asking
    assert fake.triggers() == []


async def test_it_starts_again_on_the_same_port_with_its_world_intact() -> None:
    fake = FakeDatadog()
    await fake.start()
    port = int(fake.url.rpartition(":")[2])
    fake.add_monitor("Disk", id=12)
    await fake.stop()
    await fake.start(port=port)
    async with httpx.AsyncClient(base_url=fake.url, headers=KEYS, trust_env=False) as client:
        assert (await client.get("/api/v1/monitor/12")).json()["name"] == "Disk"
    await fake.stop()
