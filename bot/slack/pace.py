"""One post a second into a channel, as Slack asks: which channels take another one now, and when the others do."""

import math
from collections.abc import Callable
from dataclasses import dataclass

AHEAD = 0.6  # seconds: what goes out next is taken so long before its time, together with that of other channels


@dataclass(slots=True)
class _Channel:
    free_at: float = -math.inf
    is_taken: bool = False  # by a post that has not come to its end
    more_wait: bool = False  # as far as anybody knows


class Pace:
    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._channels: dict[str, _Channel] = {}

    def closed(self) -> list[str]:
        """Into these nothing may be taken now. Whoever asks takes what waits for the others."""
        now = self._clock()
        self._channels = {name: each for name, each in self._channels.items() if each.is_taken or each.free_at > now}
        for each in self._channels.values():
            each.more_wait = each.is_taken or each.free_at > now + AHEAD  # there nobody looks
        return [name for name, each in self._channels.items() if each.more_wait]

    def take(self, channel: str, *, more_wait: bool) -> None:
        each = self._channels.setdefault(channel, _Channel())
        each.is_taken, each.more_wait = True, more_wait

    def left(self, channel: str) -> float:
        """Seconds until a post may leave."""
        return max(self._channels[channel].free_at - self._clock(), 0.0) if channel in self._channels else 0.0

    def leaves(self, channel: str) -> None:
        self.rest(channel, self._seconds)

    def rest(self, channel: str, seconds: float) -> None:
        """Slack has told us, or it is the pace."""
        each = self._channels.setdefault(channel, _Channel())
        each.free_at = max(each.free_at, self._clock() + seconds)

    def give_back(self, channel: str) -> None:
        if channel in self._channels:
            self._channels[channel].is_taken = False

    def next_in(self) -> float | None:
        """In how many seconds it is worth looking again for what waits; None where nothing is known to."""
        waiting = [each.free_at for each in self._channels.values() if each.more_wait and not each.is_taken]
        return max(min(waiting) - AHEAD / 2 - self._clock(), 0.0) if waiting else None
