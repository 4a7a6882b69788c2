"""An install by OAuth, from the first click to stored tokens. The pages people see meanwhile are made elsewhere."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urljoin

from slack_sdk.errors import SlackApiError
from sqlalchemy import delete

from bot.slack.errors import CALL_ERRORS, Meaning, error_code, trouble_of
from bot.slack.message import Message
from bot.storage.engine import Database
from bot.storage.workers import Tasks
from bot.workspaces.clients import InstalledWorkspaces, WatchfulClient
from bot.workspaces.repository import Installation, InstallationRepository, NewInstallation
from bot.workspaces.tables import oauth_states
from bot.workspaces.token_rotation import OAuthApp, tokens_in

logger = logging.getLogger(__name__)

STATE_SECONDS = 600.0

NO_STATE, OTHER_BROWSER, UNREACHABLE, NOT_A_BOT = "no_state", "other_browser", "unreachable", "not_a_bot"


@dataclass(frozen=True, slots=True)
class InstallOutcome:
    """What became of an install. `problem` is empty when all is well, else a word of ours or Slack's error code."""

    problem: str = ""
    name: str = ""  # of the workspace or enterprise, as its people wrote it
    link: str = ""  # into Slack, to the app
    org_wide: bool = False


class Installing:
    def __init__(
        self,
        database: Database,
        records: InstallationRepository,
        workspaces: InstalledWorkspaces,
        tasks: Tasks,
        app: OAuthApp,
        *,
        scopes: Sequence[str],
        redirect_uri: str,
        welcome: Message,
    ) -> None:
        self._database = database
        self._records = records
        self._workspaces = workspaces
        self._tasks = tasks
        self._app = app
        self._scopes = scopes
        self._redirect_uri = redirect_uri
        self._welcome = welcome

    async def begin(self, browser: str) -> str:
        """The address of Slack's consent page for this browser."""
        state = secrets.token_urlsafe(32)
        expires_at = self._database.now + STATE_SECONDS
        async with self._database.transaction() as connection:
            await connection.execute(
                oauth_states.insert().values(state=_hash(state), browser=_hash(browser), expires_at=expires_at)
            )
        asked = {
            "client_id": self._app.client_id,
            "scope": ",".join(self._scopes),
            "redirect_uri": self._redirect_uri,
            "state": state,
        }
        return f"{urljoin(self._app.client.base_url, '../oauth/v2/authorize')}?{urlencode(asked)}"

    async def finish(self, *, state: str, code: str, browser: str) -> InstallOutcome:
        """Slack sent the browser back with a code: the state is used up whatever comes of it."""
        if problem := await self._use_up(state, browser):
            return InstallOutcome(problem)
        try:
            answer = await self._app.exchange(code=code, redirect_uri=self._redirect_uri)
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
            .where(table.state == _hash(state), table.expires_at > self._database.now)
            .returning(table.browser)
        )
        async with self._database.transaction() as connection:
            begun_in = (await connection.execute(used)).scalar_one_or_none()
        if begun_in is None:
            return NO_STATE
        return "" if secrets.compare_digest(begun_in, _hash(browser)) else OTHER_BROWSER

    async def _take_in(self, answer: dict[str, Any]) -> InstallOutcome:
        team, enterprise = answer.get("team") or {}, answer.get("enterprise") or {}
        org_wide = bool(answer.get("is_enterprise_install"))
        new = NewInstallation(
            team_id="" if org_wide else str(team.get("id") or ""),
            enterprise_id=str(enterprise.get("id") or ""),
            org_wide=org_wide,
            app_id=str(answer.get("app_id") or ""),
            tokens=tokens_in(answer),
            scopes=tuple(filter(None, str(answer.get("scope") or "").split(","))),
            bot_user_id=str(answer.get("bot_user_id") or ""),
            bot_id=await self._bot_id(str(answer.get("access_token") or "")),
            installer=str((answer.get("authed_user") or {}).get("id") or ""),
        )
        if not new.home or not new.tokens.bot_token:
            return InstallOutcome(NOT_A_BOT)
        await self._records.save(new)
        self._workspaces.drop(new.home)
        logger.info("installed in %s%s", new.home, " for the whole enterprise" if org_wide else "")
        self._tasks.spawn(self.welcome(new.home), f"welcome to {new.home}")
        name = str((enterprise if org_wide else team).get("name") or "")
        return InstallOutcome("", name, self._link(new), org_wide)

    async def _bot_id(self, token: str) -> str:
        """Known only to auth.test; without it our own posts are still known by their author."""
        try:
            answer = await WatchfulClient.like(self._app.client, token).auth_test()
        except CALL_ERRORS:
            return ""
        return str(answer.get("bot_id") or "")

    def _link(self, new: NewInstallation) -> str:
        target = {"app": new.app_id} | ({"team": new.team_id} if new.team_id else {})
        return f"{urljoin(self._app.client.base_url, '../app_redirect')}?{urlencode(target)}"

    # -- the one message to the installer -----------------------------------------------------------------------

    async def welcome(self, home: str) -> None:
        """Rather not at all than twice: noted before it is sent, and taken back only when Slack surely has not got it."""
        installation = await self._records.at(home)
        if installation is None or not installation.installer or not await self._records.claim_welcome(home):
            return
        try:
            await self._say_welcome(installation)
        except CALL_ERRORS as error:
            trouble = trouble_of(error)
            logger.warning("the welcome to %s was not sent (%s)", home, trouble.code)
            if trouble.meaning is not Meaning.OPEN:
                await self._records.not_welcomed(home)

    async def _say_welcome(self, installation: Installation) -> None:
        client = WatchfulClient.like(self._app.client, installation.tokens.bot_token)
        async with asyncio.timeout(10):
            await client.chat_postMessage(
                channel=installation.installer, parse="none", unfurl_links=False, **self._welcome.as_arguments()
            )


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
