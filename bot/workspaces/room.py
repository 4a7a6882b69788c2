"""Puts this room together: the pages that install the bot, the tokens they bring, and what happens when a workspace leaves."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.storage.all_workers import Forget
from bot.storage.encryption import Encryption
from bot.storage.engine import Database
from bot.storage.leases import new_owner
from bot.storage.workers import Tasks
from bot.workspaces.clients import InstalledWorkspaces
from bot.workspaces.departures import Departures
from bot.workspaces.installing import REDIRECT, Installing, InstallPages
from bot.workspaces.repository import InstallationRepository
from bot.workspaces.token_rotation import OAuthApp, TokenRotation


@dataclass(frozen=True, slots=True)
class WorkspaceRoom:
    clients: InstalledWorkspaces
    departures: Departures
    pages: InstallPages
    rotation: TokenRotation


def build(
    database: Database,
    encryption: Encryption,
    tasks: Tasks,
    app: OAuthApp,
    *,
    scopes: Sequence[str],
    public_url: str,
    has_org: frozenset[str],
    allowed: frozenset[str],
    on_uninstall: Sequence[Forget],
) -> WorkspaceRoom:
    """For a bot that many workspaces install. Ids of workspaces or enterprises: `has_org` need not connect Datadog, and only
    the `allowed` may install, if any are named."""
    records = InstallationRepository(database, encryption)
    rotation = TokenRotation(records, app, owner=new_owner())
    clients = InstalledWorkspaces(records, rotation, app.client)
    installing = Installing(
        database,
        records,
        clients,
        tasks,
        app,
        scopes=scopes,
        redirect_uri=f"{public_url}{REDIRECT}",
        has_org=has_org,
        allowed=allowed,
    )
    departures = Departures(
        database, records, clients, on_uninstall=on_uninstall, welcome=installing.welcome, tasks=tasks
    )
    return WorkspaceRoom(clients, departures, InstallPages(installing, public_url), rotation)
