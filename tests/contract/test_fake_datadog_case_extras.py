"""Datadog's own client sets up custom attributes and saved views on the fake, and gives the reason of a closed security case."""

from typing import Any

import pytest
from datadog_api_client.exceptions import ApiException, NotFoundException
from datadog_api_client.v2.api.case_management_api import CaseManagementApi
from datadog_api_client.v2.api.case_management_attribute_api import CaseManagementAttributeApi
from datadog_api_client.v2.model.case_resource_type import CaseResourceType
from datadog_api_client.v2.model.case_update_custom_attribute import CaseUpdateCustomAttribute
from datadog_api_client.v2.model.case_update_custom_attribute_request import CaseUpdateCustomAttributeRequest
from datadog_api_client.v2.model.case_update_resolved_reason import CaseUpdateResolvedReason
from datadog_api_client.v2.model.case_update_resolved_reason_attributes import CaseUpdateResolvedReasonAttributes
from datadog_api_client.v2.model.case_update_resolved_reason_request import CaseUpdateResolvedReasonRequest
from datadog_api_client.v2.model.case_update_status import CaseUpdateStatus
from datadog_api_client.v2.model.case_update_status_attributes import CaseUpdateStatusAttributes
from datadog_api_client.v2.model.case_update_status_request import CaseUpdateStatusRequest
from datadog_api_client.v2.model.case_view_create import CaseViewCreate
from datadog_api_client.v2.model.case_view_create_attributes import CaseViewCreateAttributes
from datadog_api_client.v2.model.case_view_create_request import CaseViewCreateRequest
from datadog_api_client.v2.model.case_view_resource_type import CaseViewResourceType
from datadog_api_client.v2.model.custom_attribute_config_attributes_create import CustomAttributeConfigAttributesCreate
from datadog_api_client.v2.model.custom_attribute_config_create import CustomAttributeConfigCreate
from datadog_api_client.v2.model.custom_attribute_config_create_request import CustomAttributeConfigCreateRequest
from datadog_api_client.v2.model.custom_attribute_config_resource_type import CustomAttributeConfigResourceType
from datadog_api_client.v2.model.custom_attribute_config_update import CustomAttributeConfigUpdate
from datadog_api_client.v2.model.custom_attribute_config_update_attributes import CustomAttributeConfigUpdateAttributes
from datadog_api_client.v2.model.custom_attribute_config_update_request import CustomAttributeConfigUpdateRequest
from datadog_api_client.v2.model.custom_attribute_select_option import CustomAttributeSelectOption
from datadog_api_client.v2.model.custom_attribute_type import CustomAttributeType
from datadog_api_client.v2.model.custom_attribute_type_data import CustomAttributeTypeData
from datadog_api_client.v2.model.custom_attribute_value import CustomAttributeValue

from bot.sandbox.datadog import SECURITY, STANDARD, FakeDatadog, FakeProject
from tests.contract.conftest import OfficialDatadog, errors_of

CASE = CaseResourceType.CASE
ATTRIBUTE = CustomAttributeConfigResourceType.CUSTOM_ATTRIBUTE


@pytest.fixture
def api(fake_datadog_official: OfficialDatadog) -> Any:
    return fake_datadog_official.api(CaseManagementApi)


@pytest.fixture
def project(fake_datadog: FakeDatadog) -> FakeProject:
    return fake_datadog.add_project("SRE", "Site reliability")


def set_to(value: Any, kind: CustomAttributeType, *, is_multi: bool) -> CaseUpdateCustomAttributeRequest:
    told = CustomAttributeValue(type=kind, is_multi=is_multi, value=value)
    return CaseUpdateCustomAttributeRequest(data=CaseUpdateCustomAttribute(type=CASE, attributes=told))


