"""Which channels an organisation's alerts can come to, and which organisation serves a thread under one of its cards."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from cryptography.fernet import Fernet

from bot.datadog.client import Datadog
from bot.datadog.links import SITES, Site
from bot.datadog.orgs import ConnectedOrg
from bot.model import Place
from bot.orgs.model import DEFAULT, Gone, NewOrg, OrgEntry, Undecided
from bot.orgs.repository import OrgRepository
from bot.rules.model import AlertFilter, ChannelRules, WorkspaceRules
from bot.rules.org_choice import OrgChooser
from bot.rules.repository import Draft, RuleRepository
from bot.storage.encryption import Encryption
from bot.storage.engine import Database
from tests.clock import Clock
from tests.pg import ready

US1 = SITES[0]
CARD = Place("T1", "C0NONE", "1700000000.000100")


def client_of(site: Site, api_key: str, app_key: str) -> Datadog:
    return Datadog(site.api_url, api_key, app_key, app_url=site.app_url)


def new(workspace: str, name: str) -> NewOrg:
    return NewOrg(workspace, name, US1, "", "an-api-key", "an-app-key", f"{workspace}-{name}", "", (), "UEVA")


@dataclass
class Scene:
    database: Database
    book: OrgRepository
    card: str = ""  # the organisation of the card at CARD

    async def channel(self, workspace: str, channel: str, org: str = "") -> None:
        rules = replace(ChannelRules(workspace, channel), org=org, route=AlertFilter())
        assert await RuleRepository(self.database).save(Draft(rules, WorkspaceRules(workspace)), "UEVA")

    async def connects(self, workspace: str, name: str) -> str:
        return (await self.book.connect(new(workspace, name))).id

    @property
    def chooser(self) -> OrgChooser:
        return OrgChooser(self.book, RuleRepository(self.database), self._of_card)

    async def _of_card(self, place: Place) -> str:
        return self.card if place == CARD else ""

    async def taking(self, org: str) -> list[str]:
        return [f"{rules.workspace} {rules.channel}" for rules in await self.chooser.channels_of(org)]


@pytest.fixture
async def alone() -> AsyncIterator[Scene]:
    """No organisation in the settings."""
    async with ready(Database("sqlite+aiosqlite:///:memory:", clock=Clock())) as database:
        book = OrgRepository(database, Encryption([Fernet.generate_key().decode()]), client_of)
        yield Scene(database, book)
        await book.close()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """The organisation of the settings serves two workspaces."""
    async with ready(Database("sqlite+aiosqlite:///:memory:", clock=Clock())) as database:
        client = client_of(US1, "settings-api-key", "settings-app-key")
        default = OrgEntry(DEFAULT, "", DEFAULT, US1), ConnectedOrg(DEFAULT, client, US1.app_url)
        book = OrgRepository(database, Encryption([Fernet.generate_key().decode()]), client_of, default=default)
        book.default_for = frozenset({"T1", "T2"})
        yield Scene(database, book)
        await book.close()


async def test_a_channel_takes_the_alerts_of_the_organisation_it_names_or_of_the_settings_own(scene: Scene) -> None:
    acme = await scene.connects("T1", "Acme EU")
    for channel, named in (("C0NONE", ""), ("C1DEF", DEFAULT), ("C2NAME", "acme  eu"), ("C3ID", acme), ("C4", "gone")):
        await scene.channel("T1", channel, named)

    assert await scene.taking(DEFAULT) == ["T1 C0NONE", "T1 C1DEF"]
    assert await scene.taking(acme) == ["T1 C2NAME", "T1 C3ID"]


async def test_no_workspace_sees_the_alerts_of_another_ones_organisation(scene: Scene) -> None:
    """Neither by the same name nor by knowing its id."""
    mine, theirs = await scene.connects("T1", "prod"), await scene.connects("T2", "prod")
    for workspace in ("T1", "T2"):
        await scene.channel(workspace, "C1", "prod")
        await scene.channel(workspace, "C2", theirs)
        await scene.channel(workspace, "C3")

    assert await scene.taking(mine) == ["T1 C1"]
    assert await scene.taking(theirs) == ["T2 C1", "T2 C2"]
    assert await scene.taking(DEFAULT) == ["T1 C3", "T2 C3"]


async def test_the_only_organisation_serves_channels_that_name_none_and_of_two_neither(alone: Scene) -> None:
    acme = await alone.connects("T1", "acme")
    await alone.channel("T1", "C1")
    await alone.channel("T1", "C2", "acme")
    await alone.channel("T2", "C3")
    assert await alone.taking(acme) == ["T1 C1", "T1 C2"]

    await alone.connects("T1", "globex")
    assert await alone.taking(acme) == ["T1 C2"]


async def test_what_is_not_connected_has_no_channels(alone: Scene) -> None:
    acme = await alone.connects("T1", "acme")
    await alone.channel("T1", "C1")
    assert await alone.book.entry(acme) is not None
    await alone.book.disconnect("T1", acme)
    assert await alone.book.entry(acme) is None
    for org in (acme, DEFAULT, "nobody"):
        assert await alone.taking(org) == []


async def test_under_an_alert_card_its_organisation_serves_whatever_the_channel_names(scene: Scene) -> None:
    scene.card = acme = await scene.connects("T1", "acme")
    assert isinstance(await scene.chooser.choose(Place("T1", "C0NONE")), Undecided)
    assert await scene.chooser.choose(CARD) == acme
    await scene.channel("T1", CARD.channel, DEFAULT)
    assert await scene.chooser.choose(CARD) == acme
    assert await scene.chooser.choose(CARD, "app.datadoghq.com") == acme  # a host that both have


async def test_a_card_whose_organisation_is_gone_is_served_by_no_other(scene: Scene) -> None:
    scene.card = await scene.connects("T1", "acme")
    await scene.book.disconnect("T1", scene.card)
    assert await scene.chooser.choose(CARD) == Gone(scene.card)
    assert await scene.chooser.choose(CARD, "app.datadoghq.com") == Gone(scene.card)
