"""Which client speaks for which of many workspaces: those that installed the bot by OAuth, alone or with their enterprise.

What was looked up is kept for a minute, and dropped at once when Slack refuses its token or the app is removed.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.clients import BotClient, PatientClient
from bot.slack.errors import CALL_ERRORS, RATE_LIMITED, error_code, trouble_of
from bot.workspaces.repository import Installation, InstallationRepository
from bot.workspaces.token_rotation import TokenRotation

logger = logging.getLogger(__name__)

TOKEN_GONE = frozenset({"token_revoked", "account_inactive", "invalid_auth"})
TOKEN_OVER = "token_expired"  # noqa: S105  Slack's word for it

_KEPT_SECONDS = 60.0
_MOST_KEPT = 10_000
_LOOK_AGAIN_AFTER = 600.0

Noticed = Callable[[str], Awaitable[None]]


class WatchfulClient(PatientClient):
    """Tells when Slack refuses its token, whoever uses it."""

    noticed: Noticed | None = None

    @classmethod
    def like(cls, template: PatientClient, token: str, workspace: str, *, team_id: str = "") -> "WatchfulClient":
        """`workspace` is where it calls, or the enterprise; `team_id` what Slack has to be told of that."""
        client = cls(
            token=token,
            base_url=template.base_url,
            session=template.session,
            timeout=template.timeout,
            team_id=team_id or None,
            retry_handlers=[],
        )
        client.waits, client.workspace = template.waits, workspace
        return client

    async def api_call(self, api_method: str, **arguments: Any) -> AsyncSlackResponse:
        try:
            return await super().api_call(api_method, **arguments)
        except SlackApiError as error:
            code = error_code(error)
            if self.noticed is not None and (code in TOKEN_GONE or code == TOKEN_OVER):
                await self.noticed(code)
            raise


@dataclass(frozen=True, slots=True)
class _KeptClient:
    bot_client: BotClient
    home: str
    until: float


@dataclass(eq=False, repr=False)
class InstalledWorkspaces:
    records: InstallationRepository
    rotation: TokenRotation
    client: PatientClient  # holds no token; the pattern for those that do
    clock: Callable[[], float] = time.monotonic
    _kept: dict[str, _KeptClient] = field(default_factory=dict, init=False)

    async def bot_client(self, workspace: str, enterprise: str = "") -> BotClient | None:
        key = workspace or enterprise
        kept = self._kept.get(key)
        if kept is not None and kept.until > self.clock():
            return kept.bot_client
        found = await self.records.serving(workspace, enterprise)
        installation = await self._working(found) if found else None
        if installation is None:
            self._kept.pop(key, None)
            return None
        if installation.org_wide and workspace and enterprise:
            await self.records.learn(workspace, enterprise)
        return self._keep(key, workspace, installation)

    async def authorize(
        self, *, enterprise_id: str | None, team_id: str | None, context: Any = None
    ) -> AuthorizeResult | None:
        """For Bolt: who answers a request, from memory as a rule and never with a call to Slack of its own."""
        bot_client = await self.bot_client(team_id or "", enterprise_id or "")
        if bot_client is None:
            return None
        if context is not None:
            context["client"] = bot_client.client  # a revoked token is noticed in listeners too
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_id=bot_client.bot_id,
            bot_user_id=bot_client.bot_user_id,
            bot_token=bot_client.token,
        )

    def drop(self, home: str) -> None:
        """Its next look-up reads the database."""
        self._kept = {workspace: kept for workspace, kept in self._kept.items() if kept.home != home}

    async def still_installed(self, installation: Installation) -> bool | None:
        """Asks Slack; None when that can't be told now. Raises where Slack only says when to ask again."""
        client = WatchfulClient.like(self.client, installation.tokens.bot_token, installation.home)
        try:
            await client.auth_test()
        except SlackApiError as error:
            if trouble_of(error).code == RATE_LIMITED:
                raise
            return False if error_code(error) in TOKEN_GONE else None
        except CALL_ERRORS:
            return None
        return True

    async def _working(self, found: Installation) -> Installation | None:
        if found.dead and not await self._works_again(found):
            return None
        fresh = await self.rotation.fresh(found)
        return fresh if fresh and (found.dead or not fresh.dead) else None

    async def _works_again(self, found: Installation) -> bool:
        """Slack may have refused a good token, say for the address we called from: asked again once in a while."""
        if found.problem_age < _LOOK_AGAIN_AFTER:
            return False
        try:
            works = await self.still_installed(found)
        except SlackApiError:
            return False
        if works:
            await self.records.clear_problem(found)
            return True
        await self.records.note_problem(found, found.problem)
        return False

    def _keep(self, key: str, workspace: str, installation: Installation) -> BotClient:
        client = WatchfulClient.like(
            self.client, installation.tokens.bot_token, key, team_id=workspace if installation.org_wide else ""
        )
        client.noticed = partial(self._noticed, installation)
        bot_client = BotClient(
            client=client,
            bot_user_id=installation.bot_user_id,
            bot_id=installation.bot_id,
            workspace=workspace,
            enterprise=installation.enterprise_id,
        )
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        left = installation.tokens.expires_in
        lasts = _KEPT_SECONDS if left is None else min(left, _KEPT_SECONDS)
        self._kept[key] = _KeptClient(bot_client, installation.home, self.clock() + lasts)
        return bot_client

    async def _noticed(self, installation: Installation, code: str) -> None:
        """Slack refused a token we hold. Perhaps another replica has put a newer one in its place already."""
        self.drop(installation.home)
        if code == TOKEN_OVER and installation.tokens.refresh_token:
            await self.records.expire(installation)
        elif await self.records.note_problem(installation, code):
            logger.error("Slack refuses the token of %s (%s): install the app there again", installation.home, code)
