"""One call of a Web API method: its arguments as Slack reads them, who calls, and what that caller may see."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.team import Team
from bot.sandbox.slack.world import Channel, Install, User

_TRUE = ("1", "true", "True")


@dataclass
class MethodCall:
    slack: Platform
    method: str
    args: dict[str, Any]
    caller: Install | None = None

    @property
    def install(self) -> Install:
        assert self.caller is not None, "only methods with a bot token ask for it"
        return self.caller

    def text(self, name: str, default: str = "") -> str:
        value = self.args.get(name)
        return default if value is None else str(value)

    def need(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise ApiError.because("invalid_arguments", [f"missing required field: {name}"])
        return value

    def flag(self, name: str) -> bool:
        return str(self.args.get(name)) in _TRUE

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.args.get(name) or default)
        except ValueError:
            raise ApiError("invalid_limit" if name == "limit" else "invalid_arguments") from None

    def structure(self, name: str, error: str = "invalid_arguments") -> Any:
        """An argument that is JSON, sent as such or as a string; `None` when it is absent."""
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise ApiError(error) from None

    @property
    def workspaces(self) -> list[Team]:
        return [self.slack.teams[team_id] for team_id in self.install.team_ids]

    @property
    def workspace(self) -> Team:
        """The one workspace meant; an org-wide token has to name it."""
        wanted = self.text("team_id")
        if not wanted and len(self.workspaces) > 1:
            raise ApiError("missing_argument")
        for workspace in self.workspaces:
            if wanted in ("", workspace.id):
                return workspace
        raise ApiError("team_access_not_granted")

    def user(self, name: str = "user") -> User:
        wanted = self.need(name)
        for workspace in self.workspaces:
            if wanted in workspace.users:
                return workspace.users[wanted]
        raise ApiError("user_not_found")

    def is_member(self, channel: Channel) -> bool:
        return self.install.bot_user_id in channel.members

    def channel(self, name: str = "channel", *, by_name: bool = False) -> Channel:
        """A channel the app can see; private ones without it do not exist for it."""
        wanted = self.need(name)
        for workspace in self.workspaces:
            channel = workspace.find_channel(wanted) if by_name else workspace.channels.get(wanted)
            if channel is not None and (channel.kind == "public" or self.is_member(channel)):
                return channel
        raise ApiError("channel_not_found")

    def need_scope(self, *any_of: str) -> None:
        if not self.install.scopes.intersection(any_of):
            raise ApiError("missing_scope", needed=any_of[0], provided=",".join(sorted(self.install.scopes)))


Handler = Callable[[MethodCall], Awaitable[JSON] | JSON]


@dataclass(frozen=True)
class Method:
    handler: Handler
    per_minute: int
    scopes: tuple[str, ...] = ()  # one of them is needed
    token: str = "bot"  # bot | app | none


METHODS: dict[str, Method] = {}


def method(name: str, per_minute: int, *scopes: str, token: str = "bot") -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(handler, per_minute, scopes, token)
        return handler

    return register
