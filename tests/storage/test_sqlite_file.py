"""The SQLite file, what SQLite keeps beside it and the lock are for the bot's user only, whatever the umask and whatever they were."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.storage.engine import Database
from bot.storage.sqlite_file import hold

SIDES = ("", "-wal", "-shm", ".lock")


@pytest.fixture(autouse=True)
def generous_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def rights(path: Path) -> dict[str, str]:
    return {
        each.name.removeprefix(path.name): f"{each.stat().st_mode & 0o777:o}" for each in path.parent.glob("*.sqlite3*")
    }


def rights_of_folder(path: Path) -> str:
    return f"{path.parent.stat().st_mode & 0o777:o}"


async def put_something(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS kept (word TEXT)"))
        await connection.execute(text("INSERT INTO kept VALUES ('secret')"))


async def test_everything_it_makes_is_for_its_user_only(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    database = Database(f"sqlite+aiosqlite:///{path}")
    await database.open()
    await put_something(database)
    assert rights(path) == dict.fromkeys(SIDES, "600")
    await database.close()


def as_an_earlier_version_left_it_when_killed(path: Path, copy: Path) -> None:
    """Everything still lies there, and everybody may read it."""
    copy.parent.mkdir(mode=0o755)
    for side in SIDES:
        target = Path(f"{copy}{side}")
        target.write_bytes(Path(f"{path}{side}").read_bytes())
        target.chmod(0o644)


async def test_what_an_earlier_version_left_readable_is_closed_at_the_next_start(tmp_path: Path) -> None:
    path, copy = tmp_path / "ledger.sqlite3", tmp_path / "left" / "ledger.sqlite3"
    database = Database(f"sqlite+aiosqlite:///{path}")
    await database.open()
    await put_something(database)
    as_an_earlier_version_left_it_when_killed(path, copy)
    await database.close()

    database = Database(f"sqlite+aiosqlite:///{copy}")
    await database.open()
    assert (await database.first(text("SELECT word FROM kept"))) == ("secret",)
    await put_something(database)
    assert rights(copy) == dict.fromkeys(SIDES, "600")
    assert rights_of_folder(copy) == "755"
    await database.close()


async def test_by_its_address_as_a_uri_it_is_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    database = Database(f"sqlite+aiosqlite:///file:{path}?uri=true")
    await database.open()
    assert rights(path) == dict.fromkeys(SIDES, "600")
    await database.close()


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"])
async def test_a_database_in_memory_leaves_no_file(tmp_path: Path, url: str) -> None:
    database = Database(url)
    await database.open()
    await put_something(database)
    await database.close()
    assert os.listdir(tmp_path) == []  # noqa: PTH208  a look, no wait


def test_a_file_nobody_may_write_gets_no_new_rights_and_one_of_somebody_else_stops_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.touch(0o444)
    url = Database(f"sqlite+aiosqlite:///{path}").url
    lock = hold(url)
    assert lock is not None
    lock.close()
    assert rights(path) == {"": "400", ".lock": "600"}

    path.chmod(0o644)

    def refused(_path: Path, _mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refused)
    lock = hold(url)
    assert lock is not None
    lock.close()
    assert "may be readable for others: its rights can't be changed (Operation not permitted)" in caplog.text
