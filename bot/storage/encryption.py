"""Secrets at rest: sealed before they are stored, opened only where they are used. Which tables hold any, their columns say."""

from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Column, MetaData, Table, Text

_SEALED = "sealed"


class EncryptionError(Exception):
    """A secret can't be sealed or opened; the message is for the person who runs the bot and holds no secret."""


class Encryption:
    """The first key seals, every key opens: a key is replaced by putting the new one in front."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise EncryptionError("There is no key to seal secrets with: set BITS_ENCRYPTION_KEYS.")
        try:
            fernets = [Fernet(key) for key in keys]
        except ValueError:
            raise EncryptionError("BITS_ENCRYPTION_KEYS holds a key that is not well-formed.") from None
        self._first = fernets[0]
        self._all = MultiFernet(fernets)

    def __repr__(self) -> str:
        return "Encryption(…)"

    def encrypt(self, text: str) -> str:
        return self._all.encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        try:
            return self._all.decrypt(token).decode()
        except InvalidToken:
            raise _wrong_key() from None

    def rotate(self, token: str) -> str:
        """The same secret, sealed with the first key."""
        try:
            return self._all.rotate(token).decode()
        except InvalidToken:
            raise _wrong_key() from None

    def is_current(self, token: str) -> bool:
        """Whether the first key alone opens it."""
        try:
            self._first.decrypt(token)
        except InvalidToken:
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
