"""A connected Datadog organisation as the other rooms see it, and the clients that speak to each."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bot.datadog.case_rules import CaseRules
from bot.datadog.cases import Cases
from bot.datadog.client import Datadog
from bot.datadog.escalations import Escalations
from bot.datadog.investigations import BitsInvestigations
from bot.datadog.monitors import Events, Monitors
from bot.datadog.webhooks import Webhooks

MOST_CLIENTS = 200
LINGER = 120.0  # seconds; no call takes longer, its repetitions included


class ConnectedOrg:
    def __init__(self, name: str, client: Datadog, app_url: str) -> None:
        self.name = name
        self.client = client
        self.app_url = app_url
        self.bits = BitsInvestigations(client)
        self.alerts = Events(client)
        self.monitors = Monitors(client)
        self.cases = Cases(client)
        self.case_rules = CaseRules(client)
        self.webhooks = Webhooks(client)
        self.escalations = Escalations(client)


@dataclass(eq=False, repr=False)
class ClientPool:
    """One client an organisation, with its connections; replaced when its keys change.

    A client that is replaced or pushed out lives on until the calls under way on it can have ended.
    """

    most: int = MOST_CLIENTS
    linger: float = LINGER
    clock: Callable[[], float] = time.monotonic
    _pooled: OrderedDict[str, tuple[int, ConnectedOrg]] = field(default_factory=OrderedDict, init=False)
    _retired: list[tuple[float, ConnectedOrg]] = field(default_factory=list, init=False)

    def __iter__(self) -> Iterator[ConnectedOrg]:
        return (org for _, org in self._pooled.values())

    def get(self, org: str, version: int, make: Callable[[], ConnectedOrg]) -> ConnectedOrg:
        known = self._pooled.pop(org, None)
        if known is not None and known[0] != version:
            self._retire(known[1])
            known = None
        self._pooled[org] = known or (version, make())
        while len(self._pooled) > self.most:
            self._retire(self._pooled.popitem(last=False)[1][1])
        return self._pooled[org][1]

    def drop(self, org: str) -> None:
        """Its keys are gone: nothing new is asked with them."""
        if known := self._pooled.pop(org, None):
            self._retire(known[1])

    def _retire(self, org: ConnectedOrg) -> None:
        self._retired.append((self.clock() + self.linger, org))

    async def close_retired(self) -> None:
        now = self.clock()
        over = [org for until, org in self._retired if until <= now]
        self._retired = [(until, org) for until, org in self._retired if until > now]
        for org in over:
            await org.client.aclose()

    async def close(self) -> None:
        every = [*(org for _, org in self._pooled.values()), *(org for _, org in self._retired)]
        self._pooled.clear()
        self._retired.clear()
        for org in every:
            await org.client.aclose()
