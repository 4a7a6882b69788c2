"""What log lines are about, how they are written, and those that strangers can provoke: few, short, without anything of theirs."""

import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

EVERY = 60.0
ABOUT = ("ref", "ask", "workspace", "channel", "person", "org")  # ids only, in the order in which they are written
TRACE = ("dd.trace_id", "dd.span_id", "otelTraceID", "otelSpanID")  # what tracers add to a record

_about: ContextVar[Mapping[str, str]] = ContextVar("about", default=MappingProxyType({}))


@contextmanager
def about(**told: object) -> Iterator[None]:
    """What the lines written within it are about, besides what they were about before."""
    before = _about.get()
    know(**told)
    try:
        yield
    finally:
        _about.set(before)


def know(*, anew: object = False, **told: object) -> None:
    """The same for the rest of the task; `anew`: nothing that was known before counts any more."""
    before = {} if anew else _about.get()
    _about.set({**before, **{name: str(value) for name, value in told.items() if value}})


def known() -> dict[str, str]:
    told = _about.get()
    return {name: told[name] for name in ABOUT if name in told}


class TextLines(logging.Formatter):
    """The log for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  as logging calls it
        told = " ".join(f"{name}={value}" for name, value in known().items())
        line = super().formatMessage(record)
        return f"{line} [{told}]" if told else line


class JsonLines(logging.Formatter):
    """The log for machines. Bodies, tokens and keys never get there, nor into the one for people."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **known(),
            **{name: record.__dict__[name] for name in TRACE if record.__dict__.get(name, "0") != "0"},
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


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
