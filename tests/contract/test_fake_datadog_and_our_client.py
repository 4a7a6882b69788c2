"""Our own client against the fake over sockets: what the fake demands, our client sends, and what it says, we read."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import ClientTimeout

from bot.datadog.cases import Cases, Insight, quoted
from bot.datadog.checkup import Account
from bot.datadog.client import Datadog
from bot.datadog.errors import BadRequest, Forbidden, NoAnswer, NotFound, RateLimited, Unauthorized
from bot.datadog.http import Http
from bot.datadog.insights import Incidents
from bot.datadog.investigations import BitsInvestigations
from bot.datadog.monitors import Events, Monitors
from bot.sandbox.datadog import CHANGE_REQUEST, FakeAlert, FakeDatadog
from bot.sandbox.datadog.times import moment

RUNS = "/api/v2/bits-ai/investigations"


async def no_wait(_: float) -> None:
    """Retries follow at once."""


@pytest.fixture
async def client(fake_datadog: FakeDatadog) -> AsyncIterator[Datadog]:
    keys = (fake_datadog.api_key, fake_datadog.app_key)
    async with Datadog(fake_datadog.url, *keys, app_url=fake_datadog.app_url, sleep=no_wait) as datadog:
        yield datadog


@pytest.fixture
def bits(client: Datadog) -> BitsInvestigations:
    return BitsInvestigations(client)


@pytest.fixture
def alert(fake_datadog: FakeDatadog) -> FakeAlert:
    monitor = fake_datadog.add_monitor("Disk is filling up", tags=["service:checkout"], priority=2)
    return fake_datadog.fire(monitor, group="host:db-3")


async def test_an_event_known_by_its_number_leads_to_its_monitor(client: Datadog, alert: FakeAlert) -> None:
    found = await Events(client).by_id(alert.event_id)
    assert found is not None
    assert (found.monitor_id, found.event_ts // 1000) == (alert.monitor.id, alert.event_ts // 1000)
    assert await Events(client).by_id("1") is None


async def test_questions_and_pages(fake_datadog: FakeDatadog, bits: BitsInvestigations) -> None:
    await bits.trigger_question("Why is checkout slow?", ("service:web",), 1_700_000_000_000, 1_700_003_600_000)
    for number in range(120):
        fake_datadog.investigate_elsewhere(f"Run {number}")
    page = await bits.page(100, 100)
    assert (page.total, len(page.items), page.items[-1].title) == (121, 21, "Why is checkout slow?")
    assert len(await bits.ids()) == 121


async def test_a_monitor_is_read_muted_and_unmuted(
    fake_datadog: FakeDatadog, client: Datadog, alert: FakeAlert
) -> None:
    monitors = Monitors(client)
    read = await monitors.get(alert.monitor.id)
    assert (read.name, read.priority) == ("Disk is filling up", 2)
    until = moment(fake_datadog.world.clock()) + timedelta(hours=1)
    downtime = await monitors.mute(alert.monitor.id, until=until, scope="*", message="muted from Slack")
    await monitors.unmute(downtime)
    await monitors.unmute(downtime)
    assert [one.id for one in fake_datadog.effects("downtime_canceled")] == [downtime]


async def test_who_we_are_and_whom_we_know(fake_datadog: FakeDatadog, client: Datadog) -> None:
    ada, incident = fake_datadog.add_user("Ada", "Ada@acme.example"), fake_datadog.add_incident("Checkout is down")
    account = Account(client)
    assert await account.validate()
    assert await account.validate_keys()
    assert (await account.owner_name()).startswith("Bits Bot")
    found = await Cases(client).user_with_email("ada@ACME.example")
    assert found is not None
    assert found.id == ada.id
    assert await Incidents(client).title(incident.id) == "Checkout is down"


async def test_a_case_from_its_opening_to_its_insights(fake_datadog: FakeDatadog, client: Datadog) -> None:
    cases, ada = Cases(client), fake_datadog.add_user("Ada", "ada@acme.example")
    project = fake_datadog.add_project("SRE")
    assert [one.key for one in await cases.projects()] == ["SRE"]
    kinds = {one.name: one for one in await cases.types()}
    made = await cases.create(
        "Disk",
        project.id,
        kinds["Change Request"].id,
        description="It fills up",
        priority="P2",
        status_name="Approved",
        assignee_id=ada.id,
    )
    assert (made.key, made.status, made.status_name, made.type_id) == (
        "SRE-42",
        "IN_PROGRESS",
        "Approved",
        CHANGE_REQUEST.id,
    )
    assert made.assignee is not None
    assert made.assignee.name == "Ada"
    found = await cases.search(f"project:SRE {quoted('disk')}")
    assert [one.key for one in found] == ["SRE-42"]

    await cases.set_status(made.key, "CLOSED")
    await cases.set_status_name(made.key, "Implementing")
    await cases.set_priority(made.key, "P1")
    await cases.assign(made.key, ada.id)
    await cases.comment(made.key, "Found it")
    assert [each.message for each in await cases.comments(made.key)] == ["Found it"]
    insights = [Insight("EVENT", f"/event/event?id={n}", str(n)) for n in range(100)]
    await cases.add_insights(made.key, insights)
    last = await cases.remove_insights(made.key, insights[:60])
    assert (last.description, last.priority, last.status_name) == ("It fills up", "P1", "Implementing")
    assert last.insights == tuple(insights[60:])
    assert last.archived_at is None
    assert last.modified_at is not None


async def test_refusals_are_told_apart(
    fake_datadog: FakeDatadog, client: Datadog, bits: BitsInvestigations, alert: FakeAlert
) -> None:
    asked = (alert.monitor.id, alert.event_id, alert.event_ts)
    with pytest.raises(BadRequest) as unknown_event:
        await bits.trigger_alert(alert.monitor.id, "1234567890123456789", alert.event_ts)
    assert "not found for monitor" in unknown_event.value.detail
    with pytest.raises(NotFound) as gone:
        await Cases(client).get("SRE-1")
    assert gone.value.detail == "case not found"
    fake_datadog.revoke("bits_investigations_write")
    with pytest.raises(Forbidden):
        await bits.trigger_alert(*asked)
    fake_datadog.grant("bits_investigations_write")
    fake_datadog.break_next("POST", RUNS, status=401)
    with pytest.raises(Unauthorized):
        await bits.trigger_alert(*asked)
    fake_datadog.limit("bits_investigations_trigger", 0, 86_400 * 365)
    with pytest.raises(RateLimited) as limited:
        await bits.trigger_alert(*asked)
    assert limited.value.wait > 10
    assert fake_datadog.triggers() == []


async def test_a_read_is_tried_again_through_bad_weather(
    fake_datadog: FakeDatadog, bits: BitsInvestigations, alert: FakeAlert
) -> None:
    run_id = await bits.trigger_alert(alert.monitor.id, alert.event_id, alert.event_ts)
    fake_datadog.break_next("GET", f"{RUNS}/*", drop="before")
    fake_datadog.break_next("GET", f"{RUNS}/*", status=503)
    assert (await bits.get(run_id)).id == run_id


async def test_a_wait_that_runs_out_leaves_a_trigger_that_lands_later(
    fake_datadog: FakeDatadog, alert: FakeAlert
) -> None:
    later = fake_datadog.break_next("POST", RUNS, hang=True, lands_after=60)
    keys = (fake_datadog.api_key, fake_datadog.app_key)
    short = Http(ClientTimeout(sock_read=0.1))
    async with Datadog(fake_datadog.url, *keys, app_url=fake_datadog.app_url, http=short) as client:
        with pytest.raises(NoAnswer):
            await BitsInvestigations(client).trigger_alert(alert.monitor.id, alert.event_id, alert.event_ts)
    assert fake_datadog.triggers() == []
    later.release()
    await fake_datadog.wait_for(lambda: len(fake_datadog.triggers()) == 1)
