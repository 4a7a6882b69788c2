"""What a trial counts, and the lines it prints."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Figures:
    """Of the lists of faults each entry is one fault; a trial is good when all four are empty."""

    trial: str
    asked: int = 0  # what people asked for and was acknowledged
    unclear: int = 0  # of these, told openly that the outcome is unknown
    kills: int = 0
    freezes: int = 0
    stops: int = 0
    spoiled: int = 0  # calls to Slack and Datadog
    take_overs: list[float] = field(default_factory=list)
    exits: list[float] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        named = {"doubled": self.doubled, "lost": self.lost, "stuck": self.stuck, "wrong": self.wrong}
        return [f"{name}: {each}" for name, found in named.items() for each in found]

    def __str__(self) -> str:
        """Two lines: what was done to it, and what came of it."""
        return (
            f"{self.trial}: {self.kills} kills, {self.freezes} freezes, {self.stops} stops, {self.spoiled} calls spoiled, "
            f"{self.asked} requests acknowledged ({self.unclear} ended as unknown, and said so)\n"
            f"    doubled {len(self.doubled)}, lost {len(self.lost)}, stuck {len(self.stuck)}, wrong {len(self.wrong)}; "
            f"take-over {spread(self.take_overs)}; SIGTERM to exit {spread(self.exits)}"
        )


def spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return "-"
    return f"p50 {share(seconds, 0.5):.1f} p90 {share(seconds, 0.9):.1f} max {max(seconds):.1f} s of {len(seconds)}"


def share(seconds: Sequence[float], part: float) -> float:
    """What this part of them does not exceed."""
    ordered = sorted(seconds)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]
