"""Bits investigations and the script each one plays on the fake's clock. No HTTP here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.datadog.samples import DISK_FULL, FakeConclusion


@dataclass(frozen=True, slots=True)
class Script:
    """What an investigation goes through: each state with its seconds, then how it ends, unless it is held."""

    states: tuple[tuple[str, float], ...] = (("pending", 0.3), ("in progress", 0.6))
    end: str = "conclusive"
    conclusions: tuple[FakeConclusion, ...] = (DISK_FULL,)
    title: str = ""
    stays: bool = False

    @classmethod
    def held(cls, *, status: str = "in progress") -> "Script":
        """Runs until `finish` is called, or for ever."""
        return cls(states=((status, 0.0),), stays=True)

    @classmethod
    def at_once(cls, end: str = "conclusive", *conclusions: FakeConclusion) -> "Script":
        """Over before the first look."""
        return cls(states=(), end=end, conclusions=conclusions)


@dataclass(slots=True, eq=False)
class FakeInvestigation:
    id: str
    answer_id: str  # data.id of the trigger answer: another uuid, as in the published sample
    org: str
    title: str
    started_at: float
    script: Script
    monitor_id: int | None = None
    event_id: str = ""
    event_ts: int = 0
    question: dict[str, Any] = field(default_factory=dict)
    finished: tuple[str, tuple[FakeConclusion, ...]] | None = None

    def status(self, now: float) -> str:
        if self.finished:
            return self.finished[0]
        left = now - self.started_at
        for status, seconds in self.script.states:
            if left < seconds or self.script.stays:
                return status
            left -= seconds
        return self.script.end

    def over(self, now: float) -> bool:
        return bool(self.finished) or (not self.script.stays and now >= self.ends_at)

    @property
    def ends_at(self) -> float:
        return self.started_at + sum(seconds for _, seconds in self.script.states)

    def conclusions(self, now: float) -> tuple[FakeConclusion, ...]:
        if self.finished:
            return self.finished[1]
        return self.script.conclusions if self.over(now) else ()

    def finish(self, status: str, conclusions: Iterable[FakeConclusion]) -> None:
        self.finished = (status, tuple(conclusions))
