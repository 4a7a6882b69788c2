"""What everything that is made in Datadog once goes by: what came of a try decides whether another one makes sense."""

from bot.datadog.trouble import Trouble, TroubleKind
from bot.storage.workers import Timing


def wait_worth(timing: Timing, attempt: int, trouble: Trouble) -> float | None:
    """In how many seconds the same again may work, as long as somebody still waits for it; None where it would not."""
    if trouble.kind not in {TroubleKind.RATE_LIMITED, TroubleKind.NOT_REACHED}:
        return None
    wait = timing.backoff(attempt) if trouble.wait is None else trouble.wait
    spent = timing.settle * attempt
    return wait if wait + spent <= timing.patience else None
