"""Who and what there is in the local Slack: users, channels, messages, groups. Plain data; the API and the people act on it."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.sandbox.slack.entities import FIELDS
from bot.sandbox.slack.mrkdwn import NameOf, pinged_in_attachments, pinged_in_blocks, pinged_in_text
from bot.sandbox.slack.render import JSON, message_lines

ChannelKind = Literal["public", "private", "im", "mpim"]
Posting = Literal["everyone", "restricted", "threads_locked"]
_CREATED = 1_700_000_000
_MOST_REPLY_USERS = 5  # named of those who replied


@dataclass(eq=False)
class User:
    id: str
    team_id: str
    name: str
    real_name: str
    email: str = ""
    guest: bool = False
    admin: bool = False
    deleted: bool = False
    stranger: bool = False  # of another company, here through Slack Connect
    bot_id: str = ""
    enterprise_id: str = ""

    def to_json(self, *, with_email: bool = False) -> JSON:
        profile = {"real_name": self.real_name, "display_name": self.name, "team": self.team_id}
        if with_email and self.email:
            profile["email"] = self.email
        shown: JSON = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": self.deleted,
            "tz": "Etc/UTC",
            "profile": profile,
            "is_admin": self.admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": self.guest,
            "is_ultra_restricted": False,
            "is_stranger": self.stranger,
            "is_bot": bool(self.bot_id),
            "is_app_user": False,
            "updated": _CREATED,
        }
        if self.enterprise_id:
            shown["enterprise_user"] = {"id": self.id, "enterprise_id": self.enterprise_id, "teams": [self.team_id]}
        return shown


@dataclass(frozen=True)
class Author:
    """Who stands over a message: a person, or an app's bot."""

    user_id: str
    name: str
    bot_id: str = ""
    app_id: str = ""
    team_id: str = ""
    subtype: str = ""


@dataclass(eq=False)
class Message:
    channel: "Channel" = field(repr=False)
    author: Author = field(repr=False)
    ts: str
    text: str = ""
    blocks: list[JSON] = field(default_factory=list)
    attachments: list[JSON] = field(default_factory=list)
    thread_ts: str | None = None
    metadata: JSON | None = None
    edited_by: str | None = None
    edited_ts: str | None = None
    only_for: str | None = None  # the one user an ephemeral message is shown to
    deleted: bool = False
    broadcast: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    client_msg_id: str | None = None
    edits: int = 0
    _read: "tuple[tuple[object, ...], set[str]] | None" = field(default=None, init=False, repr=False)

    @property
    def root_ts(self) -> str:
        return self.thread_ts or self.ts

    @property
    def replies(self) -> list["Message"]:
        """The thread under this message, as everyone sees it."""
        return [other for other in self.channel.messages if other.thread_ts == self.ts and other is not self]

    def visible_to(self, user_id: str) -> bool:
        can_enter = self.channel.kind == "public" or user_id in self.channel.members
        return can_enter and not self.deleted and self.only_for in (None, user_id)

    @property
    def names(self) -> set[str]:
        """The ids of whom it mentions, and here, channel, everyone; read again only once it says something else."""
        says = (self.text, self.blocks, self.attachments)
        if self._read is None or any(now is not then for now, then in zip(says, self._read[0], strict=True)):
            pinged = (
                *pinged_in_text(self.text),
                *pinged_in_blocks(self.blocks),
                *pinged_in_attachments(self.attachments),
            )
            self._read = says, {target for _, target in pinged}
        return self._read[1]

    @property
    def lines(self) -> list[str]:
        """What people read in it, line by line."""
        return message_lines(self.text, self.blocks, self.attachments, self.channel.name_of)

    @property
    def shown(self) -> str:
        return "\n".join(self.lines)

    def to_json(self, *, metadata: bool = False) -> JSON:
        """As the API returns it. Of the metadata only the type is given unless all is asked for."""
        copied: JSON = as_json(self.as_it_stands(metadata=metadata))
        return copied

    def as_it_stands(self, *, metadata: bool = False) -> JSON:
        """The same, with parts of this message in it: for who only writes it out."""
        shown: JSON = {"type": "message", "ts": self.ts, "text": self.text, **self._author_json()}
        if self.client_msg_id:
            shown["client_msg_id"] = self.client_msg_id
        if self.blocks:
            shown["blocks"] = self.blocks
        if self.attachments:
            shown["attachments"] = self.attachments
        shown |= self._thread_json() | self._extras_json()
        if self.metadata:
            shown["metadata"] = self.metadata if metadata else {"event_type": self.metadata["event_type"]}
        return shown

    def _author_json(self) -> JSON:
        author = self.author
        told = {"team": author.team_id, "user": author.user_id, "subtype": author.subtype, "bot_id": author.bot_id}
        shown: JSON = {name: value for name, value in told.items() if value}
        if author.app_id:  # integrations of old have none
            shown |= {"app_id": author.app_id, "bot_profile": self._bot_profile()}
        if author.subtype == "bot_message":
            shown["username"] = author.name
        return shown

    def _bot_profile(self) -> JSON:
        return {
            "id": self.author.bot_id,
            "app_id": self.author.app_id,
            "name": self.author.name,
            "team_id": self.author.team_id,
            "deleted": False,
        }

    def _thread_json(self) -> JSON:
        if self.thread_ts:
            parent = self.channel.message(self.thread_ts)
            return {"thread_ts": self.thread_ts, "parent_user_id": parent.author.user_id if parent else ""}
        replies = self.replies
        if not replies:
            return {}
        who = list(dict.fromkeys(reply.author.user_id for reply in replies))
        return {
            "thread_ts": self.ts,
            "reply_count": len(replies),
            "reply_users": who[:_MOST_REPLY_USERS],
            "reply_users_count": len(who),
            "latest_reply": replies[-1].ts,
        }

    def _extras_json(self) -> JSON:
        extras: JSON = {}
        if self.edited_ts and self.edited_by:
            extras["edited"] = {"user": self.edited_by, "ts": self.edited_ts}
        if self.reactions:
            extras["reactions"] = [
                {"name": name, "users": users, "count": len(users)} for name, users in self.reactions.items()
            ]
        return extras


