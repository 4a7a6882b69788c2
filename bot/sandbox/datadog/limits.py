"""Rate limits with calendar-aligned periods and the five headers that tell of them."""

import fnmatch
from dataclasses import dataclass, field

from bot.sandbox.datadog.answers import Answer


@dataclass(slots=True)
class Limit:
    name: str  # a bucket, or a path pattern
    limit: int
    period: int
    used: dict[tuple[str, int], int] = field(default_factory=dict)

    def covers(self, bucket: str, path: str) -> bool:
        return self.name == bucket or (self.name.startswith("/") and fnmatch.fnmatchcase(path, self.name))

    def take(self, org: str, now: float) -> tuple[dict[str, str], bool]:
        window = (org, int(now // self.period))
        count = self.used.get(window, 0) + 1
        self.used[window] = count
        left = max(0, self.limit - count)
        reset = max(1, round((window[1] + 1) * self.period - now))
        return self._headers(left, reset), count <= self.limit

    def _headers(self, left: int, reset: int) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Period": str(self.period),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(reset),
            "X-RateLimit-Name": self.name.strip("/").replace("/", "_").replace("*", "id"),
        }

    def refusal(self, headers: dict[str, str]) -> Answer:
        text = f"Rate limit of {self.limit} requests in {self.period} seconds reached. Please try again later."
        return Answer({"errors": [text]}, 429, headers=headers)


class Limits:
    def __init__(self) -> None:
        self._limits: list[Limit] = []

    def set(self, name: str, limit: int, period: int) -> None:
        self.lift(name)
        self._limits.append(Limit(name, limit, period))

    def lift(self, name: str) -> None:
        self._limits = [limit for limit in self._limits if limit.name != name]

    def take(self, org: str, bucket: str, path: str, now: float) -> tuple[dict[str, str], Answer | None]:
        """The headers for the answer, and the refusal if the bucket is empty."""
        for limit in self._limits:
            if limit.covers(bucket, path):
                headers, allowed = limit.take(org, now)
                return headers, None if allowed else limit.refusal(headers)
        return {}, None
