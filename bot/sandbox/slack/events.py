"""Events of the Events API: which the app may hear, and the wrapping they travel in."""

import asyncio
from collections.abc import Callable

from bot.sandbox.slack.changes import Ids
from bot.sandbox.slack.delivery import Deliveries
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.world import App, Channel, ChannelKind, Install, Message, as_json

HISTORY_SCOPE: dict[ChannelKind, str] = {
    "public": "channels:history",
    "private": "groups:history",
    "im": "im:history",
    "mpim": "mpim:history",
}
READ_SCOPE: dict[ChannelKind, str] = {
    "public": "channels:read",
    "private": "groups:read",
    "im": "im:read",
    "mpim": "mpim:read",
}
_CHANNEL_TYPE: dict[ChannelKind, str] = {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}


class Events:
    def __init__(
        self,
        app: App,
        ids: Ids,
        delivery: Deliveries,
        install_of: Callable[[str], Install | None],
        clock: Callable[[], float],
    ) -> None:
        self._app = app
        self._ids = ids
        self._delivery = delivery
        self._install_of = install_of
        self._clock = clock

    def tell(
        self, team_id: str, event: JSON, *, scope: str = "", to: Install | None = None
    ) -> asyncio.Future[None] | None:
        """Sends the event if the app is installed, subscribed and allowed; done after the first attempt."""
        install = to or self._install_of(team_id)
        if install is None or (scope and scope not in install.scopes):
            return None
        kind = event["type"]
        subscription = f"message.{_PLURAL[event['channel_type']]}" if kind == "message" else kind
        if self._app.events is not None and subscription not in self._app.events:
            return None
        return self._delivery.emit(self._wrapped(team_id, dict(event), install))

    def _wrapped(self, team_id: str, event: JSON, install: Install) -> JSON:
        authorization = {
            "enterprise_id": install.enterprise.id if install.enterprise else None,
            "team_id": None if install.org_wide else team_id,
            "user_id": install.bot_user_id,
            "is_bot": True,
            "is_enterprise_install": install.org_wide,
        }
        event_id = self._ids.next("Ev")
        is_shared = bool(event.pop("is_ext_shared_channel", False))
        wrapped: JSON = {
            "token": self._app.verification_token,
            "team_id": team_id,
            "context_team_id": team_id,
            "context_enterprise_id": authorization["enterprise_id"],
            "api_app_id": self._app.id,
            "event": as_json(event),
            "type": "event_callback",
            "event_id": event_id,
            "event_time": int(self._clock()),
            "authorizations": [authorization],
            "is_ext_shared_channel": is_shared,
            "event_context": f"4-{event_id}",
        }
        if install.enterprise:
            wrapped["enterprise_id"] = install.enterprise.id
        return wrapped

    def about_message(self, message: Message, event: JSON | None = None) -> asyncio.Future[None] | None:
        """A message event; only in channels the bot is in."""
        channel = message.channel
        install = self._install_of(channel.team_id)
        if install is None or install.bot_user_id not in channel.members:
            return None
        shown = event or message.to_json(metadata=True)
        placed = {**shown, **_place(channel), "event_ts": shown["ts"]}
        if message.broadcast and event is None:
            placed["subtype"] = "thread_broadcast"
        return self.tell(channel.team_id, placed, scope=HISTORY_SCOPE[channel.kind])

    def mention(self, message: Message) -> asyncio.Future[None] | None:
        """app_mention: in channels only, and only where the bot is a member."""
        channel = message.channel
        install = self._install_of(channel.team_id)
        named = install is not None and f"<@{install.bot_user_id}" in message.text
        if install is None or not named or channel.kind == "im" or install.bot_user_id not in channel.members:
            return None
        shown = message.to_json() | {"type": "app_mention", "channel": channel.id, "event_ts": message.ts}
        return self.tell(channel.team_id, shown, scope="app_mentions:read")


_PLURAL = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}


def _place(channel: Channel) -> JSON:
    shared = {"is_ext_shared_channel": True} if channel.shared else {}
    return {"channel": channel.id, "channel_type": _CHANNEL_TYPE[channel.kind], **shared}
