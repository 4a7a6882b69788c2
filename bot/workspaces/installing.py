"""An install by OAuth, from the first click to stored tokens: a browser is taken from `/slack/install` to Slack's consent
page and back to `/slack/oauth_redirect`, and told what became of it. The pages need no script and no outside asset.
"""

import asyncio
import base64
import logging
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from html import escape
from typing import Any
from urllib.parse import urlencode, urljoin

from aiohttp import web
from slack_sdk.errors import SlackApiError
from sqlalchemy import delete, func, select

from bot.logs import Seldom
from bot.slack.blocks import Message, sentences
from bot.slack.errors import CALL_ERRORS, RATE_LIMITED, Meaning, error_code, trouble_of
from bot.storage.engine import Database
from bot.storage.workers import Tasks
from bot.wording import APP, COMMAND, DATADOG, INVESTIGATE
from bot.workspaces.clients import InstalledWorkspaces, WatchfulClient
from bot.workspaces.repository import Installation, InstallationRepository, NewInstallation
from bot.workspaces.tables import oauth_states
from bot.workspaces.token_rotation import OAuthApp, tokens_in

logger = logging.getLogger(__name__)

STATE_SECONDS = 600
MOST_BEGUN = 1000  # installs that may be under way; whoever floods the page fills no table
MOST_OF_A_BROWSER = 5

NO_STATE, OTHER_BROWSER, UNREACHABLE, NOT_A_BOT = "no_state", "other_browser", "unreachable", "not_a_bot"
NOT_ALLOWED = "workspace_not_allowed"
INSTALL = "/slack/install"
REDIRECT = "/slack/oauth_redirect"
COOKIE = "bits_bot_install"
SECURE_COOKIE = f"__Host-{COOKIE}"  # no other host of the domain can plant one; browsers take it over https only
INCOMPLETE = "incomplete"

_BROWSER = re.compile(r"[A-Za-z0-9_-]{32,64}")
_WELCOMES = 5  # tries, where Slack puts it off
_LONGEST = 512  # of what Slack hands back
_CODE_IN_LOG = re.compile(r"[^a-z0-9_]")

_STYLE = (
    "body{font:17px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.5rem;color:#1d1c1d;"
    "background:#fff}h1{font-size:1.5rem}a.button{display:inline-block;padding:.6rem 1.1rem;border-radius:.3rem;"
    "background:#4a154b;color:#fff;text-decoration:none}small{color:#555}"
    "@media(prefers-color-scheme:dark){body{background:#1a1d21;color:#e8e8e8}small{color:#aaa}}"
)
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True)
class InstallOutcome:
    """What became of an install. `problem` is empty when all is well, else a word of ours or Slack's error code."""

    problem: str = ""
    name: str = ""  # of the workspace or enterprise, as its people wrote it
    link: str = ""  # into Slack, to the app
    org_wide: bool = False


