"""A start brings in what its way of running needs, and nothing else: what is not imported costs neither time nor memory."""

import asyncio
import json
import os
import sys
from pathlib import Path

from bot.sandbox.datadog import FakeDatadog
from bot.sandbox.slack import FakeSlack
from bot.storage.engine import Database
from tests.cli.test_run import _settings

RUN = """
import asyncio, json, sys
from bot.app import Bot
from bot.config import load_settings

async def run():
    bot = Bot(load_settings(None))
    await bot.start()
    print(json.dumps(sorted(sys.modules)))
    await bot.stop()

asyncio.run(run())
"""
NOT_NEEDED = {
    "alembic",  # the schema is as it should be
    "asyncpg",  # the database is an SQLite file
    "sqlalchemy.dialects.postgresql",
    "cryptography",  # nothing in the database is sealed
    "markdown_it",  # nothing has been concluded
    "bot.slack.markdown",
    "yaml",  # there is no file with rules
    "httpx",
    "bot.doctor",
    "bot.sandbox",
}


async def test_a_bot_on_sqlite_and_a_socket_has_imported_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/bits-bot.sqlite3")
    await database.open()  # as an earlier start left it
    await database.close()
    async with FakeSlack() as slack, FakeDatadog() as datadog:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            RUN,
            cwd=tmp_path,
            env={"PATH": os.environ.get("PATH", ""), **_settings(slack, datadog)},
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await asyncio.wait_for(process.communicate(), 60)
    imported = set(json.loads(told))
    assert "bot.app" in imported
    assert {each for each in NOT_NEEDED if each in imported} == set()
