"""The local Slack behind a real port, as one thing to start, stop, fill, break and look at."""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

from aiohttp import web

from bot.sandbox.slack.datadog_app import DatadogApp
from bot.sandbox.slack.delivery import Delivered
from bot.sandbox.slack.faults import MethodFault, Wait
from bot.sandbox.slack.mrkdwn import Ping
from bot.sandbox.slack.people import Person, Workspace
from bot.sandbox.slack.platform import ACK_SECONDS, EVENT_RETRY_WAITS, PATIENCE, TRIGGER_SECONDS, ApiCall, Platform
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.sockets import DisconnectReason
from bot.sandbox.slack.transcript import transcript
from bot.sandbox.slack.webapi import WebApi
from bot.sandbox.slack.webapi.responses import Responses
from bot.sandbox.slack.world import App, Channel, Enterprise, Message


class FakeSlack(Platform):
    """One app, one or more workspaces, real sockets. The default workspace is `workspace`, with the app installed."""

    def __init__(
        self,
        *,
        installed: bool = True,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        ack_seconds: float = ACK_SECONDS,
        trigger_seconds: float = TRIGGER_SECONDS,
        event_retry_waits: Sequence[float] = EVENT_RETRY_WAITS,
    ) -> None:
        app = App(
            "A0BITS",
            "Bits Bot",
            client_id="1111.2222",
            client_secret="c11e47-5ec2e7-of-bits",
            signing_secret="8f742231b10e8888abcd99yyyzzz85a5",
            app_token=f"xapp-1-A0BITS-{secrets.token_hex(8)}",
        )
        super().__init__(
            app,
            clock=clock,
            monotonic=monotonic,
            ack_seconds=ack_seconds,
            trigger_seconds=trigger_seconds,
            event_retry_waits=event_retry_waits,
        )
        self.datadog = DatadogApp(self.messages)
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.workspace = self.add_workspace("Acme")
        if installed:
            self.install(self.workspace)

    # -- life ------------------------------------------------------------------------------------------------------

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._runner = web.AppRunner(self._web_app(), access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound = self._runner.addresses[0][1]
        self.url = f"http://{host}:{bound}"
        self.response_urls.base = self.url
        self.oauth.base = self.url
        self.sockets.base = f"ws://{host}:{bound}"

    def _web_app(self) -> web.Application:
        app = web.Application(client_max_size=8 * 1024 * 1024)
        api = WebApi(self)
        app.router.add_route("*", "/api/{method}", api.handle)
        app.router.add_get("/link/", self.sockets.handle)
        app.router.add_post("/response/{name:.+}", Responses(self, api).handle)
        self.oauth.add_routes(app)
        return app

    async def stop(self) -> None:
        await self.delivery.stop()
        await self.background.stop()
        self.sockets.cut()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    # -- the world -------------------------------------------------------------------------------------------------

    def add_workspace(self, name: str, *, enterprise: Enterprise | None = None) -> Workspace:
        workspace = Workspace(self, name, enterprise)
        self.teams[workspace.id] = workspace
        return workspace

    def add_enterprise(self, name: str) -> Enterprise:
        return Enterprise(self.ids.next("E"), name)

    def use_manifest(self, manifest: dict[str, Any], *, optional_scopes: bool = True) -> None:
        """The app becomes what its manifest says, in every workspace it is installed in."""
        self.app.apply_manifest(manifest)
        asked = manifest.get("oauth_config", {}).get("scopes", {})
        left_out = set() if optional_scopes else set(asked.get("bot_optional", []))
        for install in self.installs:
            install.scopes.clear()
            install.scopes.update(set(asked.get("bot", [])) - left_out)

    @property
    def bot_token(self) -> str:
        install = self.workspace.install
        assert install is not None, "the app is not installed in the default workspace"
        return install.bot_token

    @property
    def app_token(self) -> str:
        return self.app.app_token

    @property
    def signing_secret(self) -> str:
        return self.app.signing_secret

    @property
    def bot_user_id(self) -> str:
        install = self.workspace.install
        assert install is not None, "the app is not installed in the default workspace"
        return install.bot_user_id

    # -- Datadog's own app -----------------------------------------------------------------------------------------

    async def post_as_datadog(
        self, channel: Channel, *, title: str = "", title_link: str = "", text: str = "", **more: Any
    ) -> Message:
        """An alert as Datadog's app posts it; see `DatadogApp.post` for what else can be said."""
        return await self.datadog.post(channel, title=title, title_link=title_link, text=text, **more)

    async def edit_as_datadog(self, message: Message, *, title: str, title_link: str, **more: Any) -> Message:
        return await self.datadog.edit(message, title=title, title_link=title_link, **more)

    # -- looking ---------------------------------------------------------------------------------------------------

    def transcript(self, channel: Channel, viewer: Person | None = None, *, times: bool = False) -> str:
        """The channel as people see it; with a viewer, also what only that person sees in it."""
        return transcript(channel, viewer.id if viewer is not None else None, times=times)

    async def connected(self, connections: int = 1, timeout: float = PATIENCE) -> None:  # noqa: ASYNC109 - part of the message
        """Returns once the app has that many healthy Socket Mode connections."""
        await self.wait_for(lambda: len([one for one in self.sockets.in_use if not one.warned]) >= connections, timeout)

    @property
    def pings(self) -> list[Ping]:
        """Everybody the app's own posts pinged."""
        return self.messages.pings

    @property
    def broadcasts(self) -> list[Ping]:
        """The pings that must never happen: @here, @channel, @everyone, user groups."""
        return [ping for ping in self.pings if ping.is_broadcast]

    def calls_to(self, *methods: str) -> list[ApiCall]:
        return [call for call in self.calls if call.method in methods]

    @property
    def deliveries(self) -> list[Delivered]:
        return self.delivery.log

    # -- breaking --------------------------------------------------------------------------------------------------

    def break_next(
        self,
        method: str,
        *,
        times: int = 1,
        error: str = "",
        status: int = 0,
        retry_after: int = 0,
        delay: Wait = 0.0,
        drop: Literal["", "before", "after"] = "",
        lands_after: Wait | None = None,
        when: Callable[[JSON], bool] | None = None,
        **more: Any,
    ) -> MethodFault:
        """Arranges a mishap for the next calls of a method (`*`: of any).

        `error` and `status` answer without doing it; `drop` loses the connection before or after doing it;
        `lands_after` loses it at once and does it later. A wait is seconds, or an Event that the test sets.
        `more` stands in the answer beside the error. Answers over response URLs are the method `response_url`.
        """
        fault = MethodFault(times, error, status, retry_after, delay, drop, lands_after, when, more)
        return self.faults.arrange(method, fault)

    def heal(self) -> None:
        """Takes back every arranged mishap."""
        self.faults.clear()
        self.slow = 0.0
        self.sockets.refused = False

    def refuse_connections(self) -> None:
        self.sockets.refused = True

    async def disconnect_all(self, reason: DisconnectReason = "refresh_requested") -> None:
        """Slack renews its sockets: the app is told, and what it did not close ten seconds later is closed."""
        warned = await self.sockets.announce_disconnect(reason)
        self.background.start(self.sockets.close_after(warned, 10.0))

    def cut_connections(self) -> None:
        """The sockets die without a word."""
        self.sockets.cut()

    async def redeliver(self, event_id: str, *, attempt: int = 1, reason: str = "http_timeout") -> None:
        """An event once more, with the same id and the marks of a retry."""
        await self.delivery.redeliver(event_id, attempt=attempt, reason=reason)

    async def configure(self, url: str) -> None:
        """HTTP mode: the address is checked with a challenge, then used whenever no socket is connected."""
        await self.delivery.verify_request_url(url)
