"""Secrets at rest: encrypted before they are stored, opened only where they are used. Which tables hold any, their columns say.

To encrypt everything anew, or to check it, all tables must have been imported (`bot.schema`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, MetaData, Table, Text, and_, select, tuple_, update

from bot.storage.engine import Database
from bot.storage.tables import metadata as all_tables

BATCH = 200  # rows a transaction
_SEALED = "sealed"


class EncryptionError(Exception):
    """A secret can't be sealed or opened; the message is for the person who runs the bot and holds no secret."""


class Encryption:
    """The first key seals, every key opens: a key is replaced by putting the new one in front."""

    def __init__(self, keys: Sequence[str]) -> None:
        # seven megabytes that only those need who keep secrets in the database
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet  # noqa: PLC0415

        if not keys:
            raise EncryptionError("There is no key to seal secrets with: set BITS_ENCRYPTION_KEYS.")
        try:
            fernets = [Fernet(key) for key in keys]
        except ValueError:
            raise EncryptionError("BITS_ENCRYPTION_KEYS holds a key that is not well-formed.") from None
        self._first, self._all, self._wrong_key = fernets[0], MultiFernet(fernets), InvalidToken

    def __repr__(self) -> str:
        return "Encryption(…)"

    def encrypt(self, text: str) -> str:
        return self._all.encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        try:
            return self._all.decrypt(token).decode()
        except self._wrong_key:
            raise _wrong_key() from None

    def rotate(self, token: str) -> str:
        """The same secret, sealed with the first key."""
        try:
            return self._all.rotate(token).decode()
        except self._wrong_key:
            raise _wrong_key() from None

    def is_current(self, token: str) -> bool:
        """Whether the first key alone opens it."""
        try:
            self._first.decrypt(token)
        except self._wrong_key:
            return False
        return True


def _wrong_key() -> EncryptionError:
    return EncryptionError(
        "A stored secret was sealed with a key that is not in BITS_ENCRYPTION_KEYS. "
        "Put that key back, behind the newest one; after `bits-bot rekey` it can go."
    )


def encrypted_column(name: str, *, nullable: bool = False) -> Column[Any]:
    """A column for sealed text only; `bits-bot rekey` finds it by this."""
    return Column(name, Text, nullable=nullable, info={_SEALED: True})


def encrypted_columns(metadata: MetaData) -> dict[Table, list[Column[Any]]]:
    """Every column that holds sealed text, by table."""
    found = {table: [column for column in table.c if column.info.get(_SEALED)] for table in metadata.sorted_tables}
    return {table: columns for table, columns in found.items() if columns}


@dataclass(slots=True)
class Rekeyed:
    """What became of one table's secrets."""

    table: str
    changed: int = 0
    current: int = 0  # sealed with the first key already
    unreadable: int = 0  # no key given opens them


async def rekey(database: Database, encryption: Encryption) -> list[Rekeyed]:
    """Seals everything stored with the first key, in batches; what was done stays done when it is interrupted."""
    return [
        await _rekey_table(database, encryption, table, columns)
        for table, columns in encrypted_columns(all_tables).items()
    ]


async def check_secrets(database: Database, encryption: Encryption) -> None:
    """Raises EncryptionError when a stored secret of the newest rows can't be opened: the wrong keys are told at the start."""
    for table, columns in encrypted_columns(all_tables).items():
        newest = select(*columns).order_by(*(key.desc() for key in table.primary_key.columns)).limit(BATCH)
        for sealed in (text for row in await database.all(newest) for text in row if text):
            encryption.decrypt(sealed)


async def _rekey_table(database: Database, encryption: Encryption, table: Table, columns: list[Column[Any]]) -> Rekeyed:
    told, keys, last = Rekeyed(table.name), list(table.primary_key.columns), None
    while True:
        query = select(*keys, *columns).order_by(*keys).limit(BATCH)
        if last is not None:
            query = query.where(tuple_(*keys) > tuple_(*last))
        async with database.transaction() as connection:
            rows = (await connection.execute(query)).mappings().all()
            for row in rows:
                same_row = and_(*(key == row[key] for key in keys))
                for column in columns:
                    old = row[column]
                    if old is not None and (new := _sealed_anew(encryption, old, told)):
                        # it may be replaced meanwhile; a new secret is sealed with the first key anyway
                        renewed = update(table).where(same_row, column == old)
                        await connection.execute(renewed.values({column.name: new}))
        if not rows:
            return told
        last = tuple(rows[-1][key] for key in keys)


def _sealed_anew(encryption: Encryption, old: str, told: Rekeyed) -> str:
    """Empty where there is nothing to change, or nothing can be."""
    if encryption.is_current(old):
        told.current += 1
        return ""
    try:
        new = encryption.rotate(old)
    except EncryptionError:
        told.unreadable += 1
        return ""
    told.changed += 1
    return new
