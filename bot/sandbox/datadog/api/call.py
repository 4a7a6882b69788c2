"""What a function of the API is given, and how it is found: the call as the server read it, and its route."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.sandbox.datadog.answers import Answer, Json
from bot.sandbox.datadog.org import FakeOrg
from bot.sandbox.datadog.world import World


@dataclass(frozen=True, slots=True)
class Call:
    """One accepted request, with the organisation its keys belong to."""

    world: World
    org: FakeOrg
    method: str
    path: str
    args: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    base_url: str

    @property
    def now(self) -> float:
        return self.world.clock()


Handler = Callable[[Call], Answer]
Needs = Callable[[Json], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Route:
    """One documented call: what it needs, which query members it knows, and which rate-limit bucket it counts in."""

    method: str
    template: str
    handler: Handler
    needs: tuple[str, ...] | Needs = ()
    bucket: str = "default"
    params: tuple[str, ...] = ()
    body: bool = False
    keys: str = "both"  # both | api

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template))

    def permissions(self, body: Json) -> tuple[str, ...]:
        return self.needs(body) if callable(self.needs) else self.needs
