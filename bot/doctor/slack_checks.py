"""Is Slack reached, are the tokens good, was everything granted that the manifest asks for, does Socket Mode open?"""

from collections.abc import Mapping

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot import manifest
from bot.doctor.findings import Finding, fail, ok, warn
from bot.slack.errors import CALL_ERRORS, error_code

TOKEN, SCOPES, SOCKET = "Slack token", "Slack scopes", "Slack socket"

_APP_PAGE = "on the app's page at api.slack.com/apps"
_REINSTALL = f"Install the app to the workspace again ({_APP_PAGE} > Install App)"


async def check_token(client: AsyncWebClient, home: str = "") -> list[Finding]:
    """`home` is the workspace or enterprise of an OAuth install."""
    named = f"{TOKEN} ({home})" if home else TOKEN
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        return [_token_refused(named, error_code(error) or "no reason given", home)]
    except CALL_ERRORS as error:
        return [_unreachable(named, client.base_url, error)]
    who = f"{answer.get('user')} in {answer.get('team')} ({answer.get('team_id')})"
    return [ok(named, who), check_scopes(granted(answer), home)]


def _token_refused(named: str, code: str, home: str) -> Finding:
    if home:
        fix = "An admin of that workspace has to install the app again, from /slack/install."
    else:
        fix = f"{_REINSTALL} and copy the Bot User OAuth Token into SLACK_BOT_TOKEN."
    return fail(named, f"Slack does not accept it ({code})", fix)


def _unreachable(named: str, base_url: str, error: Exception) -> Finding:
    return fail(
        named,
        f"Slack can't be reached at {base_url} ({type(error).__name__})",
        "Check the network and its proxies from this machine, or SLACK_API_URL if you have set it.",
    )


def granted(answer: AsyncSlackResponse) -> set[str] | None:
    """What Slack says the token may do; None where it does not say."""
    headers: Mapping[str, object] = answer.headers
    told = next((value for name, value in headers.items() if name.lower() == "x-oauth-scopes"), None)
    return None if told is None else {scope.strip() for scope in str(told).split(",") if scope.strip()}


def check_scopes(has: set[str] | None, home: str = "") -> Finding:
    named = f"{SCOPES} ({home})" if home else SCOPES
    wanted = manifest.scopes()
    if has is None:
        return warn(named, "Slack does not say which are granted", "Compare them with manifest.yml by eye.")
    missing = [scope for scope in wanted.required if scope not in has]
    without = [scope for scope in wanted.optional if scope not in has]
    if missing:
        return fail(
            named,
            f"not granted: {', '.join(missing)}",
            f"Add them under OAuth & Permissions {_APP_PAGE} (`bits-bot manifest` prints all), then install it again.",
        )
    if without:
        return warn(
            named,
            f"the optional ones are not granted: {', '.join(without)}",
            "Fine if you left them out on purpose; manifest.yml says what each is for.",
        )
    return ok(named, f"all {len(wanted.required) + len(wanted.optional)} of the manifest are granted")


async def check_socket(client: AsyncWebClient, app_token: str) -> list[Finding]:
    """Asks for an address only: no connection is opened, so none of a running bot is disturbed."""
    try:
        await client.apps_connections_open(app_token=app_token)
    except SlackApiError as error:
        code = error_code(error) or "no reason given"
        fix = (
            f"Socket Mode has to be on and SLACK_APP_TOKEN the App-Level Token with connections:write, both {_APP_PAGE} "
            "(Socket Mode; Basic Information)."
        )
        return [fail(SOCKET, f"Slack opens no socket for SLACK_APP_TOKEN ({code})", fix)]
    except CALL_ERRORS as error:
        return [_unreachable(SOCKET, client.base_url, error)]
    return [ok(SOCKET, "Slack offers a connection")]
