"""Installing the app: the page that asks for consent, one-time codes, tokens that rotate, installs for a whole enterprise."""

import html
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.team import Team
from bot.sandbox.slack.world import App, Install

CODE_SECONDS = 10 * 60
TOKEN_SECONDS = 12 * 60 * 60


@dataclass
class Grant:
    """What somebody consented to, until its code is redeemed."""

    team_id: str
    installer: str
    scopes: set[str]
    redirect_uri: str
    issued: float
    org_wide: bool = False
    used: bool = False


class Installer(Protocol):
    def __call__(self, *teams: Team, scopes: Iterable[str], installer: str, org_wide: bool) -> Install: ...


def fresh_token(kind: str) -> str:
    return f"{kind}-{secrets.randbelow(10**10):010d}-{secrets.token_hex(12)}"


class OAuth:
    def __init__(
        self,
        app: App,
        clock: Callable[[], float],
        teams: Mapping[str, Team],
        installs: Iterable[Install],
        install: Installer,
    ) -> None:
        self._app = app
        self._clock = clock
        self._teams = teams
        self._installs = installs
        self._install = install
        self.base = ""
        self._grants: dict[str, Grant] = {}
        self._used_refresh_tokens: set[str] = set()

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/oauth/v2/authorize", self._page)
        app.router.add_post("/oauth/v2/authorize", self._decided)

    @property
    def authorize_url(self) -> str:
        return f"{self.base}/oauth/v2/authorize"

    # -- consent ---------------------------------------------------------------------------------------------------

    def approve(self, url: str, workspace: Team, *, installer: str = "", org_wide: bool = False) -> str:
        """Somebody presses Allow on the page at `url`; gives the address Slack sends the browser to."""
        asked = self._asked(url)
        chosen = installer or next((one.id for one in workspace.users.values() if not one.bot_id), "")
        code = f"{secrets.token_hex(6)}.{secrets.token_hex(12)}"
        scopes = {scope for scope in asked.get("scope", "").replace(" ", ",").split(",") if scope}
        redirect = asked.get("redirect_uri") or self._app.redirect_urls[0]
        self._grants[code] = Grant(workspace.id, chosen, scopes, asked.get("redirect_uri", ""), self._clock(), org_wide)
        return _with_query(redirect, code=code, state=asked.get("state", ""))

    def cancel(self, url: str) -> str:
        asked = self._asked(url)
        redirect = asked.get("redirect_uri") or self._app.redirect_urls[0]
        return _with_query(redirect, error="access_denied", state=asked.get("state", ""))

    def _asked(self, url: str) -> dict[str, str]:
        """The query of an authorize address, if Slack would show the page at all."""
        asked = dict(parse_qsl(urlsplit(url).query))
        app = self._app
        if asked.get("client_id") != app.client_id:
            raise ApiError("invalid_client_id")
        if not asked.get("scope"):
            raise ApiError("invalid_scope_requested")
        redirect = asked.get("redirect_uri", "")
        allowed = any(redirect.startswith(known) for known in app.redirect_urls)
        if (redirect and not allowed) or not app.redirect_urls:
            raise ApiError("bad_redirect_uri")
        return asked

    async def _page(self, request: web.Request) -> web.Response:
        try:
            asked = self._asked(str(request.url))
        except ApiError as refused:
            return web.Response(status=400, text=f"Something went wrong when authorizing this app: {refused.error}")
        return web.Response(text=self._html(asked), content_type="text/html")

    def _html(self, asked: dict[str, str]) -> str:
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in asked.items()
        )
        teams = "".join(f'<option value="{one.id}">{html.escape(one.name)}</option>' for one in self._teams.values())
        name = html.escape(self._app.name)
        scopes = "".join(f"<li>{html.escape(scope)}</li>" for scope in asked["scope"].split(","))
        return (
            f"<!doctype html><meta charset=utf-8><title>{name}</title><h1>{name} is requesting permission</h1>"
            f'<ul>{scopes}</ul><form method="post">{hidden}<select name="workspace">{teams}</select>'
            '<label><input type="checkbox" name="org_wide" value="1">for the whole organization</label>'
            '<button name="decision" value="allow">Allow</button><button name="decision" value="cancel">Cancel</button>'
            "</form>"
        )

    async def _decided(self, request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        url = f"{self.authorize_url}?{urlencode(form)}"
        try:
            if form.get("decision") != "allow":
                return _redirect(self.cancel(url))
            workspace = self._teams.get(form.get("workspace", "")) or next(iter(self._teams.values()))
            org_wide = form.get("org_wide") == "1"
            return _redirect(self.approve(url, workspace, installer=form.get("installer", ""), org_wide=org_wide))
        except ApiError as refused:
            return web.Response(status=400, text=refused.error)

    # -- tokens ----------------------------------------------------------------------------------------------------

    def install_by_token(self, token: str) -> Install:
        now = self._clock()
        for install in self._installs:
            if token != install.bot_token and token not in install.old_tokens:
                continue
            if install.gone:
                raise ApiError(install.gone)
            end = install.expires_at if token == install.bot_token else install.old_tokens[token]
            if end is not None and now >= end:
                raise ApiError("token_expired")
            return install
        raise ApiError("invalid_auth")

    def redeem(self, code: str, redirect_uri: str) -> JSON:
        grant = self._grants.get(code)
        if grant is None or self._clock() - grant.issued > CODE_SECONDS:
            raise ApiError("invalid_code")
        if grant.used:
            raise ApiError("code_already_used")
        if grant.redirect_uri and redirect_uri != grant.redirect_uri:
            raise ApiError("bad_redirect_uri")
        grant.used = True
        install = self._installed(grant)
        if self._app.rotates_tokens:
            self._start_rotation(install)
        return self._token_answer(install, grant.installer)

    def _installed(self, grant: Grant) -> Install:
        workspace = self._teams[grant.team_id]
        covered = [workspace]
        if grant.org_wide:
            if workspace.enterprise is None:
                raise ApiError("invalid_team_for_non_distributed_app")
            covered = [one for one in self._teams.values() if one.enterprise == workspace.enterprise]
        return self._install(*covered, scopes=grant.scopes, installer=grant.installer, org_wide=grant.org_wide)

    def _start_rotation(self, install: Install) -> None:
        install.bot_token = fresh_token("xoxe.xoxb")
        install.refresh_token = fresh_token("xoxe")
        install.expires_at = self._clock() + TOKEN_SECONDS

    def refresh(self, refresh_token: str) -> JSON:
        """A single-use refresh token for a new pair. The old access token lives on until its own end."""
        if refresh_token in self._used_refresh_tokens:
            raise ApiError("invalid_refresh_token")
        install = next((one for one in self._installs if one.refresh_token == refresh_token), None)
        if install is None or install.gone:
            raise ApiError("invalid_refresh_token")
        self._used_refresh_tokens.add(refresh_token)
        install.old_tokens[install.bot_token] = install.expires_at or self._clock()
        self._start_rotation(install)
        return self._token_answer(install, install.installer)

    def _token_answer(self, install: Install, installer: str) -> JSON:
        workspace = self._teams[install.team_ids[0]]
        enterprise = install.enterprise
        answer: JSON = {
            "ok": True,
            "app_id": self._app.id,
            "authed_user": {"id": installer},
            "scope": ",".join(sorted(install.scopes)),
            "token_type": "bot",
            "access_token": install.bot_token,
            "bot_user_id": install.bot_user_id,
            "team": None if install.org_wide else {"id": workspace.id, "name": workspace.name},
            "enterprise": {"id": enterprise.id, "name": enterprise.name} if enterprise else None,
            "is_enterprise_install": install.org_wide,
        }
        if install.expires_at is not None:
            answer |= {"expires_in": TOKEN_SECONDS, "refresh_token": install.refresh_token}
        return answer


def _redirect(url: str) -> web.Response:
    return web.Response(status=302, headers={"Location": url})


def _with_query(url: str, **more: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(more)}"
