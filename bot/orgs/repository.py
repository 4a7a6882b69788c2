"""The Datadog organisations each workspace has connected: kept with encrypted keys, and the client that speaks to each.

Keys are read from the database every time, so that those which are replaced or taken back anywhere count at once. Which
organisations there are is kept in memory.
"""

import logging
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, and_, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datadog.client import Datadog
from bot.datadog.links import SITES, Site, site_named
from bot.datadog.orgs import ClientPool, ConnectedOrg
from bot.orgs.model import DEFAULT, NewOrg, OrgEntry, find, name_key
from bot.orgs.tables import alerts_of_settings, orgs, webhook_secrets
from bot.orgs.webhook_secrets import forget_secrets
from bot.storage.encryption import Encryption, EncryptionError
from bot.storage.engine import Database, wake
from bot.storage.remembered import Remembered
from bot.storage.tables import record
from bot.workspaces.repository import BELONGING, belongs_to

logger = logging.getLogger(__name__)

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
SETUP_TAKES = 120.0  # seconds; longer than all of its calls together may take
_UNKNOWN_APP = SITES[0].app_url
_CONNECTED = orgs.c.api_key.is_not(None)
_NO_ALERTS: dict[str, Any] = {
    "alerts_begun_at": None,
    "alerts_busy_until": None,
    "alerts_set_up_at": None,
    "alerts_tags": [],
    "cases_begun_at": None,
    "case_projects": [],
}
_TOLD = select(orgs, exists().where(webhook_secrets.c.org == orgs.c.id).label("has_webhook_secret"))

ClientOf = Callable[[Site, str, str], Datadog]  # for a site, an API key and an application key


class NameTaken(Exception):  # noqa: N818  what is the matter, in a word
    """Another organisation of the workspace has this name."""


class AnotherOrg(Exception):  # noqa: N818  the same
    """The new keys belong to another organisation than the ones they were to replace."""


