"""Datadog's own client opens, changes, finds and talks about cases on the fake."""

from collections.abc import Callable
from typing import Any

import pytest
from datadog_api_client.exceptions import ApiException, ForbiddenException, NotFoundException
from datadog_api_client.v2.api.case_management_api import CaseManagementApi
from datadog_api_client.v2.api.case_management_type_api import CaseManagementTypeApi
from datadog_api_client.v2.model.case_aggregate_group_by import CaseAggregateGroupBy
from datadog_api_client.v2.model.case_aggregate_request import CaseAggregateRequest
from datadog_api_client.v2.model.case_aggregate_request_attributes import CaseAggregateRequestAttributes
from datadog_api_client.v2.model.case_aggregate_request_data import CaseAggregateRequestData
from datadog_api_client.v2.model.case_aggregate_resource_type import CaseAggregateResourceType
from datadog_api_client.v2.model.case_assign import CaseAssign
from datadog_api_client.v2.model.case_assign_attributes import CaseAssignAttributes
from datadog_api_client.v2.model.case_assign_request import CaseAssignRequest
from datadog_api_client.v2.model.case_bulk_action_type import CaseBulkActionType
from datadog_api_client.v2.model.case_bulk_resource_type import CaseBulkResourceType
from datadog_api_client.v2.model.case_bulk_update_request import CaseBulkUpdateRequest
from datadog_api_client.v2.model.case_bulk_update_request_attributes import CaseBulkUpdateRequestAttributes
from datadog_api_client.v2.model.case_bulk_update_request_data import CaseBulkUpdateRequestData
from datadog_api_client.v2.model.case_comment import CaseComment
from datadog_api_client.v2.model.case_comment_attributes import CaseCommentAttributes
from datadog_api_client.v2.model.case_comment_request import CaseCommentRequest
from datadog_api_client.v2.model.case_create import CaseCreate
from datadog_api_client.v2.model.case_create_attributes import CaseCreateAttributes
from datadog_api_client.v2.model.case_create_relationships import CaseCreateRelationships
from datadog_api_client.v2.model.case_create_request import CaseCreateRequest
from datadog_api_client.v2.model.case_empty import CaseEmpty
from datadog_api_client.v2.model.case_empty_request import CaseEmptyRequest
from datadog_api_client.v2.model.case_insight import CaseInsight
from datadog_api_client.v2.model.case_insight_type import CaseInsightType
from datadog_api_client.v2.model.case_insights_attributes import CaseInsightsAttributes
from datadog_api_client.v2.model.case_insights_data import CaseInsightsData
from datadog_api_client.v2.model.case_insights_request import CaseInsightsRequest
from datadog_api_client.v2.model.case_link_attributes import CaseLinkAttributes
from datadog_api_client.v2.model.case_link_create import CaseLinkCreate
from datadog_api_client.v2.model.case_link_create_request import CaseLinkCreateRequest
from datadog_api_client.v2.model.case_link_resource_type import CaseLinkResourceType
from datadog_api_client.v2.model.case_object_attributes import CaseObjectAttributes
from datadog_api_client.v2.model.case_priority import CasePriority
from datadog_api_client.v2.model.case_resource_type import CaseResourceType
from datadog_api_client.v2.model.case_sortable_field import CaseSortableField
from datadog_api_client.v2.model.case_status import CaseStatus
from datadog_api_client.v2.model.case_update_attributes import CaseUpdateAttributes
from datadog_api_client.v2.model.case_update_attributes_attributes import CaseUpdateAttributesAttributes
from datadog_api_client.v2.model.case_update_attributes_request import CaseUpdateAttributesRequest
from datadog_api_client.v2.model.case_update_comment import CaseUpdateComment
from datadog_api_client.v2.model.case_update_comment_attributes import CaseUpdateCommentAttributes
from datadog_api_client.v2.model.case_update_comment_request import CaseUpdateCommentRequest
from datadog_api_client.v2.model.case_update_custom_attribute import CaseUpdateCustomAttribute
from datadog_api_client.v2.model.case_update_custom_attribute_request import CaseUpdateCustomAttributeRequest
from datadog_api_client.v2.model.case_update_description import CaseUpdateDescription
from datadog_api_client.v2.model.case_update_description_attributes import CaseUpdateDescriptionAttributes
from datadog_api_client.v2.model.case_update_description_request import CaseUpdateDescriptionRequest
from datadog_api_client.v2.model.case_update_due_date import CaseUpdateDueDate
from datadog_api_client.v2.model.case_update_due_date_attributes import CaseUpdateDueDateAttributes
from datadog_api_client.v2.model.case_update_due_date_request import CaseUpdateDueDateRequest
from datadog_api_client.v2.model.case_update_priority import CaseUpdatePriority
from datadog_api_client.v2.model.case_update_priority_attributes import CaseUpdatePriorityAttributes
from datadog_api_client.v2.model.case_update_priority_request import CaseUpdatePriorityRequest
from datadog_api_client.v2.model.case_update_status import CaseUpdateStatus
from datadog_api_client.v2.model.case_update_status_attributes import CaseUpdateStatusAttributes
from datadog_api_client.v2.model.case_update_status_request import CaseUpdateStatusRequest
from datadog_api_client.v2.model.case_update_title import CaseUpdateTitle
from datadog_api_client.v2.model.case_update_title_attributes import CaseUpdateTitleAttributes
from datadog_api_client.v2.model.case_update_title_request import CaseUpdateTitleRequest
from datadog_api_client.v2.model.custom_attribute_type import CustomAttributeType
from datadog_api_client.v2.model.custom_attribute_value import CustomAttributeValue
from datadog_api_client.v2.model.incident_relationship_data import IncidentRelationshipData
from datadog_api_client.v2.model.incident_resource_type import IncidentResourceType
from datadog_api_client.v2.model.jira_issue_link_attributes import JiraIssueLinkAttributes
from datadog_api_client.v2.model.jira_issue_link_data import JiraIssueLinkData
from datadog_api_client.v2.model.jira_issue_link_request import JiraIssueLinkRequest
from datadog_api_client.v2.model.jira_issue_resource_type import JiraIssueResourceType
from datadog_api_client.v2.model.nullable_user_relationship import NullableUserRelationship
from datadog_api_client.v2.model.nullable_user_relationship_data import NullableUserRelationshipData
from datadog_api_client.v2.model.project_create import ProjectCreate
from datadog_api_client.v2.model.project_create_attributes import ProjectCreateAttributes
from datadog_api_client.v2.model.project_create_request import ProjectCreateRequest
from datadog_api_client.v2.model.project_relationship import ProjectRelationship
from datadog_api_client.v2.model.project_relationship_data import ProjectRelationshipData
from datadog_api_client.v2.model.project_resource_type import ProjectResourceType
from datadog_api_client.v2.model.relationship_to_incident_request import RelationshipToIncidentRequest
from datadog_api_client.v2.model.user_resource_type import UserResourceType

