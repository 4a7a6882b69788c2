"""A local Slack of one workspace, Ana and Ben in it, and Slack's own client for its bot."""

from collections.abc import AsyncIterator

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Channel, FakeSlack, Person
from tests.sandbox.slack.harness import bolt, client_of, over_socket


class Clock:
    """A clock that goes on only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[FakeSlack]:
    async with FakeSlack(clock=clock, monotonic=clock, event_retry_waits=(), ack_seconds=30.0) as fake:
        yield fake


@pytest.fixture
def ana(slack: FakeSlack) -> Person:
    return slack.workspace.add_user("ana")


@pytest.fixture
def ben(slack: FakeSlack) -> Person:
    return slack.workspace.add_user("ben")


@pytest.fixture
def channel(slack: FakeSlack, ana: Person, ben: Person) -> Channel:
    return slack.workspace.add_channel("alerts", members=[ana, ben])


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    return client_of(slack)


@pytest.fixture
async def app(slack: FakeSlack) -> AsyncIterator[AsyncApp]:
    """A Bolt app that a test registers its listeners with; connected from the start."""
    app = bolt(slack)
    async with over_socket(slack, app):
        yield app
