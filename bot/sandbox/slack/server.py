"""The local Slack as one thing to start, stop, furnish, break and look at. Each of its parts has a module of its own."""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal, Self, TypeVar

from aiohttp import web

from bot.sandbox.slack.board import Board
from bot.sandbox.slack.changes import PATIENCE, Changes, Ids, Timestamps
from bot.sandbox.slack.datadog_app import DatadogApp
from bot.sandbox.slack.delivery import Delivered, Delivery
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.events import READ_SCOPE, Events
from bot.sandbox.slack.faults import Fault, Faults, RateLimits, Wait
from bot.sandbox.slack.handles import ResponseUrls, Triggers
from bot.sandbox.slack.oauth import OAuth
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.responses import Responses
from bot.sandbox.slack.screens import Screens
from bot.sandbox.slack.settings_page import apply_manifest, manifest_scopes
from bot.sandbox.slack.sockets import Goodbye, Sockets
from bot.sandbox.slack.tokens import Ping
from bot.sandbox.slack.transcript import transcript
from bot.sandbox.slack.webapi import ApiCall, WebApi
from bot.sandbox.slack.workspace import Workspace
from bot.sandbox.slack.world import App, Channel, Enterprise, Install, Message

T = TypeVar("T")

DEFAULT_SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)
EVENT_RETRY_WAITS = (0.0, 60.0, 300.0)


