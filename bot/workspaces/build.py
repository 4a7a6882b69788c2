"""Many workspaces: the pages that install the bot, the tokens they bring, and what happens when one leaves."""

from slack_sdk.web.async_client import AsyncWebClient

from bot import manifest
from bot.storage.encryption import Encryption
from bot.storage.leases import new_owner
from bot.wiring import Parts
from bot.workspaces.clients import InstalledWorkspaces
from bot.workspaces.departures import Lifecycle
from bot.workspaces.installing import Installing
from bot.workspaces.pages import REDIRECT, InstallPages
from bot.workspaces.repository import InstallationRepository
from bot.workspaces.tables import departures
from bot.workspaces.token_rotation import TokenRotation
from bot.workspaces.welcome import welcome

LEFT_BEHIND = 60.0  # how often departures that failed are taken up again


def connect_installed(
    parts: Parts, encryption: Encryption, client: AsyncWebClient
) -> tuple[InstalledWorkspaces, Lifecycle]:
    settings = parts.settings
    secret = settings.slack_client_secret
    client_id, client_secret = settings.slack_client_id or "", secret.get_secret_value() if secret else ""
    records = InstallationRepository(parts.database, encryption)
    rotation = TokenRotation(records, client, client_id=client_id, client_secret=client_secret, owner=new_owner())
    parts.workers.closers.append(rotation.close)
    workspaces = InstalledWorkspaces(records, rotation, client)
    public_url, scopes = settings.bits_public_url or "", manifest.scopes()
    installing = Installing(
        parts.database,
        records,
        workspaces,
        parts.tasks,
        client_id=client_id,
        client_secret=client_secret,
        scopes=(*scopes.required, *scopes.optional),
        redirect_uri=f"{public_url}{REDIRECT}",
        welcome=welcome(has_org=settings.dd_api_key is not None),
    )
    parts.server.serve(InstallPages(installing, public_url).routes())
    return workspaces, _lifecycle(parts, records, workspaces, installing)


def _lifecycle(
    parts: Parts, records: InstallationRepository, workspaces: InstalledWorkspaces, installing: Installing
) -> Lifecycle:
    lifecycle = Lifecycle(
        parts.database,
        records,
        workspaces,
        on_uninstall=parts.workers.on_uninstall,
        welcome=installing.welcome,
        tasks=parts.tasks,
    )
    parts.workers.repeat("departures", lifecycle.step, every=LEFT_BEHIND, woken_by=(departures,))
    return lifecycle