@dataclass(frozen=True, slots=True)
class Installing:
    database: Database
    records: InstallationRepository
    workspaces: InstalledWorkspaces
    tasks: Tasks
    app: OAuthApp
    scopes: Sequence[str]
    redirect_uri: str
    has_org: frozenset[str]  # workspaces and enterprises that need not connect a Datadog organisation
    allowed: frozenset[str]  # those that may install; empty for anybody

    async def begin(self, browser: str) -> str:
        """The address of Slack's consent page for this browser; empty while too many installs are under way."""
        state = secrets.token_urlsafe(32)
        if not await self._note_begun(state, browser):
            return ""
        asked = {
            "client_id": self.app.client_id,
            "scope": ",".join(self.scopes),
            "redirect_uri": self.redirect_uri,
            "state": state,
        }
        return f"{urljoin(self.app.client.base_url, '../oauth/v2/authorize')}?{urlencode(asked)}"

    async def _note_begun(self, state: str, browser: str) -> bool:
        """Of a browser the oldest make room; those of others never do, so a flood ends no install that was begun."""
        table, now = oauth_states.c, self.database.now
        values = {"state": _hash(state), "browser": _hash(browser), "expires_at": now + STATE_SECONDS}
        its_own = select(table.state).where(table.browser == values["browser"]).order_by(table.expires_at.desc())
        too_old = its_own.offset(MOST_OF_A_BROWSER - 1).limit(MOST_BEGUN)
        async with self.database.transaction() as connection:
            await connection.execute(delete(oauth_states).where(table.expires_at <= now))
            await connection.execute(delete(oauth_states).where(table.state.in_(too_old)))
            begun = await connection.execute(select(func.count()).select_from(oauth_states))
            if begun.scalar_one() >= MOST_BEGUN:
                return False
            await connection.execute(oauth_states.insert().values(values))
        return True

    async def finish(self, *, state: str, code: str, browser: str) -> InstallOutcome:
        """Slack sent the browser back with a code: the state is used up whatever comes of it."""
        if problem := await self._use_up(state, browser):
            return InstallOutcome(problem)
        try:
            answer = await self.app.exchange(code=code, redirect_uri=self.redirect_uri)
        except SlackApiError as error:
            return InstallOutcome(error_code(error) or UNREACHABLE)
        except CALL_ERRORS as error:
            logger.warning("an install could not be finished (%s)", type(error).__name__)
            return InstallOutcome(UNREACHABLE)
        return await self._take_in(answer)

    async def _use_up(self, state: str, browser: str) -> str:
        table = oauth_states.c
        used = (
            delete(oauth_states)
            .where(table.state == _hash(state), table.expires_at > self.database.now)
            .returning(table.browser)
        )
        begun = await self.database.first(used)
        if begun is None:
            return NO_STATE
        return "" if secrets.compare_digest(begun.browser, _hash(browser)) else OTHER_BROWSER

    async def _take_in(self, answer: dict[str, Any]) -> InstallOutcome:
        team, enterprise = answer.get("team") or {}, answer.get("enterprise") or {}
        org_wide = bool(answer.get("is_enterprise_install"))
        team_id, enterprise_id = "" if org_wide else str(team.get("id") or ""), str(enterprise.get("id") or "")
        if not self._may_install(team_id, enterprise_id):
            await self._give_back(str(answer.get("access_token") or ""), team_id or enterprise_id)
            return InstallOutcome(NOT_ALLOWED)
        new = NewInstallation(
            team_id=team_id,
            enterprise_id=enterprise_id,
            org_wide=org_wide,
            app_id=str(answer.get("app_id") or ""),
            tokens=tokens_in(answer),
            scopes=tuple(filter(None, str(answer.get("scope") or "").split(","))),
            bot_user_id=str(answer.get("bot_user_id") or ""),
            bot_id=await self._bot_id(
                str(answer.get("access_token") or ""), str((enterprise if org_wide else team).get("id") or "")
            ),
            installer=str((answer.get("authed_user") or {}).get("id") or ""),
        )
        if not new.home or not new.tokens.bot_token:
            return InstallOutcome(NOT_A_BOT)
        await self.records.save(new)
        self.workspaces.drop(new.home)
        logger.info("installed in %s%s", new.home, " for the whole enterprise" if org_wide else "")
        self.tasks.spawn(self.welcome(new.home), f"welcome to {new.home}")
        name = str((enterprise if org_wide else team).get("name") or "")
        return InstallOutcome("", name, self._link(new), org_wide)

    def _may_install(self, team: str, enterprise: str) -> bool:
        """Whoever names an enterprise means all its workspaces; one of them does not stand for the enterprise."""
        return not self.allowed or not self.allowed.isdisjoint({team, enterprise} - {""})

    async def _give_back(self, token: str, home: str) -> None:
        """A token that was handed out for nothing is taken out of service; we keep nothing of it."""
        try:
            await WatchfulClient.like(self.app.client, token, home).auth_revoke()
        except CALL_ERRORS as error:
            logger.error("the token of a refused install was not revoked (%s)", trouble_of(error).code)  # noqa: TRY400  the code says it

    async def _bot_id(self, token: str, home: str) -> str:
        """Known only to auth.test; without it our own posts are still known by their author."""
        try:
            answer = await WatchfulClient.like(self.app.client, token, home).auth_test()
        except CALL_ERRORS:
            return ""
        return str(answer.get("bot_id") or "")

    def _link(self, new: NewInstallation) -> str:
        target = {"app": new.app_id} | ({"team": new.team_id} if new.team_id else {})
        return f"{urljoin(self.app.client.base_url, '../app_redirect')}?{urlencode(target)}"

    # -- the one message to the installer -----------------------------------------------------------------------

    async def welcome(self, home: str) -> None:
        """Rather not at all than twice: noted before it is sent, and taken back only when Slack surely has not got it."""
        for _ in range(_WELCOMES):
            wait = await self._welcomed(home)
            if wait is None:
                return
            await asyncio.sleep(wait)

    async def _welcomed(self, home: str) -> float | None:
        """When to try again, where that makes sense."""
        installation = await self.records.at(home)
        if installation is None or not installation.installer or not await self.records.claim_welcome(home):
            return None
        try:
            await self._say_welcome(installation)
        except CALL_ERRORS as error:
            trouble = trouble_of(error)
            logger.warning("the welcome to %s was not sent (%s)", home, trouble.code)
            if trouble.meaning is not Meaning.OPEN:
                await self.records.not_welcomed(home)
            return trouble.wait if trouble.code == RATE_LIMITED else None
        return None

    async def _say_welcome(self, installation: Installation) -> None:
        client = WatchfulClient.like(self.app.client, installation.tokens.bot_token, installation.home)
        async with asyncio.timeout(10):
            has_org = not self.has_org.isdisjoint({installation.team_id, installation.enterprise_id} - {""})
            await client.chat_postMessage(
                channel=installation.installer,
                parse="none",
                unfurl_links=False,
                **welcome(has_org=has_org).as_arguments(),
            )


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


