"""A bot on an SQLite file whose machine's clock is set while it works: by as many seconds as stand in a file."""

import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace


def clock_set_by(file: Path) -> None:
    from bot.storage import engine

    now = partial(_now, file)
    setattr(engine, "time", SimpleNamespace(time=now, monotonic=time.monotonic))  # noqa: B010  it is not its own


def _now(file: Path) -> float:
    return time.time() + float(file.read_text() or 0)