class FakeSlack:
    """One app, one or more workspaces, real sockets. The default workspace is `workspace`, with the app installed.

    `clock` is Slack's wall clock (timestamps, trigger ids, response URLs, token lives); `monotonic` paces the rate limits.
    """

    def __init__(
        self,
        *,
        app_name: str = "Bits Bot",
        app_id: str = "A0BITS",
        signing_secret: str = "8f742231b10e8888abcd99yyyzzz85a5",
        scopes: frozenset[str] | set[str] = DEFAULT_SCOPES,
        installed: bool = True,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        ack_seconds: float = 3.0,
        event_retry_waits: Sequence[float] = EVENT_RETRY_WAITS,
    ) -> None:
        self.clock = clock
        self.app = App(
            app_id,
            app_name,
            client_id="1111.2222",
            client_secret="c11e47-5ec2e7-of-bits",
            signing_secret=signing_secret,
            app_token=f"xapp-1-{app_id}-{secrets.token_hex(8)}",
        )
        self.ids = Ids()
        self.changes = Changes()
        self.sockets = Sockets(self.changes, app_id)
        self.delivery = Delivery(
            self.changes, self.sockets, signing_secret, ack_seconds=ack_seconds, retry_waits=event_retry_waits
        )
        self.events = Events(self.app, self.ids, self.delivery, self.install_of, clock)
        self.board = Board(self.changes, Timestamps(clock), self.events, app_id)
        self.screens = Screens(self.ids)
        self.triggers = Triggers(clock)
        self.response_urls = ResponseUrls(clock)
        self.faults = Faults()
        self.limits = RateLimits(monotonic)
        self.rate_limits = False
        self.reads_limited = False
        self.slow: Wait = 0.0
        self.calls: list[ApiCall] = []
        self.installs: list[Install] = []
        self.workspaces: dict[str, Workspace] = {}
        self.oauth = OAuth(self)
        self.datadog = DatadogApp(self)
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.workspace = self.add_workspace("Acme")
        if installed:
            self.install(self.workspace, scopes=scopes)

    # -- life ------------------------------------------------------------------------------------------------------

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._runner = web.AppRunner(self._web_app(), access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound = self._runner.addresses[0][1]
        self.url = f"http://{host}:{bound}"
        self.response_urls.base = self.url
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
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.sockets.cut()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    # -- the world -------------------------------------------------------------------------------------------------

    def add_workspace(self, name: str, *, enterprise: Enterprise | None = None) -> Workspace:
        workspace = Workspace(self, self.ids.next("T"), name, enterprise)
        self.workspaces[workspace.id] = workspace
        return workspace

    def add_enterprise(self, name: str) -> Enterprise:
        return Enterprise(self.ids.next("E"), name)

    def install(
        self,
        *workspaces: Workspace,
        scopes: frozenset[str] | set[str] = DEFAULT_SCOPES,
        installer: str = "",
        org_wide: bool = False,
    ) -> Install:
        """Gives the app to a workspace, or with `org_wide` to those of an enterprise. A second time only changes the scopes."""
        first, team_ids = workspaces[0], [workspace.id for workspace in workspaces]
        before = [one for one in self.installs if one.team_ids == team_ids and one.org_wide == org_wide]
        alive = next((one for one in before if not one.gone), None)
        bot_id = before[-1].bot_id if before else self.ids.next("B")
        bot_user_id = before[-1].bot_user_id if before else self.ids.next("U")
        token = alive.bot_token if alive else self.oauth.fresh_token("xoxb")
        install = Install(token, set(scopes), team_ids, bot_id, bot_user_id, installer, first.enterprise, org_wide)
        if alive is not None:
            self.installs.remove(alive)
        self.installs.append(install)
        for workspace in workspaces:
            if bot_user_id not in workspace.users:
                workspace.add_bot_user(install, self.app.name)
        self.changes.notify()
        return install

    def use_manifest(self, manifest: dict[str, Any], *, optional_scopes: bool = True) -> None:
        """The app becomes what its manifest says, in every workspace it is installed in."""
        apply_manifest(self.app, manifest)
        for install in self.installs:
            install.scopes.clear()
            install.scopes.update(manifest_scopes(manifest, optional=optional_scopes))

    def install_of(self, team_id: str) -> Install | None:
        return next((one for one in self.installs if team_id in one.team_ids and not one.gone), None)

    def install_by_token(self, token: str) -> Install:
        return self.oauth.install_by_token(token)

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

    def bots(self) -> list[JSON]:
        """Every bot there is, as bots.info tells of them."""
        ours = [
            {
                "id": one.bot_id,
                "deleted": bool(one.gone),
                "name": self.app.name,
                "app_id": self.app.id,
                "user_id": one.bot_user_id,
            }
            for one in self.installs
        ]
        return [*ours, self.datadog.bot]

    def channel_of(self, channel_id: str) -> Channel:
        for workspace in self.workspaces.values():
            if channel_id in workspace.channels:
                return workspace.channels[channel_id]
        raise ApiError("channel_not_found")

    def join(self, channel: Channel, user_id: str) -> None:
        """Somebody, or the bot, becomes a member."""
        if user_id in channel.members:
            return
        channel.members.add(user_id)
        joined = {
            "type": "member_joined_channel",
            "user": user_id,
            "channel": channel.id,
            "channel_type": "G" if channel.is_private else "C",
            "team": channel.team_id,
            "event_ts": f"{self.clock():.6f}",
        }
        self.events.tell(channel.team_id, joined, scope=READ_SCOPE[channel.kind])
        self.changes.notify()

    def permalink(self, message: Message) -> str:
        domain = self.workspaces[message.channel.team_id].domain
        link = f"https://{domain}.slack.com/archives/{message.channel.id}/p{message.ts.replace('.', '')}"
        return f"{link}?thread_ts={message.thread_ts}&cid={message.channel.id}" if message.thread_ts else link

    # -- leaving ---------------------------------------------------------------------------------------------------

    def revoke_tokens(self, install: Install) -> None:
        """The tokens die, and the app is told by tokens_revoked."""
        install.gone = install.gone or "token_revoked"
        for team_id in install.team_ids:
            event = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [install.bot_user_id]}}
            self.events.tell(team_id, event, to=install)
        self.changes.notify()

    def uninstall(self, install: Install) -> None:
        """Somebody removes the app: both events come, the tokens are dead."""
        install.gone = "account_inactive"
        self.revoke_tokens(install)
        for team_id in install.team_ids:
            self.events.tell(team_id, {"type": "app_uninstalled"}, to=install)

    # -- Datadog's own app -----------------------------------------------------------------------------------------

    async def post_as_datadog(
        self, channel: Channel, *, title: str = "", title_link: str = "", text: str = "", **more: Any
    ) -> Message:
        """An alert as Datadog's app posts it; see `DatadogApp.post` for what else can be said."""
        return await self.datadog.post(channel, title=title, title_link=title_link, text=text, **more)

    async def edit_as_datadog(
        self, message: Message, *, title: str, title_link: str, text: str = "", **more: Any
    ) -> Message:
        return await self.datadog.edit(message, title=title, title_link=title_link, text=text, **more)

    # -- looking ---------------------------------------------------------------------------------------------------

    def transcript(self, channel: Channel, viewer: Any = None, *, times: bool = False) -> str:
        """The channel as people see it; with a viewer, also what only that person sees in it."""
        return transcript(channel, viewer.id if viewer is not None else None, times=times)

    def everything(self) -> str:
        """All channels with all that is whispered in them: what a test shows when it waited in vain."""
        shown = [transcript(one, "*") for space in self.workspaces.values() for one in space.channels.values()]
        opened = [view.title for stack in self.screens.stacks.values() for view in stack]
        modals = [f"open modals: {', '.join(opened)}"] if opened else []
        last = [f"{call.method} {call.error or 'ok'}" for call in self.calls[-8:]]
        return "\n\n".join([*shown, *modals, f"last calls: {', '.join(last)}"])

    async def wait_for(self, happened: Callable[[], T | None], timeout: float = PATIENCE) -> T:  # noqa: ASYNC109 - part of the message
        """Waits for the first true value, looked at after every change; else fails, showing what there is."""
        return await self.changes.wait_for(happened, timeout, self.everything)

    async def connected(self, connections: int = 1, timeout: float = PATIENCE) -> None:  # noqa: ASYNC109 - part of the message
        """Returns once the app has that many healthy Socket Mode connections."""
        await self.wait_for(lambda: len([one for one in self.sockets.in_use if not one.warned]) >= connections, timeout)

    @property
    def pings(self) -> list[Ping]:
        """Everybody the app's own posts pinged."""
        return self.board.pings

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
    ) -> Fault:
        """Arranges a mishap for the next calls of a method (`*`: of any).

        `error` and `status` answer without doing it; `drop` loses the connection before or after doing it;
        `lands_after` loses it at once and does it later. A wait is seconds, or an Event that the test sets.
        `more` stands in the answer beside the error. Answers over response URLs are the method `response_url`.
        """
        fault = Fault(times, error, status, retry_after, delay, drop, lands_after, when, more)
        return self.faults.arrange(method, fault)

    def heal(self) -> None:
        """Takes back every arranged mishap."""
        self.faults.clear()
        self.slow = 0.0
        self.sockets.refused = False

    def refuse_connections(self, *, refuse: bool = True) -> None:
        self.sockets.refused = refuse

    async def disconnect_all(self, reason: Goodbye = "refresh_requested", *, closing_after: Wait = 10.0) -> None:
        """Slack renews its sockets: the app is told, and what it did not close by then is closed."""
        told = await self.sockets.say_goodbye(reason)
        self.later(self.sockets.close_after(told, closing_after))

    def cut_connections(self) -> None:
        """The sockets die without a word."""
        self.sockets.cut()

    async def redeliver(self, event_id: str, *, attempt: int = 1, reason: str = "http_timeout") -> None:
        """An event once more, with the same id and the marks of a retry."""
        await self.delivery.redeliver(event_id, attempt=attempt, reason=reason)

    async def configure(self, url: str) -> None:
        """HTTP mode: the address is checked with a challenge, then used whenever no socket is connected."""
        await self.delivery.verify_request_url(url)
