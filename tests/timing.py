"""How long things may take where a slow machine must not change the story."""

from dataclasses import dataclass

from bot.storage.workers import Timing


@dataclass(frozen=True, slots=True)
class StoryTiming(Timing):
    """What got lost is looked for soon; and yet no request is given up because the machine is busy."""

    request: float = 20.0
    follow: float = 1_000.0  # nobody looks at open cases in the middle of a story about something else

    @property
    def effect(self) -> float:
        return self.request