@dataclass(eq=False, repr=False)
class OrgRepository:
    database: Database
    encryption: Encryption | None
    client_of: ClientOf  # also for a look at keys that are not stored yet; raises UnusableKeyError
    default: tuple[OrgEntry, ConnectedOrg] | None = None  # that of the settings
    default_for: frozenset[str] = frozenset()  # the workspaces and enterprises which that one serves; nobody else
    _pool: ClientPool = field(default_factory=ClientPool, init=False)
    # as they were when we last read them: for links, and for who has left
    _seen: dict[str, OrgEntry] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._of_workspace = Remembered(self.database, self._usable, orgs, webhook_secrets, *BELONGING)
        self._entries = Remembered(self.database, self._connected, orgs)

    @property
    def can_connect(self) -> bool:
        """Keys are stored encrypted or not at all."""
        return self.encryption is not None

    async def step(self) -> None:
        """Learn what other replicas have connected, for links; close what is out of use."""
        self._seen |= {row.id: _entry(row) for row in await self.database.all(select(orgs))}
        await self._pool.close_retired()

    async def close(self) -> None:
        await self._pool.close()
        if self.default is not None:
            await self.default[1].client.aclose()

    async def encrypted(self) -> int:
        """How many organisations' keys are stored."""
        return len(await self.database.all(select(orgs.c.id).where(_CONNECTED)))

    def in_use(self) -> list[ConnectedOrg]:
        """Those that were asked for something not long ago, and that of the settings."""
        return [*([self.default[1]] if self.default is not None else []), *self._pool]

    # -- looking up ---------------------------------------------------------------------------------------------

    async def entry(self, org: str) -> OrgEntry | None:
        """What is known of the organisation with this id; None when it is not connected (any more)."""
        if self.default is not None and org == DEFAULT:
            return self.default[0]
        return await self._entries.get(org)

    async def _connected(self, org: str) -> OrgEntry | None:
        row = await self.database.first(select(orgs).where(orgs.c.id == org, _CONNECTED))
        return _entry(row) if row else None

    async def get(self, org: str, *workspaces: str) -> ConnectedOrg | None:
        """Ready to be asked for one of these workspaces; None when it is not connected (any more) or serves none of them."""
        if self.default is not None and org == DEFAULT:
            return self.default[1] if await self.default_serves(*workspaces) else None
        row = await self.database.first(select(orgs).where(orgs.c.id == org, _CONNECTED))
        if row is None:
            self._pool.drop(org)
            return None
        return self._pooled(row) if row.workspace in workspaces else None

    def _pooled(self, row: Row[Any]) -> ConnectedOrg | None:
        entry = self._seen[row.id] = _entry(row)
        if self.encryption is None:
            logger.error("the keys of %s are sealed and there is no BITS_ENCRYPTION_KEYS to open them", entry.id)
            return None
        try:
            keys = self.encryption.decrypt(row.api_key), self.encryption.decrypt(row.app_key)
        except EncryptionError as error:
            logger.error("the keys of %s can't be opened: %s", entry.id, error)  # noqa: TRY400  the sentence says it all
            return None
        return self._pool.get(
            entry.id, entry.version, lambda: ConnectedOrg(entry.id, self.client_of(entry.site, *keys), entry.app_url)
        )

    def app_url(self, org: str) -> str:
        """Where its pages are; for links, so from memory."""
        if self.default is not None and org == DEFAULT:
            return self.default[0].app_url
        return self._seen[org].app_url if org in self._seen else _UNKNOWN_APP

    async def known(self, workspace: str) -> tuple[OrgEntry, ...]:
        """All it may use, those of the settings first; from memory, to judge by."""
        return await self._of_workspace.get(workspace)

    async def of_workspace(self, workspace: str) -> list[OrgEntry]:
        """The same as it is this moment, to be shown."""
        return list(await self._usable(workspace))

    async def _usable(self, workspace: str) -> tuple[OrgEntry, ...]:
        mine = _TOLD.where(orgs.c.workspace == workspace, _CONNECTED).order_by(orgs.c.connected_at, orgs.c.id)
        async with self.database.transaction() as connection:
            entries = [_entry(row) for row in await connection.execute(mine)]
            serves = await self.default_serves_in(connection, workspace)
            of_settings = await self._of_settings(connection) if serves else []
        self._seen |= {entry.id: entry for entry in entries}
        return (*of_settings, *entries)

    async def default_serves(self, *workspaces: str) -> bool:
        """Whether whoever runs the bot lets the keys of the settings work for one of these."""
        if self.default is None or not self.default_for:
            return False
        if not self.default_for.isdisjoint(workspaces):
            return True
        async with self.database.transaction() as connection:
            return any([await self.default_serves_in(connection, workspace) for workspace in workspaces])

    async def default_serves_in(self, connection: AsyncConnection, workspace: str) -> bool:
        if self.default is None or not self.default_for:
            return False
        return workspace in self.default_for or bool(
            (await connection.execute(select(belongs_to(workspace, self.default_for)))).scalar()
        )

    async def withholds(self, org: str, workspace: str) -> bool:
        """Whether what comes of an organisation is no more for this workspace to see, which once could use it."""
        return org == DEFAULT and not await self.default_serves(workspace)

    def serves(self, org: ColumnElement[str], workspace: ColumnElement[str]) -> ColumnElement[bool]:
        """The same for rows that name both: whether the organisation may work for the workspace."""
        named = or_(workspace.in_(self.default_for), belongs_to(workspace, self.default_for))
        own = exists().where(orgs.c.id == org, orgs.c.workspace == workspace, _CONNECTED)
        return or_(and_(org == DEFAULT, named), own) if self.default is not None else own

    async def _of_settings(self, connection: AsyncConnection) -> list[OrgEntry]:
        if self.default is None:
            return []
        row = (await connection.execute(select(alerts_of_settings).where(alerts_of_settings.c.org == DEFAULT))).first()
        return [_with_alerts(self.default[0], row) if row else self.default[0]]

    async def everywhere(self) -> list[OrgEntry]:
        """Of all workspaces, those of the settings first; for whoever runs the bot."""
        connected = _TOLD.where(_CONNECTED).order_by(orgs.c.workspace, orgs.c.connected_at)
        async with self.database.transaction() as connection:
            of_settings = await self._of_settings(connection)
            return [*of_settings, *map(_entry, await connection.execute(connected))]

    async def named(self, workspace: str, word: str) -> OrgEntry | None:
        """By the name its people gave it, or by its id; never another workspace's."""
        return find(await self.of_workspace(workspace), word)

    # -- connecting and disconnecting ---------------------------------------------------------------------------

    async def connect(self, new: NewOrg) -> OrgEntry:
        """A first connection, or other keys for an organisation that is known: it keeps its id.

        Raises NameTaken, AnotherOrg, and EncryptionError where there is nothing to encrypt the keys with.
        """
        if self.default is not None and name_key(new.name) == name_key(self.default[0].name):
            raise NameTaken
        try:
            row = await self._write(new)
        except IntegrityError:
            # two people connect the same one at once: the second try finds what the first has made
            try:
                row = await self._write(new)
            except IntegrityError as error:
                raise NameTaken from error
        entry = self._seen[row.id] = _entry(row)
        logger.info("%s is connected: %s, by %s", entry.id, entry.site.region, new.connected_by)
        return entry

    async def _write(self, new: NewOrg) -> Row[Any]:
        async with self.database.transaction() as connection:
            wake(connection, orgs)
            known, values = await self._known(connection, new), self._values(new)
            if known is None:
                # an id that is readable in logs and addresses, and nobody else's
                slug = re.sub(r"[^a-z0-9]+", "-", new.name.lower()).strip("-")[:40] or "org"
                new_id = f"{slug}-{''.join(secrets.choice(_LETTERS) for _ in range(8))}"
                made = orgs.insert().values(id=new_id, workspace=new.workspace, version=1, **values)
                return (await connection.execute(made.returning(*orgs.c))).one()
            changed = update(orgs).where(orgs.c.id == known.id).values(version=orgs.c.version + 1, **values)
            return (await connection.execute(changed.returning(*orgs.c))).one()

    async def _known(self, connection: AsyncConnection, new: NewOrg) -> Row[Any] | None:
        """The row these keys belong to, also where it was disconnected before."""
        mine = orgs.c.workspace == new.workspace
        same = and_(orgs.c.org_uuid == new.org_uuid, orgs.c.org_uuid.is_not(None))
        rows = (await connection.execute(select(orgs).where(mine, or_(same, orgs.c.id == new.replaces)))).all()
        meant = next((row for row in rows if row.id == new.replaces), None)
        if meant is not None and meant.org_uuid and new.org_uuid and meant.org_uuid != new.org_uuid:
            raise AnotherOrg
        return meant or next(iter(rows), None)

    def _values(self, new: NewOrg) -> dict[str, Any]:
        if self.encryption is None:
            raise EncryptionError("There is no key to seal secrets with: set BITS_ENCRYPTION_KEYS.")
        return {
            "name": new.name,
            "name_key": name_key(new.name),
            "site": new.site.domain,
            "subdomain": new.subdomain,
            "api_key": self.encryption.encrypt(new.api_key),
            "app_key": self.encryption.encrypt(new.app_key),
            "api_key_end": new.api_key[-4:],
            "app_key_end": new.app_key[-4:],
            "org_uuid": new.org_uuid or None,
            "owner": new.owner[:200],
            "lacking": list(new.lacking),
            "connected_by": new.connected_by,
            "connected_at": self.database.now,
        }

    async def disconnect(self, workspace: str, org: str) -> OrgEntry | None:
        """Its keys are gone when this returns; its id waits, should it be connected again. None when it was not there."""
        gone: dict[str, Any] = {
            "api_key": None,
            "app_key": None,
            "api_key_end": "",
            "app_key_end": "",
            "name_key": None,
            "owner": "",
        }
        gone |= _NO_ALERTS
        mine = update(orgs).where(orgs.c.id == org, orgs.c.workspace == workspace, _CONNECTED)
        changed = mine.values(version=orgs.c.version + 1, **gone)
        async with self.database.transaction() as connection:
            row = (await connection.execute(changed.returning(*orgs.c))).first()
            if row is not None:
                await forget_secrets(connection, org)
            wake(connection, orgs)
        self._pool.drop(org)
        if row is None:
            return None
        logger.info("%s is disconnected", org)
        return _entry(row)

    # -- its alerts, set up in Datadog --------------------------------------------------------------------------

    async def begin_alert_setup(self, workspace: str, org: str, tags: Sequence[str], *, cases: bool = False) -> bool:
        """Written down before Datadog is asked for anything. False while somebody else is at it, or where it is not connected."""
        table, mine, now = *_alerts_of(workspace, org), self.database.now
        free = or_(table.c.alerts_busy_until.is_(None), table.c.alerts_busy_until < now)
        values = {"alerts_begun_at": now, "alerts_busy_until": now + SETUP_TAKES, "alerts_tags": list(tags)}
        values |= {"cases_begun_at": now} if cases else {}
        begun = update(table).where(mine, free).values(**values).returning(table.c.alerts_begun_at)
        async with self.database.transaction() as connection:
            wake(connection, orgs)
            if org == DEFAULT:
                if not await self.default_serves_in(connection, workspace):
                    return False
                await connection.execute(self.database.insert_new(table).values(org=DEFAULT))
            return (await connection.execute(begun)).first() is not None

    async def end_alert_setup(
        self, workspace: str, org: str, *, complete: bool, case_projects: Sequence[str] | None = None
    ) -> None:
        """Without `case_projects` nothing tells of cases any more."""
        values: dict[str, Any] = {"alerts_busy_until": None}
        values |= {"alerts_set_up_at": self.database.now if complete else None}
        values |= {"cases_begun_at": None} if case_projects is None else {}
        values |= {"case_projects": list(case_projects or ())}
        await self._write_alerts(workspace, org, values)

    async def forget_alert_setup(self, workspace: str, org: str) -> None:
        await self._write_alerts(workspace, org, _NO_ALERTS)

    async def _write_alerts(self, workspace: str, org: str, values: dict[str, Any]) -> None:
        table, mine = _alerts_of(workspace, org)
        async with self.database.transaction() as connection:
            wake(connection, orgs)
            await connection.execute(update(table).where(mine).values(**values))

    async def drop_workspace(self, workspace: str) -> None:
        """What is in memory of a workspace whose rows are deleted: its clients and addresses."""
        for entry in [entry for entry in self._seen.values() if entry.workspace == workspace]:
            self._pool.drop(entry.id)
            del self._seen[entry.id]


