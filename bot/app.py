"""The composition root: the only place where the parts are wired together, started and stopped."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.datadog.client import Datadog
from bot.datadog.orgs import ConnectedOrg, OrgsOfSettings
from bot.investigations.desk import Desk
from bot.investigations.finder import Finder
from bot.investigations.ledger import CARD, CONCLUSIONS, Ledger
from bot.investigations.loops import Loop, Tasks
from bot.investigations.runner import Runner
from bot.investigations.sightings import Sightings
from bot.investigations.timing import Timing
from bot.investigations.watcher import Watcher
from bot.slack.listeners import register
from bot.slack.poster import Kind, Poster
from bot.slack.rendering import Cards, Conclusions
from bot.slack.services import Services
from bot.slack.threads import ThreadReader
from bot.slack.voice import Voice
from bot.slack.workspaces import SingleWorkspace
from bot.storage.engine import Database
from bot.storage.leases import new_owner
from bot.storage.outbox import Outbox
from bot.web.server import Server

logger = logging.getLogger(__name__)

ORG_OF_SETTINGS = "default"
SLACK_TIMEOUT = 10
STOP_WITHIN = 15.0


class StartError(Exception):
    """The bot can't start; the message is for the person at the terminal."""


def timing_of(settings: Settings) -> Timing:
    first, usual = settings.bits_poll_first_seconds, settings.bits_poll_seconds
    return Timing(
        settle=settings.bits_settle_seconds,
        sweep=min(2.0, first / 2, usual / 2),
        poll_first=first,
        poll=usual,
        poll_slow=max(settings.bits_poll_slow_seconds, usual),
        deadline=settings.bits_deadline_minutes * 60,
    )


