"""Are both platforms reached with what the bot was given: are Slack's tokens good, was everything granted that the manifest
asks for, does Socket Mode open? Are an organisation's keys good, whose are they, and what may they read?"""

from collections.abc import Mapping

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import manifest
from bot.datadog.checkup import WRITES, KeyProblem, check_up
from bot.datadog.client import Datadog
from bot.doctor.model import Finding, fail, ok, warn
from bot.orgs.model import OrgEntry
from bot.slack.errors import CALL_ERRORS, error_code

TOKEN, SCOPES, SOCKET = "Slack token", "Slack scopes", "Slack socket"

_APP_PAGE = "on the app's page at api.slack.com/apps"
_REINSTALL = f"Install the app to the workspace again ({_APP_PAGE} > Install App)"
_GRANT = "Grant it in Datadog to the owner of the application key, and to the key itself if it is scoped"

# -- Slack ----------------------------------------------------------------------------------------------------------


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
    return [ok(named, who), _check_scopes(answer.headers, home)]


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


def _check_scopes(headers: Mapping[str, object], home: str) -> Finding:
    named = f"{SCOPES} ({home})" if home else SCOPES
    wanted = manifest.scopes()
    told = next((value for name, value in headers.items() if name.lower() == "x-oauth-scopes"), None)
    if told is None:
        return warn(named, "Slack does not say which are granted", "Compare them with manifest.yml by eye.")
    has = {scope.strip() for scope in str(told).split(",")}
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


# -- Datadog --------------------------------------------------------------------------------------------------------


async def check_org(entry: OrgEntry, client: Datadog) -> Finding:
    name = f"Datadog ({entry.name})"
    checkup = await check_up(client)
    if checkup.problem is not None:
        return fail(name, *_problem(checkup.problem, entry))
    who = f"acts as {checkup.owner_name}" if checkup.owner_name else "its owner can't be read"
    told = f"{entry.site.region}, {who}"
    if checkup.lacking:
        return warn(name, f"{told}; it may not: {', '.join(checkup.lacking)}", f"{_GRANT}.")
    if checkup.unclear:
        return warn(
            name, f"{told}; Datadog did not say about {', '.join(checkup.unclear)}", "Run this again in a minute."
        )
    return ok(name, f"{told}; may read all it needs. Whether it may write shows on use: {', '.join(WRITES)}")


def _problem(problem: KeyProblem, entry: OrgEntry) -> tuple[str, str]:
    site = f"{entry.site.region} ({entry.site.domain})"
    mend = "Correct DD_API_KEY, DD_APP_KEY or DD_SITE" if entry.from_settings else "Replace the keys in the bot's Home"
    match problem:
        case KeyProblem.API_KEY:
            return f"the API key is not known on {site}", f"{mend}."
        case KeyProblem.APP_KEY:
            return (
                f"the application key is not accepted on {site}",
                f"{mend}: it may be revoked or of another organisation.",
            )
        case KeyProblem.ESSENTIAL:
            return "the keys may not read investigations (bits_investigations_read)", f"{_GRANT}."
        case KeyProblem.BUSY:
            return "Datadog limits how often it may be asked now", "Run this again in a minute."
        case KeyProblem.NOT_REACHED:
            return f"{site} did not answer usefully", "Check the network from this machine, then Datadog's status page."


def not_readable(entry: OrgEntry) -> Finding:
    return fail(
        f"Datadog ({entry.name})",
        "its stored keys can't be opened",
        "Put the key that sealed them back into BITS_ENCRYPTION_KEYS, or replace the keys in the bot's Home.",
    )
