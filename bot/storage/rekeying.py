"""Seals everything stored with the first key, in batches; what was done stays done when it is interrupted.

Whoever calls this has imported every table (`bot.schema`): only of those it knows which columns are sealed.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Row, Table, and_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.encryption import Encryption, EncryptionError, encrypted_columns
from bot.storage.engine import Database
from bot.storage.tables import metadata

BATCH = 200


@dataclass(slots=True)
class Rekeyed:
    """What became of one table's secrets."""

    table: str
    changed: int = 0
    current: int = 0  # sealed with the first key already
    unreadable: int = 0  # no key given opens them


async def rekey(database: Database, encryption: Encryption, *, batch: int = BATCH) -> list[Rekeyed]:
    return [
        await _rekey_table(database, encryption, table, columns, batch)
        for table, columns in encrypted_columns(metadata).items()
    ]


async def check_secrets(database: Database, encryption: Encryption) -> None:
    """Raises VaultError when a stored secret of the newest rows can't be opened: the wrong keys are told at the start."""
    for table, columns in encrypted_columns(metadata).items():
        newest = select(*columns).order_by(*(key.desc() for key in table.primary_key.columns)).limit(BATCH)
        async with database.transaction() as connection:
            rows = (await connection.execute(newest)).all()
        for sealed in (text for row in rows for text in row if text):
            encryption.decrypt(sealed)


async def _rekey_table(
    database: Database, encryption: Encryption, table: Table, columns: list[Column[Any]], batch: int
) -> Rekeyed:
    told, keys, last = Rekeyed(table.name), list(table.primary_key.columns), None
    while True:
        async with database.transaction() as connection:
            query = select(*keys, *columns).order_by(*keys).limit(batch)
            if last is not None:
                query = query.where(tuple_(*keys) > tuple_(*last))
            rows = (await connection.execute(query)).all()
            for row in rows:
                await _rekey_row(connection, encryption, table, columns, row, told)
        if not rows:
            return told
        last = tuple(rows[-1][: len(keys)])


async def _rekey_row(
    connection: AsyncConnection,
    encryption: Encryption,
    table: Table,
    columns: list[Column[Any]],
    row: Row[Any],
    told: Rekeyed,
) -> None:
    same_row = and_(*(key == row._mapping[key] for key in table.primary_key.columns))  # noqa: SLF001  its public name
    for column in columns:
        old = row._mapping[column]  # noqa: SLF001
        if old is None:
            continue
        if encryption.is_current(old):
            told.current += 1
            continue
        try:
            new = encryption.rotate(old)
        except EncryptionError:
            told.unreadable += 1
            continue
        # the secret may be replaced meanwhile; a new one is sealed with the first key anyway
        await connection.execute(update(table).where(same_row, column == old).values({column.name: new}))
        told.changed += 1
