"""An organisation's alerts are set up in Datadog from Slack: seen beforehand, repeatable, looked at by the doctor, undone at the end."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import NoResultFound

from bot.datadog.webhooks import MANAGE, WRITE_RULES
from bot.doctor.examination import examine
from bot.doctor.model import Finding
from bot.orgs.alert_setup_form import OPEN, REMOVE
from bot.orgs.model import DEFAULT
from bot.orgs.tables import orgs
from bot.rules.model import AlertFilter
from bot.sandbox.datadog.alert_routes import FakeRule, FakeWebhook
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.visible import SeenView
from tests.e2e.alert_town import SECRET, AlertTown, Route
from tests.e2e.org_town import OrgTown
from tests.test_doctor import setup_of

ADDRESS = "https://bits.example.com"


class SetupTown(AlertTown, OrgTown):
    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, bits_public_url=ADDRESS, **settings)
        self.acme_monitor.tags = ("team:sre", "env:prod")

    def lead_here(self) -> None:
        """The name of the bot's address, which nobody resolves in this town."""
        for webhook in self.acme.webhooks.values():
            assert webhook.url.startswith(f"{ADDRESS}/datadog/webhook/acme-")
            webhook.url = webhook.url.replace(ADDRESS, f"http://127.0.0.1:{self.bot.port}")

    async def from_home(self, word: str, *, says: str = "", own: bool = False) -> None:
        """Of acme's alerts, or of those of the settings' `own` organisation, which stands above."""
        await self.eva.open_home()
        await self.eva.waits_for(lambda: self.eva.home is not None and (says or word) in self.eva.home.text)
        await self.eva.press(word, index=0 if own or word != "Set up alerts" else 1)
        await self.eva.waits_for_modal("Monitors with all of these tags")

    async def sets_up(self, tags: str, *, says: str = "are set up in Datadog") -> SeenView:
        await self.eva.fill({"Monitors with all of these tags": tags})
        await self.eva.submit()
        view = await self.eva.waits_for_modal(says)
        await self.eva.close(everything=True)
        return view

    async def doctor(self) -> Finding:
        findings = await examine(replace(setup_of(self), public_url=self.bot_url))
        return next(finding for finding in findings if finding.name.startswith("Alerts (acme"))

    @property
    def bot_url(self) -> str:
        return f"http://127.0.0.1:{self.bot.port}"


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[SetupTown]:
    async with SetupTown(tmp_path) as town:
        yield town


async def test_from_the_window_of_the_connection_to_the_first_card(town: SetupTown) -> None:
    await town.connects(town.acme)
    await town.eva.press("Set up alerts")
    asked = await town.eva.waits_for_modal("Monitors with all of these tags")
    org = (await town.row("acme")).id
    variable = f"BITS_BOT_{org.upper().replace('-', '_')}"
    for word in (variable, f"bits-bot-{org}", f"{ADDRESS}/datadog/webhook/{org}", "Bits Bot: acme", MANAGE):
        assert word in asked.text
    assert not town.acme.webhooks, "nothing is put there before the button is pressed"

    await town.sets_up("team:sre, env:prod")

    (rule,) = town.acme.rules.values()
    assert (rule.tags, rule.recipients) == (("team:sre", "env:prod"), (f"webhook-bits-bot-{org}",))
    assert town.acme.variables[variable].is_secret
    assert town.acme.variables[variable].value not in str(town.acme.webhooks[f"bits-bot-{org}"].custom_headers)

    town.lead_here()
    await town.decide(Route(rules={"route": AlertFilter(), "org": "acme"}))
    other = town.datadog.add_monitor("Somebody else's", org=town.acme, tags=["team:web"])
    assert await town.datadog.notify(town.datadog.fire(other)) == []
    (delivery,) = await town.datadog.notify(town.datadog.fire(town.acme_monitor))
    assert delivery.accepted
    await town.card("Checkout is slow")
    assert (await town.doctor()).state == "ok"


async def test_it_is_changed_not_made_twice_and_the_doctor_sees_what_is_gone(town: SetupTown) -> None:
    await town.is_connected(town.acme)
    await town.from_home("Set up alerts")
    await town.sets_up("team:sre")
    (first,) = (each.value for each in town.acme.variables.values())

    await town.from_home("Change alerts")
    await town.sets_up("env:prod")

    assert [rule.tags for rule in town.acme.rules.values()] == [("env:prod",)]
    (second,) = (each.value for each in town.acme.variables.values())
    assert second != first
    town.lead_here()
    (delivery,) = await town.datadog.notify(town.datadog.fire(town.acme_monitor))
    assert delivery.accepted

    town.acme.rules.clear()
    town.acme.variables.clear()
    told = await town.doctor()
    assert told.state == "fail"
    assert "the variable BITS_BOT_ACME_ID is gone" in told.told
    assert "no notification rule sends to webhook-bits-bot-acme-id" in told.told


