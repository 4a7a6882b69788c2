"""`/slack/install` and `/slack/oauth_redirect`: takes a browser to Slack's consent page and back. It stores nothing itself."""

import logging
import re
import secrets
from typing import Protocol

from aiohttp import web

from bot.workspaces.page_texts import HEADERS, Page, cancelled, failed, installed

logger = logging.getLogger(__name__)

INSTALL = "/slack/install"
REDIRECT = "/slack/oauth_redirect"
COOKIE = "bits_bot_install"
COOKIE_SECONDS = 600

_BROWSER = re.compile(r"[A-Za-z0-9_-]{32,64}")
_LONGEST = 512  # of what Slack hands back
_CODE_IN_LOG = re.compile(r"[^a-z0-9_]")


class Finished(Protocol):
    """What became of an install; `problem` is empty when all is well."""

    @property
    def problem(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def link(self) -> str: ...
    @property
    def org_wide(self) -> bool: ...


class Installing(Protocol):
    async def begin(self, browser: str) -> str: ...
    async def finish(self, *, state: str, code: str, browser: str) -> Finished: ...


class InstallPages:
    def __init__(self, installing: Installing, public_url: str) -> None:
        self._installing = installing
        self._again = f"{public_url}{INSTALL}"
        self._secure = public_url.startswith("https://")

    def routes(self) -> list[web.RouteDef]:
        # a HEAD begins no install: link previews ask that way
        return [web.get(INSTALL, self._install, allow_head=False), web.get(REDIRECT, self._back, allow_head=False)]

    async def _install(self, request: web.Request) -> web.StreamResponse:
        browser = _browser(request) or secrets.token_urlsafe(32)
        consent = await self._installing.begin(browser)
        response = web.Response(status=web.HTTPFound.status_code, headers={**HEADERS, "Location": consent})
        response.set_cookie(
            COOKIE, browser, max_age=COOKIE_SECONDS, path="/", httponly=True, samesite="Lax", secure=self._secure
        )
        return response

    async def _back(self, request: web.Request) -> web.StreamResponse:
        page = await self._page(request)
        response = web.Response(text=page.html, status=page.status, content_type="text/html", headers=HEADERS)
        if page.status == web.HTTPOk.status_code:
            response.del_cookie(COOKIE, path="/", httponly=True, samesite="Lax", secure=self._secure)
        return response

    async def _page(self, request: web.Request) -> Page:
        error, state, code = (request.query.get(name, "") for name in ("error", "state", "code"))
        if error == "access_denied":
            return cancelled(self._again)
        if error:
            return self._failed(error)
        if not state or not code or len(state) > _LONGEST or len(code) > _LONGEST:
            return self._failed("incomplete")
        done = await self._installing.finish(state=state, code=code, browser=_browser(request))
        if done.problem:
            return self._failed(done.problem)
        return installed(done.name, done.link, org_wide=done.org_wide)

    def _failed(self, problem: str) -> Page:
        reference = secrets.token_hex(3).upper()
        logger.warning("an install failed, reference %s: %s", reference, _CODE_IN_LOG.sub("?", problem[:64].lower()))
        return failed(problem, self._again, reference)


def _browser(request: web.Request) -> str:
    """What tells this browser from others; empty when it has sent none of ours."""
    given = request.cookies.get(COOKIE, "")
    return given if _BROWSER.fullmatch(given) else ""
