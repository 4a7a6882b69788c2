"""Two workspaces with two organisations each, installed by themselves: each works with its own, and leaves with its own."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.config import Settings
from bot.investigations.card_view import ENDED
from bot.orgs.tables import orgs
from bot.sandbox.datadog import Script
from bot.sandbox.datadog.org import FakeOrg
from bot.sandbox.slack import Channel, Message, Person, Workspace
from tests.e2e.install_town import InstallTown

SITES = {"com": "US1 (datadoghq.com)", "eu": "EU1 (datadoghq.eu)"}


class Team:
    """One workspace: its admin, its channel, and an organisation on each of two sites."""

    def __init__(self, town: "TwoTowns", workspace: Workspace) -> None:
        self.workspace = workspace
        self.eva: Person = workspace.add_user("eva", admin=True)
        self.channel: Channel = workspace.add_channel("alerts")
        self.orgs: dict[str, FakeOrg] = {site: town.add_org(f"{workspace.name}-{site}", site) for site in SITES}


class TwoTowns(InstallTown):
    def settings(self, **more: Any) -> Settings:
        """No organisation of its own: whoever installs it brings theirs."""
        return super().settings(**{"dd_api_key": None, "dd_app_key": None} | more)

    def add_org(self, name: str, site: str) -> FakeOrg:
        org = self.datadog.add_org(name, f"{name}-api-key-0123456789", f"{name}-app-key-0123456789")
        org.app_url = f"https://app.datadoghq.{site}"
        return org

    async def connect(self, team: Team, site: str) -> None:
        org = team.orgs[site]
        await team.eva.command("/bits", "connect", in_=team.channel)
        await team.eva.waits_for_modal("Application key")
        await team.eva.choose("Datadog site", SITES[site])
        await team.eva.fill({"Name": site, "API key": org.api_key, "Application key": org.app_key})
        await team.eva.submit()
        await team.eva.waits_for_modal("is connected")
        await team.eva.close()

    async def investigates(self, team: Team, site: str) -> Message:
        org = team.orgs[site]
        fired = self.datadog.fire(self.datadog.add_monitor("Disk almost full", org=org))
        message = await self.post_alert(team.channel, fired)
        await team.eva.shortcut("investigate_message", on=message)
        return message

    async def stored(self, workspace: Workspace) -> list[str]:
        async with self.bots[0]._database.transaction() as connection:
            rows = await connection.execute(select(orgs.c.name).where(orgs.c.workspace == workspace.id))
            return sorted(rows.scalars())


@pytest.fixture(name="town")
async def two_towns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TwoTowns]:
    async with TwoTowns(f"sqlite+aiosqlite:///{tmp_path}/bits.sqlite3") as town:
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        town.datadog.plan_always(Script.at_once("conclusive"))
        await town.start_bot()
        yield town


async def test_each_workspace_works_with_its_own_organisations(town: TwoTowns) -> None:
    teams = [Team(town, town.slack.workspace), Team(town, town.slack.add_workspace("Globex"))]
    for team in teams:
        await town.install(team.workspace, installer=team.eva)
        await team.eva.waits_for(lambda team=team: "type /bits connect" in team.eva.sees)  # type: ignore[misc]
        for site in SITES:
            await town.connect(team, site)

    for team in teams:
        for site in SITES:
            message = await town.investigates(team, site)
            await town.reads(message, ENDED)

    assert [[len(org.investigations) for org in team.orgs.values()] for team in teams] == [[1, 1], [1, 1]]


async def test_before_anything_is_connected_the_next_step_is_told(town: TwoTowns) -> None:
    team = Team(town, town.slack.workspace)
    await town.install(team.workspace, installer=team.eva)

    await town.investigates(team, "eu")

    await team.eva.waits_for(lambda: "No Datadog organisation is connected to this workspace" in team.eva.sees)
    assert "A workspace admin can connect one: /bits connect" in team.eva.sees
    assert town.datadog.journal.requests == []


async def test_workspaces_of_one_org_wide_install_do_not_share_keys(town: TwoTowns) -> None:
    enterprise = town.slack.add_enterprise("Initech")
    teams = [Team(town, town.slack.add_workspace(name, enterprise=enterprise)) for name in ("North", "South")]
    await town.install(teams[0].workspace, installer=teams[0].eva, org_wide=True)
    await town.connect(teams[0], "eu")

    message = await town.investigates(teams[0], "eu")
    await town.investigates(teams[1], "eu")

    await town.reads(message, ENDED)
    await teams[1].eva.waits_for(lambda: "No Datadog organisation is connected" in teams[1].eva.sees)


async def test_who_leaves_takes_keys_and_comes_back_with_none(town: TwoTowns) -> None:
    teams = [Team(town, town.slack.workspace), Team(town, town.slack.add_workspace("Globex"))]
    for team in teams:
        await town.install(team.workspace, installer=team.eva)
        await town.connect(team, "eu")

    install = teams[0].workspace.install
    assert install is not None
    town.slack.uninstall(install)
    await town.slack.wait_for(lambda: teams[0].workspace.id in town.left)
    await town.all_heard()

    assert (await town.stored(teams[0].workspace), await town.stored(teams[1].workspace)) == ([], ["eu"])
    await town.install(teams[0].workspace, installer=teams[0].eva)
    await town.investigates(teams[0], "eu")
    await teams[0].eva.waits_for(lambda: "No Datadog organisation is connected" in teams[0].eva.sees)
    message = await town.investigates(teams[1], "eu")
    await town.reads(message, ENDED)


async def test_the_encryption_key_is_replaced_under_connected_organisations(town: TwoTowns) -> None:
    from cryptography.fernet import Fernet

    team = Team(town, town.slack.workspace)
    await town.install(team.workspace, installer=team.eva)
    await town.connect(team, "eu")
    await town.stop_bots()

    town.keys = f"{Fernet.generate_key().decode()},{town.keys}"
    await town.start_bot()

    message = await town.investigates(team, "eu")
    await town.reads(message, ENDED)


async def test_a_bot_without_the_key_that_sealed_does_not_start(town: TwoTowns) -> None:
    from cryptography.fernet import Fernet

    from bot.connections import StartError

    team = Team(town, town.slack.workspace)
    await town.install(team.workspace, installer=team.eva)
    await town.connect(team, "eu")
    await town.stop_bots()
    town.keys = Fernet.generate_key().decode()

    with pytest.raises(StartError, match="sealed with a key that is not in BITS_ENCRYPTION_KEYS"):
        await town.start_bot()
