"""The one-shot handles Slack gives with an interaction: trigger ids for modals, response URLs for answers."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.world import Channel, Message

RESPONSE_URL_SECONDS = 30 * 60
RESPONSE_URL_USES = 5


@dataclass
class Trigger:
    user_id: str
    team_id: str
    issued: float
    view_id: str = ""  # the modal it was issued in, if any
    channel_id: str = ""
    entity: str = ""  # the id of the Work Object it was issued for, if any
    used: bool = False


class Triggers:
    def __init__(self, clock: Callable[[], float], *, lives: float) -> None:
        self._clock = clock
        self._lives = lives
        self._issued: dict[str, Trigger] = {}

    def issue(self, user_id: str, team_id: str, *, view_id: str = "", channel_id: str = "", entity: str = "") -> str:
        name = f"{len(self._issued) + 1}.{team_id}.{secrets.token_hex(8)}"
        self._issued[name] = Trigger(user_id, team_id, self._clock(), view_id, channel_id, entity)
        return name

    def look_at(self, name: str) -> Trigger:
        trigger = self._issued.get(name)
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        return trigger

    def exchange(self, name: str) -> Trigger:
        trigger = self.look_at(name)
        if trigger.used:
            raise ApiError("exchanged_trigger_id")
        if self._clock() - trigger.issued > self._lives:
            raise ApiError("expired_trigger_id")
        trigger.used = True
        return trigger


@dataclass
class ResponseUrl:
    """Where the app may answer one interaction, and what that interaction was about."""

    channel: Channel
    user_id: str
    issued: float
    original: Message | None = None
    thread_ts: str | None = None
    uses: list[str] = field(default_factory=list)


class ResponseUrls:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._issued: dict[str, ResponseUrl] = {}
        self.base = ""

    def issue(self, channel: Channel, user_id: str, original: Message | None = None) -> str:
        name = f"{channel.team_id}/{len(self._issued) + 1}/{secrets.token_hex(8)}"
        thread = original.thread_ts if original else None
        self._issued[name] = ResponseUrl(channel, user_id, self._clock(), original, thread)
        return f"{self.base}/response/{name}"

    def use(self, name: str) -> ResponseUrl:
        """The handle, once more used; refused when unknown, too old or used up."""
        handle = self._issued.get(name)
        if handle is None:
            raise ApiError("invalid_url")
        if self._clock() - handle.issued > RESPONSE_URL_SECONDS:
            raise ApiError("expired_url")
        if len(handle.uses) >= RESPONSE_URL_USES:
            raise ApiError("used_url")
        return handle
