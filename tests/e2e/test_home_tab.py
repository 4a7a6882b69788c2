"""The Home tab: what each person finds there, what only admins see, and that it follows what happens."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.home import home_tab as home_tabs
from bot.investigations.card_view import ENDED
from bot.sandbox.datadog import Script
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.visible import SeenView
from tests.e2e.org_town import OrgTown


@pytest.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OrgTown]:
    monkeypatch.setattr(home_tabs, "_PACE", 0.05)
    async with OrgTown(tmp_path) as town:
        yield town


async def opens(person: Person, *words: str) -> SeenView:
    """Her Home, once all these words stand in it."""
    await person.open_home()
    return await shows(person, *words)


async def shows(person: Person, *words: str) -> SeenView:
    return await person.waits_for(
        lambda: person.home if person.home and all(word in person.home.text for word in words) else None
    )


def published(town: OrgTown) -> int:
    return len([call for call in town.slack.calls if call.method == "views.publish" and call.ok])


async def test_somebody_new_finds_what_to_do(town: OrgTown) -> None:
    home = await opens(town.ana, "All commands")

    assert "None yet. Choose “Investigate with Bits” in the menu of an alert's message" in home.text
    assert "[Ask Bits AI] [Attach insights] [New case]" in home.text
    await town.ana.press("All commands")
    await town.ana.waits_for_modal("/bits investigate <monitor id>")
    await town.ana.close()
    assert "For admins" not in home.text


async def test_her_investigations_with_state_and_links_and_nobody_elses(town: OrgTown) -> None:
    town.datadog.plan(Script.at_once("conclusive"))
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, ENDED)

    hers = await opens(town.ana, "Your latest Bits AI investigations", "ended without a conclusion", "thread")
    assert "Disk almost full" in hers.text
    assert "None yet" in (await opens(town.ben, "All commands")).text


async def test_an_open_home_follows_what_happens(town: OrgTown) -> None:
    town.datadog.plan(Script.held())
    await opens(town.ana, "None yet")
    alert = await town.alert()

    await town.ana.shortcut("investigate_message", on=alert.message)
    await shows(town.ana, "Running now", "Disk almost full", "running")
    town.datadog.finish(town.datadog.org.investigations[0].id)

    await shows(town.ana, "Your latest Bits AI investigations", "conclusive")


async def test_nothing_is_drawn_again_while_nothing_changes(town: OrgTown) -> None:
    await opens(town.ana, "None yet")
    drawn = published(town)

    await town.ben.command("/bits", "investigate why is it slow", in_=town.channel)
    await town.slack.wait_for(lambda: len(town.datadog.org.investigations) == 1)
    await opens(town.ben, "why is it slow")

    mine = [call for call in town.slack.calls if call.method == "views.publish" and call.args["user_id"] == town.ana.id]
    assert len(mine) == drawn


async def test_what_stands_there_by_now_is_not_overwritten_by_something_older(town: OrgTown) -> None:
    """Somebody else (another replica) has drawn it meanwhile: the hash does not fit, and it is drawn from what is known now."""
    await opens(town.ana, "None yet")
    view = town.slack.screens.homes[town.ana.id]
    view.hash = "drawn by another replica"

    await town.ana.command("/bits", "investigate why is it slow", in_=town.channel)

    await shows(town.ana, "why is it slow")
    assert "hash_conflict" in [call.error for call in town.slack.calls]


async def test_admins_see_organisations_budget_and_health(town: OrgTown) -> None:
    await town.is_connected(town.acme)

    home = await opens(town.eva, "For admins")

    assert "default (US1, app.datadoghq.com)" in home.text
    assert "from Bits Bot's own settings" in home.text
    assert "acme (EU1, app.datadoghq.eu), acts as Bits Bot (service account)" in home.text
    assert "Connected by @eva" in home.text
    assert "Budget today" in home.text
    assert "Datadog: not asked for" in home.text
    assert town.acme.api_key not in str(home.view.definition)


async def test_connecting_starts_in_home_too_and_home_shows_it(town: OrgTown) -> None:
    await opens(town.eva, "For admins")
    await town.eva.press("Connect Datadog")
    await town.eva.waits_for_modal("Application key")
    await town.eva.fill(town.filled(town.acme))
    await town.eva.submit()
    await town.eva.waits_for_modal("is connected")
    await town.eva.close()

    await shows(town.eva, "acme (US1")


async def test_keys_are_replaced_and_the_organisation_stays_the_same(town: OrgTown) -> None:
    await town.is_connected(town.acme)
    before = await town.row("acme")
    town.acme.app_key = "acme-app-key-new-987654321"

    await opens(town.eva, "acme (EU1")
    await town.eva.press("Replace keys")
    shown = await town.eva.waits_for_modal("Application key")
    assert shown.fields["Name"] == "acme"
    assert shown.fields["API key"] == ""
    await town.eva.fill({"API key": town.acme.api_key, "Application key": town.acme.app_key})
    await town.eva.submit()
    await town.eva.waits_for_modal("is connected")

    after = await town.row("acme")
    assert (after.id, after.version) == (before.id, before.version + 1)
    _, message = await town.acme_alert()
    await town.ana.shortcut("investigate_message", on=message)
    await town.slack.wait_for(lambda: town.runs_of(town.acme) == 1)


async def test_keys_of_another_organisation_do_not_replace(town: OrgTown) -> None:
    await town.is_connected(town.acme)
    other = town.add_org("globex", "eu")
    await opens(town.eva, "acme (EU1")
    await town.eva.press("Replace keys")
    await town.eva.waits_for_modal("Application key")
    await town.eva.fill({"API key": other.api_key, "Application key": other.app_key})

    seen = await town.eva.submit()

    assert "belong to another organisation" in seen.errors["API key"]


async def test_disconnecting_asks_first_then_keys_are_gone_and_threads_are_told(town: OrgTown) -> None:
    await town.is_connected(town.acme)
    town.datadog.plan(Script.held())
    _, message = await town.acme_alert()
    await town.ana.shortcut("investigate_message", on=message)
    await town.reads(message, "Investigating")
    await opens(town.eva, "acme (EU1")

    asked = await town.eva.press("Disconnect", confirm=False)
    assert "Disconnect acme?: Its keys are removed at once." in asked.asked
    assert (await town.row("acme")).api_key
    await town.eva.press("Disconnect")

    await town.eva.waits_for(lambda: "acme is disconnected, and its keys are removed" in town.eva.sees)
    row = await town.row("acme")
    assert (row.api_key, row.app_key, row.api_key_end) == (None, None, "")
    await town.reads(
        message, "No Datadog organisation is connected", "may still finish in Datadog, but I can't follow it"
    )
    await town.eva.waits_for(lambda: town.eva.home and "acme (EU1" not in town.eva.home.text)


async def test_connected_again_it_is_the_same_organisation(town: OrgTown) -> None:
    await town.is_connected(town.acme)
    before = await town.row("acme")
    await opens(town.eva, "acme (EU1")
    await town.eva.press("Disconnect")
    await town.eva.waits_for(lambda: "is disconnected" in town.eva.sees)

    await town.connects(town.acme, Name="acme again")

    assert (await town.row("acme again")).id == before.id


async def test_the_button_of_somebody_who_is_no_admin_any_more_does_nothing(town: OrgTown) -> None:
    await town.is_connected(town.acme)
    await opens(town.eva, "acme (EU1")
    town.slack.workspace.users[town.eva.id].admin = False
    await town.bot.stop()
    await town.start_bot()  # what it knew of her is forgotten

    await town.eva.press("Disconnect")

    await town.eva.waits_for(lambda: "Only workspace admins may connect Datadog" in town.eva.sees)
    assert (await town.row("acme")).api_key


async def test_channels_whose_rules_she_may_change(town: OrgTown) -> None:
    await town.eva.command("/bits", "settings", in_=town.channel)
    await town.eva.waits_for_modal("Rules for #alerts")
    await town.eva.fill({"Also in this channel": ["Conclusions as a message in the channel, too"]})
    await town.eva.submit()
    await town.eva.waits_for(lambda: "are saved" in town.eva.sees)

    assert "Channels whose rules" not in (await opens(town.ana, "All commands")).text
    await opens(town.eva, "Channels whose rules you may change", "#alerts")
    await town.eva.press("Change")

    assert await town.eva.waits_for_modal("Rules for #alerts")


async def test_her_cases(town: OrgTown) -> None:
    town.datadog.add_project("DISK", "Disks")
    alert = await town.alert()
    await town.ana.shortcut("create_case_from_message", on=alert.message)
    await town.ana.waits_for_modal("Description")
    await town.ana.submit()
    await town.ana.waits_for_modal("Created ")
    await town.ana.close()

    await opens(town.ana, "Your cases", "DISK-42")
