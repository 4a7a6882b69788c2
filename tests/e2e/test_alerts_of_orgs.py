"""Alerts of several Datadog organisations: each comes in by its own path, stays in its own channels and starts at home."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.rules.model import AlertFilter
from bot.sandbox.datadog import FakeMonitor
from bot.sandbox.datadog.webhooks import TEMPLATE, Delivery
from bot.web.datadog_webhook import HEADER, path_of
from bot.wording import AI_WRITTEN
from tests.e2e.alert_town import SECRET, AlertTown, Route
from tests.e2e.org_town import OrgTown, webhook_secret_of

DEFAULT, ACME = "default", "acme-id"


class TwoOrgsTown(AlertTown, OrgTown):
    """Acme is connected beside the organisation of the settings, and #acme is its channel."""

    async def sends(self, monitor: FakeMonitor, org: str, secret: str = "", **how: Any) -> Delivery:
        fired = self.datadog.fire(monitor, **how)
        secret = secret or (SECRET if org == DEFAULT else webhook_secret_of(self.acme))
        url = f"http://127.0.0.1:{self.bot.port}{path_of(org)}"
        return await self.datadog.webhook(fired, url, headers={HEADER: secret}, template=TEMPLATE)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[TwoOrgsTown]:
    async with TwoOrgsTown(tmp_path) as town:
        await town.is_connected(town.acme)
        yield town


async def test_each_organisations_alerts_come_to_the_channels_that_name_it(town: TwoOrgsTown) -> None:
    acmes, by_id = town.slack.workspace.add_channel("acme"), town.slack.workspace.add_channel("acme-too")
    await town.decide(
        Route(),
        Route(acmes, {"route": AlertFilter(), "org": "Acme"}),  # as people write its name
        Route(by_id, {"route": AlertFilter(), "org": ACME}),
    )

    assert (await town.sends(town.monitor, DEFAULT)).accepted
    assert (await town.sends(town.acme_monitor, ACME)).accepted

    for channel in (acmes, by_id):
        await town.card("Triggered: Checkout is slow", channel=channel)
    await town.card("Triggered: Disk almost full")
    assert [len(town.cards(each)) for each in (town.channel, acmes, by_id)] == [1, 1, 1]


async def test_what_starts_from_a_card_runs_where_the_alert_came_from(town: TwoOrgsTown) -> None:
    """Also after the channel was given to another organisation: the card's thread knows."""
    await town.decide(Route(rules={"route": AlertFilter(), "org": ACME}))
    assert (await town.sends(town.acme_monitor, ACME)).accepted
    card = await town.card("Checkout is slow")
    await town.decide(Route())

    await town.ana.click("Investigate", on=card)

    await town.reads(card, "Asked by @ana", AI_WRITTEN)
    assert (town.runs_of(town.acme), len(town.datadog.triggers())) == (1, 1)


async def test_what_starts_by_itself_runs_there_too(town: TwoOrgsTown) -> None:
    everything = {"route": AlertFilter(), "auto": AlertFilter()}
    acmes = town.slack.workspace.add_channel("acme")
    await town.decide(Route(rules=everything), Route(acmes, {**everything, "org": ACME}))

    for monitor, org in ((town.acme_monitor, ACME), (town.monitor, DEFAULT)):
        assert (await town.sends(monitor, org)).accepted

    await town.reads(await town.card("Checkout", channel=acmes), "Started automatically", "AI-written")
    await town.reads(await town.card("Disk"), "Started automatically", "AI-written")
    assert (town.runs_of(town.acme), len(town.datadog.triggers())) == (1, 2)


async def test_a_stranger_and_a_wrong_path_bring_nothing_in(town: TwoOrgsTown) -> None:
    await town.decide(Route(), Route(town.slack.workspace.add_channel("acme"), {"route": AlertFilter(), "org": ACME}))
    assert (await town.sends(town.acme_monitor, ACME, secret="guessed")).attempts == (401,)
    assert (await town.sends(town.acme_monitor, "nobody-id", secret="guessed")).attempts == (401,)
    for org, secret in (("nobody-id", SECRET), (ACME, SECRET), (DEFAULT, webhook_secret_of(town.acme))):
        assert (await town.sends(town.acme_monitor, org, secret=secret)).attempts == (401,), (
            "it opens its own door only"
        )

    assert (await town.sends(town.monitor, DEFAULT)).accepted
    await town.card("Disk almost full")
    assert len(town.cards()) == 1


async def test_an_organisation_that_is_disconnected_is_heard_no_more(town: TwoOrgsTown) -> None:
    await town.decide(Route(rules={"route": AlertFilter(), "org": ACME}))
    assert (await town.sends(town.acme_monitor, ACME)).accepted
    card = await town.card("Checkout is slow")
    assert await town.bot._orgs.disconnect(town.slack.workspace.id, ACME)
    assert (await town.sends(town.acme_monitor, ACME, group="host:later")).attempts == (401,)

    await town.ana.click("Investigate", on=card)
    await town.slack.wait_for(lambda: "acme-id, which is not connected any more" in town.ana.sees)
    assert town.datadog.triggers() == []


async def test_an_admin_sees_in_the_status_what_reached_no_channel(town: TwoOrgsTown) -> None:
    await town.decide(Route(rules={"route": AlertFilter(monitors=frozenset({town.monitor.id}))}))
    nobodys = town.datadog.add_monitor("Nobody's")
    for monitor, org in ((nobodys, DEFAULT), (town.acme_monitor, ACME), (town.monitor, DEFAULT)):
        assert (await town.sends(monitor, org)).accepted
    await town.card("Disk almost full")  # they are taken in their order

    await town.ana.command("/bits", "status", in_=town.channel)
    await town.slack.wait_for(lambda: "Database: answers" in town.ana.sees)
    await town.eva.command("/bits", "status", in_=town.channel)
    await town.slack.wait_for(
        lambda: "2 notifications of Datadog's webhook in the last day reached no channel" in town.eva.sees
    )
    assert "reached no channel" not in town.ana.sees
