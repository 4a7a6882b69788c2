"""Whose webhook: each organisation's door has a secret of its own, shown once and made anew in Home."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.orgs.tables import webhook_secrets
from bot.rules.model import AlertFilter
from bot.sandbox.datadog.webhooks import TEMPLATE, Delivery
from bot.sandbox.slack.visible import SeenView
from bot.storage.engine import wake
from bot.web.datadog_webhook import HEADER, path_of
from tests.e2e.alert_town import AlertTown, Route
from tests.e2e.org_town import OrgTown


class SecretTown(AlertTown, OrgTown):
    def shown(self, view: SeenView) -> str:
        found = re.search(rf'{{"{HEADER}": "([^"]+)"}}', view.text)
        assert found, view.text
        return str(json.loads(found[0])[HEADER])

    async def org_id(self) -> str:
        return str((await self.row("acme")).id)

    async def sends(self, org: str, secret: str) -> Delivery:
        fired = self.datadog.fire(self.acme_monitor)
        url = f"http://127.0.0.1:{self.bot.port}{path_of(org)}"
        return await self.datadog.webhook(fired, url, headers={HEADER: secret}, template=TEMPLATE)

    async def makes_another(self) -> str:
        await self.eva.open_home()
        await self.eva.waits_for(lambda: self.eva.home is not None and "New webhook secret" in self.eva.home.text)
        await self.eva.press("New webhook secret")
        view = await self.eva.waits_for_modal("A new secret for acme")
        secret = self.shown(view)
        await self.eva.close()
        return secret


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[SecretTown]:
    async with SecretTown(tmp_path) as town:
        yield town


async def test_it_is_made_and_shown_once_when_an_organisation_is_connected(town: SecretTown) -> None:
    view = await town.connects(town.acme)
    secret, org = town.shown(view), await town.org_id()
    await town.eva.close()
    await town.decide(Route(rules={"route": AlertFilter(), "org": "acme"}))

    assert "shown this once" in view.text
    assert path_of(org) in view.text
    assert (await town.sends(org, "guessed")).attempts == (401,)
    assert (await town.sends(org, secret)).accepted
    await town.card("Checkout is slow")
    async with town._beside.transaction() as connection:
        (row,) = (await connection.execute(select(webhook_secrets))).all()
    assert secret not in str(row)


async def test_new_keys_leave_it_as_it_is(town: SecretTown) -> None:
    secret = town.shown(await town.connects(town.acme))
    await town.eva.close()

    again = await town.connects(town.acme)

    assert HEADER not in again.text
    assert (await town.sends(await town.org_id(), secret)).accepted


async def test_a_new_one_is_made_in_home_and_for_a_day_both_open(town: SecretTown) -> None:
    first = town.shown(await town.connects(town.acme))
    await town.eva.close()
    org = await town.org_id()

    second = await town.makes_another()

    assert first != second
    assert [(await town.sends(org, each)).accepted for each in (first, second)] == [True, True]
    async with town.bot._database.transaction() as connection:
        ended = update(webhook_secrets).where(webhook_secrets.c.ends_at.is_not(None))
        await connection.execute(ended.values(ends_at=webhook_secrets.c.ends_at - 86_401))
        wake(connection, webhook_secrets)
    assert (await town.sends(org, first)).attempts == (401,)
    assert (await town.sends(org, second)).accepted


async def test_one_that_was_connected_before_is_told_to_make_one(town: SecretTown) -> None:
    await town.is_connected(town.acme)
    async with town.bot._database.transaction() as connection:
        await connection.execute(webhook_secrets.delete())
        wake(connection, webhook_secrets)

    await town.eva.open_home()
    await town.eva.waits_for(lambda: town.eva.home is not None and "It has no webhook secret yet" in town.eva.home.text)
    assert (await town.sends("acme-id", "anything")).attempts == (401,)
    secret = await town.makes_another()

    assert (await town.sends("acme-id", secret)).accepted


async def test_only_admins_make_one(town: SecretTown) -> None:
    await town.is_connected(town.acme)
    payload = town.ana.base_payload("block_actions") | {
        "actions": [{"type": "button", "action_id": "home:new_webhook_secret", "value": "acme-id", "action_ts": "1.1"}],
        "view": {"id": "V1", "type": "home"},
    }
    await town.ana.send(payload)

    await town.ana.waits_for(lambda: "Only workspace admins may connect Datadog" in town.ana.sees)
    async with town._beside.transaction() as connection:
        assert len((await connection.execute(select(webhook_secrets))).all()) == 1
