"""A town whose workspace may connect Datadog organisations: Eva is an admin, and there is more than one organisation."""

from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import text

from bot.datadog.client import Datadog
from bot.datadog.links import SITES
from bot.orgs.model import NewOrg
from bot.orgs.repository import OrgRepository
from bot.orgs.tables import orgs, webhook_secrets
from bot.orgs.webhook_secrets import hashed
from bot.sandbox.datadog import FakeAlert, FakeMonitor
from bot.sandbox.datadog.org import FakeOrg
from bot.sandbox.slack import Message
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.visible import SeenView
from bot.storage.encryption import Encryption
from bot.storage.engine import Database, wake
from tests.e2e.town import Town

SITE = "EU1 (datadoghq.eu)"


class OrgTown(Town):
    """`acme` lives on another site than the organisation of the settings; its links say so."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.key = Fernet.generate_key().decode()
        super().__init__(folder, **{"bits_encryption_keys": self.key} | settings)
        self.eva: Person = self.slack.workspace.add_user("eva", admin=True)
        self.acme: FakeOrg = self.add_org("acme", "eu", subdomain="acme")
        self.acme_monitor: FakeMonitor = self.datadog.add_monitor("Checkout is slow", org=self.acme)
        self._beside = Database(f"sqlite+aiosqlite:///{folder}/bits.sqlite3")  # read beside the bot

    async def __aexit__(self, *_: object) -> None:
        await self._beside.engine.dispose()
        await super().__aexit__()

    def add_org(self, name: str, site: str = "com", *, subdomain: str = "") -> FakeOrg:
        org = self.datadog.add_org(name, f"{name}-api-key-0123456789", f"{name}-app-key-0123456789", subdomain)
        host = f"{subdomain or 'app'}.datadoghq.{site}"
        org.app_url = f"https://{host}"
        return org

    # -- connecting ---------------------------------------------------------------------------------------------

    def filled(self, org: FakeOrg, **changes: Any) -> dict[str, Any]:
        return {"Name": org.name, "API key": org.api_key, "Application key": org.app_key} | changes

    async def opens_form(self, person: Person, words: str = "") -> SeenView:
        await person.command("/bits", f"connect {words}".strip(), in_=self.channel)
        return await person.waits_for_modal("Application key")

    async def connects(self, org: FakeOrg, *, site: str = SITE, **changes: Any) -> SeenView:
        """Eva connects it, from the command to what stands in the window then."""
        await self.opens_form(self.eva)
        await self.eva.choose("Datadog site", site)
        await self.eva.fill(self.filled(org, **changes))
        await self.eva.submit()
        return await self.eva.waits_for_modal("is connected")

    async def is_connected(self, org: FakeOrg, *, subdomain: str = "") -> None:
        """As if Eva had connected it some time ago, on EU1."""
        site = next(site for site in SITES if site.region == "EU1")
        owner = f"{org.owner.name} (service account)"
        keys = (org.api_key, org.app_key)
        new = NewOrg(self.slack.workspace.id, org.name, site, subdomain, *keys, org.uuid, owner, (), self.eva.id)
        values = OrgRepository(self._beside, Encryption([self.key]), _nobody)._values(new)
        made = orgs.insert().values(id=f"{org.name}-id", workspace=new.workspace, version=1, **values)
        secret = {"org": f"{org.name}-id", "hash": hashed(webhook_secret_of(org)), "made_at": self._beside.now}
        async with self.bot._database.transaction() as connection:
            await connection.execute(made)
            await connection.execute(webhook_secrets.insert().values(**secret))
            wake(connection, orgs)

    async def row(self, name: str) -> Any:
        async with self._beside.transaction() as connection:
            return (await connection.execute(text("SELECT * FROM orgs WHERE name = :name"), {"name": name})).one()

    # -- alerts of several organisations ------------------------------------------------------------------------

    async def acme_alert(self) -> tuple[FakeAlert, Message]:
        fired = self.datadog.fire(self.acme_monitor)
        message = await self.slack.post_as_datadog(
            self.channel, title=fired.slack_title, title_link=fired.link(), text=fired.text
        )
        return fired, message

    def runs_of(self, org: FakeOrg) -> int:
        return len(org.investigations)


def webhook_secret_of(org: FakeOrg) -> str:
    return f"the-webhook-secret-of-{org.name}"


def _nobody(*_: object) -> Datadog:
    raise AssertionError("nothing is asked here")
