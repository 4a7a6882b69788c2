"""What can be switched to go wrong: broken answers, lost connections, requests that land late, rate limits."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Wait = float | asyncio.Event
"""Seconds, or a gate that a test opens when it wants to."""


@dataclass
class MethodFault:
    """One arranged mishap of a method. What is not given stays healthy."""

    times: int
    error: str = ""
    status: int = 0
    retry_after: int = 0
    delay: Wait = 0.0
    drop: Literal["", "before", "after"] = ""
    lands_after: Wait | None = None
    when: Callable[[dict[str, Any]], bool] | None = None
    more: dict[str, Any] = field(default_factory=dict)  # further members of the answer, beside the error
    used: int = 0

    def takes(self, arguments: dict[str, Any]) -> bool:
        return self.used < self.times and (self.when is None or self.when(arguments))


class MethodFaults:
    def __init__(self) -> None:
        self._arranged: dict[str, list[MethodFault]] = {}

    def arrange(self, method: str, fault: MethodFault) -> MethodFault:
        self._arranged.setdefault(method, []).append(fault)
        return fault

    def clear(self) -> None:
        self._arranged.clear()

    def next(self, method: str, arguments: dict[str, Any]) -> MethodFault | None:
        """The mishap that befalls this call, used up by one. `*` befalls every method."""
        for fault in [*self._arranged.get(method, []), *self._arranged.get("*", [])]:
            if fault.takes(arguments):
                fault.used += 1
                return fault
        return None


async def pause(wait: Wait) -> None:
    if isinstance(wait, asyncio.Event):
        await wait.wait()
    elif wait:
        await asyncio.sleep(wait)


SPECIAL_PER_MINUTE = 300
TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
POSTS_PER_SECOND = 1.0
POST_BURST = 5


class Bucket:
    """Tokens that come back at a steady rate."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst, self._tokens, self._at = rate, burst, burst, now

    def take(self, now: float) -> float:
        """Seconds to wait before the next is free; 0 when one was taken."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate


class RateLimits:
    """Slack's documented limits: by method, workspace and app, and about one post a second in a channel."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buckets: dict[tuple[str, ...], Bucket] = {}

    def retry_after(self, method: str, per_minute: int, team: str, channel: str) -> int:
        """Whole seconds the app has to wait, 0 when the call may go on."""
        wait = self._take(("method", method, team, str(per_minute)), per_minute / 60, per_minute)
        if not wait and method == "chat.postMessage" and channel:
            wait = self._take(("channel", team, channel), POSTS_PER_SECOND, POST_BURST)
        return math.ceil(wait)

    def _take(self, key: tuple[str, ...], rate: float, burst: float) -> float:
        now = self._monotonic()
        if key not in self._buckets:
            self._buckets[key] = Bucket(rate, burst, now)
        return self._buckets[key].take(now)
