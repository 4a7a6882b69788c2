"""Two workspaces of one bot, one Enterprise organisation, one org-wide install: nothing of the one is within reach of the other."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Delete, Select
from sqlalchemy.event import listen
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter

from bot.alerts.views import TAGS
from bot.config import Settings
from bot.datadog.links import SITES
from bot.investigations.conclusions_view import DETAILS_ACTION
from bot.model import Place
from bot.orgs.model import NewOrg
from bot.sandbox.slack import Channel, Workspace
from bot.sandbox.slack.people import Person
from tests.e2e.install_town import InstallTown
from tests.e2e.walk import LOST, REACHED, SECRET, Named, Registry, make_rows, rows_of, steps, take, watch_registrations

NAME = "Northern Lights"  # of North's organisation


class Neighbours(InstallTown):
    """North has a row of every kind; Mal is an admin of South, with an organisation of South's own."""

    registry: Registry
    things: list[Named]

    def settings(self, **more: Any) -> Settings:
        return super().settings(**{"dd_api_key": None, "dd_app_key": None} | more)

    async def settle(self) -> None:
        enterprise = self.slack.add_enterprise("Initech")
        self.north, self.south = (self.slack.add_workspace(name, enterprise=enterprise) for name in ("North", "South"))
        self.eva, self.mal = self.north.add_user("eva", admin=True), self.south.add_user("mal", admin=True)
        await self.start_bot()
        await self.install(self.north, installer=self.eva, org_wide=True)
        self.north_channel, self.south_channel = self.north.add_channel("alerts"), self.south.add_channel("alerts")
        org = await self._connect(self.north, self.eva, NAME)
        await self._connect(self.south, self.mal, "south org")
        for person, channel in ((self.eva, self.north_channel), (self.mal, self.south_channel)):
            await person.command("/bits", "help", in_=channel)  # an org-wide install learns where it is heard from
        place = Place(self.north.id, self.north_channel.id, "1700000000.000100")
        self.things = await make_rows(self.bots[0]._database, place, self.eva.id, org)
        await self.slack.wait_for(lambda: self.north_channel.top_level)  # the card that is owed of the cycle

    async def _connect(self, workspace: Workspace, admin: Person, name: str) -> str:
        org = self.datadog.add_org(workspace.name, f"{workspace.name}-api-key-01", f"{workspace.name}-app-key-01")
        keys = (org.api_key, org.app_key)
        new = NewOrg(workspace.id, name, SITES[0], "", *keys, org.uuid, "", (), admin.id)
        return (await self.bots[0]._orgs.connect(new)).id

    async def walked(self, person: Person, channel: Channel, **changes: Any) -> None:
        """Every handler was reached with something, and answered some of it."""
        taken = await take(person, steps(self.registry, person, channel.id, self.things, **changes))
        await self.bots[0]._tasks.finish(60)
        answered = {(step.handler.kind, step.handler.id) for step, answer in taken if answer != LOST}
        expected = {(each.kind, each.id) for each in self.registry.of("action", "shortcut", "submission", "options")}
        assert answered == expected

    def value(self, kind: str) -> str:
        return next(each.value for each in self.things if each.kind == kind)


@pytest.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Neighbours]:
    registry = watch_registrations(monkeypatch)
    async with Neighbours(f"sqlite+aiosqlite:///{tmp_path}/bits.sqlite3", mode="http") as town:
        town.registry = registry
        await town.settle()
        yield town


async def test_no_handler_touches_or_shows_a_row_of_another_workspace(town: Neighbours) -> None:
    before, calls = await rows_of(town.bots[0]._database), len(town.slack.calls)
    town.datadog.journal.requests.clear()

    await town.walked(town.mal, town.south_channel)

    await _nothing_of_north(town, before, calls)


async def test_nor_where_an_org_wide_install_is_not_told_the_workspace(town: Neighbours) -> None:
    before, calls = await rows_of(town.bots[0]._database), len(town.slack.calls)
    town.datadog.journal.requests.clear()

    # nor does the message tell: the clicker's own workspace is not the message's
    message = {"type": "message", "ts": "1700000000.000100", "text": ""}
    await town.walked(town.mal, town.north_channel, team=None, message=message)

    await _nothing_of_north(town, before, calls)


async def _nothing_of_north(town: Neighbours, before: dict[tuple[str, Any], Any], calls: int) -> None:
    after = await rows_of(town.bots[0]._database)
    assert {key for key, row in before.items() if after.get(key) != row} == set()
    since = town.slack.calls[calls:]
    shown = [json.dumps(call.args) for call in since]
    assert [one for one in shown if SECRET in one or NAME in one] == []
    assert [
        call for call in since if call.method == "chat.postMessage" and call.args["channel"] == town.north_channel.id
    ] == []
    assert {seen.org for seen in town.datadog.journal.requests} <= {town.south.name}
    assert any("I no longer know" in one for one in shown)


async def test_a_colleague_from_the_next_workspace_clicks_where_the_message_stands(town: Neighbours) -> None:
    """Of the same Enterprise organisation, so no stranger; the message's workspace counts, and its rows are found."""
    town.north_channel.members.add(town.mal.id)
    message = {"type": "message", "ts": "1700000000.000100", "text": "", "team": town.north.id}
    where = {"container": {"type": "message", "channel_id": town.north_channel.id}, "message": message, "team": None}
    click = town.mal.base_payload("block_actions") | where | {"channel": {"id": town.north_channel.id}}

    for action_id, kind in ((DETAILS_ACTION, "investigation"), (TAGS, "cycle")):
        trigger = town.mal.base_payload("block_actions")["trigger_id"]
        action = {"type": "button", "action_id": action_id, "value": town.value(kind), "action_ts": kind}
        await town.mal.send(click | {"trigger_id": trigger, "actions": [action]})
        modal = await town.mal.waits_for_modal(SECRET)
        assert modal
        await town.mal.close()


async def test_what_listeners_look_up_by_its_number_they_look_up_within_a_workspace(town: Neighbours) -> None:
    found: set[str] = set()

    def executed(_connection: Any, statement: Any, *_: Any) -> None:
        if REACHED.get():
            found.update(_unscoped(statement))

    listen(town.bots[0]._database.engine.sync_engine, "before_execute", executed)
    await town.walked(town.eva, town.north_channel)
    assert found == set()


# an organisation's id comes from a row that was found within its workspace, or by its name there
_BY_ID_ALONE = {"orgs"}


def _unscoped(statement: Any) -> set[str]:
    """The tables that a statement looks into by primary key alone. An update is of a row that was found before."""
    if not isinstance(statement, Select | Delete) or statement.whereclause is None:
        return set()
    compared = [
        each.left
        for each in visitors.iterate(statement.whereclause)
        if isinstance(each, BinaryExpression)
        and each.operator in (operators.eq, operators.in_op)
        and isinstance(each.left, Column)
        and isinstance(each.right, BindParameter)
    ]
    if any(column.name in ("workspace", "team_id") for column in compared):
        return set()
    by_number = {column.table.name for column in compared if column.primary_key and len(column.table.primary_key) == 1}
    return by_number - _BY_ID_ALONE
