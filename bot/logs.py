"""Log lines that strangers can provoke: few, short, and without anything of theirs."""

import logging
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

EVERY = 60.0


class Seldom(logging.LoggerAdapter[logging.Logger]):
    """Each kind of line at once the first time, then at most once a minute with the number of those left out. All are
    warnings without a traceback: what a stranger can provoke is no error of ours."""

    def __init__(
        self, logger: logging.Logger, *, every: float = EVERY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(logger)
        self._every = every
        self._clock = clock
        self._told: dict[str, tuple[float, int]] = {}  # when last, and how many were left out since

    def log(
        self,
        level: int,
        msg: object,
        *args: object,
        exc_info: object = None,
        stack_info: bool = False,
        stacklevel: int = 1,
        extra: Mapping[str, object] | None = None,
        **kwargs: object,
    ) -> None:
        del stack_info, extra, kwargs
        kind = f"{msg} ({type(exc_info).__name__})" if isinstance(exc_info, BaseException) else str(msg)
        last, left_out = self._told.get(kind, (-math.inf, 0))
        if level < logging.WARNING:
            return
        if self._clock() - last < self._every:
            self._told[kind] = (last, left_out + 1)
            return
        self._told[kind] = (self._clock(), 0)
        more = f" [and {left_out} more like it before]" if left_out else ""
        self.logger.warning("%s%s", kind % args, more, stacklevel=stacklevel + 2)


def keep_bodies_out() -> None:
    """Of the frameworks only warnings, whatever our own level: below that they tell of bodies, signatures and answers."""
    for name in ("slack_sdk", "slack_bolt", "aiohttp", "alembic", "aiosqlite"):
        framework = logging.getLogger(name)
        framework.setLevel(max(logging.WARNING, framework.getEffectiveLevel()))


def described(error: BaseException) -> str:
    """An error without its words, which may be anybody's: what it is, and where in the code."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{where}"
