"""The ways into Slack and out of it: clients, who we are there, the Bolt app, the socket. What can't be opened says why."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from aiohttp import ClientSession
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.datadog.client import Datadog
from bot.datadog.links import Site
from bot.logs import Seldom, keep_bodies_out
from bot.network import WayOut, obstacle
from bot.slack.bolt import BoltApp
from bot.slack.clients import PatientClient, SingleWorkspace, WorkspaceClients
from bot.slack.errors import CALL_ERRORS, RATE_LIMITED, Meaning, SlackTrouble, error_code, trouble_of
from bot.slack.requests import SlackRequests, in_time
from bot.slack.response_urls import only_slacks_urls
from bot.slack.socket import SlackSocket
from bot.slack.waits import Waits
from bot.storage.leases import new_owner
from bot.web.server import Server
from bot.wording import APP
from bot.workspaces.installing import INSTALL

logger = logging.getLogger(__name__)

SLACK_TIMEOUT = 10
AGAIN_AFTER = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds, where Slack does not say how many
LONGEST_WAIT = 60.0

T = TypeVar("T")


class StartError(Exception):
    """The bot can't start; the message is for the person at the terminal."""


def way_out(settings: Settings) -> WayOut:
    proxy = settings.https_proxy.get_secret_value() if settings.https_proxy else ""
    return WayOut(proxy, settings.no_proxy, settings.ssl_cert_file, settings.bits_ca_file)


def datadog_clients(settings: Settings) -> Callable[[Site, str, str], Datadog]:
    """One for a site, an API key and an application key."""

    def client_of(site: Site, api_key: str, app_key: str) -> Datadog:
        return Datadog(
            settings.dd_api_url or site.api_url, api_key, app_key, app_url=site.app_url, way=way_out(settings)
        )

    return client_of


def slack_client(settings: Settings, session: ClientSession, token: str | None, waits: Waits) -> PatientClient:
    """Never repeats a call by itself: what may be repeated, and when, is the callers' to know."""
    client = PatientClient(
        token=token,
        base_url=settings.slack_api_url,
        session=session,
        timeout=SLACK_TIMEOUT,
        retry_handlers=[],
    )
    client.waits = waits
    return client


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """What changes nothing, asked again while Slack, or what stands before it, has trouble of its own."""
    for seconds in AGAIN_AFTER:
        try:
            return await ask()
        except SlackApiError as error:
            trouble = trouble_of(error)
            wait = max(seconds, trouble.wait)
            if not _may_pass(trouble) or wait > LONGEST_WAIT:
                raise
            if seconds == AGAIN_AFTER[0]:
                logger.warning("Slack can't be used now (%s): trying again for about a minute", _answer(error))
            await asyncio.sleep(wait)
    return await ask()


def _may_pass(trouble: SlackTrouble) -> bool:
    return trouble.meaning is Meaning.OPEN or trouble.code == RATE_LIMITED


def _answer(error: SlackApiError) -> str:
    response = error.response
    status = getattr(response, "status_code", None) or getattr(response, "status", None)
    return f"HTTP {status} {error_code(error)}".strip() if status else error_code(error)


def _why_no_answer(settings: Settings, error: SlackApiError, otherwise: str) -> str:
    """`otherwise` is what Slack's definite no means."""
    if not error_code(error):
        return (
            f"At {settings.slack_api_url} not Slack answered but a page of something else ({_answer(error)}), a proxy "
            "perhaps. Check the proxy, the network, or SLACK_API_URL."
        )
    if _may_pass(trouble_of(error)):
        return (
            f"Slack has trouble of its own ({_answer(error)}) and did not let the bot in for longer than it waits. "
            "See status.slack.com, then start it again."
        )
    return otherwise


def _why_not_reached(what: str, error: Exception) -> str:
    if known := obstacle(error):
        return f"{what}: {known.what}. {known.fix}"
    return f"{what} ({type(error).__name__}). Check the network and its proxies, or SLACK_API_URL."