from bot.sandbox.datadog import STANDARD, FakeCase, FakeDatadog, FakeProject
from tests.contract.conftest import OfficialDatadog, errors_of

CASE = CaseResourceType.CASE
NOWHERE = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def api(fake_datadog_official: OfficialDatadog) -> Any:
    return fake_datadog_official.api(CaseManagementApi)


@pytest.fixture
def project(fake_datadog: FakeDatadog) -> FakeProject:
    return fake_datadog.add_project("SRE", "Site reliability")


@pytest.fixture
def case(fake_datadog: FakeDatadog, project: FakeProject) -> FakeCase:
    return fake_datadog.add_case("Disk is filling up", project, priority="P3")


def belongs_to(project_id: str) -> ProjectRelationship:
    return ProjectRelationship(data=ProjectRelationshipData(id=project_id, type=ProjectResourceType.PROJECT))


def new_case(title: str, project_id: str, assignee: str = "", **members: Any) -> CaseCreateRequest:
    related = CaseCreateRelationships(project=belongs_to(project_id))
    if assignee:
        person = NullableUserRelationshipData(id=assignee, type=UserResourceType.USER)
        related.assignee = NullableUserRelationship(data=person)
    attributes = CaseCreateAttributes(title=title, type_id=STANDARD.id, **members)
    return CaseCreateRequest(data=CaseCreate(type=CASE, attributes=attributes, relationships=related))


def nothing() -> CaseEmptyRequest:
    return CaseEmptyRequest(data=CaseEmpty(type=CASE))


def insights(*found: tuple[CaseInsightType, str, str]) -> CaseInsightsRequest:
    items = [CaseInsight(type=kind, ref=ref, resource_id=resource) for kind, ref, resource in found]
    return CaseInsightsRequest(data=CaseInsightsData(type=CASE, attributes=CaseInsightsAttributes(insights=items)))


def status(**members: Any) -> CaseUpdateStatusRequest:
    return CaseUpdateStatusRequest(data=CaseUpdateStatus(type=CASE, attributes=CaseUpdateStatusAttributes(**members)))


