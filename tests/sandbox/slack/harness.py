"""What the tests of the local Slack share: Slack's own clients, and small Bolt apps, pointed at it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Channel, FakeSlack, Message

JSON = dict[str, Any]


def plain(words: str) -> JSON:
    return {"type": "plain_text", "text": words}


def mrkdwn(words: str) -> JSON:
    return {"type": "mrkdwn", "text": words}


def section(words: str, **more: Any) -> JSON:
    return {"type": "section", "text": mrkdwn(words), **more}


def button(words: str, action_id: str, **more: Any) -> JSON:
    return {"type": "button", "text": plain(words), "action_id": action_id, **more}


def actions(*elements: JSON) -> JSON:
    return {"type": "actions", "elements": list(elements)}


def field(label: str, element: JSON, **more: Any) -> JSON:
    return {"type": "input", "label": plain(label), "element": element, **more}


def text_input(action_id: str = "words", **more: Any) -> JSON:
    return {"type": "plain_text_input", "action_id": action_id, **more}


def option(words: str, value: str | None = None) -> JSON:
    return {"text": plain(words), "value": words if value is None else value}


def modal(*blocks: JSON, title: str = "A modal", submit: str | None = "Send", **more: Any) -> JSON:
    view: JSON = {"type": "modal", "title": plain(title), "blocks": list(blocks), **more}
    return view | ({"submit": plain(submit)} if submit else {})


def client_of(slack: FakeSlack, token: str = "") -> AsyncWebClient:
    return AsyncWebClient(token=token or slack.bot_token, base_url=slack.api_url, retry_handlers=[])


async def refusal(call: Awaitable[Any]) -> SlackApiError:
    """The refusal that this call must meet."""
    try:
        answer = await call
    except SlackApiError as refused:
        return refused
    raise AssertionError(f"not refused: {answer}")


async def error_of(call: Awaitable[Any]) -> str:
    return str((await refusal(call)).response["error"])


def bolt(slack: FakeSlack) -> AsyncApp:
    app = AsyncApp(client=client_of(slack), signing_secret=slack.signing_secret)

    @app.event("message")
    async def hear(ack: Callable[..., Awaitable[None]]) -> None:
        await ack()

    return app


@asynccontextmanager
async def over_socket(slack: FakeSlack, app: AsyncApp) -> AsyncIterator[Any]:
    before = len(slack.sockets.connections)
    handler: Any = AsyncSocketModeHandler(app, slack.app_token)
    try:
        await handler.connect_async()
        await slack.connected(before + 1)
        yield handler
    finally:
        await handler.close_async()
        await slack.wait_for(lambda: len(slack.sockets.connections) <= before)


@asynccontextmanager
async def over_http(slack: FakeSlack, app: AsyncApp) -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.Response:
        asked = await to_bolt_request(request)
        flow = app.oauth_flow
        if flow is not None and request.path == flow.install_path:
            return await to_aiohttp_response(await flow.handle_installation(asked))
        if flow is not None and request.path == flow.redirect_uri_path:
            return await to_aiohttp_response(await flow.handle_callback(asked))
        return await to_aiohttp_response(await app.async_dispatch(asked))

    async with served(handle) as url:
        await slack.configure(url)
        yield url


@asynccontextmanager
async def served(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A bare web server at the address that is given back."""
    site = web.Application()
    site.router.add_route("*", "/slack/{what}", handle)
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await runner.cleanup()


async def posted(client: AsyncWebClient, channel: Channel, *blocks: dict[str, Any]) -> Message:
    answer = await client.chat_postMessage(channel=channel.id, text="fallback", blocks=list(blocks))
    message = channel.message(answer["ts"])
    assert message is not None
    return message


class Heard:
    """A listener that acknowledges and keeps what it heard."""

    def __init__(self, **answer: Any) -> None:
        self.answer = answer
        self.bodies: list[dict[str, Any]] = []

    async def __call__(self, ack: Any, body: dict[str, Any]) -> None:
        self.bodies.append(body)
        await ack(**self.answer)

    @property
    def body(self) -> dict[str, Any]:
        assert len(self.bodies) == 1
        return self.bodies[0]
