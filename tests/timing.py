"""How long things may take where a slow machine must not change the story."""

from dataclasses import dataclass

from bot.storage.workers import Timing


@dataclass(frozen=True, slots=True)
class StoryTiming(Timing):
    """What got lost is looked for soon; and yet no request is given up because the machine is busy."""

    request: float = 20.0

    @property
    def effect(self) -> float:
        return self.request
