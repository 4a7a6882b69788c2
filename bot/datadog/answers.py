"""How one organisation has answered lately: counted at every call, and asked by nobody but those who watch over the bot."""

import time
from dataclasses import dataclass

from bot.datadog.errors import DatadogError, Forbidden, NoAnswer, NotSent, Unauthorized, Unavailable

FAILS_AFTER = 3  # in a row: one lost answer is nothing, and neither is one permission that a key lacks

_BAD = (Unauthorized, Forbidden, NotSent, Unavailable, NoAnswer)


@dataclass
class Answers:
    good_at: float | None = None  # by the monotonic clock
    bad_in_a_row: int = 0
    trouble: str = ""  # the last bad one, in a word

    def note(self, error: DatadogError | None) -> None:
        """A refusal of what was asked is an answer as good as any."""
        if isinstance(error, _BAD):
            self.bad_in_a_row += 1
            self.trouble = type(error).__name__
        else:
            self.good_at, self.bad_in_a_row, self.trouble = time.monotonic(), 0, ""

    @property
    def is_failing(self) -> bool:
        return self.bad_in_a_row >= FAILS_AFTER

    def words(self) -> str:
        last = "it has not answered yet" if self.good_at is None else f"its last good answer is {self._age():.0f} s old"
        return f"{last} ({self.trouble})" if self.trouble else last

    def _age(self) -> float:
        return time.monotonic() - (self.good_at or 0.0)
