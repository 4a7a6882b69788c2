"""Many workspaces: the pages that install the bot, the tokens they bring, and what happens when one leaves."""

from slack_sdk.web.async_client import AsyncWebClient

from bot import manifest
from bot.parts import Parts
from bot.slack.install_records import InstallRecords
from bot.slack.installations import InstalledWorkspaces
from bot.slack.installing import Installing
from bot.slack.lifecycle import Lifecycle
from bot.slack.token_rotation import TokenRotation
from bot.slack.views.welcome import welcome
from bot.storage.encryption import Vault
from bot.storage.leases import new_owner
from bot.web.oauth import REDIRECT, InstallPages

LEFT_BEHIND = 60.0  # how often departures that failed are taken up again


def connect_installed(parts: Parts, vault: Vault, client: AsyncWebClient) -> tuple[InstalledWorkspaces, Lifecycle]:
    settings = parts.settings
    secret = settings.slack_client_secret
    client_id, client_secret = settings.slack_client_id or "", secret.get_secret_value() if secret else ""
    records = InstallRecords(parts.database, vault)
    rotation = TokenRotation(records, client, client_id=client_id, client_secret=client_secret, owner=new_owner())
    parts.works.closers.append(rotation.close)
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
    parts: Parts, records: InstallRecords, workspaces: InstalledWorkspaces, installing: Installing
) -> Lifecycle:
    lifecycle = Lifecycle(
        parts.database,
        records,
        workspaces,
        on_uninstall=parts.works.farewells,
        welcome=installing.welcome,
        tasks=parts.tasks,
        wake=parts.works.wake,
    )
    parts.works.repeat("departures", lifecycle.step, every=LEFT_BEHIND)
    return lifecycle
