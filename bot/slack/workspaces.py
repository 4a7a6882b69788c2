"""Which Slack client speaks for which workspace. One workspace by token now; the port is the same for many."""

from dataclasses import dataclass
from typing import Any, Protocol

from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient


@dataclass(frozen=True, slots=True)
class Speaker:
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
    async def speaker(self, workspace: str) -> Speaker | None: ...


class Home(Workspaces, Protocol):
    """What Bolt needs besides: who answers a request."""

    async def authorize(
        self, *, enterprise_id: str | None, team_id: str | None, context: Any = None
    ) -> AuthorizeResult | None: ...


class SingleWorkspace:
    """The two-minute path: one bot token, given in the settings, checked at start."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker

    @classmethod
    async def connect(cls, client: AsyncWebClient) -> "SingleWorkspace":
        answer = await client.auth_test()
        return cls(
            Speaker(
                client=client,
                bot_user_id=answer["user_id"],
                bot_id=answer.get("bot_id") or "",
                workspace=answer["team_id"],
                enterprise=answer.get("enterprise_id") or "",
            )
        )

    async def speaker(self, workspace: str) -> Speaker | None:
        return self._speaker if workspace in {"", self._speaker.workspace} else None

    @property
    def workspace(self) -> str:
        return self._speaker.workspace

    async def authorize(self, **_: Any) -> AuthorizeResult | None:
        speaker = self._speaker
        return AuthorizeResult(
            enterprise_id=speaker.enterprise or None,
            team_id=speaker.workspace,
            bot_id=speaker.bot_id,
            bot_user_id=speaker.bot_user_id,
            bot_token=speaker.token,
        )