async def test_a_case_is_created_and_read_by_key_and_by_uuid(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, api: Any, project: FakeProject
) -> None:
    ada = fake_datadog.add_user("Ada", "ada@acme.example")
    asked = new_case("Disk", project.id, ada.id, description="It fills up", priority=CasePriority.P2)
    made = await fake_datadog_official(api.create_case, asked)
    key = made.data.attributes.key
    assert key == "SRE-42"
    for name in (key, made.data.id):
        read = await fake_datadog_official(api.get_case, name)
        assert (read.data.attributes.title, str(read.data.attributes.priority)) == ("Disk", "P2")
        assert read.data.relationships.assignee.data.id == ada.id
    assert [case.key for case in fake_datadog.effects("case_created")] == [key]


async def test_a_case_for_nobody_or_nowhere_is_refused_as_recorded(
    fake_datadog_official: OfficialDatadog, api: Any, project: FakeProject
) -> None:
    with pytest.raises(NotFoundException) as nowhere:
        await fake_datadog_official(api.create_case, new_case("Disk", NOWHERE))
    assert errors_of(nowhere.value) == [{"code": "resource_not_found", "title": "project not found"}]
    with pytest.raises(ApiException) as nobody:
        await fake_datadog_official(api.create_case, new_case("Disk", project.id, NOWHERE))
    assert errors_of(nobody.value) == [{"status": "400", "title": "Bad Request"}]
    with pytest.raises(NotFoundException) as unknown:
        await fake_datadog_official(api.get_case, "SRE-9999")
    assert errors_of(unknown.value) == [{"code": "resource_not_found", "title": "case not found"}]


async def test_cases_are_searched_by_status_project_and_words(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, api: Any, project: FakeProject
) -> None:
    other = fake_datadog.add_project("WEB")
    for number in range(5):
        fake_datadog.add_case(f"Kubernetes pods {number}", project, priority="P1", status_name="Closed")
    fake_datadog.add_case("Kubernetes pods elsewhere", other)
    found = await fake_datadog_official(
        api.search_cases,
        filter='"kubernetes pods" AND project:SRE -status:open priority:(P1 OR P2)',
        page_size=2,
        page_number=3,
    )
    page = found.meta.page
    assert (page.current, page.size, page.total) == (3, 1, 3)
    assert [case.attributes.title for case in found.data] == ["Kubernetes pods 0"]
    everything = await fake_datadog_official.all(
        api.search_cases_with_pagination, page_size=2, sort_field=CaseSortableField.CREATED_AT, sort_asc=True
    )
    assert len(everything) == 6
    assert everything[0].attributes.title == "Kubernetes pods 0"


async def test_each_change_answers_the_whole_case(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, api: Any, case: FakeCase
) -> None:
    ada = fake_datadog.add_user("Ada", "ada@acme.example")
    key = case.key
    await fake_datadog_official(api.update_status, key, status(status=CaseStatus.IN_PROGRESS))
    assert case.status_name == "In Progress"
    closed = await fake_datadog_official(api.update_status, key, status(status_name="Closed"))
    assert str(closed.data.attributes.status) == "CLOSED"
    assert closed.data.attributes.closed_at is not None

    priority = CaseUpdatePriority(type=CASE, attributes=CaseUpdatePriorityAttributes(priority=CasePriority.P1))
    await fake_datadog_official(api.update_priority, key, CaseUpdatePriorityRequest(data=priority))
    title = CaseUpdateTitle(type=CASE, attributes=CaseUpdateTitleAttributes(title="Disk full"))
    await fake_datadog_official(api.update_case_title, key, CaseUpdateTitleRequest(data=title))
    words = CaseUpdateDescription(type=CASE, attributes=CaseUpdateDescriptionAttributes(description="Logs"))
    await fake_datadog_official(api.update_case_description, key, CaseUpdateDescriptionRequest(data=words))
    due = CaseUpdateDueDate(type=CASE, attributes=CaseUpdateDueDateAttributes(due_date="2026-12-31"))
    await fake_datadog_official(api.update_case_due_date, key, CaseUpdateDueDateRequest(data=due))
    assign = CaseAssign(type=CASE, attributes=CaseAssignAttributes(assignee_id=ada.id))
    await fake_datadog_official(api.assign_case, key, CaseAssignRequest(data=assign))
    assert case.assignee is ada
    await fake_datadog_official(api.unassign_case, key, nothing())
    untyped: Callable[..., CaseObjectAttributes] = CaseObjectAttributes
    attributes = CaseUpdateAttributesAttributes(attributes=untyped(service=["checkout"], env=["prod"]))
    update = CaseUpdateAttributesRequest(data=CaseUpdateAttributes(type=CASE, attributes=attributes))
    answer = await fake_datadog_official(api.update_attributes, key, update)
    assert answer.data.attributes.attributes.to_dict() == {"service": ["checkout"], "env": ["prod"]}
    value = CustomAttributeValue(type=CustomAttributeType.TEXT, is_multi=True, value=["Abba", "The Cure"])
    custom = CaseUpdateCustomAttributeRequest(data=CaseUpdateCustomAttribute(type=CASE, attributes=value))
    await fake_datadog_official(api.update_case_custom_attribute, key, "band", custom)
    await fake_datadog_official(api.delete_case_custom_attribute, key, "band")

    archived = await fake_datadog_official(api.archive_case, key, nothing())
    assert archived.data.attributes.archived_at is not None
    assert (await fake_datadog_official(api.search_cases)).data == []
    await fake_datadog_official(api.unarchive_case, key, nothing())
    assert (case.title, case.description, case.priority, case.due_date) == ("Disk full", "Logs", "P1", "2026-12-31")
    assert case.data()["attributes"]["custom_attributes"] == {}
    assert "assignee" not in case.data()["relationships"]
    assert "archived_at" not in case.data()["attributes"]


