"""Every request our client makes is one that Datadog's official client knows: its path, its query and its body."""

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from datadog_api_client.api_client import ApiClient, Endpoint
from datadog_api_client.configuration import Configuration
from datadog_api_client.model_utils import ModelComposed, OpenApiModel, UnparsedObject, validate_and_convert_types
from datadog_api_client.v1.api.authentication_api import AuthenticationApi
from datadog_api_client.v1.api.events_api import EventsApi as EventsApiV1
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v1.api.webhooks_integration_api import WebhooksIntegrationApi
from datadog_api_client.v2.api.bits_ai_api import BitsAIApi
from datadog_api_client.v2.api.case_management_api import CaseManagementApi
from datadog_api_client.v2.api.case_management_type_api import CaseManagementTypeApi
from datadog_api_client.v2.api.downtimes_api import DowntimesApi
from datadog_api_client.v2.api.events_api import EventsApi
from datadog_api_client.v2.api.incidents_api import IncidentsApi
from datadog_api_client.v2.api.key_management_api import KeyManagementApi
from datadog_api_client.v2.api.monitors_api import MonitorsApi as MonitorsApiV2
from datadog_api_client.v2.api.users_api import UsersApi

from bot.datadog.case_rules import CaseRules
from bot.datadog.cases import PRIORITIES, STANDARD_TYPE, Cases, Insight
from bot.datadog.checkup import Account
from bot.datadog.client import Datadog
from bot.datadog.insights import Incidents
from bot.datadog.investigations import BitsInvestigations
from bot.datadog.monitors import Events, Monitors
from bot.datadog.webhooks import Webhook, Webhooks
from tests.datadog.conftest import Scripted

CONFIGURATION = Configuration()  # type: ignore[no-untyped-call]
CASE = "CASEM-42"
WEBHOOK = Webhook("bits-bot", "https://bits.example.com/hook", "{}", '{"X": "$SECRET"}')
USER = "b3a0c1d2-0000-4000-8000-000000000001"
PROJECT = "b3a0c1d2-0000-4000-8000-000000000002"
INSIGHTS = [Insight("MONITOR", "/monitors/1?q=total", "1"), Insight("SCM_URL", "https://github.com/a/b", "x")]
INSIGHT_TYPES = (
    "SECURITY_SIGNAL MONITOR EVENT_CORRELATION ERROR_TRACKING CLOUD_COST_RECOMMENDATION INCIDENT "
    "SENSITIVE_DATA_SCANNER_ISSUE EVENT WATCHDOG_STORY WIDGET SECURITY_FINDING INSIGHT_SCORECARD_CAMPAIGN "
    "RESOURCE_POLICY APM_RECOMMENDATION SCM_URL PROFILING_DOWNSIZING_EXPERIMENT"
)

Call = Callable[[Datadog], Awaitable[object]]


def prioritising(priority: str) -> Call:
    return lambda dd: Cases(dd).set_priority(CASE, priority)


def attaching(kind: str) -> Call:
    return lambda dd: Cases(dd).add_insights(CASE, [Insight(kind, "/x", "1")])


# One answer in which every call of ours finds what it needs.
ANSWER: dict[str, Any] = {"data": {"id": "1", "attributes": {}}}

