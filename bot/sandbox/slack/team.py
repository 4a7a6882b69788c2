"""One workspace as the platform knows it: its users, channels and groups, and how they come into it."""

from collections.abc import Callable, Iterable
from typing import Protocol

from bot.sandbox.slack.changes import Ids
from bot.sandbox.slack.world import Channel, ChannelKind, Enterprise, Install, Posting, User, UserGroup


class HasId(Protocol):
    """A user, or whoever acts for one."""

    @property
    def id(self) -> str: ...


Members = Iterable[HasId | str]
InstallOf = Callable[[str], Install | None]


def user_id(who: HasId | str) -> str:
    return who if isinstance(who, str) else who.id


class Team:
    def __init__(self, ids: Ids, install_of: InstallOf, name: str, enterprise: Enterprise | None) -> None:
        self._ids = ids
        self._install_of = install_of
        self.id = ids.next("T")
        self.name = name
        self.domain = name.lower().replace(" ", "-")
        self.enterprise = enterprise
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, UserGroup] = {}

    @property
    def install(self) -> Install | None:
        return self._install_of(self.id)

    @property
    def scopes(self) -> set[str]:
        """The scopes the app was given here; take some away to see what breaks."""
        assert self.install is not None, "the app is not installed here"
        return self.install.scopes

    def new_user(self, name: str, *, guest: bool, admin: bool, stranger: bool) -> User:
        """Somebody new; a member of the channels that are for everyone, unless a guest or of another company."""
        address = f"{name.lower().replace(' ', '.')}@example.com"
        team_id = "T9999" if stranger else self.id
        user = User(self._ids.next("U"), team_id, name, name, address, guest, admin, stranger=stranger)
        user.enterprise_id = self.enterprise.id if self.enterprise else ""
        self.users[user.id] = user
        if not guest and not stranger:
            for channel in self.channels.values():
                if channel.everyone:
                    channel.members.add(user.id)
        return user

    def add_bot_user(self, install: Install, name: str) -> User:
        user = User(install.bot_user_id, self.id, name, name, bot_id=install.bot_id)
        self.users[user.id] = user
        return user

    def add_channel(
        self,
        name: str,
        *,
        members: Members | None = None,
        private: bool = False,
        archived: bool = False,
        posting: Posting = "everyone",
        member: bool = True,
        shared: bool = False,
    ) -> Channel:
        """A channel; without `members` everybody is in it. `member`: whether the bot is."""
        kind: ChannelKind = "private" if private else "public"
        channel = self._new_channel(name.removeprefix("#"), kind)
        channel.archived, channel.posting, channel.shared = archived, posting, shared
        channel.everyone = members is None
        people = [user.id for user in self.users.values() if not user.bot_id and not user.guest and not user.stranger]
        channel.members = set(people if members is None else map(user_id, members))
        if member and self.install is not None:
            channel.members.add(self.install.bot_user_id)
        return channel

    def add_group(self, handle: str, members: Members) -> UserGroup:
        group = UserGroup(self._ids.next("S"), self.id, handle, handle, [user_id(member) for member in members])
        self.groups[group.id] = group
        return group

    def dm(self, *users: str) -> Channel:
        """The direct conversation of these users, opened when there is none yet."""
        wanted = set(users)
        for channel in self.channels.values():
            if channel.kind in ("im", "mpim") and channel.members == wanted:
                return channel
        channel = self._new_channel("-".join(sorted(users)), "im" if len(wanted) <= 2 else "mpim")
        channel.members = wanted
        return channel

    def _new_channel(self, name: str, kind: ChannelKind) -> Channel:
        prefix = "D" if kind == "im" else "C"
        channel = Channel(self._ids.next(prefix), name, self.id, kind, self.name_of)
        self.channels[channel.id] = channel
        return channel

    def name_of(self, some_id: str) -> str:
        """What people see instead of an id."""
        for named in (self.users.get(some_id), self.channels.get(some_id)):
            if named is not None:
                return named.name
        group = self.groups.get(some_id)
        return group.handle if group else some_id

    def find_channel(self, name: str) -> Channel | None:
        wanted = name.removeprefix("#")
        return next((channel for channel in self.channels.values() if wanted in (channel.id, channel.name)), None)

    def to_json(self) -> dict[str, object]:
        shown: dict[str, object] = {"id": self.id, "name": self.name, "domain": self.domain}
        if self.enterprise:
            shown |= {"enterprise_id": self.enterprise.id, "enterprise_name": self.enterprise.name}
        return shown
