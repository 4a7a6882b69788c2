"""The ways into Slack and out of it: clients, who we are there, the Bolt app, the socket. What can't be opened says why."""

import logging
from contextlib import suppress
from typing import Any

from aiohttp import ClientSession
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.logs import Seldom, keep_bodies_out
from bot.slack.clients import SingleWorkspace, WorkspaceClients
from bot.slack.errors import error_code
from bot.slack.requests import SlackRequests, in_time
from bot.slack.response_urls import only_slacks_urls
from bot.slack.socket import SlackSocket
from bot.storage.leases import new_owner
from bot.web.server import Server
from bot.wording import APP
from bot.workspaces.installing import INSTALL

logger = logging.getLogger(__name__)

SLACK_TIMEOUT = 10


class StartError(Exception):
    """The bot can't start; the message is for the person at the terminal."""


def slack_client(settings: Settings, session: ClientSession, token: str | None) -> AsyncWebClient:
    """Never repeats a call by itself: what may be repeated, and when, is the callers' to know."""
    return AsyncWebClient(
        token=token, base_url=settings.slack_api_url, session=session, timeout=SLACK_TIMEOUT, retry_handlers=[]
    )


async def connect_workspace(settings: Settings, session: ClientSession) -> SingleWorkspace:
    token = settings.slack_bot_token
    try:
        return await SingleWorkspace.connect(slack_client(settings, session, token.get_secret_value() if token else ""))
    except SlackApiError as error:
        code = error_code(error) or "no reason given"
        raise StartError(
            f"Slack does not accept SLACK_BOT_TOKEN ({code}). Install the app to the workspace again and copy "
            "the Bot User OAuth Token from its page at api.slack.com/apps."
        ) from error
    except (OSError, TimeoutError) as error:
        raise StartError(
            f"Slack can't be reached at {settings.slack_api_url} ({type(error).__name__}). "
            "Check the network, or SLACK_API_URL."
        ) from error


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

    # in Socket Mode nothing is signed; the placeholder never meets a request
    app = AsyncApp(
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


async def open_socket(app: AsyncApp, requests: SlackRequests, token: str) -> SlackSocket:
    socket = SlackSocket(token, app.client, requests)
    try:
        # asked for here, because the client's own connect() would try a wrong token for ever
        socket.wss_uri = await socket.issue_new_wss_url()
        await socket.connect()  # type: ignore[no-untyped-call]
    except (SlackApiError, OSError, TimeoutError) as error:
        with suppress(Exception):
            await socket.close()  # type: ignore[no-untyped-call]
        raise StartError(_why_no_socket(error)) from error
    return socket


def _why_no_socket(error: Exception) -> str:
    if not isinstance(error, SlackApiError):
        return f"Slack's socket can't be reached ({type(error).__name__}). Check the network."
    return (
        f"Slack does not accept SLACK_APP_TOKEN ({error_code(error) or 'no reason given'}). It is the App-Level Token with "
        "connections:write, under Basic Information on the app's page at api.slack.com/apps; Socket Mode must be on."
    )