CALLS: list[tuple[type, str, Call]] = [
    (BitsAIApi, "trigger_investigation", lambda dd: BitsInvestigations(dd).trigger_alert(7, "8788641826233093636", 1)),
    (BitsAIApi, "trigger_investigation", lambda dd: BitsInvestigations(dd).trigger_question("Why?")),
    (BitsAIApi, "trigger_investigation", lambda dd: BitsInvestigations(dd).trigger_question("Why?", ("a:b",), 1, 2)),
    (BitsAIApi, "list_investigations", lambda dd: BitsInvestigations(dd).page(100, 100, 7)),
    (BitsAIApi, "get_investigation", lambda dd: BitsInvestigations(dd).get(USER)),
    (MonitorsApi, "get_monitor", lambda dd: Monitors(dd).get(7)),
    (
        DowntimesApi,
        "create_downtime",
        lambda dd: Monitors(dd).mute(7, until=datetime(2027, 1, 1, tzinfo=UTC), scope="host:a", message="quiet"),
    ),
    (DowntimesApi, "cancel_downtime", lambda dd: Monitors(dd).unmute(USER)),
    (WebhooksIntegrationApi, "get_webhooks_integration", lambda dd: Webhooks(dd).webhook("bits-bot")),
    (WebhooksIntegrationApi, "update_webhooks_integration", lambda dd: Webhooks(dd).put_webhook(WEBHOOK)),
    (WebhooksIntegrationApi, "delete_webhooks_integration", lambda dd: Webhooks(dd).remove_webhook("bits-bot")),
    (
        WebhooksIntegrationApi,
        "get_webhooks_integration_custom_variable",
        lambda dd: Webhooks(dd).has_secret("SECRET"),
    ),
    (
        WebhooksIntegrationApi,
        "update_webhooks_integration_custom_variable",
        lambda dd: Webhooks(dd).put_secret("SECRET", "x"),
    ),
    (
        WebhooksIntegrationApi,
        "delete_webhooks_integration_custom_variable",
        lambda dd: Webhooks(dd).remove_secret("SECRET"),
    ),
    (MonitorsApiV2, "get_monitor_notification_rules", lambda dd: Webhooks(dd).rules_to("webhook-bits-bot")),
    (
        MonitorsApiV2,
        "create_monitor_notification_rule",
        lambda dd: Webhooks(dd).make_rule("Bits Bot", ["team:sre"], "webhook-bits-bot"),
    ),
    (
        MonitorsApiV2,
        "update_monitor_notification_rule",
        lambda dd: Webhooks(dd).change_rule("1", "Bits Bot", ["team:sre"], "webhook-bits-bot"),
    ),
    (MonitorsApiV2, "delete_monitor_notification_rule", lambda dd: Webhooks(dd).remove_rule("1")),
    (CaseManagementApi, "get_project_notification_rules", lambda dd: CaseRules(dd).to(PROJECT, "bits-bot-cases")),
    (CaseManagementApi, "create_project_notification_rule", lambda dd: CaseRules(dd).make(PROJECT, "bits-bot-cases")),
    (
        CaseManagementApi,
        "update_project_notification_rule",
        lambda dd: CaseRules(dd).mend(PROJECT, USER, "bits-bot-cases"),
    ),
    (CaseManagementApi, "delete_project_notification_rule", lambda dd: CaseRules(dd).remove(PROJECT, USER)),
    (EventsApi, "search_events", lambda dd: Events(dd).latest_alert(7, "host:a")),
    (EventsApiV1, "get_event", lambda dd: Events(dd).by_id("8788641826233093636")),
    (AuthenticationApi, "validate", lambda dd: Account(dd).validate()),
    (KeyManagementApi, "validate_api_key", lambda dd: Account(dd).validate_keys()),
    (UsersApi, "get_current_user", lambda dd: Account(dd).owner_name()),
    (UsersApi, "list_users", lambda dd: Cases(dd).user_with_email("jane@acme.example")),
    (IncidentsApi, "get_incident", lambda dd: Incidents(dd).title(USER)),
    (CaseManagementApi, "create_case", lambda dd: Cases(dd).create("T", PROJECT, STANDARD_TYPE)),
    (
        CaseManagementApi,
        "create_case",
        lambda dd: Cases(dd).create(
            "T", PROJECT, STANDARD_TYPE, description="D", priority="P2", status_name="Open", assignee_id=USER
        ),
    ),
    (CaseManagementApi, "get_case", lambda dd: Cases(dd).get(CASE)),
    (CaseManagementApi, "search_cases", lambda dd: Cases(dd).search("status:open", size=100, page=2)),
    (CaseManagementApi, "update_status", lambda dd: Cases(dd).set_status(CASE, "IN_PROGRESS")),
    (CaseManagementApi, "update_status", lambda dd: Cases(dd).set_status_name(CASE, "In Progress")),
    (CaseManagementApi, "assign_case", lambda dd: Cases(dd).assign(CASE, USER)),
    (CaseManagementApi, "comment_case", lambda dd: Cases(dd).comment(CASE, "Hello")),
    (CaseManagementApi, "add_case_insights", lambda dd: Cases(dd).add_insights(CASE, INSIGHTS)),
    (CaseManagementApi, "remove_case_insights", lambda dd: Cases(dd).remove_insights(CASE, INSIGHTS)),
    (CaseManagementApi, "get_projects", lambda dd: Cases(dd).projects()),
    (CaseManagementTypeApi, "get_all_case_types", lambda dd: Cases(dd).types()),
]
CALLS += [(CaseManagementApi, "update_priority", prioritising(priority)) for priority in PRIORITIES]
CALLS += [(CaseManagementApi, "add_case_insights", attaching(kind)) for kind in INSIGHT_TYPES.split()]


