"""Whose Datadog: the keys of the settings work for the workspaces the operator names, and for nobody else anywhere."""

import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.config import Settings
from bot.investigations.card_view import ENDED
from bot.rules.model import AlertFilter, ChannelRules
from bot.rules.repository import RuleRepository
from bot.sandbox.datadog import Script
from bot.sandbox.datadog.webhooks import TEMPLATE
from bot.sandbox.slack import Channel, Message, Person, Workspace
from bot.web.datadog_webhook import HEADER, path_of
from tests.e2e.alert_town import SECRET
from tests.e2e.install_town import InstallTown

NONE = "No Datadog organisation is connected to this workspace"


class Team:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.eva: Person = workspace.add_user("eva", admin=True)
        self.channel: Channel = workspace.add_channel("alerts")


class KeysTown(InstallTown):
    """Acme and Globex install it; the keys of the settings are those of whoever runs it."""

    def __init__(self, database_url: str) -> None:
        super().__init__(database_url)
        self.named = ()
        self.acme, self.globex = Team(self.slack.workspace), Team(self.slack.add_workspace("Globex"))

    def settings(self, **more: Any) -> Settings:
        return super().settings(**{"bits_webhook_secret": SECRET} | more)

    async def both_install(self) -> None:
        for team in (self.acme, self.globex):
            await self.install(team.workspace, installer=team.eva)
            await team.eva.waits_for(lambda team=team: "Bits Bot is installed." in team.eva.sees)  # type: ignore[misc]

    async def restart(self, *named: str) -> None:
        await self.stop_bots()
        self.named = named
        await self.start_bot()

    async def decide(self, team: Team, **rules: Any) -> None:
        book = RuleRepository(self.bots[0]._database)
        draft = await book.draft(team.workspace.id, team.channel.id)
        wanted = ChannelRules(team.workspace.id, team.channel.id, **rules)
        assert await book.save(type(draft)(wanted, draft.workspace, draft.channel_version), team.eva.id)

    async def asks(self, team: Team) -> Message:
        message = await self.alert(team.channel)
        await team.eva.shortcut("investigate_message", on=message)
        return message

    async def webhook(self, **how: Any) -> None:
        url = f"{self._address}{path_of('default')}"
        fired = self.datadog.fire(self.monitor, **how)
        assert (await self.datadog.webhook(fired, url, headers={HEADER: SECRET}, template=TEMPLATE)).accepted

    def said_in(self, channel: Channel) -> list[str]:
        return [message.shown for message in channel.messages if message.author.name == "Bits Bot"]


@pytest.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KeysTown]:
    async with KeysTown(f"sqlite+aiosqlite:///{tmp_path}/bits.sqlite3") as town:
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        town.datadog.plan_always(Script.at_once("conclusive"))
        await town.start_bot()
        yield town


async def test_where_none_is_named_nobody_uses_the_operators_keys(town: KeysTown) -> None:
    await town.both_install()

    await town.asks(town.acme)

    await town.acme.eva.waits_for(lambda: NONE in town.acme.eva.sees)
    assert "type /bits connect" in town.acme.eva.sees
    assert "uses the Datadog organisation it was set up with" not in town.acme.eva.sees
    assert town.datadog.journal.requests == []


async def test_only_the_workspace_that_is_named_is_served(town: KeysTown) -> None:
    await town.restart(town.globex.workspace.id)
    await town.both_install()

    served = await town.asks(town.globex)
    await town.asks(town.acme)

    await town.reads(served, ENDED)
    await town.acme.eva.waits_for(lambda: NONE in town.acme.eva.sees)
    assert "uses the Datadog organisation it was set up with" in town.globex.eva.sees
    (run,) = town.datadog.triggers()
    assert run is not None


