"""Is everything reached: are Slack's tokens good, was everything granted that the manifest asks for, are an organisation's
keys good and what may they read? Is the bot's own HTTP side there for others, and closed to whoever has no secret?"""

import json
import secrets
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, hdrs
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot import manifest
from bot.datadog.case_rules import CaseRules
from bot.datadog.cases import Cases
from bot.datadog.checkup import WRITES, KeyProblem, check_up
from bot.datadog.client import Datadog
from bot.datadog.errors import DatadogError, Forbidden
from bot.datadog.trouble import Trouble, TroubleKind
from bot.datadog.webhooks import MANAGE, Webhooks
from bot.doctor.model import Finding, Setup, fail, ok, warn
from bot.network import obstacle
from bot.orgs.alert_setup import look_over, look_over_cases
from bot.orgs.model import OrgEntry
from bot.slack.errors import CALL_ERRORS, error_code
from bot.wording import counted

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
    if known := obstacle(error):
        return fail(named, f"Slack can't be reached at {base_url}: {known.what}", known.fix)
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
    if checkup.obstacle is not None:
        return fail(name, f"{client.api_url} can't be reached: {checkup.obstacle.what}", checkup.obstacle.fix)
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


_SET_UP_AGAIN = (
    "Press Set up alerts, or Change alerts, under it in the bot's Home: that puts everything in place again."
)


async def check_alerts(entry: OrgEntry, client: Datadog, public_url: str) -> Finding:
    """What was set up in Datadog from Slack, for alerts to come in."""
    name = f"Alerts ({entry.name})"
    if trouble := await _amiss(name, look_over(Webhooks(client), entry, public_url)):
        return trouble
    if entry.alerts_set_up_at is None:
        return warn(name, "setting them up was not finished", _SET_UP_AGAIN)
    tags = f", for monitors with {', '.join(entry.alerts_tags)}" if entry.alerts_tags else ", without a rule"
    return ok(name, f"the webhook stands in Datadog as it was set up{tags}")


async def check_case_changes(entry: OrgEntry, client: Datadog, public_url: str) -> Finding:
    """The same for what tells of changes to cases."""
    name = f"Case changes ({entry.name})"
    looking = look_over_cases(Webhooks(client), Cases(client), CaseRules(client), entry, public_url)
    if trouble := await _amiss(name, looking):
        return trouble
    return ok(name, f"{counted(len(entry.case_projects), 'case project')} tell of them, as it was set up")


async def _amiss(name: str, looking: Awaitable[list[str]]) -> Finding | None:
    try:
        wrong = await looking
    except Forbidden as error:
        return warn(name, f"how they are set up can't be read: {error.permission or MANAGE} is missing", f"{_GRANT}.")
    except DatadogError as error:
        return warn(
            name, f"how they are set up can't be read now ({type(error).__name__})", "Run this again in a minute."
        )
    return fail(name, "; ".join(wrong), _SET_UP_AGAIN) if wrong else None


def case_cards(org: str, number: int, why: Trouble) -> Finding:
    """Cards that do not follow Datadog, as the bot met it."""
    stand = f"{counted(number, 'card')} {'does' if number == 1 else 'do'} not follow Datadog"
    if why.kind is TroubleKind.FORBIDDEN:
        return fail(f"Case cards ({org})", f"{stand}: {why.permission or 'a permission'} is missing", f"{_GRANT}.")
    return fail(f"Case cards ({org})", f"{stand}: Datadog does not accept the keys", "Replace the keys.")


def not_readable(entry: OrgEntry) -> Finding:
    return fail(
        f"Datadog ({entry.name})",
        "its stored keys can't be opened",
        "Put the key that sealed them back into BITS_ENCRYPTION_KEYS, or replace the keys in the bot's Home.",
    )


def no_webhook_secret(entry: OrgEntry) -> Finding:
    """One that was connected before each had a secret of its own."""
    return warn(
        f"{WEBHOOK} ({entry.name})",
        "it has no secret yet, so its path answers 401",
        "If its alerts come by webhook, an admin there makes one in the bot's Home and puts it into Datadog.",
    )


# -- the bot's own HTTP side ----------------------------------------------------------------------------------------


ADDRESS, SIGNATURE, WEBHOOK = "Address", "Slack signature", "Datadog webhook"