async def sent_by(call: Call) -> httpx.Request:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        listing = request.url.path.endswith("/investigations") and request.method == "GET"
        return httpx.Response(200, json={"data": []} if listing else ANSWER)

    async with Datadog("https://api.datadoghq.com", "key", "app", app_url="", http=Scripted(answer)) as datadog:
        await call(datadog)
    return requests[-1]


@pytest.fixture(scope="module")
def api_client() -> Iterator[ApiClient]:
    with ApiClient(CONFIGURATION) as client:
        yield client


async def test_a_request_is_one_the_official_client_could_have_made(api_client: ApiClient) -> None:
    for api, operation, call in CALLS:
        endpoint: Endpoint = getattr(api(api_client), f"_{operation}_endpoint")
        request = await sent_by(call)

        assert request.method == endpoint.settings["http_method"]
        assert re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", endpoint.settings["endpoint_path"]), unquote(request.url.path))
        assert_query_is_known(request, endpoint)
        assert_body_is_accepted(request, endpoint)


def assert_query_is_known(request: httpx.Request, endpoint: Endpoint) -> None:
    known = {each["attribute"]: each for each in endpoint.params_map.values() if each["location"] == "query"}
    for name, value in request.url.params.items():
        assert name in known
        types = known[name]["openapi_types"]
        typed = json.loads(value) if types[0] in {int, bool} else value
        assert not list(strangers(accepted(typed, types)))


def assert_body_is_accepted(request: httpx.Request, endpoint: Endpoint) -> None:
    expected = endpoint.params_map.get("body")
    if expected is None:
        assert request.content == b""
        return
    assert not list(strangers(accepted(json.loads(request.content), expected["openapi_types"])))


def accepted(value: Any, types: Any) -> Any:
    return validate_and_convert_types(  # type: ignore[no-untyped-call]
        value, types, ["body"], spec_property_naming=True, check_type=True, configuration=CONFIGURATION
    )


def strangers(value: Any, path: str = "") -> Iterator[str]:
    """What the official models let pass without knowing it: enum words, shapes and members outside the schema."""
    if isinstance(value, UnparsedObject):
        yield f"{path}: no known shape"
    elif isinstance(value, list):
        for each in value:
            yield from strangers(each, f"{path}[]")
    elif isinstance(value, OpenApiModel):
        yield from _strangers_in(value, path)


def _strangers_in(model: OpenApiModel, path: str) -> Iterator[str]:
    if model._unparsed:
        yield f"{path}: not understood"
    if isinstance(model, ModelComposed):
        for part in model._composed_instances:
            yield from strangers(part, path)
        return
    open_ended = type(model).additional_properties_type is not OpenApiModel.additional_properties_type
    for name, value in model.__dict__["_data_store"].items():
        if name not in model.openapi_types and not open_ended and name != "value":
            yield f"{path}.{name}: no such member"
        yield from strangers(value, f"{path}.{name}")


def body(attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    trigger = {"type": "general_investigation", "general_investigation": attributes} | more
    return {"data": {"type": "trigger_investigation_request", "attributes": {"trigger": trigger}}}


def test_this_test_would_notice(api_client: ApiClient) -> None:
    cases: list[dict[str, Any]] = [
        body({"description": "x", "start_time": 1}),
        body({"description": "x" * 4097}),
        body({"description": "x", "stranger": 1}),
        body({"description": "x"}, stranger=1),
        body({"description": "x"}, type="telepathy"),
        body({}),
    ]
    for wrong in cases:
        endpoint = BitsAIApi(api_client)._trigger_investigation_endpoint  # type: ignore[no-untyped-call]

        assert list(strangers(accepted(wrong, endpoint.params_map["body"]["openapi_types"])))
