"""The bot as a whole: how it starts, what makes it ready, how it stops. Its rooms are put together in `wiring`."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from aiohttp import ClientSession, ClientTimeout
from slack_bolt.async_app import AsyncApp

import bot.schema  # noqa: F401  every table
from bot.config import Settings
from bot.connections import SLACK_TIMEOUT, StartError, open_server, open_socket, way_out
from bot.gauges import Gauges
from bot.health import Health
from bot.logs import described
from bot.orgs.health import OrgHealth
from bot.orgs.repository import OrgRepository
from bot.slack.metered import metered
from bot.slack.requests import SlackRequests
from bot.slack.socket import SlackSocket
from bot.storage.all_workers import Workers
from bot.storage.encryption import Encryption, EncryptionError, check_secrets
from bot.storage.engine import Database
from bot.storage.workers import Tasks, Timing
from bot.storage.write_probe import WriteProbe
from bot.web.health import HealthReport
from bot.web.metrics import Metrics
from bot.web.server import Server
from bot.wiring import Parts, orgs_of, put_together
from bot.wording import counted
from bot.workspaces.departures import Departures

logger = logging.getLogger(__name__)

WORK_ENDS_WITHIN = 10.0  # all of a stop takes less than twenty-five seconds, whatever hangs


def timing_of(settings: Settings) -> Timing:
    first, usual = settings.bits_poll_first_seconds, settings.bits_poll_seconds
    return Timing(
        settle=settings.bits_settle_seconds,
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
        keys = [key.get_secret_value() for key in settings.encryption_keys]
        self._encryption = Encryption(keys) if keys else None
        self._orgs: OrgRepository = orgs_of(settings, self._database, self._encryption)
        self._workers = Workers(self._database, self._timing)
        self._tasks = Tasks()
        self._session: ClientSession | None = None
        self._socket: SlackSocket | None = None
        self._departures: Departures | None = None
        self._health: Health | None = None
        self._server = Server(
            settings.bits_http_host, settings.bits_http_port, ready=self._parts, stuck=self._workers.stuck
        )
        self._stopping = False

    @property
    def port(self) -> int:
        return self._server.port

    async def start(self) -> None:
        """Everything durable first, the way in last: nothing is accepted that can't be kept."""
        await self._database.open()
        await self._open_secrets()
        timeout = ClientTimeout(total=SLACK_TIMEOUT)
        way = way_out(self._settings)
        self._session = way.session(limit=100, timeout=timeout, trace_configs=[metered()])
        parts = Parts(
            self._settings,
            self._database,
            self._orgs,
            self._timing,
            self._workers,
            self._tasks,
            self._server,
            self._encryption,
        )
        whole = await put_together(parts, self._session)
        self._departures = whole.departures
        orgs = OrgHealth(self._orgs, self._tasks)
        self._health = Health(WriteProbe(self._database), whole.polls.problem, orgs, self._workers)
        self._workers.closers.append(self._health.stop)
        self._server.serve(Metrics(Gauges(self._database, self._workers, self._parts).read).routes())
        self._workers.start()
        await self._open_doors(whole.app, self._session)
        self._health.socket = self._socket

    async def stop(self) -> None:
        """Take nothing in, finish what is mid-step, hand back the rest; none of it may keep the others from their turn."""
        self._stopping = True
        closings = (
            ("Slack's socket", self._close_socket, 2.0),
            ("the HTTP side", self._server.stop, 3.0),
            ("the workers", partial(self._workers.stop, WORK_ENDS_WITHIN), WORK_ENDS_WITHIN + 4),
            ("answers under way", partial(self._tasks.finish, 1.0), 2.0),
            ("Datadog's connections", self._orgs.close, 1.0),
            ("Slack's connections", self._close_session, 1.0),
            ("the database", self._database.close, 3.0),
        )
        for name, close, seconds in closings:
            try:
                async with asyncio.timeout(seconds):
                    await close()
            except Exception as error:  # noqa: BLE001  what is not handed back comes back by its lease
                logger.warning("%s did not close in order (%s)", name, described(error))

    async def _close_socket(self) -> None:
        if self._socket is not None:
            await self._socket.close()  # type: ignore[no-untyped-call]

    async def _close_session(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _open_secrets(self) -> None:
        """Rather no start than a bot that finds out one by one which of its keys it can't open."""
        if self._encryption is None:
            if number := await self._orgs.encrypted():
                raise StartError(
                    f"BITS_ENCRYPTION_KEYS is missing: the keys of {counted(number, 'Datadog organisation')} are stored "
                    "sealed with it. Put it back."
                )
        else:
            try:
                await check_secrets(self._database, self._encryption)
            except EncryptionError as error:
                raise StartError(str(error)) from error
        await self._orgs.step()

    async def _open_doors(self, app: AsyncApp, session: ClientSession) -> None:
        requests = SlackRequests(app, session, self._tasks)
        secret = self._settings.slack_signing_secret
        if self._settings.slack_mode == "http" and secret is not None:
            self._server.serve_slack(secret.get_secret_value(), requests.answer_body)
        await open_server(self._server, self._settings)
        if token := self._settings.slack_app_token:
            self._socket = await open_socket(self._settings, app, requests, token.get_secret_value())

    async def _parts(self) -> Sequence[HealthReport]:
        if self._stopping or self._health is None:
            what = "stopping" if self._stopping else "starting"
            return [HealthReport("life", ok=False, sentence=what)]
        return await self._health.parts()
