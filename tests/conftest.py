"""What holds for every test: a clean environment, a working folder of its own, a database that costs nothing.

Fixtures of one room live in that room.
"""

import gc
import os
import random
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Connection, create_engine
from sqlalchemy.util import await_only

from bot.slack import requests
from bot.storage import engine, migrations
from bot.storage.troubles import troubles
from tests.order import long_first

# httpcore looks for it at each request, and a search that fails is repeated in full
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

_OURS = ("SLACK_", "DD_", "BITS_", "DATABASE_URL", "SSL_CERT_FILE", "PORT")


# The same examples each time, however slow the machine is; `--hypothesis-profile=search` looks for new ones.
_PATIENT: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("search", **_PATIENT, max_examples=1_000)
settings.register_profile("usual", **_PATIENT, max_examples=50, derandomize=True)
settings.load_profile("usual")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", type=int, metavar="SEED", help="in an order drawn with this number")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:] = long_first(items)
    if (seed := config.getoption("--shuffle")) is not None:
        random.Random(seed).shuffle(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Stories wait for a third of their time: half as many again as there are cores."""
    return max(1, (os.cpu_count() or 1) * 3 // 2)


if "PYTEST_XDIST_WORKER" in os.environ:
    gc.disable()  # until all is imported; who only hands out collects nothing and is told of no end


def pytest_collection_finish() -> None:
    """What is imported by now stays to the end: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def clean_start(tmp_path: Path) -> Iterator[None]:
    """Nobody's tokens, proxies or `.env` reach a test, and no test leaves files in the checkout."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.upper().startswith(_OURS) or name.upper().endswith("_PROXY"):
                patch.delenv(name)
        patch.chdir(tmp_path)
        patch.setattr(troubles, "_open", {})
        yield


class _Compiled(dict[Any, Any]):
    """Statements as SQL, compiled once in a test process and not anew for the engine of each test."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_of_any_engine(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(_of_any_engine(key), compiled)


def _of_any_engine(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *rest = key
    return (type(dialect), *rest)


_compiled = _Compiled()


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    made = engine._engine
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_engine", lambda *about: made(*about).execution_options(compiled_cache=_compiled))
        yield


@pytest.fixture(autouse=True)
def acknowledged_however_late() -> Iterator[None]:
    """No gesture is given up because the machine is busy; stories of a database that is away set a time of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests, "KEPT_WITHIN", 60.0)
        yield


@pytest.fixture(autouse=True)
def quick_sqlite() -> Iterator[None]:
    """No write waits for the disk, and an empty database gets the schema as one script; tests/storage does without this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_PRAGMAS", (*engine._PRAGMAS, "synchronous=OFF"))
        patch.setattr(migrations, "upgrade", _quick_upgrade)
        yield


_upgrade = migrations.upgrade


def _quick_upgrade(connection: Connection) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite and connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0:
        await_only(connection.connection.driver_connection.executescript(_schema()))  # type: ignore[union-attr]
    else:
        _upgrade(connection)


@cache
def _schema() -> str:
    """What the first start makes of an empty file, short of the commit."""
    with create_engine("sqlite://").begin() as connection:
        _upgrade(connection)
        (*statements, _commit) = connection.connection.iterdump()
    return "\n".join(statements)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets variables for this test: a whole start, and what differs from it; None takes one away."""

    def put(base: dict[str, str] | None = None, /, **changes: str | None) -> None:
        for name, value in {**(base or {}), **changes}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return put
