"""Datadog's own client reads monitors, events, downtimes, users and incidents of the fake."""

import pytest
from datadog_api_client.exceptions import ApiException, ForbiddenException, NotFoundException
from datadog_api_client.v1.api.authentication_api import AuthenticationApi
from datadog_api_client.v1.api.events_api import EventsApi as OldEventsApi
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v2.api.downtimes_api import DowntimesApi
from datadog_api_client.v2.api.events_api import EventsApi
from datadog_api_client.v2.api.incidents_api import IncidentsApi
from datadog_api_client.v2.api.key_management_api import KeyManagementApi
from datadog_api_client.v2.api.users_api import UsersApi
from datadog_api_client.v2.model.downtime_create_request import DowntimeCreateRequest
from datadog_api_client.v2.model.downtime_create_request_attributes import DowntimeCreateRequestAttributes
from datadog_api_client.v2.model.downtime_create_request_data import DowntimeCreateRequestData
from datadog_api_client.v2.model.downtime_monitor_identifier_id import DowntimeMonitorIdentifierId
from datadog_api_client.v2.model.downtime_resource_type import DowntimeResourceType
from datadog_api_client.v2.model.downtime_schedule_one_time_create_update_request import (
    DowntimeScheduleOneTimeCreateUpdateRequest,
)
from datadog_api_client.v2.model.events_list_request import EventsListRequest
from datadog_api_client.v2.model.events_query_filter import EventsQueryFilter
from datadog_api_client.v2.model.events_request_page import EventsRequestPage
from datadog_api_client.v2.model.events_sort import EventsSort

from bot.sandbox.datadog import FakeDatadog, FakeMonitor
from bot.sandbox.datadog.times import moment
from tests.contract.conftest import OfficialDatadog, errors_of

pytestmark = pytest.mark.filterwarnings("ignore:Using unstable operation")


@pytest.fixture
def monitor(fake_datadog: FakeDatadog) -> FakeMonitor:
    return fake_datadog.add_monitor(
        "Disk is filling up", tags=["service:checkout", "team:sre"], priority=2, groups=["host:db-3", "host:db-4"]
    )


def wanted(query: str, *, limit: int = 10, sort: EventsSort = EventsSort.TIMESTAMP_DESCENDING) -> EventsListRequest:
    return EventsListRequest(
        filter=EventsQueryFilter(query=query, _from="now-7d", to="now"), page=EventsRequestPage(limit=limit), sort=sort
    )


async def test_a_monitor_is_read_with_the_state_of_its_groups(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, monitor: FakeMonitor
) -> None:
    fake_datadog.fire(monitor, group="host:db-3")
    api = fake_datadog_official.api(MonitorsApi)
    read = await fake_datadog_official(api.get_monitor, monitor.id, group_states="all", with_downtimes=True)
    assert (read.name, read.priority, str(read.overall_state)) == ("Disk is filling up", 2, "Alert")
    states = {name: str(group.status) for name, group in read.state.groups.items()}
    assert states == {"host:db-3": "Alert", "host:db-4": "OK"}

    with pytest.raises(NotFoundException) as caught:
        await fake_datadog_official(api.get_monitor, 12345)
    assert errors_of(caught.value) == ["Monitor not found"]


async def test_monitors_and_their_groups_are_searched(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, monitor: FakeMonitor
) -> None:
    fake_datadog.add_monitor("CPU", tags=["service:web"])
    fake_datadog.fire(monitor, group="host:db-3")
    api = fake_datadog_official.api(MonitorsApi)
    found = await fake_datadog_official(api.search_monitors, query="disk service:checkout status:alert")
    assert [item.id for item in found.monitors] == [monitor.id]
    groups = await fake_datadog_official(api.search_monitor_groups, query=f"id:{monitor.id}")
    assert {group.group for group in groups.groups} == {"host:db-3", "host:db-4"}
    everything = await fake_datadog_official(api.list_monitors)
    assert len(everything) == 2


async def test_the_latest_alert_of_a_monitor_is_found_and_the_wrong_facet_finds_nothing(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, monitor: FakeMonitor
) -> None:
    now = fake_datadog.world.clock()
    fake_datadog.fire(fake_datadog.add_monitor("Other"))
    fake_datadog.fire(monitor, group="host:db-3", at=now - 600)
    last = fake_datadog.fire(monitor, group="host:db-4", at=now - 60)
    fake_datadog.fire(monitor, group="host:db-4", transition="alert recovery", at=now - 5)
    api = fake_datadog_official.api(EventsApi)
    query = f"source:alert @monitor.id:{monitor.id} @monitor.transition.transition_type:alert"
    found = await fake_datadog_official(api.search_events, body=wanted(query, limit=1))
    inner = found.data[0].attributes.attributes
    assert (inner.evt.id, inner.timestamp, found.data[0].id) == (last.event_id, last.event_ts, last.uid)

    nothing = await fake_datadog_official(api.search_events, body=wanted(f"monitor_id:{monitor.id}"))
    assert nothing.to_dict() == {"data": []}


