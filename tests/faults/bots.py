"""Bots as processes of their own, forked from one that has imported everything: nothing here is imported but for that.

`tests/cli` starts them as people do.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["bot.cli", "bot.app", "bot.storage.migrations", "alembic.ddl", "aiosqlite", "asyncpg"])


def as_it_is() -> None:
    """The bot as people run it."""


def patient() -> None:
    """Alone on its database it waits for no lease of another, so a busy machine may have all the time it needs."""
    from bot import app
    from tests.timing import StoryTiming

    timing_of = app.timing_of
    app.timing_of = lambda settings: StoryTiming(**asdict(timing_of(settings)))


def named(owner: str, prepare: Callable[[], None]) -> None:
    """What it holds in the database bears this name."""
    from bot import wiring

    setattr(wiring, "new_owner", lambda: owner)  # noqa: B010  it is not its own
    prepare()


async def apart(work: Callable[..., None], *args: Any) -> None:
    """In a process of its own, to its end."""
    process = _forks.Process(target=work, args=args, daemon=True)
    await asyncio.to_thread(process.start)
    await asyncio.to_thread(process.join)
    assert process.exitcode == 0


class BotProcess:
    def __init__(self, environment: dict[str, str], log: Path, prepare: Callable[[], None]) -> None:
        self.log = log
        self.is_doomed = False
        self._process = _forks.Process(target=_run, args=(environment, log, prepare), daemon=True)

    async def start(self) -> Self:
        await asyncio.to_thread(self._process.start)
        return self

    def send(self, number: signal.Signals) -> None:
        self.is_doomed = self.is_doomed or number == signal.SIGKILL
        with suppress(ProcessLookupError):
            if self._process.pid is not None and self._process.exitcode is None:
                os.kill(self._process.pid, number)

    @property
    def is_alive(self) -> bool:
        return self._process.exitcode is None

    @property
    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    async def stands_still(self, within: float = 40.0) -> None:
        """Until it is stopped, as by SIGSTOP."""
        async with asyncio.timeout(within):
            while _state(self._process.pid) != "T":  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.05)

    async def end(self, within: float = 40.0) -> int:
        await asyncio.to_thread(self._process.join, within)
        if self._process.exitcode is None:
            raise TimeoutError(f"the bot has not ended within {within} s")
        return self._process.exitcode


def _state(pid: int | None) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _run(environment: dict[str, str], log: Path, prepare: Callable[[], None]) -> None:
    os.chdir(log.parent)
    os.environ.clear()
    os.environ.update(environment)
    with log.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from bot.cli import main

    prepare()
    raise SystemExit(main(["run"]))
