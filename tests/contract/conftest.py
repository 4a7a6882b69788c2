"""The fakes, started on real sockets, and the platforms' own clients pointed at them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.model_utils import OpenApiModel, UnparsedObject
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.datadog import FakeDatadog
from bot.sandbox.slack import Channel, FakeSlack, Person
from tests.sandbox.slack.harness import client_of

UNSTABLE = ("validate", "get_incident", "search_incidents", "create_incident", "list_jira_issue_templates")


class OfficialDatadog:
    """The official client in a thread; every answer must be wholly understood by its models."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client

    def api(self, kind: Callable[..., Any]) -> Any:
        """One of its API classes, which carry no types, bound to the client."""
        return kind(self.client)

    async def __call__(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        answer = await self.raw(call, *args, **kwargs)
        assert_understood(answer)
        return answer

    async def raw(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """For answers that its models can't read whatever Datadog sends."""
        return await asyncio.to_thread(call, *args, **kwargs)

    async def all(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
        """What its own pagination iterator yields."""
        items = await asyncio.to_thread(lambda: list(call(*args, **kwargs)))
        assert_understood(items)
        return items


def errors_of(error: ApiException) -> list[Any]:
    """The official client reads error bodies of both JSON content types."""
    assert isinstance(error.body, dict), error.body
    errors = error.body["errors"]
    assert isinstance(errors, list)
    return errors


def assert_understood(value: Any, where: str = "answer") -> None:
    assert not isinstance(value, UnparsedObject), f"{where} was not understood: {value}"
    if isinstance(value, list):
        for index, item in enumerate(value):
            assert_understood(item, f"{where}[{index}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            assert_understood(item, f"{where}.{name}")
    elif isinstance(value, OpenApiModel):
        assert not value._unparsed, f"{where} was not understood: {value}"
        assert_understood(dict(getattr(value, "_data_store", {})), where)


@pytest.fixture
async def fake_datadog() -> AsyncIterator[FakeDatadog]:
    async with FakeDatadog() as fake:
        yield fake


def configured(fake: FakeDatadog, api_key: str = "sandbox-api-key", app_key: str = "sandbox-app-key") -> Configuration:
    untyped: Callable[..., Configuration] = Configuration
    configuration = untyped(host=fake.url, api_key={"apiKeyAuth": api_key, "appKeyAuth": app_key})
    for operation in UNSTABLE:
        configuration.unstable_operations[operation] = True
    return configuration


@pytest.fixture
def fake_datadog_official(fake_datadog: FakeDatadog) -> Iterator[OfficialDatadog]:
    with ApiClient(configured(fake_datadog)) as client:
        yield OfficialDatadog(client)


@pytest.fixture
def fake_datadog_stranger(fake_datadog: FakeDatadog) -> Iterator[OfficialDatadog]:
    """The official client with an API key that is nobody's."""
    with ApiClient(configured(fake_datadog, api_key="nobody")) as client:
        yield OfficialDatadog(client)


# -- Slack ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


@pytest.fixture
def ana(slack: FakeSlack) -> Person:
    return slack.workspace.add_user("ana")


@pytest.fixture
def channel(slack: FakeSlack, ana: Person) -> Channel:
    return slack.workspace.add_channel("alerts", members=[ana])


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    return client_of(slack)
