"""A Datadog that answers from a script, in the place of the network; what was sent and slept is kept."""

import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import pytest

from bot.datadog.client import Datadog
from bot.datadog.http import Answer
from bot.datadog.insight_recognition import Recognised, recognise
from bot.datadog.links import SITES, Location, Site

API_KEY = "0123456789abcdef0123456789abcdef"
APP_KEY = "fedcba9876543210fedcba9876543210fedcba98"

Recognise = Callable[[str], Recognised]
Step = httpx.Response | Exception


class Scripted:
    """In the place of `Http`: each request is answered by a function."""

    def __init__(self, handle: Callable[[httpx.Request], httpx.Response]) -> None:
        self._handle = handle

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        response = self._handle(httpx.Request(method, url, headers=dict(headers), content=body))
        return Answer(response.status_code, response.headers, response.content)

    async def close(self) -> None:
        """Nothing was opened."""


class Wire:
    """What goes over the wire. Each call takes the next step of the script; a call beyond its end fails the test."""

    def __init__(self) -> None:
        self.sent: list[httpx.Request] = []
        self.slept: list[float] = []
        self._script: deque[Step] = deque()

    def answers(self, *steps: Step) -> None:
        self._script.extend(steps)

    def answers_json(self, *bodies: Any) -> None:
        self.answers(*(httpx.Response(200, json=body) for body in bodies))

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        assert self._script, f"not in the script: {request.method} {request.url}"
        step = self._script.popleft()
        if isinstance(step, Exception):
            raise step
        return step

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    @property
    def last(self) -> httpx.Request:
        return self.sent[-1]

    @property
    def called(self) -> str:
        return f"{self.last.method} {self.last.url.path}"

    @property
    def body(self) -> Any:
        return json.loads(self.last.content)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def datadog(wire: Wire) -> AsyncIterator[Datadog]:
    async with Datadog(
        "https://api.datadoghq.eu",
        API_KEY,
        APP_KEY,
        app_url="https://app.datadoghq.eu",
        http=Scripted(wire.handle),
        sleep=wire.sleep,
    ) as client:
        yield client


@pytest.fixture
def us1() -> Site:
    return SITES[0]


@pytest.fixture
def pasted(us1: Site) -> Recognise:
    return lambda text: recognise(text, Location(us1))