# -- the pages ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    title: str
    text: str
    link: str = ""
    label: str = ""
    reference: str = ""

    @property
    def html(self) -> str:
        button = f'<p><a class="button" href="{escape(self.link)}">{escape(self.label)}</a></p>' if self.link else ""
        reference = f"<p><small>Reference: {escape(self.reference)}</small></p>" if self.reference else ""
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
            f"<title>{escape(self.title)}</title><style>{_STYLE}</style></head><body><main>"
            f"<h1>{escape(self.title)}</h1><p>{escape(self.text)}</p>{button}{reference}</main></body></html>"
        )


def installed(name: str, link: str, *, org_wide: bool) -> Page:
    if org_wide:
        text = (
            f"{APP} is installed for the whole organization. Choose next in which workspaces it may work: in Slack's "
            "organization settings, under Integrations > Installed apps. You also get a message from it with the next step."
        )
    else:
        text = "You can close this page. In Slack there is a message from the app with the next step."
    title = f"{APP} is installed in {name}" if name else f"{APP} is installed"
    return Page(200, title, text, link, "Open in Slack")


def cancelled(again: str) -> Page:
    text = "You pressed Cancel, so nothing was installed and nothing is stored. You can start again any time."
    return Page(200, "Nothing was installed", text, again, "Start again")


def too_many(again: str, reference: str) -> Page:
    text = (
        f"Too many installs were begun in the last minutes, so this one has to wait. Nothing was installed; start again in "
        f"{STATE_SECONDS // 60} minutes at the latest. If it stays like this, tell the person who runs the bot."
    )
    return Page(429, "Please wait a little", text, again, "Start again", reference)


def failed(problem: str, again: str, reference: str) -> Page:
    """The page for what `problem` names: a word of ours, or Slack's error code."""
    if problem in _EXPECTED:
        status, text = _EXPECTED[problem]
        return Page(status, "The install was not finished", text, again, "Start again")
    if problem in _OPERATOR:
        text = f"The bot is not set up right: {_OPERATOR[problem]} Tell the person who runs it; nothing was installed."
    else:
        text = (
            "Slack did not finish the install, and gave a reason we don't know. Start again; if it fails once more, "
            "tell the person who runs the bot."
        )
    return Page(502, "The install was not finished", text, again, "Start again", reference)


_OLD = "This install was begun more than ten minutes ago, or was finished already. Start again; it takes a minute."
_ELSEWHERE = "This install was begun in another browser or in a private window. Start again here, and allow cookies."
_NOT_SHARED = "The app is not shared with other workspaces: its owner has to activate distribution first."
_NOT_LISTED = (
    "This bot serves only workspaces that its operator has named, and yours is none of them. Nothing was installed and "
    "nothing is stored. Ask whoever runs it to let your workspace in."
)
_EXPECTED: Mapping[str, tuple[int, str]] = {
    NO_STATE: (400, _OLD),
    "invalid_code": (400, _OLD),
    "code_already_used": (400, _OLD),
    OTHER_BROWSER: (400, _ELSEWHERE),
    INCOMPLETE: (400, "Slack's answer is missing from this address. Start again rather than opening an old link."),
    UNREACHABLE: (502, "Slack did not answer just now, so nothing was installed. Wait a minute and start again."),
    NOT_A_BOT: (502, "Slack gave no bot token. Start again and leave the requested permissions as they are."),
    "invalid_team_for_non_distributed_app": (403, _NOT_SHARED),
    NOT_ALLOWED: (403, _NOT_LISTED),
}
_OPERATOR: Mapping[str, str] = {
    "bad_redirect_uri": "the address in BITS_PUBLIC_URL is not among the app's redirect URLs.",
    "bad_client_secret": "Slack does not accept SLACK_CLIENT_SECRET.",
    "invalid_client_id": "Slack does not accept SLACK_CLIENT_ID.",
}