_EVENTS = "/slack/events"
_WEBHOOK = "/datadog/webhook/default"
_REDIRECT = "/slack/oauth_redirect"
_NO = {401, 403}
_UNREACHED = (ClientError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class _Address:
    """Where requests are sent to in this examination."""

    url: str
    is_public: bool


async def check_web(session: ClientSession, setup: Setup) -> list[Finding]:
    """Nothing where nobody has to reach the bot."""
    needs_slack, needs_webhook = not setup.app_token, bool(setup.webhook_secret)
    if not (needs_slack or needs_webhook or setup.uses_oauth):
        return [ok(WEBHOOK, "not in use: BITS_WEBHOOK_SECRET is not set")]
    address = _Address(setup.public_url or setup.http_address, bool(setup.public_url))
    doors = [(hdrs.METH_POST, _EVENTS, 401)] * needs_slack + [(hdrs.METH_POST, _WEBHOOK, 401)] * needs_webhook
    doors += [(hdrs.METH_GET, _REDIRECT, 400)] * setup.uses_oauth
    alive = await _alive(session, address, doors)
    found = [_reached(address, alive=alive)]
    if alive and needs_slack:
        found.append(await _check_signature(session, address, setup.signing_secret))
    if alive:
        found.append(await _check_webhook(session, address) if needs_webhook else ok(WEBHOOK, "not in use"))
    return found


async def _alive(session: ClientSession, address: _Address, doors: list[tuple[str, str, int]]) -> bool:
    """From outside, a proxy need not show how the bot is: what it has to pass on says no, and only the bot does that."""
    if await _answers(session, hdrs.METH_GET, f"{address.url}/healthz", 200, "alive"):
        return True
    asked = doors if address.is_public else []
    return any([await _answers(session, method, f"{address.url}{path}", no) for method, path, no in asked])


async def _answers(session: ClientSession, method: str, url: str, status: int, words: str = "") -> bool:
    try:
        async with session.request(method, url, allow_redirects=False) as answer:
            return answer.status == status and words in await answer.text()
    except _UNREACHED:
        return False


def _reached(address: _Address, *, alive: bool) -> Finding:
    if not address.is_public:
        unknown = (
            "Set BITS_PUBLIC_URL to the address that Slack and Datadog use, so that it can be checked from outside."
        )
        state = "answers" if alive else "does not run, or not"
        return warn(ADDRESS, f"BITS_PUBLIC_URL is not set; the bot {state} at {address.url}", unknown)
    if alive:
        return ok(ADDRESS, f"the bot answers at {address.url}")
    fix = "Is it running? Then look at DNS, certificate and proxy: they must pass /slack/ and /datadog/ on, unchanged."
    return fail(ADDRESS, f"no bot answers at {address.url}", fix)


async def _check_signature(session: ClientSession, address: _Address, secret: str) -> Finding:
    """A signed request as Slack sends it to verify an address, and one that is forged."""
    try:
        signed = await _challenge(session, address, secret)
        forged = await _challenge(session, address, secrets.token_hex(16))
    except _UNREACHED as error:
        return _silent(SIGNATURE, _EVENTS, error)
    if forged not in _NO:
        fix = "Something else answers at this path. Pass it on to the bot, headers and body unchanged."
        return fail(SIGNATURE, f"a forged request was not refused (HTTP {forged})", fix)
    if signed != 200:
        return fail(
            SIGNATURE,
            f"a request signed with SLACK_SIGNING_SECRET was refused (HTTP {signed})",
            "The running bot has another secret, its clock is off by minutes, or a proxy changes the body.",
        )
    return ok(SIGNATURE, "signed requests are taken, forged ones refused")


async def _challenge(session: ClientSession, address: _Address, secret: str) -> int:
    body = json.dumps({"type": "url_verification", "challenge": secrets.token_hex(8)})
    now = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": SignatureVerifier(secret).generate_signature(timestamp=now, body=body) or "",
    }
    async with session.post(f"{address.url}{_EVENTS}", data=body, headers=headers, allow_redirects=False) as answer:
        return answer.status


async def _check_webhook(session: ClientSession, address: _Address) -> Finding:
    """Without the secret: it has to be there, and to refuse; nothing is brought in by this."""
    try:
        async with session.post(f"{address.url}{_WEBHOOK}", json={}, allow_redirects=False) as answer:
            status = answer.status
    except _UNREACHED as error:
        return _silent(WEBHOOK, _WEBHOOK, error)
    if status in _NO:
        return ok(WEBHOOK, f"{_WEBHOOK} is reached, and refuses whoever has no secret")
    return fail(
        WEBHOOK,
        f"{_WEBHOOK} answers HTTP {status} to a request without the secret",
        "Pass the path on to the bot, and start the bot with the same BITS_WEBHOOK_SECRET.",
    )


def _silent(name: str, path: str, error: Exception) -> Finding:
    return fail(name, f"{path} does not answer ({type(error).__name__})", "Look at the proxy before the bot.")