class Bot:
    def __init__(self, settings: Settings, *, timing: Timing | None = None) -> None:
        self._settings = settings
        self._timing = timing or timing_of(settings)
        self._database = Database(settings.database_url)
        self._orgs = OrgsOfSettings(_org_of(settings))
        self._tasks = Tasks()
        self._loops: list[Loop] = []
        self._closers: list[Callable[[float], Any]] = []
        self._session: ClientSession | None = None
        self._socket: AsyncSocketModeHandler | None = None
        self._server = Server(settings.bits_http_host, settings.bits_http_port, ready=self._problem)
        self._stopping = False

    @property
    def port(self) -> int:
        return self._server.port

    async def start(self) -> None:
        """Everything durable first, the way in last: nothing is accepted that can't be kept."""
        await self._database.open()
        self._session = ClientSession(connector=TCPConnector(limit=100), timeout=ClientTimeout(total=SLACK_TIMEOUT))
        workspace = await self._connect_workspace(self._session)
        app = await self._wire(workspace, self._session)
        for loop in self._loops:
            loop.start()
        await self._open_doors(app)

    async def stop(self) -> None:
        """Take nothing in, finish what is mid-step, hand back the rest."""
        self._stopping = True
        if self._socket is not None:
            await self._socket.close_async()  # type: ignore[no-untyped-call]
        await self._server.stop()
        for loop in self._loops:
            await loop.stop()
        await asyncio.gather(*(close(STOP_WITHIN) for close in [*self._closers, self._tasks.finish]))
        await self._orgs.close()
        if self._session is not None:
            await self._session.close()
        await self._database.close()

    def wake(self) -> None:
        for loop in self._loops:
            loop.wake.set()

    # -- parts --------------------------------------------------------------------------------------------------

    async def _connect_workspace(self, session: ClientSession) -> SingleWorkspace:
        token = self._settings.slack_bot_token
        try:
            return await SingleWorkspace.connect(self._client(session, token.get_secret_value() if token else ""))
        except SlackApiError as error:
            code = error.response.get("error", "no reason")
            raise StartError(
                f"Slack does not accept SLACK_BOT_TOKEN ({code}). Install the app to the workspace again and copy "
                "the Bot User OAuth Token from its page at api.slack.com/apps."
            ) from error
        except (OSError, TimeoutError) as error:
            raise StartError(
                f"Slack can't be reached at {self._settings.slack_api_url} ({type(error).__name__}). "
                "Check the network, or SLACK_API_URL."
            ) from error

    def _client(self, session: ClientSession, token: str | None) -> AsyncWebClient:
        """Never repeats a call by itself: what may be repeated, and when, is the callers' to know."""
        return AsyncWebClient(
            token=token,
            base_url=self._settings.slack_api_url,
            session=session,
            timeout=SLACK_TIMEOUT,
            retry_handlers=[],
        )

    async def _wire(self, workspace: SingleWorkspace, session: ClientSession) -> AsyncApp:
        timing, owner = self._timing, new_owner()
        ledger = Ledger(self._database, deadline=timing.deadline)
        desk = Desk(ledger, self.wake)
        voice = Voice(ledger, workspace, session)
        sightings = Sightings(self._database)
        threads = ThreadReader(workspace, sightings)
        outbox = Outbox(self._database, owner=owner, lease=timing.lease)
        finder = Finder(desk, ledger, self._orgs, threads, voice, timing, owner=owner)
        runner = Runner(ledger, self._orgs, timing, owner=owner, wake=self.wake)
        watcher = Watcher(ledger, self._orgs, timing, wake=self.wake)
        kinds: dict[str, Kind] = {
            CARD: Cards(ledger, voice, self._orgs.app_url),
            CONCLUSIONS: Conclusions(ledger, outbox, self._orgs.app_url),
        }
        poster = Poster(outbox, workspace, kinds, timing)
        if self._database.is_sqlite:
            await asyncio.gather(finder.recover(), runner.recover(), poster.recover())
        for part, name in ((finder, "finder"), (runner, "runner"), (watcher, "watcher"), (poster, "poster")):
            self._loops.append(Loop(name, part.step, every=timing.sweep))
            self._closers.append(part.close)
        services = Services(
            desk=desk,
            ledger=ledger,
            orgs=self._orgs,
            voice=voice,
            workspaces=workspace,
            tasks=self._tasks,
            sightings=sightings,
            threads=threads,
            app_url=self._orgs.app_url,
            keep_watching=self.wake,
        )
        return self._slack_app(workspace, services, self._client(session, token=None))

    def _slack_app(self, workspace: SingleWorkspace, services: Services, client: AsyncWebClient) -> AsyncApp:
        secret = self._settings.slack_signing_secret

        async def authorize(**_: object) -> AuthorizeResult:
            return workspace.authorize_result()

        # in Socket Mode nothing is signed; the placeholder never meets a request
        app = AsyncApp(
            client=client,
            signing_secret=secret.get_secret_value() if secret else new_owner(),
            authorize=authorize,
        )
        # its INFO lines hold signatures and whole bodies
        logging.getLogger("slack_bolt.RequestVerification").setLevel(logging.WARNING)
        register(app, services)
        return app

    async def _open_doors(self, app: AsyncApp) -> None:
        if self._settings.slack_mode == "http":
            self._server.serve_slack(app)
        try:
            await self._server.start()
        except OSError as error:
            raise StartError(
                f"Port {self._settings.bits_http_port} on {self._settings.bits_http_host} can't be used "
                f"({error.strerror}). Stop what uses it, or set BITS_HTTP_PORT."
            ) from error
        if token := self._settings.slack_app_token:
            self._socket = AsyncSocketModeHandler(app, token.get_secret_value())
            await self._connect_socket(self._socket)

    async def _connect_socket(self, socket: AsyncSocketModeHandler) -> None:
        try:
            await socket.connect_async()  # type: ignore[no-untyped-call]
        except SlackApiError as error:
            with suppress(Exception):
                await socket.close_async()  # type: ignore[no-untyped-call]
            code = error.response.get("error", "no reason")
            raise StartError(
                f"Slack does not accept SLACK_APP_TOKEN ({code}). It is the App-Level Token with connections:write, "
                "under Basic Information on the app's page at api.slack.com/apps; Socket Mode must be on."
            ) from error

    async def _problem(self) -> str:
        if self._stopping:
            return "stopping"
        try:
            await self._database.ping()
        except Exception as error:  # noqa: BLE001  any reason means: not ready
            return f"the database does not answer ({type(error).__name__})"
        if self._socket is not None and not await self._socket.client.is_connected():
            return "no connection to Slack"
        return ""


def _org_of(settings: Settings) -> ConnectedOrg | None:
    if settings.dd_api_key is None or settings.dd_app_key is None:
        return None
    client = Datadog(
        settings.datadog_api_url,
        settings.dd_api_key.get_secret_value(),
        settings.dd_app_key.get_secret_value(),
        app_url=settings.site.app_url,
    )
    return ConnectedOrg.on(ORG_OF_SETTINGS, client, settings.site.app_url)
