"""How long things may take and how often we look; one object, so that tests run the same code in milliseconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    settle: float = 20.0  # a request of ours may still land this long after we lost sight of it
    sweep: float = 2.0  # how often we look for due work that no wake told of: what another replica left
    first_removal: float = 60.0  # old rows are let be while a start has more urgent things to do
    lone_sweep: float = 30.0  # the same where no other process can have left any
    poll_first: float = 20.0
    poll: float = 15.0
    poll_slow: float = 60.0
    slow_after: float = 600.0
    deadline: float = 45 * 60.0
    patience: float = 300.0  # how long a Datadog that does not answer is asked again before we give up
    pace: float = 1.0  # between two posts of ours into one channel, as Slack asks
    look_attempts: int = 3  # looks for a run whose start has an unknown outcome

    @property
    def effect(self) -> float:
        """The longest one request may take: over before anyone else may take the work."""
        return self.settle * 0.75

    @property
    def lease(self) -> float:
        """Taken over no sooner than the last request of a dead process must have landed."""
        return self.effect + self.settle

    def backoff(self, attempt: int) -> float:
        return min(self.settle * 0.05 * float(2 ** min(attempt, 10)), self.settle * 3)
