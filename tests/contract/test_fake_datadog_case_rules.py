"""Datadog's own client, and ours, make notification rules of a case project on the fake and read them back."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from datadog_api_client.exceptions import ApiException, NotFoundException
from datadog_api_client.v2.api.case_management_api import CaseManagementApi
from datadog_api_client.v2.model.case_notification_rule_attributes import CaseNotificationRuleAttributes
from datadog_api_client.v2.model.case_notification_rule_create import CaseNotificationRuleCreate
from datadog_api_client.v2.model.case_notification_rule_create_attributes import CaseNotificationRuleCreateAttributes
from datadog_api_client.v2.model.case_notification_rule_create_request import CaseNotificationRuleCreateRequest
from datadog_api_client.v2.model.case_notification_rule_recipient import CaseNotificationRuleRecipient
from datadog_api_client.v2.model.case_notification_rule_recipient_data import CaseNotificationRuleRecipientData
from datadog_api_client.v2.model.case_notification_rule_resource_type import CaseNotificationRuleResourceType
from datadog_api_client.v2.model.case_notification_rule_trigger import CaseNotificationRuleTrigger
from datadog_api_client.v2.model.case_notification_rule_trigger_data import CaseNotificationRuleTriggerData
from datadog_api_client.v2.model.case_notification_rule_update import CaseNotificationRuleUpdate
from datadog_api_client.v2.model.case_notification_rule_update_request import CaseNotificationRuleUpdateRequest

from bot.datadog.case_rules import CaseRules
from bot.datadog.client import Datadog
from bot.datadog.errors import BadRequest, Forbidden, NotFound
from bot.sandbox.datadog import FakeDatadog, FakeProject
from bot.sandbox.datadog.alert_routes import FakeWebhook
from tests.contract.conftest import OfficialDatadog

KIND = CaseNotificationRuleResourceType.NOTIFICATION_RULE
HOOK = "bits-bot-acme-cases"


@pytest.fixture
def project(fake_datadog: FakeDatadog) -> FakeProject:
    fake_datadog.org.webhooks[HOOK] = FakeWebhook(HOOK, "https://bits.example.com/datadog/webhook/acme")
    return fake_datadog.add_project("SRE", "Site reliability")


@pytest.fixture
def api(fake_datadog_official: OfficialDatadog) -> Any:
    return fake_datadog_official.api(CaseManagementApi)


@pytest.fixture
async def ours(fake_datadog: FakeDatadog) -> AsyncIterator[CaseRules]:
    keys = (fake_datadog.api_key, fake_datadog.app_key)
    async with Datadog(fake_datadog.url, *keys, app_url=fake_datadog.app_url) as client:
        yield CaseRules(client)


def to(name: str, kind: str = "HTTP") -> CaseNotificationRuleRecipient:
    return CaseNotificationRuleRecipient(type=kind, data=CaseNotificationRuleRecipientData(name=name))


def when(kind: str, **data: str) -> CaseNotificationRuleTrigger:
    return CaseNotificationRuleTrigger(type=kind, data=CaseNotificationRuleTriggerData(**data))


def rule(
    recipient: CaseNotificationRuleRecipient, *triggers: CaseNotificationRuleTrigger
) -> CaseNotificationRuleCreateRequest:
    attributes = CaseNotificationRuleCreateAttributes(recipients=[recipient], triggers=list(triggers), is_enabled=True)
    return CaseNotificationRuleCreateRequest(data=CaseNotificationRuleCreate(type=KIND, attributes=attributes))


async def test_the_official_client_manages_rules_of_a_project(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, api: Any, project: FakeProject
) -> None:
    asked = rule(to(HOOK), when("STATUS_TRANSITIONED", to_status_name="Closed"), when("CASE_CREATED"))
    made = await fake_datadog_official(api.create_project_notification_rule, project.id, asked)
    assert made.data.attributes.is_enabled
    off = CaseNotificationRuleUpdate(type=KIND, attributes=CaseNotificationRuleAttributes(is_enabled=False))
    change = CaseNotificationRuleUpdateRequest(data=off)
    await fake_datadog_official(api.update_project_notification_rule, project.id, made.data.id, change)
    (read,) = (await fake_datadog_official(api.get_project_notification_rules, project.id)).data
    assert (read.id, read.attributes.is_enabled) == (made.data.id, False)
    assert read.attributes.recipients[0].data.name == HOOK
    assert [each.type for each in read.attributes.triggers] == ["STATUS_TRANSITIONED", "CASE_CREATED"]

    other = fake_datadog.add_project("OPS")
    with pytest.raises(NotFoundException):
        await fake_datadog_official(api.delete_project_notification_rule, other.id, made.data.id)
    await fake_datadog_official(api.delete_project_notification_rule, project.id, made.data.id)
    assert (await fake_datadog_official(api.get_project_notification_rules, project.id)).data == []


async def test_what_no_rule_can_be_is_refused(
    fake_datadog_official: OfficialDatadog, api: Any, project: FakeProject
) -> None:
    created = when("CASE_CREATED")
    for wrong in (
        rule(to("nobody-made-it"), created),
        rule(to(HOOK, "PIGEON"), created),
        rule(to(HOOK, "EMAIL"), created),
        rule(to(HOOK), when("COMMENT_ADDED")),
        rule(to(HOOK), when("ATTRIBUTE_VALUE_CHANGED", change_type="painted")),
        rule(to(HOOK)),
    ):
        with pytest.raises(ApiException, match="400"):
            await fake_datadog_official(api.create_project_notification_rule, project.id, wrong)
    with pytest.raises(NotFoundException):
        await fake_datadog_official(api.create_project_notification_rule, "nowhere", rule(to(HOOK), created))


async def test_ours_are_told_from_those_of_people(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, api: Any, project: FakeProject, ours: CaseRules
) -> None:
    await ours.make(project.id, HOOK)
    theirs = rule(to(HOOK), when("CASE_CREATED"))
    mail = CaseNotificationRuleRecipient(type="EMAIL", data=CaseNotificationRuleRecipientData(email="a@example.com"))
    theirs.data.attributes.recipients.append(mail)
    await fake_datadog_official(api.create_project_notification_rule, project.id, theirs)

    (mine,) = await ours.to(project.id, HOOK)
    assert mine.works
    assert mine.triggers == ("STATUS_TRANSITIONED", "ATTRIBUTE_VALUE_CHANGED")
    fake_datadog.org.case_management.rules[mine.id].is_enabled = False
    assert not (await ours.to(project.id, HOOK))[0].works
    await ours.mend(project.id, mine.id, HOOK)
    assert (await ours.to(project.id, HOOK))[0].works

    for _ in range(2):  # what is gone already is no trouble
        await ours.remove(project.id, mine.id)
    assert await ours.to(project.id, HOOK) == []
    assert len(fake_datadog.org.case_management.rules) == 1


async def test_where_a_trigger_needs_more_than_we_know_the_status_alone_is_told(
    fake_datadog: FakeDatadog, project: FakeProject, ours: CaseRules
) -> None:
    fake_datadog.org.case_management.rules_name_a_field = True
    await ours.make(project.id, HOOK)
    (mine,) = await ours.to(project.id, HOOK)
    assert (mine.triggers, mine.works) == (("STATUS_TRANSITIONED",), True)
    with pytest.raises(BadRequest):
        await ours.make(project.id, "nobody-made-it")
    with pytest.raises(NotFound):
        await ours.to("nowhere", HOOK)
    fake_datadog.revoke("cases_write")
    with pytest.raises(Forbidden) as caught:
        await ours.make(project.id, HOOK)
    assert caught.value.permission == "cases_write"
