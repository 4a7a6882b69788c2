"""What goes wrong in the background, told so that it can be read: one line when it begins, one a minute with how often it
came since, one when it is over. Only what we did not expect has a traceback, and that once."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from bot import meters
from bot.logs import described

logger = logging.getLogger(__name__)

TOLD_EVERY = 60.0
_OUTSIDE = (SQLAlchemyError, OSError, asyncio.TimeoutError)  # the database, the network: nothing to mend in our code


@dataclass
class _Trouble:
    began_at: float
    told_at: float
    times: int = 1
    untold: int = 0
    who: set[str] = field(default_factory=set)


class Troubles:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[str, _Trouble] = {}

    def met(self, who: str, error: Exception) -> None:
        meters.FAILURES.add(who)
        now, what = self._clock(), _described(error)
        trouble = self._open.get(what)
        if trouble is None:
            if len(self._open) > 1000:
                self._open.clear()
            self._open[what] = _Trouble(now, now, who={who})
            unexpected = None if isinstance(error, _OUTSIDE) else error
            logger.error("%s: %s", who, what, exc_info=unexpected)
            return
        trouble.times += 1
        trouble.untold += 1
        trouble.who.add(who)
        if now - trouble.told_at >= TOLD_EVERY:
            logger.error("%s: %s, and %d times more", who, what, trouble.untold)
            trouble.told_at, trouble.untold = now, 0

    def over(self, who: str) -> None:
        """It works again there; told when it does everywhere."""
        for what, trouble in list(self._open.items()):
            trouble.who.discard(who)
            if not trouble.who:
                del self._open[what]
                lasted = self._clock() - trouble.began_at
                logger.warning("%s works again, after %d failures in %.0f s: %s", who, trouble.times, lasted, what)


def _described(error: Exception) -> str:
    """Of the database or the network it matters what it is, of a mistake of ours also where."""
    return type(getattr(error, "orig", None) or error).__name__ if isinstance(error, _OUTSIDE) else described(error)


troubles = Troubles()  # one process has one log
