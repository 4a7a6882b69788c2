"""What this room needs of others, declared here so that its tests run without them."""

from datetime import datetime
from typing import Protocol

from bot.datadog.monitors import Monitor
from bot.investigations.model import Failure
from bot.investigations.requests import Outcome
from bot.model import AlertRef, Ask, Place
from bot.orgs.model import NoOrg
from bot.rules.budget import Terms
from bot.rules.model import AlertFacts, ChannelRules


class Rules(Protocol):
    async def of(self, workspace: str, channel: str) -> ChannelRules: ...


class Chooser(Protocol):
    """Knows which organisation a place is served by, and which channels an organisation's alerts can come to."""

    async def choose(self, place: Place, host: str) -> str | NoOrg: ...
    async def channels_of(self, org: str) -> list[ChannelRules]: ...


class Automatic(Protocol):
    async def consider(self, place: Place, alert: AlertRef, facts: AlertFacts, org: str) -> str | None: ...


class Asking(Protocol):
    async def ask(self, ask: Ask, terms: Terms) -> Outcome: ...


class MutableMonitors(Protocol):
    async def get(self, monitor_id: int) -> Monitor: ...
    async def mute(self, monitor_id: int, *, until: datetime, scope: str, message: str) -> str: ...
    async def unmute(self, downtime_id: str) -> None: ...


class MutableOrg(Protocol):
    @property
    def monitors(self) -> MutableMonitors: ...


class MutableOrgs(Protocol):
    async def get(self, org: str) -> MutableOrg | None: ...


class Teller(Protocol):
    """Tells the person who clicked what became of it, where the card does not show it."""

    async def mute_failed(self, place: Place, person: str, failure: Failure, *, unmute: bool) -> None: ...
    async def mute_unclear(self, place: Place, person: str) -> None: ...