async def test_custom_attributes_of_a_type_bind_what_its_cases_take(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, api: Any, project: FakeProject
) -> None:
    attributes = fake_datadog_official.api(CaseManagementAttributeApi)
    new = CustomAttributeConfigAttributesCreate(
        display_name="Region", is_multi=True, key="region", type=CustomAttributeType.SELECT
    )
    asked = CustomAttributeConfigCreateRequest(data=CustomAttributeConfigCreate(type=ATTRIBUTE, attributes=new))
    made = await fake_datadog_official(attributes.create_custom_attribute_config, STANDARD.id, asked)
    with pytest.raises(ApiException) as twice:
        await fake_datadog_official(attributes.create_custom_attribute_config, STANDARD.id, asked)
    assert twice.value.status == 409
    options = CustomAttributeTypeData(options=[CustomAttributeSelectOption(value=each) for each in ("eu", "us")])
    changed = CustomAttributeConfigUpdate(
        type=ATTRIBUTE, attributes=CustomAttributeConfigUpdateAttributes(type_data=options)
    )
    update = CustomAttributeConfigUpdateRequest(data=changed)
    await fake_datadog_official(attributes.update_custom_attribute_config, STANDARD.id, made.data.id, update)
    for listed in (
        await fake_datadog_official(attributes.get_all_custom_attributes),
        await fake_datadog_official(attributes.get_all_custom_attribute_configs_by_case_type, STANDARD.id),
    ):
        assert [each.attributes.key for each in listed.data] == ["region"]
    of_security = await fake_datadog_official(attributes.get_all_custom_attribute_configs_by_case_type, SECURITY.id)
    assert of_security.data == []

    case = fake_datadog.add_case("Disk", project)
    await fake_datadog_official(
        api.update_case_custom_attribute, case.key, "region", set_to(["eu"], CustomAttributeType.SELECT, is_multi=True)
    )
    for wrong in (
        set_to(["mars"], CustomAttributeType.SELECT, is_multi=True),
        set_to("eu", CustomAttributeType.SELECT, is_multi=False),
        set_to(["eu"], CustomAttributeType.TEXT, is_multi=True),
    ):
        with pytest.raises(ApiException) as refused:
            await fake_datadog_official(api.update_case_custom_attribute, case.key, "region", wrong)
        assert refused.value.status == 400
    assert case.custom_attributes["region"]["value"] == ["eu"]
    await fake_datadog_official(attributes.delete_custom_attribute_config, STANDARD.id, made.data.id)
    with pytest.raises(NotFoundException):
        await fake_datadog_official(attributes.delete_custom_attribute_config, STANDARD.id, made.data.id)


async def test_views_are_those_of_a_project(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, api: Any, project: FakeProject
) -> None:
    other = fake_datadog.add_project("WEB")
    told = CaseViewCreateAttributes(name="Urgent", project_id=project.id, query="status:open priority:P1")
    asked = CaseViewCreateRequest(data=CaseViewCreate(type=CaseViewResourceType.VIEW, attributes=told))
    made = await fake_datadog_official(api.create_case_view, asked)
    listed = await fake_datadog_official(api.list_case_views, project.id)
    assert [(each.attributes.name, each.attributes.query) for each in listed.data] == [("Urgent", told.query)]
    assert (
        await fake_datadog_official(api.get_case_view, made.data.id)
    ).data.relationships.project.data.id == project.id
    assert (await fake_datadog_official(api.list_case_views, other.id)).data == []
    await fake_datadog_official(api.delete_case_view, made.data.id)
    with pytest.raises(NotFoundException):
        await fake_datadog_official(api.get_case_view, made.data.id)


async def test_a_security_case_is_closed_with_its_reason_only(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, api: Any, project: FakeProject
) -> None:
    case, plain = fake_datadog.add_case("Travel", project, type=SECURITY), fake_datadog.add_case("Disk", project)
    closed = CaseUpdateStatusRequest(
        data=CaseUpdateStatus(type=CASE, attributes=CaseUpdateStatusAttributes(status_name="Closed"))
    )
    with pytest.raises(ApiException) as refused:
        await fake_datadog_official.raw(api.update_status, case.key, closed)
    assert "resolved reason" in errors_of(refused.value)[0]["detail"]

    why = CaseUpdateResolvedReasonAttributes(security_resolved_reason="FALSE_POSITIVE")
    reason = CaseUpdateResolvedReasonRequest(data=CaseUpdateResolvedReason(type=CASE, attributes=why))
    with pytest.raises(ApiException):
        await fake_datadog_official(api.update_case_resolved_reason, plain.key, reason)
    await fake_datadog_official.raw(api.update_case_resolved_reason, case.key, reason)
    await fake_datadog_official.raw(api.update_status, case.key, closed)
    assert (case.status, case.resolved_reason) == ("CLOSED", "FALSE_POSITIVE")
