"""What opens the door for Datadog's webhook: a secret for each organisation, shown once and kept as a hash; the one of the
settings opens the way of the settings' own organisation only."""

import hmac
import secrets
from collections.abc import Iterable, Sequence
from hashlib import sha256

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orgs.model import DEFAULT
from bot.orgs.tables import orgs, webhook_secrets
from bot.storage.engine import Database, wake
from bot.storage.retention import DAY

OVERLAP = DAY  # how long one goes on opening when another has taken its place


class WebhookSecrets:
    def __init__(self, database: Database, of_settings: str = "") -> None:
        self._database = database
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
        table = webhook_secrets.c
        valid = or_(table.ends_at.is_(None), table.ends_at > self._database.now)
        return [row.hash for row in await self._database.all(select(table.hash).where(table.org == org, valid))]

    async def first(self, org: str) -> str:
        """For an organisation that has none yet; empty where it has one, which nobody can be shown again."""
        async with self._database.transaction() as connection:
            has = select(webhook_secrets.c.id).where(webhook_secrets.c.org == org).limit(1)
            return "" if (await connection.execute(has)).first() else await self._make(connection, org)

    async def renew(self, workspace: str, org: str) -> str:
        """A new one; those before it open for a day more. Empty where the workspace has no such organisation."""
        table = webhook_secrets.c
        theirs = exists().where(orgs.c.id == org, orgs.c.workspace == workspace, orgs.c.api_key.is_not(None))
        async with self._database.transaction() as connection:
            if not (await connection.execute(select(theirs))).scalar():
                return ""
            ending = update(webhook_secrets).where(table.org == org, table.ends_at.is_(None))
            await connection.execute(ending.values(ends_at=self._database.now + OVERLAP))
            return await self._make(connection, org)

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