async def test_a_comment_answers_a_list_and_can_be_edited_and_deleted(
    fake_datadog_official: OfficialDatadog, api: Any, case: FakeCase
) -> None:
    said = CaseComment(type=CASE, attributes=CaseCommentAttributes(comment="Hello World !"))
    cells = await fake_datadog_official(api.comment_case, case.key, CaseCommentRequest(data=said))
    assert [cell.attributes.cell_content.message for cell in cells.data] == ["Hello World !"]
    cell_id = cells.data[0].id
    edited = CaseUpdateComment(type=CASE, attributes=CaseUpdateCommentAttributes(comment="Hello again"))
    await fake_datadog_official(api.update_case_comment, case.key, cell_id, CaseUpdateCommentRequest(data=edited))
    timeline = await fake_datadog_official(api.list_case_timeline, case.key)
    assert [cell.attributes.cell_content.message for cell in timeline.data] == ["Hello again"]
    await fake_datadog_official(api.delete_case_comment, case.key, cell_id)
    assert case.comments == []
    with pytest.raises(NotFoundException) as gone:
        await fake_datadog_official(api.delete_case_comment, case.key, cell_id)
    assert errors_of(gone.value)[0]["title"] == "failed to get timeline cell: timeline cell not found"
    with pytest.raises(ApiException) as odd:
        await fake_datadog_official(api.delete_case_comment, case.key, "not-an-uuid")
    assert errors_of(odd.value)[0]["detail"] == 'invalid parameter "CommentID" in "path"; expected type "uuid"'


async def test_insights_are_a_set_that_is_added_to_and_removed_from(
    fake_datadog_official: OfficialDatadog, api: Any, case: FakeCase
) -> None:
    monitor = (CaseInsightType.MONITOR, "/monitors/1", "1")
    events = [(CaseInsightType.EVENT, f"/event/event?id={n}", str(n)) for n in range(99)]
    await fake_datadog_official(api.add_case_insights, case.key, insights(monitor, *events))
    again = (CaseInsightType.MONITOR, "/monitors/1?q=total", "1")
    answer = await fake_datadog_official(api.add_case_insights, case.key, insights(again))
    shown = answer.data.attributes.to_dict()["insights"]
    assert len(shown) == 100
    assert shown[0] == {"type": "MONITOR", "ref": "/monitors/1?q=total", "resource_id": "1"}
    never = (CaseInsightType.INCIDENT, "/incidents/7", "7")
    await fake_datadog_official(api.remove_case_insights, case.key, insights(*events, never))
    assert list(case.insights) == [("MONITOR", "1")]


async def test_projects_and_types_are_listed_deleted_ones_among_them(
    fake_datadog_official: OfficialDatadog, api: Any, project: FakeProject
) -> None:
    listed = await fake_datadog_official(api.get_projects)
    assert [item.attributes.key for item in listed.data] == ["SRE"]
    assert (await fake_datadog_official(api.get_project, project.id)).data.attributes.name == "Site reliability"
    new = ProjectCreate(type=ProjectResourceType.PROJECT, attributes=ProjectCreateAttributes(key="WEB", name="Web"))
    made = await fake_datadog_official(api.create_project, ProjectCreateRequest(data=new))
    assert len((await fake_datadog_official(api.get_projects)).data) == 2
    await fake_datadog_official(api.favorite_case_project, made.data.id)
    favorites = await fake_datadog_official(api.list_user_case_project_favorites)
    assert [item.id for item in favorites.data] == [made.data.id]

    types = fake_datadog_official.api(CaseManagementTypeApi)
    kinds = (await fake_datadog_official(types.get_all_case_types)).data
    assert kinds[0].id == STANDARD.id
    assert [kind.attributes.name for kind in kinds if "deleted_at" in kind.attributes] == ["World"]


