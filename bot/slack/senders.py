"""Who posted a message, as Slack itself tells it: which app, and of which team. A name is never asked for: anybody can take one."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from bot.slack.clients import Workspaces
from bot.slack.errors import CALL_ERRORS, error_code
from bot.slack.payloads import Payload

logger = logging.getLogger(__name__)

# "Datadog (Legacy)" in Slack's directory, as Datadog's documentation of its Slack integration names it
# (docs.datadoghq.com/integrations/slack). That of today's app stands nowhere: rules name it (`datadog_apps`).
DATADOG_APPS = frozenset({"A0F7XDT7F"})

_PATIENCE = 1.5  # of the three seconds an event has
_MOST_KEPT = 1_000

Belongs = Callable[[str, str], Awaitable[bool]]  # whether a workspace is one of an enterprise's


class Senders:
    def __init__(self, workspaces: Workspaces, belongs: Belongs) -> None:
        self._workspaces = workspaces
        self._belongs = belongs
        self._apps: OrderedDict[tuple[str, str], str] = OrderedDict()  # by workspace and bot

    async def is_ours(self, body: Payload, message: Payload, workspace: str) -> bool:
        """Whether it was posted by somebody of this workspace, or of its enterprise where the bot is installed for that.

        What names no team at all can be a stranger's wherever the channel is shared with other companies.
        """
        told = [message.get(name) for name in ("team", "user_team", "source_team")] + [_profile(message).get("team_id")]
        teams = {str(team) for team in told if team}
        if not teams:
            return body.get("is_ext_shared_channel") is False
        others = teams - {workspace}
        if not others:
            return True
        bot_client = await self._workspaces.bot_client(workspace)
        enterprise = bot_client.enterprise if bot_client else ""
        return bool(enterprise) and all(
            [each == enterprise or await self._belongs(each, enterprise) for each in others]
        )

    async def app(self, message: Payload, workspace: str) -> str:
        """The id of the app that posted it; empty where that can't be told."""
        told = message.get("app_id") or _profile(message).get("app_id")
        return str(told) if told else await self._app_of_bot(str(message.get("bot_id") or ""), workspace)

    async def _app_of_bot(self, bot: str, workspace: str) -> str:
        known = self._apps.get((workspace, bot))
        if known is not None or not bot:
            return known or ""
        bot_client = await self._workspaces.bot_client(workspace)
        if bot_client is None:
            return ""
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await bot_client.client.bots_info(bot=bot)
        except CALL_ERRORS as error:
            logger.warning(
                "which app the bot %s is of can't be told: Slack says %s", bot, error_code(error) or "nothing"
            )
            return ""
        self._apps[workspace, bot] = app = str((answer.get("bot") or {}).get("app_id") or "")
        while len(self._apps) > _MOST_KEPT:
            self._apps.popitem(last=False)
        return app


def _profile(message: Payload) -> Payload:
    profile = message.get("bot_profile")
    return profile if isinstance(profile, Mapping) else {}
