"""Datadog's own client, and ours, put webhooks, variables and notification rules into the fake and read them back."""

import json
from collections.abc import AsyncIterator

import pytest
from datadog_api_client.exceptions import ApiException, NotFoundException
from datadog_api_client.v1.api.webhooks_integration_api import WebhooksIntegrationApi
from datadog_api_client.v1.model.webhooks_integration import WebhooksIntegration
from datadog_api_client.v1.model.webhooks_integration_custom_variable import WebhooksIntegrationCustomVariable
from datadog_api_client.v1.model.webhooks_integration_update_request import WebhooksIntegrationUpdateRequest
from datadog_api_client.v2.api.monitors_api import MonitorsApi
from datadog_api_client.v2.model.monitor_notification_rule_attributes import MonitorNotificationRuleAttributes
from datadog_api_client.v2.model.monitor_notification_rule_create_request import MonitorNotificationRuleCreateRequest
from datadog_api_client.v2.model.monitor_notification_rule_create_request_data import (
    MonitorNotificationRuleCreateRequestData,
)
from datadog_api_client.v2.model.monitor_notification_rule_filter_tags import MonitorNotificationRuleFilterTags
from datadog_api_client.v2.model.monitor_notification_rule_resource_type import MonitorNotificationRuleResourceType

from bot.datadog.client import Datadog
from bot.datadog.errors import BadRequest, Forbidden
from bot.datadog.webhooks import MANAGE, WRITE_RULES, Webhook, Webhooks
from bot.sandbox.datadog import FakeDatadog
from tests.contract.conftest import OfficialDatadog

URL = "https://bits.example.com/datadog/webhook/acme"
HOOK = Webhook("bits-bot", URL, '{"monitor_id": "$ALERT_ID"}', '{"X-Secret": "$BITS_BOT_7"}')


def rule(*tags: str, recipient: str = "webhook-bits-bot") -> MonitorNotificationRuleCreateRequest:
    attributes = MonitorNotificationRuleAttributes(
        name="Ours", filter=MonitorNotificationRuleFilterTags(tags=list(tags)), recipients=[recipient]
    )
    kind = MonitorNotificationRuleResourceType.MONITOR_NOTIFICATION_RULE
    data = MonitorNotificationRuleCreateRequestData(attributes=attributes, type=kind)
    return MonitorNotificationRuleCreateRequest(data=data)


@pytest.fixture
async def ours(fake_datadog: FakeDatadog) -> AsyncIterator[Webhooks]:
    keys = (fake_datadog.api_key, fake_datadog.app_key)
    async with Datadog(fake_datadog.url, *keys, app_url=fake_datadog.app_url) as client:
        yield Webhooks(client)


async def test_the_official_client_manages_webhooks(fake_datadog_official: OfficialDatadog) -> None:
    api = fake_datadog_official.api(WebhooksIntegrationApi)
    made = await fake_datadog_official(api.create_webhooks_integration, WebhooksIntegration(name="bits-bot", url=URL))
    assert (made.name, made.url, str(made.encode_as)) == ("bits-bot", URL, "json")

    changed = WebhooksIntegrationUpdateRequest(payload='{"a": "$ID"}')
    await fake_datadog_official(api.update_webhooks_integration, "bits-bot", changed)
    read = await fake_datadog_official(api.get_webhooks_integration, "bits-bot")
    assert (read.url, read.payload) == (URL, '{"a": "$ID"}')

    again = WebhooksIntegration(name="bits-bot", url=URL)
    for wrong in (again, WebhooksIntegration(name="x", url="ftp://x"), WebhooksIntegration(name="a b", url=URL)):
        with pytest.raises(ApiException, match="400"):
            await fake_datadog_official(api.create_webhooks_integration, wrong)
    unquoted = WebhooksIntegrationUpdateRequest(payload='{"a": $ID}')
    with pytest.raises(ApiException, match="400"):
        await fake_datadog_official(api.update_webhooks_integration, "bits-bot", unquoted)

    await fake_datadog_official(api.delete_webhooks_integration, "bits-bot")
    with pytest.raises(NotFoundException):
        await fake_datadog_official(api.get_webhooks_integration, "bits-bot")