async def test_a_missing_permission_is_named_and_then_it_goes_on(town: SetupTown) -> None:
    await town.is_connected(town.acme)
    town.acme.scopes.discard(WRITE_RULES)
    await town.from_home("Set up alerts")
    told = await town.sets_up("team:sre", says="are not set up yet")
    assert "the notification rule could not be put in place" in told.text
    assert "What stands already: the secret variable, the webhook" in told.text
    assert WRITE_RULES in told.text
    next(iter(town.acme.webhooks.values())).url = f"{town.bot_url}/datadog/webhook/acme-id"
    assert (await town.doctor()).told == "no notification rule sends to webhook-bits-bot-acme-id"

    town.acme.scopes.add(WRITE_RULES)
    await town.from_home("Set up alerts", says="set up in part only")
    await town.sets_up("team:sre")
    assert len(town.acme.rules) == 1


async def test_an_answer_that_got_lost_makes_no_second_rule(town: SetupTown) -> None:
    await town.is_connected(town.acme)
    town.datadog.break_next("POST", "/api/v2/monitor/notification_rule", drop="after")
    await town.from_home("Set up alerts")
    told = await town.sets_up("team:sre", says="are not set up yet")
    assert "may have been done or not" in told.text
    assert len(town.acme.rules) == 1

    await town.from_home("Set up alerts")
    await town.sets_up("team:sre")
    assert len(town.acme.rules) == 1


async def test_what_is_no_tag_is_said_under_the_field(town: SetupTown) -> None:
    await town.is_connected(town.acme)
    await town.from_home("Set up alerts")
    await town.eva.fill({"Monitors with all of these tags": "prod"})
    await town.eva.submit()

    await town.eva.waits_for(lambda: "is no tag: write key:value" in str(town.eva.modal and town.eva.modal.text))
    assert not town.acme.variables


async def test_disconnecting_takes_ours_away_and_leaves_what_people_made(town: SetupTown) -> None:
    await town.is_connected(town.acme)
    await town.from_home("Set up alerts")
    await town.sets_up("team:sre")
    theirs = FakeRule("theirs", "Theirs", ("a:b",), ("webhook-bits-bot-acme-id", "slack-ops"), 0.0, 0.0)
    town.acme.rules[theirs.id] = theirs

    await town.eva.open_home()
    await town.eva.press("Disconnect")
    await town.eva.waits_for(lambda: "is disconnected, and its keys are removed" in town.eva.sees)

    assert "What was set up in Datadog for its alerts is removed there" in town.eva.sees
    assert (town.acme.webhooks, town.acme.variables) == ({}, {})
    assert list(town.acme.rules.values()) == [theirs]
    row = await town.row("acme")
    assert (row.api_key, row.alerts_begun_at, row.alerts_tags) == (None, None, "[]")


async def test_an_admin_sets_up_the_organisation_of_the_settings_and_takes_that_away_again(town: SetupTown) -> None:
    own, monitor = town.datadog.org, town.datadog.add_monitor("Checkout is down", tags=["team:sre"])
    await town.from_home("Set up alerts", own=True)
    assert "with a new secret" not in str(town.eva.modal and town.eva.modal.text)
    await town.sets_up("team:sre")
    (webhook,), (rule,), (variable,) = own.webhooks.values(), own.rules.values(), own.variables.values()
    assert (webhook.url, rule.tags) == (f"{ADDRESS}/datadog/webhook/default", ("team:sre",))
    assert (variable.value, variable.is_secret) == (SECRET, True)

    await town.decide(Route(rules={"route": AlertFilter()}))
    webhook.url = town.webhook_url
    (delivery,) = await town.datadog.notify(town.datadog.fire(monitor))
    assert delivery.accepted
    await town.card("Checkout is down")

    await town.from_home("Change alerts")
    assert "brought up to date." in str(town.eva.modal and town.eva.modal.text)
    await town.sets_up("env:prod")
    assert [rule.tags for rule in own.rules.values()] == [("env:prod",)]

    await town.eva.open_home()
    await town.eva.press("Remove alert set-up")
    await town.eva.waits_for(lambda: "What was set up in Datadog for its alerts is removed there" in town.eva.sees)
    assert (own.webhooks, own.rules, own.variables) == ({}, {}, {})
    await town.from_home("Set up alerts", own=True)