async def connect_workspace(settings: Settings, session: ClientSession, waits: Waits) -> SingleWorkspace:
    token = settings.slack_bot_token
    client = slack_client(settings, session, token.get_secret_value() if token else "", waits)
    try:
        return await _patiently(lambda: SingleWorkspace.connect(client))
    except SlackApiError as error:
        refused = (
            f"Slack does not accept SLACK_BOT_TOKEN ({error_code(error)}). Install the app to the workspace again and copy "
            "the Bot User OAuth Token from its page at api.slack.com/apps."
        )
        raise StartError(_why_no_answer(settings, error, refused)) from error
    except CALL_ERRORS as error:
        raise StartError(_why_not_reached(f"Slack can't be reached at {settings.slack_api_url}", error)) from error


def _is_error(record: logging.LogRecord) -> bool:
    """Bolt warns of what it finds in the environment and is told not to use, and sets its level anew before it does."""
    return record.levelno >= logging.ERROR


def bolt_app(settings: Settings, home: WorkspaceClients, client: AsyncWebClient) -> AsyncApp:
    secret = settings.slack_signing_secret
    where = f": {settings.bits_public_url}{INSTALL}" if settings.bits_public_url else "."
    not_installed = (
        f"{APP} is not installed here any more, so nothing was done. Ask an admin to install it again{where}"
    )

    not_here = Seldom(logger)

    # Bolt passes what it finds among the names of a plain function
    async def authorize(context: Any, enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        async with in_time():
            found = await home.authorize(context=context, enterprise_id=enterprise_id, team_id=team_id)
        if found is None:
            not_here.warning("Slack sent something from a workspace where the app is not installed")
        return found

    logging.getLogger("slack_bolt.AsyncApp").addFilter(_is_error)
    # in Socket Mode nothing is signed; the placeholder never meets a request
    app = BoltApp(
        name="bits-bot",  # without one, Bolt reads the source of every caller to find a name
        client=client,
        signing_secret=secret.get_secret_value() if secret else new_owner(),
        before_authorize=only_slacks_urls(settings.slack_api_url),
        authorize=authorize,  # type: ignore[arg-type]  # its types don't know None
        user_facing_authorize_error_message=not_installed,
        raise_error_for_unhandled_request=True,  # else it prints parts of the body
        attaching_function_token_enabled=False,  # no body brings a token of its own
    )
    keep_bodies_out()
    # of a workspace that is not installed a line of ours tells
    logging.getLogger("slack_bolt.AsyncMultiTeamsAuthorization").setLevel(logging.CRITICAL)
    return app


async def open_server(server: Server, settings: Settings) -> None:
    """Where only health would be served there, a port that is taken is no reason not to start."""
    try:
        await server.start()
    except OSError as error:
        sentence = (
            f"Port {settings.bits_http_port} on {settings.bits_http_host} can't be used "
            f"({error.strerror}). Stop what uses it, or set BITS_HTTP_PORT."
        )
        if settings.slack_mode == "http" or settings.uses_oauth or settings.bits_webhook_secret:
            raise StartError(sentence) from error
        logger.warning("%s Until then there is no /healthz.", sentence)
        await server.stop()


async def open_socket(settings: Settings, app: AsyncApp, requests: SlackRequests, token: str) -> SlackSocket:
    socket = SlackSocket(token, app.client, requests, way_out(settings))
    try:
        # asked for here, because the client's own connect() would try a wrong token for ever
        await _patiently(socket.open)
    except BaseException as error:  # a stop while it opens included
        with suppress(Exception):
            await socket.close()  # type: ignore[no-untyped-call]
        if isinstance(error, CALL_ERRORS):
            raise StartError(_why_no_socket(settings, error)) from error
        raise
    return socket


def _why_no_socket(settings: Settings, error: Exception) -> str:
    if not isinstance(error, SlackApiError):
        return _why_not_reached("Slack's socket can't be reached", error)
    refused = (
        f"Slack does not accept SLACK_APP_TOKEN ({error_code(error)}). It is the App-Level Token with "
        "connections:write, under Basic Information on the app's page at api.slack.com/apps; Socket Mode must be on."
    )
    return _why_no_answer(settings, error, refused)
