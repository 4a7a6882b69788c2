"""What the documents say about a backup of an SQLite file, while the bot has it open."""

import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.storage.engine import Database
from tests.docs import ROOT

FILE, BACKUP = Path("bits-bot.sqlite3"), Path("bits-bot.backup.sqlite3")


@pytest.fixture
async def running() -> AsyncIterator[Database]:
    """In the folder of the test, where the default setting puts it."""
    database = Database(f"sqlite+aiosqlite:///{FILE}")
    await database.open()
    yield database
    await database.close()


def tables_of(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    finally:
        connection.close()


def shown_commands() -> list[str]:
    chapter = (ROOT / "docs/database.md").read_text("utf-8").split("## Backup and restore")[1].split("\n## ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", chapter, flags=re.DOTALL)
    return [line for line in block.splitlines() if not line.startswith("#")]


@pytest.mark.usefixtures("running")
def test_a_plain_copy_of_a_running_bots_file_is_empty() -> None:
    shutil.copy(FILE, BACKUP)
    assert tables_of(BACKUP) == set()


def copied(command: str) -> Path:
    program, *arguments = shlex.split(command)
    if program == "sqlite3" and shutil.which(program) is None:
        pytest.skip("no sqlite3 program on this machine")
    program = sys.executable if program == "python3" else program
    outcome = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")
    return BACKUP


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("command", shown_commands())
async def test_what_the_documents_show_copies_all_of_it_and_a_bot_can_go_on_with_it(command: str) -> None:
    backup = copied(command)
    assert {"investigations", "deliveries", "alembic_version"} <= tables_of(backup)
    restored = Database(f"sqlite+aiosqlite:///{backup}")
    await restored.open()
    await restored.close()
