"""A connected Datadog organisation as the other rooms see it, and the clients that speak to each."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from bot.datadog.cases import Cases
from bot.datadog.client import Datadog
from bot.datadog.investigations import BitsInvestigations
from bot.datadog.monitors import Events, Monitors

MOST_CLIENTS = 200
LINGER = 120.0  # seconds; no call takes longer, its repetitions included


@dataclass(frozen=True, slots=True)
class ConnectedOrg:
    name: str
    client: Datadog
    app_url: str
    bits: BitsInvestigations
    alerts: Events
    monitors: Monitors
    cases: Cases

    @classmethod
    def on(cls, name: str, client: Datadog, app_url: str) -> Self:
        return cls(
            name,
            client,
            app_url,
            BitsInvestigations(client),
            Events(client),
            Monitors(client),
            Cases(client),
        )


@dataclass(slots=True)
class _Pooled:
    version: int
    org: ConnectedOrg


class ClientPool:
    """One client an organisation, with its connections; replaced when its keys change.

    A client that is replaced or pushed out lives on until the calls under way on it can have ended.
    """

    def __init__(
        self, *, most: int = MOST_CLIENTS, linger: float = LINGER, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._linger = linger
        self._clock = clock
        self._pooled: OrderedDict[str, _Pooled] = OrderedDict()
        self._retired: list[tuple[float, ConnectedOrg]] = []

    def get(self, org: str, version: int, make: Callable[[], ConnectedOrg]) -> ConnectedOrg:
        known = self._pooled.pop(org, None)
        if known is not None and known.version != version:
            self._retire(known.org)
            known = None
        self._pooled[org] = known or _Pooled(version, make())
        while len(self._pooled) > self._most:
            self._retire(self._pooled.popitem(last=False)[1].org)
        return self._pooled[org].org

    def drop(self, org: str) -> None:
        """Its keys are gone: nothing new is asked with them."""
        if known := self._pooled.pop(org, None):
            self._retire(known.org)

    def _retire(self, org: ConnectedOrg) -> None:
        self._retired.append((self._clock() + self._linger, org))

    async def close_retired(self) -> None:
        now = self._clock()
        over = [org for until, org in self._retired if until <= now]
        self._retired = [(until, org) for until, org in self._retired if until > now]
        for org in over:
            await org.client.aclose()

    async def close(self) -> None:
        every = [*(pooled.org for pooled in self._pooled.values()), *(org for _, org in self._retired)]
        self._pooled.clear()
        self._retired.clear()
        for org in every:
            await org.client.aclose()
