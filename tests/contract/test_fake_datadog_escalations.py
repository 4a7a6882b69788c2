"""Datadog's own client declares incidents, pages teams and asks for tickets on the fake, and reads what our client made there."""

import pytest
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.case_management_api import CaseManagementApi
from datadog_api_client.v2.api.incidents_api import IncidentsApi
from datadog_api_client.v2.api.jira_integration_api import JiraIntegrationApi
from datadog_api_client.v2.api.service_now_integration_api import ServiceNowIntegrationApi
from datadog_api_client.v2.model.create_page_request import CreatePageRequest
from datadog_api_client.v2.model.create_page_request_data import CreatePageRequestData
from datadog_api_client.v2.model.create_page_request_data_attributes import CreatePageRequestDataAttributes
from datadog_api_client.v2.model.create_page_request_data_attributes_target import CreatePageRequestDataAttributesTarget
from datadog_api_client.v2.model.create_page_request_data_type import CreatePageRequestDataType
from datadog_api_client.v2.model.incident_create_attributes import IncidentCreateAttributes
from datadog_api_client.v2.model.incident_create_data import IncidentCreateData
from datadog_api_client.v2.model.incident_create_request import IncidentCreateRequest
from datadog_api_client.v2.model.incident_search_sort_order import IncidentSearchSortOrder
from datadog_api_client.v2.model.incident_type import IncidentType
from datadog_api_client.v2.model.on_call_page_target_type import OnCallPageTargetType
from datadog_api_client.v2.model.page_urgency import PageUrgency

from bot.datadog.cases import Cases
from bot.datadog.client import Datadog
from bot.datadog.escalations import Escalations
from bot.sandbox.datadog import FakeDatadog
from tests.contract.conftest import OfficialDatadog

pytestmark = pytest.mark.filterwarnings("ignore:Using unstable operation")


def ours_of(fake: FakeDatadog) -> Datadog:
    return Datadog(fake.url, fake.api_key, fake.app_key, app_url=fake.app_url)


async def test_incidents_are_declared_by_either_and_found_by_their_mark(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog
) -> None:
    api = fake_datadog_official.api(IncidentsApi)
    told = IncidentCreateAttributes(title="Search is slow", customer_impacted=False)
    asked = IncidentCreateRequest(data=IncidentCreateData(type=IncidentType.INCIDENTS, attributes=told))
    theirs = await fake_datadog_official(api.create_incident, asked)
    told.customer_impacted = True  # and nothing said of how
    with pytest.raises(ApiException) as refused:
        await fake_datadog_official(api.create_incident, asked)
    assert refused.value.status == 400

    async with ours_of(fake_datadog) as client:
        calls = Escalations(client)
        made = await calls.declare("Checkout", severity="SEV-2", impact="No orders", summary="Asked.\nref ABCD2345.")
        assert await calls.declared("ref ABCD2345.") == made
        assert await calls.declared("ref ABCD2346.") is None
    read = (await fake_datadog_official(api.get_incident, made.id)).data.attributes
    assert (read.title, read.customer_impact_scope, read.severity.value) == ("Checkout", "No orders", "SEV-2")
    assert made.name == f"#{read.public_id}"
    newest = await fake_datadog_official(
        api.search_incidents, "state:active", sort=IncidentSearchSortOrder.CREATED_DESCENDING
    )
    assert [hit.data.id for hit in newest.data.attributes.incidents] == [made.id, theirs.data.id]


async def test_a_team_is_paged_with_the_body_that_the_official_models_write(fake_datadog: FakeDatadog) -> None:
    """By hand: the official client sends pages to hosts of Datadog's own."""
    fake_datadog.add_on_call_team("checkout-sre")
    target = CreatePageRequestDataAttributesTarget(type=OnCallPageTargetType.TEAM_HANDLE, identifier="checkout-sre")
    told = CreatePageRequestDataAttributes(title="Checkout is down", urgency=PageUrgency.HIGH, target=target)
    body = CreatePageRequest(data=CreatePageRequestData(type=CreatePageRequestDataType.PAGES, attributes=told))
    async with ours_of(fake_datadog) as client:
        made = await Escalations(client).page("checkout-sre", "Checkout is down", "", "high")
    (seen,) = fake_datadog.asked("POST", "/api/v2/on-call/pages")
    seen.json["data"]["attributes"].pop("description")
    assert seen.json == body.to_dict()  # type: ignore[no-untyped-call]
    assert [page.id for page in fake_datadog.org.pages] == [made.id]


async def test_tickets_are_asked_for_and_the_case_tells_how_that_goes(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog
) -> None:
    fake_datadog.connect_jira("Bug")
    fake_datadog.connect_service_now("acme")
    templates = await fake_datadog_official(fake_datadog_official.api(JiraIntegrationApi).list_jira_issue_templates)
    instances = await fake_datadog_official(
        fake_datadog_official.api(ServiceNowIntegrationApi).list_service_now_instances
    )
    case = fake_datadog.add_case("Disk", fake_datadog.add_project("SRE"))
    async with ours_of(fake_datadog) as client:
        calls, cases = Escalations(client), Cases(client)
        (template,) = await calls.jira_templates()
        (told,) = templates.data
        assert (template.id, template.name, template.project_id) == (
            str(told.id),
            told.attributes.name,
            told.attributes.project_id,
        )
        assert template.account_id == told.relationships.jira_account.data.id
        assert await calls.service_now_instances() == (instances.data[0].attributes.instance_name,)
        await calls.make_jira_issue(case.key, template)
        await calls.make_service_now_ticket(case.key, "acme", "")
        await calls.make_notebook(case.key)
        assert [ticket.status for ticket in (await cases.get(case.id)).tickets] == ["IN_PROGRESS", "IN_PROGRESS"]
        for system in ("jira_issue", "service_now_ticket"):
            fake_datadog.finish_ticket(case, system)
        ours = (await cases.get(case.id)).tickets
    theirs = (
        await fake_datadog_official(fake_datadog_official.api(CaseManagementApi).get_case, case.key)
    ).data.attributes
    assert (ours[0].name, ours[0].url) == (theirs.jira_issue.result.issue_key, theirs.jira_issue.result.issue_url)
    assert ours[1].url == theirs.service_now_ticket.result.sys_target_link
    assert case.notebooks == 1