@dataclass(eq=False)
class Channel:
    id: str
    name: str
    team_id: str
    kind: ChannelKind
    name_of: NameOf = field(repr=False)
    members: set[str] = field(default_factory=set)
    archived: bool = False
    posting: Posting = "everyone"
    everyone: bool = False  # who comes later is a member too
    shared: bool = False  # Slack Connect
    messages: list[Message] = field(default_factory=list, repr=False)
    ephemerals: list[Message] = field(default_factory=list, repr=False)

    @property
    def is_private(self) -> bool:
        return self.kind != "public"

    def message(self, ts: str) -> Message | None:
        return next((message for message in self.messages if message.ts == ts), None)

    def find(self, words: str) -> Message | None:
        """The newest message (not ephemeral) in which people read these words."""
        return next((message for message in reversed(self.messages) if words in message.shown), None)

    @property
    def top_level(self) -> list[Message]:
        return [message for message in self.messages if message.thread_ts is None or message.broadcast]

    def to_json(self, viewer: str = "") -> JSON:
        if self.kind == "im":
            other = next((member for member in sorted(self.members) if member != viewer), viewer)
            return {"id": self.id, "is_im": True, "user": other, "created": _CREATED, "is_archived": False}
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.kind == "public",
            "is_group": self.kind == "private",
            "is_im": False,
            "is_mpim": self.kind == "mpim",
            "is_private": self.is_private,
            "is_archived": self.archived,
            "is_general": False,
            "is_ext_shared": self.shared,
            "is_shared": self.shared,
            "is_org_shared": False,
            "is_member": viewer in self.members,
            "created": _CREATED,
            "context_team_id": self.team_id,
            "num_members": len(self.members),
        }


@dataclass(eq=False)
class UserGroup:
    id: str
    team_id: str
    handle: str
    name: str
    members: list[str]

    def to_json(self) -> JSON:
        return {
            "id": self.id,
            "team_id": self.team_id,
            "is_usergroup": True,
            "name": self.name,
            "handle": self.handle,
            "date_delete": 0,
            "user_count": len(self.members),
            "users": self.members,
        }


@dataclass(frozen=True)
class Enterprise:
    id: str
    name: str


@dataclass(eq=False)
class App:
    """The app under test, as its settings page shows it."""

    id: str
    name: str
    client_id: str
    client_secret: str
    signing_secret: str
    app_token: str
    verification_token: str = "legacy-verification-token"
    redirect_urls: list[str] = field(default_factory=list)
    rotates_tokens: bool = False
    home_enabled: bool = True
    escapes_commands: bool = True
    events: set[str] | None = None  # subscribed, as a manifest names them (message.channels, …); None stands for all
    commands: set[str] | None = None  # registered slash commands; None stands for any
    shortcuts: dict[str, str] | None = None  # registered callback ids with "message" or "global"; None stands for any
    entity_types: frozenset[str] = frozenset(FIELDS)  # of Work Objects, as they are switched on for the app
    bot_name: str = "bitsbot"

    def apply_manifest(self, manifest: dict[str, Any]) -> None:
        """From now on only what the manifest names is there."""
        features, settings = manifest.get("features", {}), manifest.get("settings", {})
        previews = features.get("rich_previews", {})
        self.entity_types = frozenset(previews.get("entity_types", ()) if previews.get("is_active") else ())
        commands = features.get("slash_commands", [])
        self.commands = {entry["command"] for entry in commands}
        self.escapes_commands = any(entry.get("should_escape", False) for entry in commands)
        self.shortcuts = {entry["callback_id"]: entry["type"] for entry in features.get("shortcuts", [])}
        self.home_enabled = features.get("app_home", {}).get("home_tab_enabled", False)
        self.events = set(settings.get("event_subscriptions", {}).get("bot_events", []))
        self.rotates_tokens = settings.get("token_rotation_enabled", False)
        self.redirect_urls = list(manifest.get("oauth_config", {}).get("redirect_urls", []))


@dataclass(eq=False)
class Install:
    """The app in one workspace, or in a whole enterprise, with the token it was given."""

    bot_token: str
    scopes: set[str]
    team_ids: list[str]
    bot_id: str
    bot_user_id: str
    installer: str = ""
    enterprise: Enterprise | None = None
    org_wide: bool = False
    expires_at: float | None = None
    refresh_token: str | None = None
    gone: str = ""  # why its tokens are dead: token_revoked or account_inactive
    old_tokens: dict[str, float] = field(default_factory=dict)  # rotated out, with the end of their life


def as_json(value: Any) -> Any:
    """A copy without shared parts, as it would come over the wire."""
    return json.loads(json.dumps(value))
