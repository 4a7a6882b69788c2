"""Connecting and disconnecting Datadog organisations: who may, whether the keys are good, and where they are kept."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.datadog.checkup import ESSENTIAL, Account, Checkup, KeyProblem, check_up
from bot.datadog.client import Datadog
from bot.datadog.errors import DatadogError, UnusableKeyError
from bot.model import PersonFacts, UnknownPerson
from bot.orgs import connect_form as form
from bot.orgs.connect_form import Filled
from bot.orgs.model import DEFAULT, NewOrg, OrgEntry
from bot.orgs.repository import AnotherOrg, NameTaken, OrgRepository
from bot.slack.blocks import Message, sentences
from bot.slack.people import People
from bot.slack.text import code
from bot.storage.encryption import EncryptionError
from bot.wording import APP, COMMAND, DATADOG

logger = logging.getLogger(__name__)

CHECK_WITHIN = 15.0

Problems = dict[str, str]  # sentences by the field they belong to


@dataclass(frozen=True, slots=True)
class Connected:
    entry: OrgEntry
    checkup: Checkup


class Connecting:
    """`is_admin` judges what Slack says about a person. `gone` deals with what waits for an organisation that was taken away."""

    def __init__(
        self,
        book: OrgRepository,
        people: People,
        *,
        is_admin: Callable[[PersonFacts | UnknownPerson], bool],
        gone: Callable[[str], Awaitable[None]],
    ) -> None:
        self._book = book
        self._people = people
        self._is_admin = is_admin
        self._gone = gone
        self._default_uuid = ""

    async def refusal(self, workspace: str, person: str) -> Message | None:
        """Why this person may not connect or disconnect anything; closed while Slack does not say who it is."""
        facts = await self._people.facts(workspace, person)
        if isinstance(facts, UnknownPerson):
            return sentences(
                f"Only workspace admins may connect {DATADOG}, and Slack did not say whether you are one "
                f"({code(facts.code, 60)}), so nothing was done. Try again in a minute."
            )
        if not self._is_admin(facts):
            return sentences(f"Only workspace admins may connect {DATADOG}. Ask one to type `{COMMAND} connect`.")
        if not self._book.can_connect:
            return sentences(
                f"{DATADOG} can't be connected from here: keys are stored encrypted or not at all, and "
                f"BITS_ENCRYPTION_KEYS is not set. Ask whoever runs {APP} to set it."
            )
        return None

    # -- connecting ---------------------------------------------------------------------------------------------

    async def connect(self, workspace: str, person: str, filled: Filled, replaces: str) -> Connected | Problems:
        """Asks Datadog first: nothing is stored that does not work."""
        try:
            client = self._book.client_of(filled.site, filled.api_key, filled.app_key)
        except UnusableKeyError as error:
            return {form.API_KEY if "API key" in str(error) else form.APP_KEY: str(error)}
        async with client:
            checkup, default = await asyncio.gather(_checked(client), self._uuid_of_default())
        if checkup.problem is not None:
            return _problem(checkup.problem, filled)
        if default and checkup.org_uuid == default:
            return {form.API_KEY: f"This organisation is connected already: its keys stand in {APP}'s own settings."}
        return await self._store(
            NewOrg(
                workspace=workspace,
                name=filled.name,
                site=filled.site,
                subdomain=filled.subdomain,
                api_key=filled.api_key,
                app_key=filled.app_key,
                org_uuid=checkup.org_uuid,
                owner=checkup.owner_name,
                lacking=checkup.lacking,
                connected_by=person,
                replaces=replaces,
            ),
            checkup,
        )

    async def _store(self, new: NewOrg, checkup: Checkup) -> Connected | Problems:
        try:
            entry = await self._book.connect(new)
        except NameTaken:
            return {form.NAME: "Another organisation is connected under this name. Choose another one."}
        except AnotherOrg:
            return {
                form.API_KEY: "These keys belong to another organisation. Connect that one under a name of its own."
            }
        except EncryptionError as error:
            logger.error("an organisation was not connected: %s", error)  # noqa: TRY400  the sentence says it all
            return {form.API_KEY: f"The keys can't be stored encrypted. Ask whoever runs {APP} to look at its log."}
        return Connected(entry, checkup)

    async def _uuid_of_default(self) -> str:
        """Which organisation the settings' keys belong to; empty where there are none, or it can't be told now."""
        default = await self._book.get(DEFAULT)
        if default is not None and not self._default_uuid:
            try:
                async with asyncio.timeout(CHECK_WITHIN / 2):
                    self._default_uuid = await Account(default.client).organisation()
            except (DatadogError, TimeoutError):
                return ""
        return self._default_uuid

    # -- disconnecting ------------------------------------------------------------------------------------------

    async def disconnect(self, workspace: str, org: str) -> OrgEntry | None:
        """Its keys are removed, and the threads that wait for it are told. None when it was not connected here."""
        entry = await self._book.disconnect(workspace, org)
        if entry is not None:
            await self._gone(org)
        return entry


async def _checked(client: Datadog) -> Checkup:
    try:
        async with asyncio.timeout(CHECK_WITHIN):
            return await check_up(client)
    except TimeoutError:
        return Checkup(KeyProblem.NOT_REACHED)


def _problem(problem: KeyProblem, filled: Filled) -> Problems:
    site = f"{filled.site.region} ({filled.site.domain})"
    match problem:
        case KeyProblem.API_KEY:
            return {
                form.API_KEY: f"{DATADOG} does not know this API key on {site}. Check the site, and that it is the key "
                "itself, not its id."
            }
        case KeyProblem.APP_KEY:
            return {
                form.APP_KEY: f"{DATADOG} does not accept this application key with that API key. It may be revoked, of "
                "another organisation, or only its id."
            }
        case KeyProblem.ESSENTIAL:
            names = ", ".join(sorted(ESSENTIAL))
            return {
                form.APP_KEY: "Good keys, but they may not read investigations, so nothing would work. Grant their owner "
                f"{names}."
            }
        case KeyProblem.BUSY:
            return {form.SITE: f"{DATADOG} limits how often it may be asked. Wait a minute, then try again."}
        case KeyProblem.NOT_REACHED:
            return {
                form.SITE: f"{DATADOG} on {site} did not answer usefully. Try again; if it goes on, see its status page."
            }
