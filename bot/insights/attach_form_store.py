"""Where open insights windows keep what they hold: server-side, under a random key that is of use to one person only.

A window carries nothing but its key. Unused forms are put away after a while.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select, update

from bot.insights.attach_form import AttachForm
from bot.insights.tables import FORM_LIVES, insight_drafts
from bot.storage.engine import Database

_TRIES = 20

_CONTENT = TypeAdapter(AttachForm)

Change = Callable[[AttachForm], AttachForm]


@dataclass(frozen=True, slots=True)
class Owner:
    workspace: str
    person: str


class CrowdedError(Exception):
    """So many gestures at once on one window that this one found no gap; nobody's fingers are that quick."""


class AttachFormStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, owner: Owner, form: AttachForm) -> str:
        """A new form; the answer is its key."""
        key = secrets.token_urlsafe(24)
        values = {"key": key, "workspace": owner.workspace, "person": owner.person, "version": 1}
        async with self._database.transaction() as connection:
            await connection.execute(
                insight_drafts.insert().values(**values, content=_as_text(form), used_at=self._database.now)
            )
        return key

    async def get(self, key: str, owner: Owner) -> AttachForm | None:
        """None for a key that is unknown, somebody else's, or unused for too long."""
        read = await self._read(key, owner)
        return read[1] if read else None

    async def change(self, key: str, owner: Owner, change: Change) -> AttachForm | None:
        """Applies `change` to what is there now; of two gestures at once neither is lost."""
        for _ in range(_TRIES):
            read = await self._read(key, owner)
            if read is None:
                return None
            version, form = read
            changed = change(form)
            if await self._write(key, version, changed):
                return changed
        raise CrowdedError

    async def _read(self, key: str, owner: Owner) -> tuple[int, AttachForm] | None:
        table = insight_drafts.c
        query = select(table.version, table.content).where(
            table.key == key,
            table.workspace == owner.workspace,
            table.person == owner.person,
            table.used_at > self._database.now - FORM_LIVES,
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(query)).first()
        form = _from_text(row.content) if row else None
        return (row.version, form) if row and form else None

    async def _write(self, key: str, version: int, form: AttachForm) -> bool:
        table = insight_drafts.c
        async with self._database.transaction() as connection:
            written = await connection.execute(
                update(insight_drafts)
                .where(table.key == key, table.version == version)
                .values(version=version + 1, content=_as_text(form), used_at=self._database.now)
            )
        return bool(written.rowcount)


def _as_text(form: AttachForm) -> str:
    return _CONTENT.dump_json(form, round_trip=True).decode()


def _from_text(content: str) -> AttachForm | None:
    """None for what no version of ours wrote: its window has expired then."""
    try:
        return _CONTENT.validate_json(content)
    except ValidationError:
        return None
