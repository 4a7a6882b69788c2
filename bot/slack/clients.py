"""Which Slack client speaks for which workspace. One workspace by token now; the port is the same for many."""

from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import TraceConfig
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.deadline import refuse_if_late


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


def in_time() -> TraceConfig:
    """For the session of Slack's clients: nothing is sent over a connection, new or kept, once its time is over."""

    async def check(*_: object) -> None:
        refuse_if_late()

    config = TraceConfig()
    config.on_connection_create_end.append(check)
    config.on_connection_reuseconn.append(check)
    return config


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
    async def connect(cls, client: AsyncWebClient) -> "SingleWorkspace":
        answer = await client.auth_test()
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
