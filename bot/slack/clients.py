"""Which Slack client speaks for which workspace, and that it calls nothing Slack told us to leave alone. One workspace by
token now; the port is the same for many."""

from dataclasses import dataclass
from typing import Any, Protocol

from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.network import USER_AGENT
from bot.slack.errors import RATE_LIMITED, trouble_of
from bot.slack.waits import Waits


class PatientClient(AsyncWebClient):
    """Keeps the waits that Slack told any of us, and tells the others of its own."""

    waits: Waits | None = None
    workspace: str = ""  # whose limits count; a call that is no workspace's is made in any case

    def __init__(self, token: str | None = None, **given: Any) -> None:
        super().__init__(token, user_agent_prefix=USER_AGENT, **given)

    async def api_call(self, api_method: str, **arguments: Any) -> AsyncSlackResponse:
        if self.waits is None or not self.workspace:
            return await super().api_call(api_method, **arguments)
        given = arguments.get("json") or arguments.get("params") or {}
        channel = str(given.get("channel") or "")
        async with self.waits.turn(self.workspace, api_method, channel):
            try:
                return await super().api_call(api_method, **arguments)
            except SlackApiError as error:
                trouble = trouble_of(error)
                if trouble.code == RATE_LIMITED:
                    await self.waits.told(self.workspace, api_method, channel, trouble.wait)
                raise


@dataclass(frozen=True, slots=True)
class BotClient:
    """Our bot in one workspace."""

    client: AsyncWebClient  # without retries: a post that is sent twice is worse than one that is late
    bot_user_id: str
    bot_id: str
    workspace: str = ""
    enterprise: str = ""

    @property
    def token(self) -> str:
        return self.client.token or ""


class Workspaces(Protocol):
    async def bot_client(self, workspace: str) -> BotClient | None: ...


class WorkspaceClients(Workspaces, Protocol):
    """What Bolt needs besides: who answers a request."""

    async def authorize(
        self, *, enterprise_id: str | None, team_id: str | None, context: Any = None
    ) -> AuthorizeResult | None: ...


class SingleWorkspace:
    """The two-minute path: one bot token, given in the settings, checked at start."""

    def __init__(self, bot_client: BotClient) -> None:
        self._bot_client = bot_client

    @classmethod
    async def connect(cls, client: PatientClient) -> "SingleWorkspace":
        answer = await client.auth_test()
        client.workspace = answer["team_id"]
        return cls(
            BotClient(
                client=client,
                bot_user_id=answer["user_id"],
                bot_id=answer.get("bot_id") or "",
                workspace=answer["team_id"],
                enterprise=answer.get("enterprise_id") or "",
            )
        )

    @property
    def home(self) -> str:
        return self._bot_client.workspace

    async def bot_client(self, workspace: str) -> BotClient | None:
        return self._bot_client if workspace in {"", self._bot_client.workspace} else None

    async def authorize(self, **_: Any) -> AuthorizeResult | None:
        bot_client = self._bot_client
        return AuthorizeResult(
            enterprise_id=bot_client.enterprise or None,
            team_id=bot_client.workspace,
            bot_id=bot_client.bot_id,
            bot_user_id=bot_client.bot_user_id,
            bot_token=bot_client.token,
        )