async def test_a_named_enterprise_means_its_workspaces(town: KeysTown) -> None:
    enterprise = town.slack.add_enterprise("Initech")
    north = Team(town.slack.add_workspace("North", enterprise=enterprise))
    south = Team(town.slack.add_workspace("South", enterprise=enterprise))
    await town.restart(enterprise.id)
    await town.install(north.workspace, installer=north.eva, org_wide=True)
    await town.install(town.acme.workspace, installer=town.acme.eva)

    for team in (north, south):
        await town.reads(await town.asks(team), ENDED)
    await town.asks(town.acme)

    await town.acme.eva.waits_for(lambda: NONE in town.acme.eva.sees)
    assert len(town.datadog.triggers()) == 2


EVERY_WAY = (
    "investigate https://app.datadoghq.com/monitors/1?from_ts=1&event_id=5&link_event_ts=1700000000",
    "investigate 12345",
    "investigate why is checkout slow",
    "investigate 0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f",
    "list",
    "show 0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f",
    "case CASEM-42",
    "case new",
    "attach CASEM-42",
)


@pytest.mark.parametrize("words", EVERY_WAY)
async def test_no_command_of_another_workspace_reaches_the_operators_datadog(town: KeysTown, words: str) -> None:
    await town.restart(town.globex.workspace.id)
    await town.both_install()
    eva = town.acme.eva

    await eva.command("/bits", words, in_=town.acme.channel)

    def told() -> str:
        return eva.sees + (eva.modal.text if eva.modal else "")

    await eva.waits_for(lambda: "No Datadog organisation is connected" in told())
    assert town.datadog.journal.requests == []


async def test_status_home_and_settings_of_another_workspace_tell_nothing_of_it(town: KeysTown) -> None:
    await town.restart(town.globex.workspace.id)
    await town.both_install()
    await town.reads(await town.asks(town.globex), ENDED)
    eva, asked = town.acme.eva, len(town.datadog.journal.requests)

    await eva.command("/bits", "status", in_=town.acme.channel)
    await eva.waits_for(lambda: "Datadog: no organisation is connected" in eva.sees)
    await eva.open_home()
    await eva.waits_for(lambda: eva.home is not None and "Connect Datadog" in eva.home.text)

    assert eva.home is not None
    assert "own settings" not in eva.home.text
    assert "answered last" not in eva.sees + eva.home.text
    assert len(town.datadog.journal.requests) == asked


async def test_the_operators_alerts_come_to_named_workspaces_only(town: KeysTown) -> None:
    await town.restart(town.globex.workspace.id)
    await town.both_install()
    for team in (town.acme, town.globex):
        await town.decide(team, route=AlertFilter(), auto=AlertFilter(), is_default=True, org="default")

    await town.webhook(group="host:web-1")

    await town.slack.wait_for(lambda: any("host:web-1" in said for said in town.said_in(town.globex.channel)))
    await town.slack.wait_for(
        lambda: any("ended without a conclusion" in said for said in town.said_in(town.globex.channel))
    )
    assert town.said_in(town.acme.channel) == []


async def test_what_one_workspace_has_connected_posts_into_no_other(town: KeysTown) -> None:
    """Whatever the other's rules name, and although both use the same bot."""
    await town.both_install()
    eva, theirs = town.acme.eva, town.datadog.add_org("acme", "acme-api-key-0123456789", "acme-app-key-0123456789")
    await eva.command("/bits", "connect", in_=town.acme.channel)
    await eva.waits_for_modal("Application key")
    await eva.fill({"Name": "acme", "API key": theirs.api_key, "Application key": theirs.app_key})
    await eva.submit()
    shown = (await eva.waits_for_modal("is connected")).text
    path, secret = re.search(rf"{path_of('')}(\S+)", shown), re.search(rf'"{HEADER}": "([^"]+)"', shown)
    assert path is not None
    assert secret is not None
    for team, org in ((town.globex, path[1]), (town.globex, "acme"), (town.acme, "acme")):
        await town.decide(team, route=AlertFilter(), is_default=True, org=org)

    fired = town.datadog.fire(town.datadog.add_monitor("Checkout is slow", org=theirs))
    url = f"{town._address}{path_of(path[1])}"
    assert (await town.datadog.webhook(fired, url, headers={HEADER: secret[1]}, template=TEMPLATE)).accepted

    await town.slack.wait_for(lambda: any("Checkout is slow" in said for said in town.said_in(town.acme.channel)))
    assert town.said_in(town.globex.channel) == []


