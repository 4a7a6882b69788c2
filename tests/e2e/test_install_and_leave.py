"""Workspaces install the bot, work with it, leave, and come back."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select

from bot.investigations.tables import investigations, subscribers
from bot.rules.model import ChannelRules, WorkspaceRules
from bot.rules.repository import Draft, RuleRepository
from bot.sandbox.datadog import Script
from bot.sandbox.slack import Person, Workspace
from bot.storage.retention import AtUninstall, rules
from bot.wording import AI_WRITTEN
from bot.workspaces.tables import installations
from tests.e2e.install_town import InstallTown
from tests.e2e.town import Town

RUNNING = "Investigating"


either_way = pytest.mark.parametrize("mode", ["socket", "http"])


@pytest.fixture
def mode() -> str:
    return "socket"


@pytest.fixture(name="town")
async def install_town(mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[InstallTown]:
    async with InstallTown(f"sqlite+aiosqlite:///{tmp_path}/bits.sqlite3", mode=mode) as town:
        # seeing these, Bolt would like to keep installs in files of the home folder
        home = tmp_path / "home"
        for name, value in (("CLIENT_ID", town.slack.app.client_id), ("CLIENT_SECRET", town.slack.app.client_secret)):
            monkeypatch.setenv(f"SLACK_{name}", value)
        monkeypatch.setenv("HOME", str(home))
        await town.start_bot()
        yield town
        assert not home.exists()


async def count(town: InstallTown, table: object, *conditions: object) -> int:
    query = select(func.count()).select_from(table).where(*conditions)  # type: ignore[arg-type]
    async with town.bots[0]._database.transaction() as connection:
        return int((await connection.execute(query)).scalar_one())


async def leave(town: InstallTown, workspace: Workspace) -> None:
    assert workspace.install is not None
    town.slack.uninstall(workspace.install)
    await town.slack.wait_for(lambda: workspace.id in town.left)
    await town.all_heard()


async def allow_a_day(town: InstallTown, workspace: Workspace, *, starts: int) -> None:
    """As the settings form saves it, for the whole workspace; its rules so far are the usual ones."""
    own = WorkspaceRules(workspace.id, budget_per_day=starts)
    assert await RuleRepository(town.bots[0]._database).save(Draft(ChannelRules(workspace.id, ""), own), "UANN")


async def mentions(town: InstallTown, table: Table, workspace: str) -> bool:
    async with town.bots[0]._database.transaction() as connection:
        return any(workspace in str(row) for row in await connection.execute(select(table)))


def welcomed(person: Person) -> bool:
    return "Bits Bot is installed." in person.sees


@either_way
async def test_two_workspaces_install_it_and_each_works_with_its_own_token(town: InstallTown) -> None:
    acme, globex = town.slack.workspace, town.slack.add_workspace("Globex")
    people = {acme: acme.add_user("ana"), globex: globex.add_user("gil")}

    for workspace, person in people.items():
        assert f"Bits Bot is installed in {workspace.name}" in await town.install(workspace, installer=person)
        await town.slack.wait_for(partial(welcomed, person))
        channel = workspace.add_channel("alerts")
        alert = await town.alert(channel)
        await person.shortcut("investigate_message", on=alert)
        await town.reads(alert, AI_WRITTEN)

    assert len(town.datadog.triggers()) == 2
    assert [len(person.dms) for person in people.values()] == [1, 1]
    assert len({one.bot_token for one in town.slack.installs}) == 2


async def test_what_is_not_installed_says_so_and_where_to_install_it(town: InstallTown) -> None:
    ana = town.slack.workspace.add_user("ana")
    await town.install(town.slack.workspace)
    async with town.bots[0]._database.transaction() as connection:
        await connection.execute(installations.delete())

    await ana.command("/bits", "help", in_=town.slack.workspace.add_channel("alerts"))

    await ana.waits_for(lambda: "not installed here any more" in ana.sees)
    assert "bits.example.com/slack/install" in ana.sees


async def test_an_org_wide_install_serves_every_workspace_until_one_is_taken_out(town: InstallTown) -> None:
    enterprise = town.slack.add_enterprise("Acme Group")
    sales, tech = (town.slack.add_workspace(name, enterprise=enterprise) for name in ("Sales", "Tech"))
    people = [sales.add_user("sue"), tech.add_user("tom")]
    assert "installed in Acme Group" in await town.install(sales, org_wide=True)

    for person in people:
        alert = await town.alert(person.workspace.add_channel("alerts"))
        await person.shortcut("investigate_message", on=alert)
        await town.reads(alert, AI_WRITTEN)
    install = tech.install
    assert install is not None
    event = {"type": "team_access_revoked", "team_ids": [tech.id]}
    told = town.slack.events.tell(tech.id, event, to=install)
    assert told is not None
    await told
    await town.slack.wait_for(lambda: town.left == [tech.id])

    assert await count(town, subscribers, subscribers.c.workspace == tech.id) == 0
    assert await count(town, subscribers, subscribers.c.workspace == sales.id) == 1
    assert await count(town, installations) == 1


async def test_uninstalling_ends_what_only_that_workspace_waits_for(town: InstallTown) -> None:
    acme, globex = town.slack.workspace, town.slack.add_workspace("Globex")
    ana, gil = acme.add_user("ana"), globex.add_user("gil")
    await town.install(acme)
    await town.install(globex)
    town.datadog.plan(Script.held(), Script.held())
    shared = town.datadog.fire(town.monitor)
    own = await town.alert(acme.add_channel("own"))
    alerts = {one: await town.post_alert(one.workspace.add_channel("alerts"), shared) for one in (ana, gil)}
    await ana.shortcut("investigate_message", on=own)
    await town.reads(own, RUNNING)
    for person, alert in alerts.items():
        await person.shortcut("investigate_message", on=alert)
        await town.reads(alert, RUNNING)

    await leave(town, acme)

    assert await count(town, installations, installations.c.home == acme.id) == 0
    for table, rule in rules.items():
        assert rule.at_uninstall is AtUninstall.KEPT or not await mentions(town, table, acme.id), table.name
    assert await count(town, investigations, investigations.c.state == "running") == 1
    posts = len(town.slack.calls_to("chat.postMessage"))
    for run in town.datadog.triggers():
        town.datadog.finish(run.id)
    await town.reads(alerts[gil], "Asked by @gil", AI_WRITTEN)
    assert len(town.slack.calls_to("chat.postMessage")) == posts + 1
    assert "AI-written" not in "".join(reply.shown for reply in alerts[ana].replies)


async def test_coming_back_works_and_late_news_of_leaving_takes_nothing_away(town: InstallTown) -> None:
    acme = town.slack.workspace
    ana = acme.add_user("ana")
    channel = acme.add_channel("alerts")
    await town.install(acme, installer=ana)
    await leave(town, acme)
    left = list(town.left)

    assert "Bits Bot is installed in Acme" in await town.install(acme, installer=ana)
    assert acme.install is not None
    channel.members.add(acme.install.bot_user_id)
    for delivered in [one for one in town.slack.deliveries if one.kind == "events_api"]:
        await town.slack.redeliver(delivered.payload["event_id"])
    await town.all_heard()

    assert town.left == left
    alert = await town.alert(channel)
    await ana.shortcut("investigate_message", on=alert)
    await town.reads(alert, "Asked by @ana", AI_WRITTEN)


async def test_leaving_and_coming_back_brings_no_new_budget(town: InstallTown) -> None:
    acme = town.slack.workspace
    ana = acme.add_user("ana")
    channel = acme.add_channel("alerts")
    await town.install(acme)
    await allow_a_day(town, acme, starts=1)
    alert = await town.alert(channel)
    await ana.shortcut("investigate_message", on=alert)
    await town.reads(alert, AI_WRITTEN)

    await leave(town, acme)
    await town.install(acme)
    assert acme.install is not None
    channel.members.add(acme.install.bot_user_id)
    await allow_a_day(town, acme, starts=1)
    await ana.shortcut("investigate_message", on=await town.alert(channel))

    await ana.waits_for(lambda: "1 of 1 used today" in ana.sees)
    assert len(town.datadog.triggers()) == 1


async def test_a_token_revoked_without_a_word_stops_the_posts_and_a_new_install_brings_them_back(
    town: InstallTown, caplog: pytest.LogCaptureFixture
) -> None:
    acme = town.slack.workspace
    ana = acme.add_user("ana")
    channel = acme.add_channel("alerts")
    await town.install(acme, installer=ana)
    await ana.waits_for(lambda: ana.dms)
    install = acme.install
    assert install is not None
    channel.members.add(install.bot_user_id)
    town.datadog.plan(Script.held())
    alert = await town.alert(channel)
    await ana.shortcut("investigate_message", on=alert)
    await town.reads(alert, RUNNING)

    install.gone = "token_revoked"
    town.datadog.finish(town.datadog.triggers()[0].id)
    await town.slack.wait_for(lambda: [call for call in town.slack.calls if call.error == "token_revoked"])
    await town.install(acme, installer=ana)
    again = await town.post_alert(channel, town.datadog.fire(town.monitor))
    await ana.shortcut("investigate_message", on=again)

    await town.reads(again, "Asked by @ana", AI_WRITTEN)
    assert "install the app there again" in caplog.text


async def test_with_the_one_token_of_the_settings_an_uninstall_is_heard_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Town(tmp_path) as town:
        install = town.slack.workspace.install
        assert install is not None
        town.slack.uninstall(install)
        await town.slack.wait_for(lambda: [one.acknowledged for one in town.slack.deliveries] == [True, True])
    assert "app_uninstalled: Slack has taken SLACK_BOT_TOKEN out of service; install the app again" in caplog.text


@either_way
async def test_while_the_database_is_away_a_click_says_that_nothing_was_started(
    town: InstallTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is asked first whose workspace this is."""
    acme = town.slack.add_workspace("acme")
    ana, channel = acme.add_user("ana"), acme.add_channel("alerts")
    await town.install(acme, installer=ana)
    await ana.invite_app(channel)
    alert = await town.alert(channel)
    with monkeypatch.context() as patch:
        patch.setattr("bot.slack.requests.KEPT_WITHIN", 0.2)
        async with town.bots[0]._database.transaction():
            await ana.shortcut("investigate_message", on=alert)
            await town.slack.wait_for(lambda: "so nothing was started. Try again in a minute." in ana.sees)
    assert town.datadog.triggers() == []

    await ana.shortcut("investigate_message", on=alert)
    await town.reads(alert, AI_WRITTEN)
