"""The SQLite file on the disk: one process holds it, and nobody but its user may read it or what SQLite keeps beside it."""

import fcntl
import logging
import os
from pathlib import Path
from typing import IO

from sqlalchemy import URL

logger = logging.getLogger(__name__)

_BESIDE = ("", "-wal", "-shm", "-journal")  # SQLite makes those it lacks with the rights of the file itself
_OTHERS = 0o077


class FileInUseError(Exception):
    """Another process holds it; the message is its path."""


def hold(url: URL) -> IO[str] | None:
    """Locked as long as what is returned is open; None for a database in memory."""
    path = _path(url)
    if path is None:
        return None
    path.resolve().parent.mkdir(parents=True, exist_ok=True)
    lock = _private(f"{path}.lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise FileInUseError(str(path)) from error
    try:
        _make_private(path)
    except BaseException:
        lock.close()
        raise
    return lock


def _path(url: URL) -> Path | None:
    name = url.database or ""
    if "uri" in url.query:
        name = name.removeprefix("file:")
    in_memory = name in {"", ":memory:"} or url.query.get("mode") == "memory"
    return None if in_memory else Path(name)


def _private(path: str) -> IO[str]:
    return open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600))


def _make_private(path: Path) -> None:
    if not path.exists():
        _private(str(path)).close()  # before SQLite makes it as the umask says
    for each in (*(Path(f"{path}{end}") for end in _BESIDE), Path(f"{path}.lock")):
        try:
            mode = each.stat().st_mode
            if mode & _OTHERS:
                each.chmod(mode & 0o700)
        except FileNotFoundError:
            continue
        except OSError as error:
            logger.warning("%s may be readable for others: its rights can't be changed (%s)", each, error.strerror)
