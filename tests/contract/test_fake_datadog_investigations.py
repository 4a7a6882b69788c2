"""Datadog's own client triggers, lists and reads investigations on the fake, and meets its refusals."""

from collections.abc import Callable
from typing import Any

import pytest
from datadog_api_client.exceptions import ApiException, ForbiddenException, NotFoundException, ServiceException
from datadog_api_client.v2.api.bits_ai_api import BitsAIApi
from datadog_api_client.v2.model.general_investigation_attributes import GeneralInvestigationAttributes
from datadog_api_client.v2.model.monitor_alert_trigger_attributes import MonitorAlertTriggerAttributes
from datadog_api_client.v2.model.trigger_attributes import TriggerAttributes
from datadog_api_client.v2.model.trigger_investigation_request import TriggerInvestigationRequest
from datadog_api_client.v2.model.trigger_investigation_request_data import TriggerInvestigationRequestData
from datadog_api_client.v2.model.trigger_investigation_request_data_attributes import (
    TriggerInvestigationRequestDataAttributes,
)
from datadog_api_client.v2.model.trigger_investigation_request_type import TriggerInvestigationRequestType
from datadog_api_client.v2.model.trigger_type import TriggerType

from bot.sandbox.datadog import FakeAlert, FakeDatadog, Script, samples
from tests.contract.conftest import OfficialDatadog, errors_of

ID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def bits(fake_datadog_official: OfficialDatadog) -> Any:
    return fake_datadog_official.api(BitsAIApi)


@pytest.fixture
def alert(fake_datadog: FakeDatadog) -> FakeAlert:
    return fake_datadog.fire(
        fake_datadog.add_monitor("Disk is filling up", tags=["service:checkout"]), group="host:db-3"
    )


def request(attributes: TriggerAttributes) -> TriggerInvestigationRequest:
    return TriggerInvestigationRequest(
        data=TriggerInvestigationRequestData(
            type=TriggerInvestigationRequestType.TRIGGER_INVESTIGATION_REQUEST,
            attributes=TriggerInvestigationRequestDataAttributes(trigger=attributes),
        )
    )


def for_alert(alert: FakeAlert) -> TriggerInvestigationRequest:
    asked = MonitorAlertTriggerAttributes(monitor_id=alert.monitor.id, event_id=alert.event_id, event_ts=alert.event_ts)
    return request(TriggerAttributes(type=TriggerType.MONITOR_ALERT_TRIGGER, monitor_alert_trigger=asked))


def for_question(**members: Any) -> TriggerInvestigationRequest:
    untyped: Callable[..., GeneralInvestigationAttributes] = GeneralInvestigationAttributes
    asked = untyped(**members)
    return request(TriggerAttributes(type=TriggerType.GENERAL_INVESTIGATION, general_investigation=asked))


async def test_an_alert_is_investigated_to_its_conclusions(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, bits: Any, alert: FakeAlert
) -> None:
    fake_datadog.plan(Script.held())
    started = await fake_datadog_official(bits.trigger_investigation, for_alert(alert))
    run_id = started.data.attributes.investigation_id
    assert started.data.id != run_id

    running = await fake_datadog_official(bits.get_investigation, run_id)
    assert (running.data.attributes.status, running.data.attributes.conclusions) == ("in progress", [])

    fake_datadog.finish(run_id, "conclusive", samples.THREE)
    ended = await fake_datadog_official(bits.get_investigation, run_id)
    assert ended.data.attributes.status == "conclusive"
    assert [found.title for found in ended.data.attributes.conclusions] == [found.title for found in samples.THREE]
    assert ended.links.self == f"https://app.datadoghq.com/bits-ai/investigations/{run_id}"


async def test_a_question_is_investigated_with_and_without_a_window(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, bits: Any
) -> None:
    await fake_datadog_official(bits.trigger_investigation, for_question(description="Why is checkout slow?"))
    windowed = for_question(
        description="Why is checkout slow?",
        tags=["service:web"],
        start_time=1_700_000_000_000,
        end_time=1_700_003_600_000,
    )
    await fake_datadog_official(bits.trigger_investigation, windowed)
    assert [run.question.get("tags") for run in fake_datadog.triggers()] == [None, ["service:web"]]


async def test_the_pagination_iterator_walks_all_pages_newest_first(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, bits: Any, alert: FakeAlert
) -> None:
    for number in range(57):
        fake_datadog.investigate_elsewhere(f"Run {number}", monitor=alert.monitor if number % 2 else None)
    found = await fake_datadog_official.all(bits.list_investigations_with_pagination)
    assert [item.attributes.title for item in found] == [f"Run {number}" for number in reversed(range(57))]

    monitor_id = alert.monitor.id
    some = await fake_datadog_official.all(
        bits.list_investigations_with_pagination, filter_monitor_id=monitor_id, page_limit=10
    )
    assert len(some) == 28

    page = await fake_datadog_official(bits.list_investigations, page_offset=50, page_limit=100)
    assert (page.meta.page.total, page.meta.page.offset, len(page.data)) == (57, 50, 7)


async def test_error_statuses_raise_the_official_exceptions(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, bits: Any
) -> None:
    cases: list[tuple[int, type[ApiException]]] = [
        (400, ApiException),
        (403, ForbiddenException),
        (404, NotFoundException),
        (429, ApiException),
        (502, ServiceException),
    ]
    for status, kind in cases:
        fake_datadog.break_next("GET", "/api/v2/bits-ai/*", status=status)
        with pytest.raises(kind) as caught:
            await fake_datadog_official(bits.get_investigation, ID)
        assert caught.value.status == status
        assert caught.value.body


async def test_an_unknown_investigation_is_told_in_the_recorded_shape(
    fake_datadog_official: OfficialDatadog, bits: Any
) -> None:
    with pytest.raises(NotFoundException) as caught:
        await fake_datadog_official(bits.get_investigation, ID)
    assert errors_of(caught.value) == [{"code": "resource_not_found", "title": "investigation not found"}]


async def test_a_wrong_key_and_a_missing_scope_are_forbidden(
    fake_datadog: FakeDatadog,
    fake_datadog_official: OfficialDatadog,
    fake_datadog_stranger: OfficialDatadog,
    bits: Any,
    alert: FakeAlert,
) -> None:
    with pytest.raises(ForbiddenException) as stranger:
        await fake_datadog_stranger(fake_datadog_stranger.api(BitsAIApi).list_investigations)
    assert errors_of(stranger.value) == ["Forbidden"]

    fake_datadog.revoke("monitors_read")
    with pytest.raises(ForbiddenException):
        await fake_datadog_official(bits.trigger_investigation, for_alert(alert))
    await fake_datadog_official(bits.trigger_investigation, for_question(description="What is wrong?"))
    assert len(fake_datadog.triggers()) == 1


async def test_a_rate_limit_carries_its_five_headers(
    fake_datadog: FakeDatadog, fake_datadog_official: OfficialDatadog, bits: Any
) -> None:
    fake_datadog.limit("bits_investigations_list", 1, 3600)
    await fake_datadog_official(bits.list_investigations)
    with pytest.raises(ApiException) as caught:
        await fake_datadog_official(bits.list_investigations)
    headers = caught.value.headers
    assert caught.value.status == 429
    assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("1", "0")
    assert (headers["X-RateLimit-Period"], headers["X-RateLimit-Name"]) == ("3600", "bits_investigations_list")
    assert 1 <= int(headers["X-RateLimit-Reset"]) <= 3600
