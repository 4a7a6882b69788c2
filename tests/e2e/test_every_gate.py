"""Every handler has a gate, and whoever may not gets past none of them: nothing shown, nothing asked of Datadog, nothing changed."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp

from bot.investigations.conclusions_view import DETAILS_ACTION
from bot.model import Place
from bot.orgs.model import DEFAULT
from bot.sandbox.slack.people import Person
from bot.slack.gates import Judged, May, Open
from tests.e2e.town import Town
from tests.e2e.walk import LOST, SECRET, Named, Registry, make_rows, rows_of, steps, take, watch_registrations

WHO = {
    "guest": ("Guests may not",),
    "stranger": ("You are here from another organisation",),
    "deactivated": ("This account is deactivated",),
    "unknown": ("I can't tell whether you may", "Slack did not say whether you are one"),
}


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    return watch_registrations(monkeypatch)


@pytest.fixture
async def town(tmp_path: Path, registry: Registry) -> AsyncIterator[Town]:
    assert not registry.handlers
    async with Town(tmp_path, mode="http") as town:
        yield town


def person_who(town: Town, who: str) -> Person:
    person = town.slack.workspace.add_user(who, guest=who == "guest", stranger=who == "stranger")
    person.user.deleted = who == "deactivated"
    town.channel.members.add(person.id)
    if who == "unknown":
        town.slack.break_next("users.info", times=100_000, error="internal_error")
    return person


@pytest.mark.usefixtures("town")
async def test_every_handler_names_its_gate(registry: Registry) -> None:
    assert len(registry.handlers) > 60
    for each in registry.handlers:
        match each.gate:
            case May(doing=words) | Judged(by=words) | Open(why=words):
                assert words, each
    open_to_all = {each.id for each in registry.handlers if isinstance(each.gate, Open) and each.kind != "event"}
    assert open_to_all == {"card:open", "conclusions:open", "alert:open", "doubt:cancel", "home:help"}


async def test_no_handler_is_registered_past_the_gates(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as Bolt knows; events of one kind share a listener."""
    apps: list[AsyncApp] = []
    made = AsyncApp.__init__

    def remember(app: AsyncApp, **settings: object) -> None:
        made(app, **settings)  # type: ignore[arg-type]
        apps.append(app)

    monkeypatch.setattr(AsyncApp, "__init__", remember)
    async with Town(tmp_path, mode="http"):
        (app,) = apps
    events = registry.of("event")
    others = registry.calls - len(events) - len(registry.of("mention", "details"))
    assert len(app._async_listeners) == others + len({each.id for each in events})


@pytest.mark.parametrize("who", WHO)
async def test_who_may_not_gets_past_no_gate(town: Town, registry: Registry, who: str) -> None:
    person, database = person_who(town, who), town.bot._database
    place = Place(town.slack.workspace.id, town.channel.id, "1700000000.000100")
    named = await make_rows(database, place, person.id, DEFAULT)
    await town.slack.wait_for(lambda: town.channel.top_level)  # the card that is owed of the cycle
    before, calls = await rows_of(database), len(town.slack.calls)
    town.datadog.journal.requests.clear()

    for step, answer in await take(person, steps(registry, person, town.channel.id, named)):
        if isinstance(step.handler.gate, May):
            assert answer == ({"options": []} if step.handler.kind == "options" else {}), step
        else:
            assert answer == LOST or SECRET not in json.dumps(answer), step
    await town.bot._tasks.finish(60)

    shown = [json.dumps(call.args) for call in town.slack.calls[calls:]]
    assert [one for one in shown if SECRET in one] == []
    gated = [each for each in registry.of("action") if isinstance(each.gate, May)]
    refused = [one for one in shown if any(words in one for words in WHO[who])]
    assert len(refused) >= len(gated) * len(named)
    assert town.datadog.journal.requests == []
    after = await rows_of(database)
    changed = {key[0] for key, row in before.items() if after.get(key) != row}
    assert changed <= {"insight_drafts"}  # what was entered in their own window waits behind the reason


@pytest.mark.parametrize("who", WHO)
async def test_who_may_not_sees_a_home_that_says_so(town: Town, who: str) -> None:
    person = person_who(town, who)
    place = Place(town.slack.workspace.id, town.channel.id, "1700000000.000100")
    await make_rows(town.bot._database, place, person.id, DEFAULT)
    await person.open_home()
    home = await person.waits_for(lambda: person.home)
    assert WHO[who][0] in home.text
    assert SECRET not in home.text


async def test_while_slack_does_not_say_who_it_is_details_stay_closed_and_the_click_is_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # as long as the product waits
    answers = asyncio.Event()
    async with Town(tmp_path) as town:
        place = Place(town.slack.workspace.id, town.channel.id, "1700000000.000100")
        named = await make_rows(town.bot._database, place, town.ana.id, DEFAULT)
        town.slack.break_next("users.info", delay=answers)

        await town.ana.send(details(town, named[0]))
        await town.slack.wait_for(lambda: "I can't tell whether you may see" in town.ana.sees)
        assert "timeout" in town.ana.sees

        answers.set()
        await town.ana.send(details(town, named[0]))
        await town.ana.waits_for_modal(SECRET)


def details(town: Town, named: Named) -> dict[str, Any]:
    message = {"type": "message", "ts": "1700000000.000100", "text": "", "team": town.slack.workspace.id}
    action = {"type": "button", "action_id": DETAILS_ACTION, "value": named.value}
    click = town.ana.base_payload("block_actions") | {"channel": {"id": town.channel.id}, "actions": [action]}
    return click | {"message": message, "container": {"type": "message", "channel_id": town.channel.id}}
