"""Replicas of the bot as far as installs go: each with a memory of its own, all on one database and one local Slack."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientSession
from cryptography.fernet import Fernet

from bot.sandbox.slack import Enterprise, FakeSlack, Workspace
from bot.slack.clients import PatientClient
from bot.storage.encryption import Encryption
from bot.storage.engine import Database
from bot.storage.workers import Tasks
from bot.workspaces.clients import InstalledWorkspaces
from bot.workspaces.departures import Departures
from bot.workspaces.installing import Installing, InstallOutcome
from bot.workspaces.repository import InstallationRepository
from bot.workspaces.token_rotation import OAuthApp, TokenRotation
from tests.clock import Clock

REDIRECT = "https://bits.example.com/slack/oauth_redirect"
BROWSER = "a-browser-of-somebody-who-installs"


class Replica:
    def __init__(
        self, name: str, database: Database, slack: FakeSlack, session: ClientSession, encryption: Encryption
    ) -> None:
        self.forgotten: list[str] = []
        self.tasks = Tasks()
        self.records = InstallationRepository(database, encryption)
        client = PatientClient(base_url=slack.api_url, session=session, retry_handlers=[])
        app = OAuthApp(client, slack.app.client_id, slack.app.client_secret)
        self.rotation = TokenRotation(self.records, app, owner=name)
        self.memory = Clock(0.0)
        self.workspaces = InstalledWorkspaces(self.records, self.rotation, client, clock=self.memory)
        self.installing = Installing(
            database,
            self.records,
            self.workspaces,
            self.tasks,
            app,
            scopes=("chat:write", "commands"),
            redirect_uri=REDIRECT,
            has_org=frozenset(),
            allowed=frozenset(),
        )
        self.departures = Departures(
            database,
            self.records,
            self.workspaces,
            on_uninstall=[self._forget],
            welcome=self.installing.welcome,
            tasks=self.tasks,
        )

    async def _forget(self, workspace: str) -> None:
        self.forgotten.append(workspace)

    async def post(self, workspace: Workspace, channel: str, text: str) -> str:
        """A background post; empty when nobody speaks there."""
        bot_client = await self.workspaces.bot_client(workspace.id)
        if bot_client is None:
            return ""
        await bot_client.client.chat_postMessage(channel=channel, text=text)
        return bot_client.token


class Replicas:
    """Two of them, `one` and `other`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.slack = FakeSlack(installed=False, clock=clock)
        self.slack.app.redirect_urls = [REDIRECT]
        self.encryption = Encryption([Fernet.generate_key().decode()])
        self.acme = self.slack.workspace
        self.ana = self.acme.add_user("ana")
        self._stack = AsyncExitStack()
        self.one: Replica
        self.other: Replica

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.slack)
        session = await self._stack.enter_async_context(ClientSession())
        self.one, self.other = (
            Replica(name, self.database, self.slack, session, self.encryption) for name in ("one", "other")
        )
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        for replica in (self.one, self.other):
            await replica.tasks.finish(5)
            await replica.rotation.close(5)
        await self._stack.aclose()

    def enterprise(self, *names: str) -> tuple[Enterprise, list[Workspace]]:
        enterprise = self.slack.add_enterprise("Acme Group")
        return enterprise, [self.slack.add_workspace(name, enterprise=enterprise) for name in names]

    async def install(
        self,
        workspace: Workspace | None = None,
        *,
        installer: str = "",
        org_wide: bool = False,
        by: Replica | None = None,
    ) -> InstallOutcome:
        """Somebody goes through Slack's consent page."""
        replica = by or self.one
        url = await replica.installing.begin(BROWSER)
        back = self.slack.oauth.approve(url, workspace or self.acme, installer=installer, org_wide=org_wide)
        query = parse_qs(urlsplit(back).query)
        done = await replica.installing.finish(state=query["state"][0], code=query["code"][0], browser=BROWSER)
        await replica.tasks.finish(5)
        return done

    @property
    def refreshes(self) -> int:
        """How often Slack was asked for new tokens."""
        return len([call for call in self.slack.calls_to("oauth.v2.access") if "refresh_token" in call.args])

    def calls(self, method: str) -> int:
        return len(self.slack.calls_to(method))


def forget_memory(*some: Replica) -> None:
    """A minute later: what was looked up is looked up again."""
    for replica in some:
        replica.memory.wind(61)
