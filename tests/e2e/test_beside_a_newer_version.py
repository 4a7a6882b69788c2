"""In the middle of an upgrade: what a newer replica wrote is left to it, and everything else goes on here."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.wording import AI_WRITTEN
from tests.e2e.town import Town

NEW = "invented later"


pytestmark = pytest.mark.usefixtures("investigated")


@pytest.fixture
async def investigated(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, AI_WRITTEN)


async def told(folder: Path, *statements: str) -> list[tuple[Any, ...]]:
    """What the newer one writes down, or what the last of these finds; meanwhile our own goes on."""
    return await asyncio.to_thread(_told, folder, statements)


def _told(folder: Path, statements: tuple[str, ...]) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "bits.sqlite3", timeout=30)) as file:
        found = [file.execute(statement).fetchall() for statement in statements]
        file.commit()
    return found[-1]


def another(table: str, **changes: Any) -> str:
    """The last row once more, as a newer version would have written it."""
    columns = {"asks": ASKS, "deliveries": DELIVERIES, "audit": AUDIT}[table]
    values = ", ".join(repr(changes[name]) if name in changes else name for name in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} ORDER BY id DESC LIMIT 1"


_PLACED = ("workspace", "channel", "thread_ts")
ASKS = ("key", "org", *_PLACED, "requester", "source", "subject", "state", "created_at", "due_at", "attempt")
DELIVERIES = (
    "key",
    "kind",
    "lane",
    "subject_id",
    "requester",
    *_PLACED,
    "state",
    "wanted",
    "shown",
    "created_at",
    "due_at",
)
AUDIT = ("key", "at", *_PLACED, "person", "source", "decision", "rule", "what", "budget")


async def test_work_of_a_kind_we_do_not_know_waits_for_who_does(town: Town, tmp_path: Path) -> None:
    due = {"due_at": time.time(), "state": "received", "attempt": 0}
    await told(
        tmp_path,
        another("asks", key="subject", subject=f'{{"kind": "{NEW}"}}', **due),
        another("asks", key="source", source=NEW[:16], **due),
        another("deliveries", key="kind", kind=NEW[:16], lane="kind", state="pending", wanted=1, shown=0),
    )
    await town.bot._workers.sweep()
    second = await town.alert(group="host:web-2")
    await town.ana.shortcut("investigate_message", on=second.message)
    await town.reads(second.message, AI_WRITTEN)

    waiting = "SELECT key, state, attempt FROM asks WHERE state = 'received' AND owner IS NULL ORDER BY key"
    assert await told(tmp_path, waiting) == [("source", "received", 0), ("subject", "received", 0)]
    assert await told(tmp_path, "SELECT state FROM deliveries WHERE key = 'kind'") == [("pending",)]


async def test_pages_show_what_they_can(town: Town, tmp_path: Path) -> None:
    await told(
        tmp_path,
        f"UPDATE investigations SET state = '{NEW}', verdict = '{NEW}'",
        another("audit", key="newer", decision=NEW),
    )
    eva = town.slack.workspace.add_user("eva", admin=True)
    await eva.command("/bits", "audit", in_=town.channel)
    await town.slack.wait_for(lambda: "decided by a newer version" in eva.sees)
    await town.ana.open_home()
    await town.ana.waits_for(lambda: town.ana.home and "Disk almost full" in town.ana.home.text)
    assert await told(tmp_path, "SELECT state FROM investigations") == [(NEW,)]
