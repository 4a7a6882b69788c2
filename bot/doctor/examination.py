"""One examination: every check at once, each bounded in time, none of them changing anything anywhere."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable
from dataclasses import replace

from aiohttp import ClientSession, ClientTimeout
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select

from bot.cases.tables import case_follows, cases
from bot.datadog.errors import UnusableKeyError
from bot.datadog.trouble import Trouble
from bot.doctor.connection_checks import (
    TOKEN,
    case_cards,
    check_alerts,
    check_case_changes,
    check_org,
    check_socket,
    check_token,
    check_web,
    no_webhook_secret,
    not_readable,
)
from bot.doctor.database_checks import DatabaseExamined, examine_database
from bot.doctor.model import DatadogKeys, Finding, Setup, fail, ok, warn
from bot.orgs.model import DEFAULT, OrgEntry
from bot.orgs.repository import OrgRepository
from bot.slack.clients import PatientClient
from bot.storage.encryption import Encryption
from bot.storage.engine import Database
from bot.workspaces.repository import InstallationRepository
from bot.workspaces.tables import installations

logger = logging.getLogger(__name__)

EACH_WITHIN = 30.0
_CALL_TIMEOUT = 10


async def examine(setup: Setup) -> list[Finding]:
    """In the order in which one would mend things."""
    async with setup.way.session(limit=100, timeout=ClientTimeout(total=_CALL_TIMEOUT)) as session:
        stored = await examine_database(setup.database_url, setup.encryption_keys, needs_keys=setup.uses_oauth)
        try:
            slack, web, datadog = await asyncio.gather(
                _bounded("Slack", _slack(session, setup, stored)),
                _bounded("HTTP", check_web(session, setup)),
                _bounded("Datadog", _datadog(setup, stored)),
            )
        finally:
            await stored.close()
    return [*stored.findings, *slack, *web, *datadog]


async def _bounded(name: str, checks: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        async with asyncio.timeout(EACH_WITHIN):
            return await checks
    except TimeoutError:
        return [fail(name, f"no answer within {EACH_WITHIN:.0f} seconds", "Check the network from this machine.")]
    except Exception as error:
        # one check that breaks must not hide what the others found
        logger.exception("a check of %s broke", name)
        return [
            fail(
                name, f"the check itself broke ({type(error).__name__})", "Show the log above to whoever maintains it."
            )
        ]


# -- Slack ----------------------------------------------------------------------------------------------------------


async def _slack(session: ClientSession, setup: Setup, stored: DatabaseExamined) -> list[Finding]:
    if setup.uses_oauth:
        found = await _installs(session, setup, stored)
    else:
        found = await check_token(_client(session, setup, setup.bot_token))
    if setup.app_token:
        found += await check_socket(_client(session, setup), setup.app_token)
    return found


def _client(session: ClientSession, setup: Setup, token: str = "") -> AsyncWebClient:
    return PatientClient(
        token=token or None, base_url=setup.slack_api_url, session=session, timeout=_CALL_TIMEOUT, retry_handlers=[]
    )


async def _installs(session: ClientSession, setup: Setup, stored: DatabaseExamined) -> list[Finding]:
    """Every install's own token."""
    if stored.database is None or stored.encryption is None:
        return [warn(TOKEN, "which workspaces have installed it can't be read", "Fix the database and its keys first.")]
    records = InstallationRepository(stored.database, stored.encryption)
    homes = await stored.database.all(select(installations.c.home).order_by(installations.c.id))
    if not homes:
        link = f"{setup.public_url}/slack/install"
        return [warn(TOKEN, "no workspace has installed it yet", f"Open {link} in a browser.")]
    found: list[Finding] = []
    for (home,) in homes:
        installation = await records.at(home)
        if installation is not None:
            found += await check_token(_client(session, setup, installation.tokens.bot_token), home)
    if setup.allowed_workspaces and (strangers := await records.outside(setup.allowed_workspaces)):
        told = f"installed in {', '.join(strangers)}, which BITS_ALLOWED_WORKSPACES does not name"
        found.append(warn("Workspaces", told, "It only limits new installs: have the app removed there, or name them."))
    return found


# -- Datadog --------------------------------------------------------------------------------------------------------


async def _datadog(setup: Setup, stored: DatabaseExamined) -> list[Finding]:
    found = [await _of_settings(setup, setup.datadog)] if setup.datadog else []
    if setup.datadog and setup.uses_oauth:
        found.append(await _served(setup.dd_workspaces, stored))
    if stored.database is not None:
        found += await _connected(setup, stored.database, stored.encryption)
        found += await _case_cards(stored.database)
    if not found:
        return [
            warn("Datadog", "no organisation is connected", "Set DD_API_KEY and DD_APP_KEY, or type /bits connect.")
        ]
    return found


async def _of_settings(setup: Setup, keys: DatadogKeys) -> Finding:
    entry = OrgEntry(DEFAULT, "", DEFAULT, keys.site)
    try:
        client = setup.client_of(keys.site, keys.api_key, keys.app_key)
    except UnusableKeyError as error:
        return fail(f"Datadog ({DEFAULT})", str(error), "Correct DD_API_KEY or DD_APP_KEY.")
    async with client:
        return await check_org(entry, client)


async def _served(named: frozenset[str], stored: DatabaseExamined) -> Finding:
    """Whom the keys of the settings are for, where many workspaces may come."""
    name, fix = "DD_WORKSPACES", "Name them in DD_WORKSPACES, or let an admin there type /bits connect."
    told = f"the keys of the settings serve {', '.join(sorted(named)) or 'nobody'}"
    records = (
        InstallationRepository(stored.database, stored.encryption) if stored.database and stored.encryption else None
    )
    left_out = await records.outside(named) if records else []
    if left_out:
        return warn(name, f"{told}; not {', '.join(left_out)}, where the bot is installed", fix)
    return ok(name, told) if named else warn(name, told, fix.replace("them", "workspaces or enterprises"))


async def _connected(setup: Setup, database: Database, encryption: Encryption | None) -> list[Finding]:
    orgs = OrgRepository(database, encryption, setup.client_of)
    try:
        found = []
        for entry in await orgs.everywhere():
            org = await orgs.get(entry.id, entry.workspace)
            told = replace(entry, name=f"{entry.name}, {entry.workspace}")
            found.append(not_readable(told) if org is None else await check_org(told, org.client))
            if org is not None and entry.alerts_begun_at is not None:
                found.append(await check_alerts(told, org.client, setup.public_url))
            if org is not None and entry.cases_begun_at is not None:
                found.append(await check_case_changes(told, org.client, setup.public_url))
            if not entry.has_webhook_secret:
                found.append(no_webhook_secret(told))
        return found
    finally:
        await orgs.close()


async def _case_cards(database: Database) -> list[Finding]:
    """Those that stand still because Datadog refuses the look at their cases."""
    query = select(cases.c.org, cases.c.unseen).join(case_follows, case_follows.c.case_row == cases.c.id)
    refused: dict[str, list[Trouble]] = defaultdict(list)
    for row in await database.all(query.where(cases.c.unseen.is_not(None))):
        if isinstance(row.unseen, Trouble):
            refused[row.org].append(row.unseen)
    return [case_cards(org, len(why), why[0]) for org, why in sorted(refused.items())]
