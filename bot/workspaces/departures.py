"""Workspaces that leave: written down before Slack is told that we heard it, then carried out until it is done.

The events come in any order, twice, or late after a new install; so what counts is what Slack says about the token now.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, select

from bot.storage.engine import Database, wake
from bot.storage.workers import Tasks
from bot.workspaces.clients import InstalledWorkspaces
from bot.workspaces.repository import Installation, InstallationRepository
from bot.workspaces.tables import departures

logger = logging.getLogger(__name__)

UNINSTALLED, TOKENS_REVOKED, ACCESS_REVOKED = "app_uninstalled", "tokens_revoked", "team_access_revoked"

Forget = Callable[[str], Awaitable[None]]  # forgets what is kept for a workspace; doing it twice is harmless


@dataclass(frozen=True, slots=True)
class Departure:
    """One event about leaving, for one workspace."""

    key: str
    kind: str
    team_id: str
    enterprise_id: str
    org_wide: bool
    happened_at: float


class Lifecycle:
    def __init__(
        self,
        database: Database,
        records: InstallationRepository,
        workspaces: InstalledWorkspaces,
        *,
        on_uninstall: Sequence[Forget],
        welcome: Callable[[str], Coroutine[Any, Any, None]],
        tasks: Tasks,
    ) -> None:
        self._database = database
        self._records = records
        self._workspaces = workspaces
        self._on_uninstall = on_uninstall
        self._welcome = welcome
        self._tasks = tasks

    async def note(self, departure: Departure) -> None:
        """It is in the database when this returns."""
        values = {
            "key": departure.key,
            "kind": departure.kind,
            "team_id": departure.team_id,
            "enterprise_id": departure.enterprise_id,
            "is_enterprise_install": departure.org_wide,
            "happened_at": departure.happened_at,
        }
        async with self._database.transaction() as connection:
            await connection.execute(self._database.insert_new(departures).values(**values))
            wake(connection, departures)

    async def granted(self, teams: Sequence[str], enterprise: str, at: float) -> None:
        """An enterprise lets its org-wide install into more of its workspaces."""
        for team in teams:
            await self._records.granted(team, enterprise, at)
        self._tasks.spawn(self._welcome(enterprise), f"welcome to {enterprise}")

    async def step(self) -> None:
        """Carry out what was noted. What fails stays noted and is tried again; doing it twice is harmless."""
        async with self._database.transaction() as connection:
            noted = (await connection.execute(select(departures).order_by(departures.c.id))).all()
        for row in noted:
            await self._guarded(row)

    async def _guarded(self, row: Row[Any]) -> None:
        """One workspace's trouble must not keep another's tokens here."""
        try:
            await self._carry_out(row)
        except Exception:
            logger.exception("%s of %s is not carried out yet", row.kind, row.team_id or row.enterprise_id)
            return
        async with self._database.transaction() as connection:
            await connection.execute(delete(departures).where(departures.c.id == row.id))

    async def _carry_out(self, row: Row[Any]) -> None:
        if row.kind == ACCESS_REVOKED:
            await self._leave_enterprise(row)
            return
        home = row.enterprise_id if row.is_enterprise_install else row.team_id
        installation = await self._records.at(home or "")
        if installation is not None and not await self._forget_tokens(installation, row):
            logger.info("%s was told of %s, but it is installed there now", row.kind, home)
            return
        teams = await self._records.teams_of(home) if row.is_enterprise_install else []
        for team in sorted({*teams, row.team_id or ""} - {""}):
            await self._records.unlearn(team, row.happened_at)
            await self._forget(team)
        logger.info("%s: everything kept for %s is removed", row.kind, home)

    async def _leave_enterprise(self, row: Row[Any]) -> None:
        """The org-wide install stays; only this workspace is out."""
        if await self._records.unlearn(row.team_id, row.happened_at):
            self._workspaces.drop(row.enterprise_id)
            await self._forget(row.team_id)

    async def _forget_tokens(self, installation: Installation, row: Row[Any]) -> bool:
        if not await self._is_over(installation, row.happened_at):
            return False
        removed = await self._records.remove(installation)
        self._workspaces.drop(installation.home)
        return removed or await self._records.at(installation.home) is None

    async def _is_over(self, installation: Installation, happened_at: float) -> bool:
        installed = await self._workspaces.still_installed(installation)
        if installed is None:
            # Slack counts the event in whole seconds
            return happened_at + 1 >= installation.installed_at
        return not installed

    async def _forget(self, team: str) -> None:
        if await self._records.at(team) is not None:
            return  # it has an install of its own besides that of its enterprise
        for forget in self._on_uninstall:
            await forget(team)