async def test_a_case_moves_to_another_project_and_its_old_key_is_dead(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, api: Any, case: FakeCase
) -> None:
    old, other = case.key, fake_datadog.add_project("WEB")
    moved = await fake_datadog_official(api.move_case_to_project, old, belongs_to(other.id))
    assert moved.data.attributes.key == case.key == "WEB-42"
    with pytest.raises(NotFoundException):
        await fake_datadog_official(api.get_case, old)


async def test_links_watchers_counts_and_bulk(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, api: Any, case: FakeCase
) -> None:
    incident, ada = fake_datadog.add_incident("Down"), fake_datadog.add_user("Ada", "ada@acme.example")
    related = IncidentRelationshipData(id=incident.id, type=IncidentResourceType.INCIDENTS)
    await fake_datadog_official(api.link_incident, case.key, RelationshipToIncidentRequest(data=related))
    assert case.incidents == [incident.id]

    ends = CaseLinkAttributes(
        parent_entity_type="CASE",
        parent_entity_id=case.id,
        child_entity_type="INCIDENT",
        child_entity_id=incident.id,
        relationship="RELATES_TO",
    )
    wanted = CaseLinkCreateRequest(data=CaseLinkCreate(type=CaseLinkResourceType.LINK, attributes=ends))
    link = await fake_datadog_official(api.create_case_link, wanted)
    links = await fake_datadog_official(api.list_case_links, "CASE", case.id)
    assert [item.id for item in links.data] == [link.data.id]
    await fake_datadog_official(api.delete_case_link, link.data.id)

    await fake_datadog_official(api.watch_case, case.key, ada.id)
    assert [who.id for who in (await fake_datadog_official(api.list_case_watchers, case.key)).data] == [ada.id]
    await fake_datadog_official(api.unwatch_case, case.key, ada.id)
    assert case.watchers == []

    counted = await fake_datadog_official(api.count_cases, query_filter="status:open", group_bys="priority")
    group = counted.data.attributes.groups[0]
    assert (group.group, [(one.value, one.count) for one in group.group_values]) == ("priority", [("P3", 1)])
    grouping = CaseAggregateGroupBy(groups=["status"], limit=14)
    asked = CaseAggregateRequestAttributes(query_filter="status:open", group_by=grouping)
    data = CaseAggregateRequestData(type=CaseAggregateResourceType.AGGREGATE, attributes=asked)
    assert (
        await fake_datadog_official(api.aggregate_cases, CaseAggregateRequest(data=data))
    ).data.attributes.total == 1

    action = CaseBulkUpdateRequestAttributes(
        case_ids=[case.key], type=CaseBulkActionType.PRIORITY, payload={"priority": "P5"}
    )
    bulk = CaseBulkUpdateRequestData(type=CaseBulkResourceType.BULK, attributes=action)
    await fake_datadog_official(api.bulk_update_cases, CaseBulkUpdateRequest(data=bulk))
    assert case.priority == "P5"


async def test_a_second_jira_issue_is_the_one_conflict(
    fake_datadog_official: OfficialDatadog, api: Any, case: FakeCase
) -> None:
    url = JiraIssueLinkAttributes(jira_issue_url="https://acme.atlassian.net/browse/OPS-7")
    issue = JiraIssueLinkRequest(data=JiraIssueLinkData(type=JiraIssueResourceType.ISSUES, attributes=url))
    await fake_datadog_official(api.link_jira_issue_to_case, case.key, issue)
    read = await fake_datadog_official(api.get_case, case.key)
    assert read.data.attributes.jira_issue.result.issue_key == "OPS-7"
    with pytest.raises(ApiException) as caught:
        await fake_datadog_official(api.link_jira_issue_to_case, case.key, issue)
    assert caught.value.status == 409


async def test_cases_need_their_scopes(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, api: Any, case: FakeCase
) -> None:
    fake_datadog.revoke("cases_write")
    await fake_datadog_official(api.get_case, case.key)
    with pytest.raises(ForbiddenException):
        await fake_datadog_official(api.archive_case, case.key, nothing())
    assert case.archived is None
