"""The door for Datadog's webhook: what to put into Datadog for it, who may come in, how much they may carry. What a request
says is read elsewhere."""

import binascii
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import BasicAuth, web

from bot import meters
from bot.logs import Seldom
from bot.web.bodies import body_of

HEADER = "X-Bits-Webhook-Secret"
PATH = "/datadog/webhook"
_OF_SETTINGS = "default"
_WHERE_IT_STANDS = "the value of BITS_WEBHOOK_SECRET"
_WHERE_IT_IS_SHOWN = "the secret that was shown when it was connected; a new one is made in the bot's Home in Slack"
_LONGEST_HINT = 200
ORG_ID = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)  # what an organisation's id can look like

# every value in quotes: an empty variable would otherwise break the JSON
TEMPLATE: dict[str, int | str] = {
    "v": 1,
    "monitor_id": "$ALERT_ID",
    "event_id": "$ID",
    "event_ts_ms": "$DATE",
    "transition": "$ALERT_TRANSITION",
    "cycle": "$ALERT_CYCLE_KEY",
    "aggr": "$AGGREG_KEY",
    "priority": "$ALERT_PRIORITY",
    "title": "$EVENT_TITLE",
    "scope": "$ALERT_SCOPE",
    "condition": "$ALERT_STATUS",
    "tags": "$TAGS",
    "type": "$EVENT_TYPE",
    "link": "$LINK",
    "snapshot": "$SNAPSHOT",
    "org_id": "$ORG_ID",
    "hostname": "$HOSTNAME",
    "text": "$TEXT_ONLY_MSG",
}

CASE_CHANGED = {"bits_bot": "case_changed"}  # all that a case's webhook says: that it is worth a look


def path_of(org: str) -> str:
    return f"{PATH}/{org}"


def says_case_changed(body: bytes) -> bool:
    if len(body) > _LONGEST_HINT:
        return False
    try:
        return bool(json.loads(body) == CASE_CHANGED)
    except (ValueError, RecursionError):
        return False


def custom_headers(secret: str) -> str:
    return json.dumps({HEADER: secret})


def instructions(public_url: str, org: str) -> str:
    """For the terminal: what goes where, in the order of Datadog's form."""
    ours = "" if public_url else "  (put this bot's own https address in place of bot.example.com)"
    return f"""\
In Datadog, open Integrations > Webhooks, add a webhook and fill in:

Name
bits-bot

URL
{public_url or "https://bot.example.com"}{path_of(org)}{ours}

Payload
{json.dumps(TEMPLATE, indent=2)}

Custom Headers (tick the box first)
{custom_headers(_WHERE_IT_STANDS if org == _OF_SETTINGS else _WHERE_IT_IS_SHOWN)}

Leave "Encode as form" off. Then send alerts there: write @webhook-bits-bot into a monitor's message, or, better,
name webhook-bits-bot as a recipient in a monitor notification rule. Which channel shows which alert is decided in Slack.
"""


logger = logging.getLogger(__name__)

OpenDoor = Callable[[str, Iterable[str]], Awaitable[bool | None]]
"""Whether one of the secrets that were offered opens an organisation's door; None where there is no door."""
FindOrg = Callable[[str], Awaitable[object | None]]  # None where no organisation with this id is connected
Take = Callable[[str, bytes, str], Awaitable[bool]]
"""Keeps the body that was sent for an organisation, with its content type; False when it is known already."""


KNOWN = "known already"
_OUTCOMES = {202: "accepted", 400: "malformed", 401: "unauthorized", 404: "no_org"}


class MalformedError(ValueError):
    """The body is not what belongs here; the message says why, without anything from the body."""


class DatadogWebhook:
    """Each connected organisation has a path of its own, and a secret of its own that opens no other."""

    def __init__(self, open_door: OpenDoor, *, find_org: FindOrg, take: Take) -> None:
        self._open_door = open_door
        self._find_org = find_org
        self._take = take
        self._strangers = Seldom(logger)

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.post(PATH + "/{org}", self.receive)]

    async def receive(self, request: web.Request) -> web.Response:
        outcome = "failed"
        try:
            answer = await self._answered(request)
            outcome = _OUTCOMES[answer.status] if answer.text != KNOWN else "known"
        except web.HTTPException:
            outcome = "unread"
            raise
        finally:
            meters.WEBHOOKS.add(outcome)
        return answer

    async def _answered(self, request: web.Request) -> web.Response:
        """Answered once it is in the database, and not before. Nobody without its secret learns whether one is connected."""
        org = request.match_info["org"]
        entered = await self._open_door(org, _offered(request)) if ORG_ID.fullmatch(org) else False
        if entered is None:
            return web.Response(status=404, text="not found")
        if not entered:
            self._strangers.warning("the webhook of %s: a request without the right secret was refused", _shown(org))
            return web.Response(status=401, text="unauthorized")
        if not await self._find_org(org):
            self._strangers.warning("the webhook of %s: no such organisation is connected", _shown(org))
            return web.Response(status=404, text="no Datadog organisation with this id is connected")
        body = await body_of(request)
        try:
            is_new = await self._take(org, body, request.content_type)
        except MalformedError as error:
            self._strangers.warning("the webhook of %s: refused, %s", org, error)
            return web.Response(status=400, text=f"{error}; `bits-bot webhook-template` prints what to send")
        return web.Response(status=202, text="accepted" if is_new else KNOWN)


def _shown(org: str) -> str:
    """For the log: what a stranger wrote into the path is not repeated there."""
    return org if ORG_ID.fullmatch(org) else "an organisation that can't exist"


def _offered(request: web.Request) -> tuple[str, str]:
    return request.headers.get(HEADER, ""), _password(request.headers.get("Authorization", ""))


def _password(header: str) -> str:
    try:
        return str(BasicAuth.decode(header).password)
    except (ValueError, binascii.Error):
        return ""