class InstallPages:
    def __init__(self, installing: Installing, public_url: str) -> None:
        self._installing = installing
        self._again = f"{public_url}{INSTALL}"
        self._secure = public_url.startswith("https://")
        self._cookie = SECURE_COOKIE if self._secure else COOKIE
        self._strangers = Seldom(logger)

    def routes(self) -> list[web.RouteDef]:
        # a HEAD begins no install: link previews ask that way
        return [web.get(INSTALL, self._install, allow_head=False), web.get(REDIRECT, self._back, allow_head=False)]

    async def _install(self, request: web.Request) -> web.StreamResponse:
        browser = self._browser(request) or secrets.token_urlsafe(32)
        consent = await self._installing.begin(browser)
        if not consent:
            return self._full()
        response = web.Response(status=web.HTTPFound.status_code, headers={**HEADERS, "Location": consent})
        response.set_cookie(
            self._cookie, browser, max_age=STATE_SECONDS, path="/", httponly=True, samesite="Lax", secure=self._secure
        )
        return response

    async def _back(self, request: web.Request) -> web.StreamResponse:
        response = _answer(await self._page(request))
        # used once, whatever came of it
        response.del_cookie(self._cookie, path="/", httponly=True, samesite="Lax", secure=self._secure)
        return response

    def _full(self) -> web.Response:
        reference = _reference()
        logger.warning("an install was put off, reference %s: %d are under way", reference, MOST_BEGUN)
        response = _answer(too_many(self._again, reference))
        response.headers["Retry-After"] = str(STATE_SECONDS)
        return response

    async def _page(self, request: web.Request) -> Page:
        error, state, code = (request.query.get(name, "") for name in ("error", "state", "code"))
        if error == "access_denied":
            return cancelled(self._again)
        if error:
            # it stands in the address: nothing of ours failed
            return replace(self._failed(error, self._strangers), status=400)
        if not state or not code or len(state) > _LONGEST or len(code) > _LONGEST:
            return self._failed(INCOMPLETE, self._strangers)
        done = await self._installing.finish(state=state, code=code, browser=self._browser(request))
        if done.problem:
            return self._failed(done.problem)
        return installed(done.name, done.link, org_wide=done.org_wide)

    def _failed(self, problem: str, log: logging.Logger | Seldom = logger) -> Page:
        reference = _reference()
        log.warning("an install failed, reference %s: %s", reference, _CODE_IN_LOG.sub("?", problem[:64].lower()))
        return failed(problem, self._again, reference)

    def _browser(self, request: web.Request) -> str:
        """What tells this browser from others; empty when it has sent none of ours."""
        given = request.cookies.get(self._cookie, "")
        return given if _BROWSER.fullmatch(given) else ""


def _answer(page: Page) -> web.Response:
    return web.Response(text=page.html, status=page.status, content_type="text/html", headers=HEADERS)


def _reference() -> str:
    return secrets.token_hex(3).upper()


# -- what whoever installed it gets in Slack --------------------------------------------------------------------------


def welcome(*, has_org: bool) -> Message:
    """The one message to whoever installed the bot: the next step."""
    if has_org:
        next_step = (
            f"It uses the {DATADOG} organisation it was set up with, so you can start: choose “{INVESTIGATE} with Bits” "
            f"in the menu of an alert's message, or type `{COMMAND} help`."
        )
    else:
        next_step = (
            f"Next, connect {DATADOG}: type `{COMMAND} connect`. After that, `{COMMAND} help` shows what it can do."
        )
    return sentences(
        f"*{APP} is installed.* Thank you. {next_step}", "To use it in a private channel, invite it there."
    )
