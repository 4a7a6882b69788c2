"""An answer goes to Slack's own addresses only, whatever address an interaction names."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.connections import bolt_app
from bot.sandbox.slack.people import Person
from bot.slack.clients import BotClient
from bot.slack.response_urls import is_slacks
from tests.e2e.town import Town

SLACK = "https://slack.com/api/"
GOV = "https://slack-gov.com/api/"


class Stranger:
    """A server that is not Slack, and waits to be told something."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        app = web.Application()
        app.router.add_post("/{rest:.*}", self._hear)
        self.server = TestServer(app)

    async def _hear(self, request: web.Request) -> web.Response:
        self.heard.append(await request.text())
        return web.Response()

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")


@pytest.fixture
async def stranger() -> AsyncIterator[Stranger]:
    one = Stranger()
    async with one.server:
        yield one


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_an_answer_asked_for_elsewhere_is_given_in_slack(
    stranger: Stranger, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    async with Town(tmp_path, mode=mode) as town:
        town.slack.response_urls.base = stranger.url
        alert, gus = await town.alert(), town.slack.workspace.add_user("gus", guest=True)
        await gus.shortcut("investigate_message", on=alert.message)
        await gus.waits_for(lambda: "Guests may not" in gus.sees)
    assert stranger.heard == []
    assert "a response_url that is not Slack's was dropped" in caplog.text
    assert stranger.url not in caplog.text


async def test_an_answer_names_the_thread_it_belongs_to_and_in_the_channel_none(tmp_path: Path) -> None:
    """Slack takes the thread from what is sent, not from where the button stands."""
    async with Town(tmp_path) as town:
        alert, gus = await town.alert(), town.slack.workspace.add_user("gus", guest=True)
        reply = await town.ben.say(alert.fired.link(), in_=town.channel, thread=alert.message)
        for number, message in enumerate((alert.message, reply), 1):
            await gus.shortcut("investigate_message", on=message)
            await _is_told(gus, times=number)
        threads = [call.args.get("thread_ts") for call in town.slack.calls_to("response_url")]
    assert threads == [None, alert.message.ts]


async def _is_told(person: Person, *, times: int) -> None:
    await person.waits_for(lambda: person.sees.count("Guests may not") == times)


class NotInstalled:
    async def bot_client(self, _workspace: str) -> BotClient | None:
        return None

    async def authorize(self, **_: object) -> AuthorizeResult | None:
        return None


@pytest.mark.parametrize("is_slack", [True, False])
async def test_where_the_bot_is_not_installed_any_more_bolt_tells_slack_and_no_other(
    stranger: Stranger, is_slack: bool
) -> None:
    """Bolt answers by itself there, before any listener of ours."""
    api_url = f"{stranger.url}/api/" if is_slack else SLACK
    app = bolt_app(Settings(slack_api_url=api_url), NotInstalled(), AsyncWebClient())
    body = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "U1"},
        "actions": [{"action_id": "card:run_again", "block_id": "b", "type": "button"}],
        "response_url": f"{stranger.url}/response/1",
    }
    await app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
    assert len(stranger.heard) == is_slack


@pytest.mark.parametrize(
    ("url", "api_url", "expected"),
    [
        ("https://hooks.slack.com/actions/T1/2/3", SLACK, True),
        ("https://hooks.slack.com/commands/T1/2/3", "https://proxy.example.com/slack/api/", True),
        ("https://proxy.example.com/actions/1", "https://proxy.example.com/slack/api/", True),
        ("https://hooks.slack-gov.com/actions/1", GOV, True),
        ("http://127.0.0.1:8080/response/1", "http://127.0.0.1:8080/api/", True),
        ("http://127.0.0.1:8081/response/1", "http://127.0.0.1:8080/api/", False),
        ("http://hooks.slack.com/actions/1", SLACK, False),
        ("https://hooks.slack.com.evil.example/actions/1", SLACK, False),
        ("https://hooks.slack.com@evil.example/actions/1", SLACK, False),
        ("https://hooks.slack.com:443@evil.example/", SLACK, False),
        ("https://hooks.slack.com\\@evil.example/", SLACK, False),
        ("https://hooks.slack.com", SLACK, False),
        ("https://hooks.slack-gov.com/actions/1", SLACK, False),
        ("http://169.254.169.254/latest/meta-data", SLACK, False),
        ("//hooks.slack.com/actions/1", SLACK, False),
        ("", SLACK, False),
        (["https://hooks.slack.com/actions/1"], SLACK, False),
    ],
)
def test_only_what_begins_with_slacks_host_is_slacks(url: object, api_url: str, expected: bool) -> None:
    assert is_slacks(url, api_url) is expected
