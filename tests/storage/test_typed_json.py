"""Records in JSON columns: what other versions wrote is read, and one that can't be read hurts no other row."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.storage.tables import TypedJson, UnreadableRecord


@dataclass(frozen=True, slots=True)
class Pet:
    name: str
    legs: int = 4


PETS = Table(
    "pets",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("pet", TypedJson(TypeAdapter(Pet)), nullable=True),
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('{"name": "Rex", "legs": 3}', Pet("Rex", 3)),
        ('{"name": "Rex", "wings": 2}', Pet("Rex")),  # a newer version knows more
        (None, None),
        ("null", None),
    ],
)
async def test_what_another_version_wrote_is_read(tmp_path: Path, written: str | None, read: Pet | None) -> None:
    assert await _read(tmp_path, written) == [read, Pet("Tom")]


async def test_one_record_that_cannot_be_read_hurts_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    unreadable, tom = await _read(tmp_path, '{"name": {"secret": 1}}')
    assert tom == Pet("Tom")
    assert isinstance(unreadable, UnreadableRecord)
    with pytest.raises(ValueError, match="can't be read"):
        _ = unreadable.name
    assert "can't be read" in caplog.text
    assert "secret" not in caplog.text


async def _read(folder: Path, written: str | None) -> list[Any]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/pets.sqlite3")
    async with engine.begin() as connection:
        await connection.run_sync(PETS.create)
        await connection.execute(text("INSERT INTO pets (id, pet) VALUES (1, :pet)"), {"pet": written})
        await connection.execute(insert(PETS).values(id=2, pet=Pet("Tom")))
        rows = (await connection.execute(select(PETS.c.pet).order_by(PETS.c.id))).scalars().all()
    await engine.dispose()
    return list(rows)
