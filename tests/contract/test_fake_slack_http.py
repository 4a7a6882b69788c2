"""A Bolt app behind a request URL: Slack's signature, the handshake, each kind of body, and retries with their headers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from bot.sandbox.slack import Channel, FakeSlack, NotAcknowledged, Person
from tests.sandbox.slack.harness import (
    actions,
    bolt,
    button,
    client_of,
    field,
    modal,
    option,
    over_http,
    served,
    text_input,
)


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(ack_seconds=30.0, event_retry_waits=(0.0, 0.0, 0.0)) as fake:
        yield fake


async def test_a_story_over_http(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    app = bolt(slack)
    client = client_of(slack)

    @app.event("app_mention")
    async def mentioned(event: dict[str, Any], say: Any) -> None:
        await say("Shall I?", blocks=[actions(button("Go", "go"))], thread_ts=event["ts"])

    @app.action("go")
    async def go(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        select = {"type": "external_select", "action_id": "case", "min_query_length": 0}
        view = modal(field("Case", select, block_id="case"), field("Why", text_input()), callback_id="form")
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.options("case")
    async def cases(ack: Any) -> None:
        await ack(options=[option("CASEM-1")])

    @app.view("form")
    async def submitted(ack: Any, view: dict[str, Any]) -> None:
        if view["state"]["values"]["case"]["case"]["selected_option"] is None:
            await ack(response_action="errors", errors={"case": "Which one?"})
        else:
            await ack()

    @app.command("/bits")
    async def bits(ack: Any, command: dict[str, Any]) -> None:
        await ack(f"{command['user_name']} said {command['text']}")

    async with over_http(slack, app):
        question = await ana.mention("look", channel)
        await slack.wait_for(lambda: question.replies)
        await ana.click("Go", on=question.replies[0])
        await ana.waits_for_modal()
        assert (await ana.submit()).errors == {
            "Case": "Please complete this required field.",
            "Why": "Please complete this required field.",
        }
        assert await ana.type_in("Case") == ["CASEM-1"]
        await ana.fill({"Case": "CASEM-1", "Why": "disk"})
        await ana.submit()
        assert ana.modal is None
        assert (await ana.command("/bits", "ä & ö", in_=channel)).text == "ana said ä & ö"


async def test_the_handshake_and_a_wrong_secret(slack: FakeSlack) -> None:
    app = bolt(slack)
    slack.delivery._secret = "another secret"

    with pytest.raises(NotAcknowledged, match="HTTP 401"):
        async with over_http(slack, app):
            pass


async def test_an_address_that_does_not_return_the_challenge(slack: FakeSlack) -> None:
    async def deaf(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    async with served(deaf) as url:
        with pytest.raises(NotAcknowledged, match="did not return the challenge"):
            await slack.configure(url)


class Recorder:
    """A request URL that answers as it is told, and keeps the headers of what came."""

    def __init__(self, *answers: web.Response) -> None:
        self.answers = list(answers)
        self.requests: list[web.Request] = []

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        if "url_verification" in body:
            return web.json_response({"challenge": (await request.json())["challenge"]})
        self.requests.append(request)
        return self.answers.pop(0) if self.answers else web.Response()

    def marks(self) -> list[tuple[str | None, str | None]]:
        names = ("X-Slack-Retry-Num", "X-Slack-Retry-Reason")
        return [(request.headers.get(names[0]), request.headers.get(names[1])) for request in self.requests]


async def test_an_event_is_retried_three_times(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    recorder = Recorder(*(web.Response(status=500) for _ in range(9)))
    async with served(recorder.take) as url:
        await slack.configure(url)
        await ana.say("hello", channel)
        await slack.wait_for(lambda: len(slack.deliveries[-1].attempts) == 4)

    assert recorder.marks() == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]


async def test_no_retry_when_the_app_says_so(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    recorder = Recorder(web.Response(status=500, headers={"X-Slack-No-Retry": "1"}))
    async with served(recorder.take) as url:
        await slack.configure(url)
        await ana.say("first", channel)
        await ana.say("second", channel)

    assert recorder.marks() == [(None, None), (None, None)]
    assert [record.attempts for record in slack.deliveries] == [["the app answered HTTP 500"], ["acknowledged"]]


async def test_interactions_are_never_retried(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    recorder = Recorder(web.Response(status=503))
    async with served(recorder.take) as url:
        await slack.configure(url)
        with pytest.raises(NotAcknowledged, match="the app answered HTTP 503"):
            await ana.command("/bits", in_=channel)

    assert len(recorder.requests) == 1
    assert recorder.requests[0].content_type == "application/x-www-form-urlencoded"


async def test_a_slow_app_is_not_waited_for(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    slack.delivery.ack_seconds = 0.05
    answered = asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        await answered.wait()
        return web.Response()

    async with served(slow) as url:
        slack.delivery.request_url = url
        with pytest.raises(NotAcknowledged, match=r"no acknowledgement within 0.05 s"):
            await ana.command("/bits", in_=channel)
        answered.set()


async def test_nobody_at_the_address(slack: FakeSlack, channel: Channel, ana: Person) -> None:
    async with served(Recorder().take) as url:
        await slack.configure(url)

    with pytest.raises(NotAcknowledged, match="could not be reached"):
        await ana.command("/bits", in_=channel)