async def test_a_secret_variable_shows_its_value_to_nobody(fake_datadog_official: OfficialDatadog) -> None:
    api = fake_datadog_official.api(WebhooksIntegrationApi)
    for name, is_secret in (("OPEN_1", False), ("HIDDEN_1", True)):
        new = WebhooksIntegrationCustomVariable(name=name, value="the value", is_secret=is_secret)
        await fake_datadog_official(api.create_webhooks_integration_custom_variable, new)
        read = await fake_datadog_official(api.get_webhooks_integration_custom_variable, name)
        assert (read.is_secret, hasattr(read, "value")) == (is_secret, not is_secret)
    lower = WebhooksIntegrationCustomVariable(name="lower", value="x", is_secret=True)
    with pytest.raises(ApiException, match="upper-case"):
        await fake_datadog_official(api.create_webhooks_integration_custom_variable, lower)


async def test_the_official_client_manages_rules(fake_datadog_official: OfficialDatadog) -> None:
    api = fake_datadog_official.api(MonitorsApi)
    made = await fake_datadog_official(api.create_monitor_notification_rule, rule("team:sre", "env:prod"))
    listed = await fake_datadog_official(
        api.get_monitor_notification_rules, filters=json.dumps({"recipients": ["webhook-bits-bot"]})
    )
    assert [each.id for each in listed.data] == [made.data.id]
    other = await fake_datadog_official(
        api.get_monitor_notification_rules, filters=json.dumps({"recipients": ["slack-ops"]})
    )
    assert other.data == []
    for wrong in (rule("no colon"), rule("team:sre", recipient="@webhook-bits-bot")):
        with pytest.raises(ApiException, match="400"):
            await fake_datadog_official(api.create_monitor_notification_rule, wrong)

    await fake_datadog_official(api.delete_monitor_notification_rule, made.data.id)
    with pytest.raises(NotFoundException):
        await fake_datadog_official(api.get_monitor_notification_rule, made.data.id)


async def test_ours_puts_changes_and_removes_all_three(fake_datadog: FakeDatadog, ours: Webhooks) -> None:
    assert await ours.webhook("bits-bot") is None
    assert not await ours.has_secret("BITS_BOT_7")
    for secret in ("first", "second"):
        await ours.put_secret("BITS_BOT_7", secret)
        await ours.put_webhook(HOOK)
    assert await ours.webhook("bits-bot") == HOOK
    assert await ours.has_secret("BITS_BOT_7")
    assert fake_datadog.org.variables["BITS_BOT_7"].value == "second"

    made = await ours.make_rule("Ours", ["team:sre"], HOOK.recipient)
    await ours.change_rule(made, "Ours", ["env:prod"], HOOK.recipient)
    assert [(each.id, each.tags) for each in await ours.rules_to(HOOK.recipient)] == [(made, ("env:prod",))]
    assert await ours.rules_to("webhook-other") == []

    for _ in range(2):  # what is gone already is no trouble
        await ours.remove_rule(made)
        await ours.remove_webhook("bits-bot")
        await ours.remove_secret("BITS_BOT_7")
    org = fake_datadog.org
    assert (org.webhooks, org.variables, org.rules) == ({}, {}, {})


async def test_what_is_refused_is_told_with_its_permission(fake_datadog: FakeDatadog, ours: Webhooks) -> None:
    fake_datadog.revoke(MANAGE, WRITE_RULES)
    with pytest.raises(Forbidden) as caught:
        await ours.put_webhook(HOOK)
    assert caught.value.permission == MANAGE
    with pytest.raises(Forbidden) as caught:
        await ours.make_rule("Ours", ["team:sre"], HOOK.recipient)
    assert caught.value.permission == WRITE_RULES
    fake_datadog.grant(MANAGE)
    with pytest.raises(BadRequest, match="400"):
        await ours.put_secret("lower", "x")