def _refused_more_than(before: int, person: Person) -> bool:
    return person.sees.count("Only workspace admins") > before


async def test_nobody_but_an_admin_sets_it_up(town: SetupTown) -> None:
    forged = town.ana.base_payload("block_actions", channel_id=town.channel.id)
    forged |= {"container": {"type": "message", "message_ts": "1.1", "channel_id": town.channel.id}}
    for action in (OPEN, REMOVE):
        before = town.ana.sees.count("Only workspace admins")
        click = {"type": "button", "action_id": action, "block_id": "forged", "value": DEFAULT, "action_ts": "1.1"}
        await town.ana.send(forged | {"actions": [click]})
        await town.slack.wait_for(partial(_refused_more_than, before, town.ana))
    assert town.ana.modal is None
    assert not town.datadog.org.webhooks


async def test_a_webhook_of_another_bot_is_left_alone(town: SetupTown) -> None:
    theirs = FakeWebhook("bits-bot-default", "https://other.example/datadog/webhook/default")
    town.datadog.org.webhooks[theirs.name] = theirs
    for _ in range(2):
        await town.from_home("Set up alerts", own=True)
        told = await town.sets_up("team:sre", says="Nothing was set up")
        assert "sends to https://other.example/datadog/webhook/default" in told.text.replace("`", "")
    assert (town.datadog.org.webhooks, town.datadog.org.variables) == ({theirs.name: theirs}, {})


async def test_without_a_secret_in_the_settings_there_is_nothing_to_set_up(tmp_path: Path) -> None:
    async with SetupTown(tmp_path, bits_webhook_secret=None) as town:
        await town.eva.open_home()
        await town.eva.waits_for(lambda: town.eva.home is not None and "Set up alerts" in town.eva.home.text)
        await town.eva.press("Set up alerts")
        await town.eva.waits_for_modal("Ask whoever runs Bits Bot to set BITS_WEBHOOK_SECRET")


@pytest.mark.parametrize("may_remove", [True, False])
async def test_a_workspace_that_leaves_takes_its_set_up_along(
    town: SetupTown, caplog: pytest.LogCaptureFixture, may_remove: bool
) -> None:
    await town.is_connected(town.acme)
    await town.from_home("Set up alerts")
    await town.sets_up("team:sre")
    if not may_remove:
        town.acme.scopes.discard(MANAGE)

    for forget in town.bot._workers.on_uninstall:
        await forget(town.slack.workspace.id)

    assert town.acme.rules == {}
    assert bool(town.acme.webhooks) is bool(town.acme.variables) is not may_remove
    told = "this was not removed in Datadog: the webhook bits-bot-acme-id, BITS_BOT_ACME_ID" in caplog.text
    assert told is not may_remove
    with pytest.raises(NoResultFound):
        await town.row("acme")


async def test_keys_that_can_not_be_opened_any_more_leave_it_there_and_that_is_said(town: SetupTown) -> None:
    await town.is_connected(town.acme)
    await town.from_home("Set up alerts")
    await town.sets_up("team:sre")
    async with town.bot._database.transaction() as connection:
        await connection.execute(update(orgs).values(api_key="sealed by a key that is lost"))

    await town.eva.open_home()
    await town.eva.press("Disconnect")
    await town.eva.waits_for(lambda: "is disconnected, and its keys are removed" in town.eva.sees)

    told = town.eva.sees.replace("`", "")
    assert (
        "Not removed in Datadog: the rules that send to webhook-bits-bot-acme-id, the webhook bits-bot-acme-id" in told
    )
    assert "Its keys can't be used any more. Remove that there by hand" in told


async def test_what_could_not_be_removed_is_named(town: SetupTown) -> None:
    await town.is_connected(town.acme)
    await town.from_home("Set up alerts")
    await town.sets_up("team:sre")
    town.acme.scopes.discard(MANAGE)

    await town.eva.open_home()
    await town.eva.press("Disconnect")
    await town.eva.waits_for(lambda: "is disconnected, and its keys are removed" in town.eva.sees)

    assert "Not removed in Datadog: the webhook bits-bot-acme-id, BITS_BOT_ACME_ID" in town.eva.sees.replace("`", "")
    assert town.acme.rules == {}
