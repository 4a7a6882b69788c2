"""What a supervisor is told: how each part of the bot does, and whether people would be served."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class HealthReport:
    name: str
    ok: bool
    sentence: str


Ready = Callable[[], Awaitable[Sequence[HealthReport]]]
Stuck = Callable[[], Sequence[str]]  # a sentence for each thing that only a new start can end


def as_answer(parts: Sequence[HealthReport]) -> dict[str, Any]:
    problems = [part.sentence for part in parts if not part.ok]
    return {"ready": not problems, "problem": "; ".join(problems), "parts": [asdict(part) for part in parts]}
