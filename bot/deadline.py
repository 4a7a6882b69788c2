"""How long a piece of work has, and that no request of it leaves later: a process that was frozen wakes in mid-work, and by
then somebody else may have done it."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import Context, ContextVar, copy_context

# unlike the loop's own clock it goes on while the machine sleeps
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_until: ContextVar[float] = ContextVar("until", default=math.inf)


def _now() -> float:
    return time.clock_gettime(_CLOCK)


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """TimeoutError when it takes longer."""
    earlier = _until.get()
    token = _until.set(min(earlier, _now() + seconds))
    try:
        async with asyncio.timeout(seconds):
            yield
    finally:
        _until.reset(token)


def time_in(seconds: float) -> float:
    """For `before`, where several pieces of work end at the same time, or one has begun already."""
    return _now() + seconds


def before(time_is_up: float) -> AbstractAsyncContextManager[None]:
    """TimeoutError when it takes longer than until then."""
    return within(time_is_up - _now())


def free() -> Context:
    """For a task of its own, which whoever began it does not wait for."""
    context = copy_context()
    context.run(_until.set, math.inf)
    return context


def until() -> float:
    """When the time of the work in hand is over."""
    return _until.get()


def is_over(until: float) -> bool:
    return _now() > until


def refuse_if_late() -> None:
    """Called right before a request is written: the loop notices a time-out only after everything that was ready has run."""
    if is_over(until()):
        raise TimeoutError