def _alerts_of(workspace: str, org: str) -> tuple[Table, ColumnElement[bool]]:
    """Where it stands what was set up in Datadog for an organisation's alerts."""
    if org == DEFAULT:
        return alerts_of_settings, alerts_of_settings.c.org == DEFAULT
    return orgs, and_(orgs.c.id == org, orgs.c.workspace == workspace, _CONNECTED)


def _with_alerts(entry: OrgEntry, row: Row[Any]) -> OrgEntry:
    told: dict[str, Any] = {
        "alerts_tags": tuple(row.alerts_tags or ()),
        "case_projects": tuple(row.case_projects or ()),
        **{name: getattr(row, name) for name in ("alerts_begun_at", "alerts_set_up_at", "cases_begun_at")},
    }
    return replace(entry, **told)


def _entry(row: Row[Any]) -> OrgEntry:
    site, lacking = site_named(row.site) or SITES[0], tuple(row.lacking or ())
    secret = bool(getattr(row, "has_webhook_secret", False))  # only lists look for one
    told = {"site": site, "lacking": lacking, "org_uuid": row.org_uuid or "", "has_webhook_secret": secret}
    told |= {"alerts_tags": tuple(row.alerts_tags or ()), "case_projects": tuple(row.case_projects or ())}
    told |= {"is_lent": False}
    return record(OrgEntry, row, **told)
