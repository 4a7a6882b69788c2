"""What opens the door for Datadog's webhook: a secret for each organisation, shown once and kept as a hash; the one of the
settings opens the way of the settings' own organisation only."""

import hmac
import secrets
from collections.abc import Iterable, Sequence
from hashlib import sha256

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orgs.model import DEFAULT
from bot.orgs.tables import orgs, webhook_secrets
from bot.storage.engine import Database, wake
from bot.storage.remembered import Remembered
from bot.storage.retention import DAY

OVERLAP = DAY  # how long one goes on opening when another has taken its place


class WebhookSecrets:
    def __init__(self, database: Database, of_settings: str = "") -> None:
        self._database = database
        self._kept = Remembered(database, self._of, orgs, webhook_secrets)
        self._of_settings = hashed(of_settings) if of_settings else ""

    async def open(self, org: str, offered: Iterable[str]) -> bool | None:
        """Whether one of these opens the organisation's door; None where there is no door: the settings hold no secret."""
        hashes = [hashed(each) for each in offered if each]
        if org == DEFAULT:
            known: Sequence[str] = [self._of_settings] if self._of_settings else []
        else:
            known = await self._known(org) if hashes else []
        matches = [hmac.compare_digest(each, one) for each in hashes for one in known]
        return any(matches) if known or org != DEFAULT else None

    async def _known(self, org: str) -> list[str]:
        now = self._database.own_time or 0.0  # where only the database knows, those that have ended are not read
        return [hash_ for hash_, ends_at in await self._kept.get(org) if ends_at is None or ends_at > now]

    async def _of(self, org: str) -> list[tuple[str, float | None]]:
        table = webhook_secrets.c
        valid = or_(table.ends_at.is_(None), table.ends_at > self._database.now)
        query = select(table.hash, table.ends_at).where(table.org == org, valid)
        return [(row.hash, row.ends_at) for row in await self._database.all(query)]

    async def first(self, org: str) -> str:
        """For an organisation that has none yet; empty where it has one, which nobody can be shown again."""
        async with self._database.transaction() as connection:
            has = select(webhook_secrets.c.id).where(webhook_secrets.c.org == org).limit(1)
            return "" if (await connection.execute(has)).first() else await self._make(connection, org)

    async def renew(self, workspace: str, org: str) -> str:
        """A new one; those before it open for a day more. Empty where the workspace has no such organisation."""
        async with self._database.transaction() as connection:
            if not await self._is_theirs(connection, workspace, org):
                return ""
            await self._end(connection, webhook_secrets.c.org == org)
            return await self._make(connection, org)

    async def another(self, workspace: str, org: str) -> str:
        """A new one beside those that open now, until `end_others`: it may never arrive where it has to be known."""
        async with self._database.transaction() as connection:
            return await self._make(connection, org) if await self._is_theirs(connection, workspace, org) else ""

    async def end_others(self, org: str, secret: str) -> None:
        table = webhook_secrets.c
        async with self._database.transaction() as connection:
            await self._end(connection, and_(table.org == org, table.hash != hashed(secret)))

    async def _end(self, connection: AsyncConnection, which: ColumnElement[bool]) -> None:
        ending = update(webhook_secrets).where(which, webhook_secrets.c.ends_at.is_(None))
        await connection.execute(ending.values(ends_at=self._database.now + OVERLAP))

    async def _is_theirs(self, connection: AsyncConnection, workspace: str, org: str) -> bool:
        theirs = exists().where(orgs.c.id == org, orgs.c.workspace == workspace, orgs.c.api_key.is_not(None))
        return bool((await connection.execute(select(theirs))).scalar())

    async def _make(self, connection: AsyncConnection, org: str) -> str:
        secret = secrets.token_urlsafe(32)
        values = {"org": org, "hash": hashed(secret), "made_at": self._database.now}
        await connection.execute(webhook_secrets.insert().values(**values))
        wake(connection, orgs)
        return secret


async def forget_secrets(connection: AsyncConnection, org: str) -> None:
    await connection.execute(delete(webhook_secrets).where(webhook_secrets.c.org == org))


def hashed(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