async def test_what_waits_for_a_workspace_that_is_named_no_more_fails_in_words_and_costs_nothing(
    town: KeysTown, caplog: pytest.LogCaptureFixture
) -> None:
    """One run under way, and a card of an alert."""
    await town.restart(town.acme.workspace.id)
    await town.install(town.acme.workspace, installer=town.acme.eva)
    await town.decide(town.acme, route=AlertFilter())
    await town.webhook(group="host:web-1")
    await town.slack.wait_for(lambda: any("host:web-1" in said for said in town.said_in(town.acme.channel)))
    town.datadog.plan_always(Script.held())
    running = await town.asks(town.acme)
    await town.reads(running, "Investigating")

    await town.stop_bots()
    asked, cards = len(town.datadog.journal.requests), town.said_in(town.acme.channel)[:1]
    with caplog.at_level(logging.WARNING):
        await town.restart()

    await town.reads(running, NONE)
    await town.webhook(group="host:web-1", transition="alert recovery")
    assert len(town.datadog.triggers()) == 1
    assert len(town.datadog.journal.requests) == asked
    assert town.said_in(town.acme.channel)[:1] == cards, "the card of the alert is not told of its end"
    assert f"do not serve {town.acme.workspace.id}, where the bot is installed" in caplog.text


async def test_whoever_uses_the_operators_keys_has_a_budget_until_somebody_decides(town: KeysTown) -> None:
    await town.restart(town.acme.workspace.id)
    await town.both_install()
    for team, told in ((town.acme, "workspace 0 of 25 used"), (town.globex, "workspace 0 started, no limit")):
        await team.eva.command("/bits", "status", in_=team.channel)
        await team.eva.waits_for(lambda team=team, told=told: told in team.eva.sees)  # type: ignore[misc]

    await town.acme.eva.command("/bits", "settings", in_=town.acme.channel)
    await town.acme.eva.waits_for_modal("Budgets and more")
    await town.acme.eva.press("Budgets and more")
    await town.acme.eva.waits_for_modal("Starts a day in all channels")
    await town.acme.eva.fill({"workspace_budget": ""})
    await town.acme.eva.submit()
    await town.acme.eva.waits_for(lambda: "are saved" in town.acme.eva.sees)
    await town.acme.eva.command("/bits", "status", in_=town.acme.channel)
    await town.acme.eva.waits_for(lambda: "workspace 0 started, no limit" in town.acme.eva.sees)


# -- who may install it ----------------------------------------------------------------------------------------------


async def test_only_named_workspaces_may_install_it(town: KeysTown) -> None:
    allowed = town.globex.workspace.id
    await town.stop_bots()
    settings = town.settings
    town.settings = lambda **more: settings(bits_allowed_workspaces=allowed, **more)  # type: ignore[method-assign]
    await town.start_bot()

    refused = await town.install(town.acme.workspace, installer=town.acme.eva)
    welcome = await town.install(town.globex.workspace, installer=town.globex.eva)

    assert "serves only workspaces that its operator has named" in refused
    assert "Bits Bot is installed in Globex" in welcome
    assert [call.ok for call in town.slack.calls if call.method == "auth.revoke"] == [True]
    assert town.acme.workspace.install is None, "its token is out of service"
    assert town.acme.eva.sees.count("Bits Bot is installed") == 0
    await town.globex.eva.waits_for(lambda: "Bits Bot is installed." in town.globex.eva.sees)
