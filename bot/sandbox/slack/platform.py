"""Slack itself, without a port to reach it by and without people: its workspaces and the app, what changes them, what waits."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.sandbox.slack import datadog_app
from bot.sandbox.slack.changes import Background, Changes, Ids, Timestamps
from bot.sandbox.slack.delivery import Deliveries
from bot.sandbox.slack.entities import Pane
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.events import READ_SCOPE, Events
from bot.sandbox.slack.faults import MethodFaults, RateLimits, Wait
from bot.sandbox.slack.handles import ResponseUrls, Triggers
from bot.sandbox.slack.messages import Messages
from bot.sandbox.slack.oauth import OAuth, fresh_token
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.screens import Screens
from bot.sandbox.slack.sockets import Sockets
from bot.sandbox.slack.team import Team
from bot.sandbox.slack.transcript import transcript
from bot.sandbox.slack.world import App, Channel, Install, Message

T = TypeVar("T")
DEFAULT_SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)
ACK_SECONDS = 3.0
TRIGGER_SECONDS = 3.0
EVENT_RETRY_WAITS = (0.0, 60.0, 300.0)
PATIENCE = 30.0  # long, for a busy machine: only what never happens takes all of it


@dataclass(frozen=True)
class ApiCall:
    """One line of the journal. `answer` is what the app got, or would have got had the connection held."""

    method: str
    args: dict[str, Any]
    answer: JSON
    status: int = 200
    at: float = 0.0  # when it came in, in Unix seconds
    seconds: float = 0.0  # until it was answered

    @property
    def ok(self) -> bool:
        return bool(self.answer.get("ok"))

    @property
    def error(self) -> str:
        return str(self.answer.get("error", ""))

    def structure(self, name: str) -> Any:
        """An argument that is JSON, however it was sent."""
        value = self.args.get(name)
        return json.loads(value) if isinstance(value, str) else value


class Platform:
    """`clock` is Slack's wall clock (timestamps, trigger ids, response URLs, token lives); `monotonic` paces the rate limits."""

    def __init__(
        self,
        app: App,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        ack_seconds: float = ACK_SECONDS,
        trigger_seconds: float = TRIGGER_SECONDS,
        event_retry_waits: Sequence[float] = EVENT_RETRY_WAITS,
    ) -> None:
        self.app = app
        self.clock = clock
        self.ids = Ids()
        self.changes = Changes()
        self.background = Background()
        self.teams: dict[str, Team] = {}
        self.installs: list[Install] = []
        self.calls: list[ApiCall] = []
        self.sockets = Sockets(self.changes, app.id)
        self.delivery = Deliveries(
            self.changes, self.sockets, app.signing_secret, ack_seconds=ack_seconds, retry_waits=event_retry_waits
        )
        self.events = Events(app, self.ids, self.delivery, self.install_of, clock)
        self.messages = Messages(self.changes, Timestamps(clock), self.events, app.id)
        self.screens = Screens(self.ids)
        self.panes: dict[str, Pane] = {}  # of Work Objects, by the person who looks at one
        self.triggers = Triggers(clock, lives=trigger_seconds)
        self.response_urls = ResponseUrls(clock)
        self.oauth = OAuth(app, clock, self.teams, self.installs, self.install)
        self.faults = MethodFaults()
        self.limits = RateLimits(monotonic)
        self.rate_limits = False
        self.reads_limited = False
        self.slow: Wait = 0.0

    # -- the app in its workspaces ---------------------------------------------------------------------------------

    def install(
        self, *teams: Team, scopes: Iterable[str] = DEFAULT_SCOPES, installer: str = "", org_wide: bool = False
    ) -> Install:
        """Gives the app to a workspace, or with `org_wide` to those of an enterprise. A second time only changes the scopes."""
        first, team_ids = teams[0], [team.id for team in teams]
        before = [one for one in self.installs if one.team_ids == team_ids and one.org_wide == org_wide]
        alive = next((one for one in before if not one.gone), None)
        bot_id = before[-1].bot_id if before else self.ids.next("B")
        bot_user_id = before[-1].bot_user_id if before else self.ids.next("U")
        token = alive.bot_token if alive else fresh_token("xoxb")
        install = Install(token, set(scopes), team_ids, bot_id, bot_user_id, installer, first.enterprise, org_wide)
        if alive is not None:
            self.installs.remove(alive)
        self.installs.append(install)
        for team in teams:
            if bot_user_id not in team.users:
                team.add_bot_user(install, self.app.name)
        self.changes.notify()
        return install

    def install_of(self, team_id: str) -> Install | None:
        return next((one for one in self.installs if team_id in one.team_ids and not one.gone), None)

    def bots(self) -> list[JSON]:
        """Every bot there is, as bots.info tells of them."""
        ours = [
            {
                "id": one.bot_id,
                "deleted": bool(one.gone),
                "name": self.app.name,
                "app_id": self.app.id,
                "user_id": one.bot_user_id,
            }
            for one in self.installs
        ]
        return [*ours, datadog_app.BOT]

    def revoke_tokens(self, install: Install) -> None:
        """The tokens die, and the app is told by tokens_revoked."""
        install.gone = install.gone or "token_revoked"
        for team_id in install.team_ids:
            event = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [install.bot_user_id]}}
            self.events.tell(team_id, event, to=install)
        self.changes.notify()

    def uninstall(self, install: Install) -> None:
        """Somebody removes the app: both events come, the tokens are dead."""
        install.gone = "account_inactive"
        self.revoke_tokens(install)
        for team_id in install.team_ids:
            self.events.tell(team_id, {"type": "app_uninstalled"}, to=install)

    # -- channels --------------------------------------------------------------------------------------------------

    def channel_of(self, channel_id: str) -> Channel:
        for team in self.teams.values():
            if channel_id in team.channels:
                return team.channels[channel_id]
        raise ApiError("channel_not_found")

    def join(self, channel: Channel, user_id: str, *, inviter: str = "") -> None:
        """Somebody, or the bot, becomes a member."""
        if user_id in channel.members:
            return
        channel.members.add(user_id)
        joined = {
            "type": "member_joined_channel",
            "user": user_id,
            "channel": channel.id,
            "channel_type": "G" if channel.is_private else "C",
            "team": channel.team_id,
            "event_ts": f"{self.clock():.6f}",
        } | ({"inviter": inviter} if inviter else {})
        self.events.tell(channel.team_id, joined, scope=READ_SCOPE[channel.kind])
        self.changes.notify()

    def permalink(self, message: Message) -> str:
        domain = self.teams[message.channel.team_id].domain
        link = f"https://{domain}.slack.com/archives/{message.channel.id}/p{message.ts.replace('.', '')}"
        return f"{link}?thread_ts={message.thread_ts}&cid={message.channel.id}" if message.thread_ts else link

    # -- waiting ---------------------------------------------------------------------------------------------------

    def everything(self) -> str:
        """All channels with all that only one person sees in them: what a test shows when it waited in vain."""
        shown = [transcript(one, "*") for team in self.teams.values() for one in team.channels.values()]
        opened = [view.title for stack in self.screens.stacks.values() for view in stack]
        modals = [f"open modals: {', '.join(opened)}"] if opened else []
        last = [f"{call.method} {call.error or 'ok'}" for call in self.calls[-8:]]
        return "\n\n".join([*shown, *modals, f"last calls: {', '.join(last)}"])

    async def wait_for(self, happened: Callable[[], T | None], timeout: float = PATIENCE) -> T:  # noqa: ASYNC109 - part of the message
        """Waits for the first true value, looked at after every change; else fails, showing what there is."""
        return await self.changes.wait_for(happened, timeout, self.everything)