async def test_the_events_iterators_walk_all_pages_in_both_forms(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, monitor: FakeMonitor
) -> None:
    now = fake_datadog.world.clock()
    ids = [fake_datadog.fire(monitor, at=now - 100 + number).uid for number in range(7)]
    api = fake_datadog_official.api(EventsApi)
    body = wanted("source:alert", limit=3, sort=EventsSort.TIMESTAMP_ASCENDING)
    assert [event.id for event in await fake_datadog_official.all(api.search_events_with_pagination, body=body)] == ids
    listed = await fake_datadog_official.all(
        api.list_events_with_pagination,
        filter_query="source:alert",
        filter_from="now-1h",
        filter_to="now",
        page_limit=2,
    )
    assert [event.id for event in listed] == ids[::-1]


async def test_an_event_is_read_by_its_number_and_by_its_uid(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, monitor: FakeMonitor
) -> None:
    alert = fake_datadog.fire(monitor, group="host:db-3")
    old = await fake_datadog_official(fake_datadog_official.api(OldEventsApi).get_event, int(alert.event_id))
    assert (old.event.id_str, old.event.date_happened) == (alert.event_id, alert.event_ts // 1000)
    # Its model is a choice of two shapes that both accept every alert event, so it takes none: read raw.
    new = await fake_datadog_official.raw(fake_datadog_official.api(EventsApi).get_event, alert.uid)
    assert new.to_dict()["data"]["attributes"]["attributes"]["monitor"]["id"] == monitor.id


async def test_a_bad_cursor_is_refused_as_recorded(fake_datadog_official: OfficialDatadog) -> None:
    body = wanted("*")
    body.page.cursor = "eyJzdGFydEF0IjoiQVFBQUFYS2tMS3pPbm40NGV3QUFBQUJCV0V0clRFdDZVbG8zY3pCRmNsbHJiVmxDWlEifQ=="
    with pytest.raises(ApiException) as caught:
        await fake_datadog_official(fake_datadog_official.api(EventsApi).search_events, body=body)
    text = "{'errors': [u\"input_validation_error(Field 'page' is invalid: invalid cursor)\"]}"
    assert (caught.value.status, errors_of(caught.value)) == (400, [text])


async def test_a_monitor_is_muted_for_an_hour_and_unmuted(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, monitor: FakeMonitor
) -> None:
    api = fake_datadog_official.api(DowntimesApi)
    end = moment(fake_datadog.world.clock() + 3600)
    attributes = DowntimeCreateRequestAttributes(
        scope="host:db-3",
        monitor_identifier=DowntimeMonitorIdentifierId(monitor_id=monitor.id),
        schedule=DowntimeScheduleOneTimeCreateUpdateRequest(start=None, end=end),
        message="muted from Slack",
    )
    data = DowntimeCreateRequestData(type=DowntimeResourceType.DOWNTIME, attributes=attributes)
    made = await fake_datadog_official(api.create_downtime, DowntimeCreateRequest(data=data))
    assert str(made.data.attributes.status) == "active"
    matching = await fake_datadog_official(api.list_monitor_downtimes, monitor.id)
    assert [match.id for match in matching.data] == [made.data.id]

    await fake_datadog_official(api.cancel_downtime, made.data.id)
    await fake_datadog_official(api.cancel_downtime, made.data.id)
    read = await fake_datadog_official(api.get_downtime, made.data.id)
    assert str(read.data.attributes.status) == "canceled"
    assert (await fake_datadog_official(api.list_monitor_downtimes, monitor.id)).data == []
    assert len(fake_datadog.effects("downtime_canceled")) == 1
    assert len((await fake_datadog_official(api.list_downtimes)).data) == 1


async def test_credentials_are_checked_in_each_way(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, fake_datadog_stranger: OfficialDatadog
) -> None:
    keys = fake_datadog_official.api(KeyManagementApi)
    assert (await fake_datadog_official(fake_datadog_official.api(AuthenticationApi).validate)).valid
    assert (await fake_datadog_official(keys.validate)).data.id == fake_datadog.org.uuid
    assert str((await fake_datadog_official(keys.validate_api_key)).status) == "ok"
    with pytest.raises(ForbiddenException):
        await fake_datadog_stranger(fake_datadog_stranger.api(AuthenticationApi).validate)


async def test_the_owner_of_the_key_and_people_by_email(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog
) -> None:
    ada = fake_datadog.add_user("Ada", "Ada@acme.example")
    fake_datadog.add_user("Ada's old account", "ada@acme.example", status="Disabled")
    api = fake_datadog_official.api(UsersApi)
    me = await fake_datadog_official(api.get_current_user)
    assert (me.data.attributes.name, me.data.attributes.service_account) == ("Bits Bot", True)
    found = await fake_datadog_official(api.list_users, filter="ada@acme.example", filter_status="Active", page_size=10)
    assert [user.id for user in found.data] == [ada.id]


async def test_an_incident_is_read_and_searched(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog
) -> None:
    incident = fake_datadog.add_incident("Checkout is down", severity="SEV-1")
    fake_datadog.add_incident("Search is slow")
    api = fake_datadog_official.api(IncidentsApi)
    read = await fake_datadog_official(api.get_incident, incident.id)
    assert (read.data.attributes.public_id, read.data.attributes.title) == (411, "Checkout is down")
    found = await fake_datadog_official(api.search_incidents, "state:active AND severity:SEV-1")
    assert [hit.data.id for hit in found.data.attributes.incidents] == [incident.id]
