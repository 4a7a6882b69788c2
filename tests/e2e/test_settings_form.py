"""`/bits settings`: what is set in the form holds, is shown again, and belongs to those who may."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.cases import settings_lists
from bot.connections import StartError
from bot.rules.model import AutoCase, CaseDefaults
from bot.sandbox.slack.people import Person
from tests.e2e.rule_town import RuleTown

PROJECT, TYPE = "Project of new cases", "Type of new cases"
CHOSEN = {
    "Alerts from Datadog's webhook": "Some of them …",
    "Start Bits AI investigations automatically": "For every alert",
}
EVERYTHING = {
    "Also in this channel": [
        "Alerts that no other channel takes",
        "Investigate buttons under Datadog's own alerts",
        "Conclusions as a message in the channel, too",
    ],
    "Minutes before the same monitor and group again": "30",
    "Who may start": "Only admins and those named below",
    "May start, too": ["Guests"],
    "Starts a day in this channel": "12",
    "Starts a day in all channels": "40",
    "Of those, at most automatically": "10",
    "Over budget": [],
    "route_tags": "team:core, Env:Prod",
    "route_priorities": ["P1", "P2"],
    "route_monitors": "7 https://app.datadoghq.com/monitors/8?group=x",
    "route_transitions": ["alert", "no data"],
}


async def opened(town: RuleTown, person: Person) -> None:
    """The form with everything in it."""
    await town.settings_of(person)
    await person.press("Budgets and more")
    await person.waits_for_modal("Over budget")


async def chosen(person: Person) -> None:
    for field, option in CHOSEN.items():
        await person.fill({field: option})
    await person.waits_for_modal("Minutes before the same monitor")
    await person.waits_for_modal("With all these tags")


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[RuleTown]:
    async with RuleTown(tmp_path) as town:
        yield town


async def test_an_admin_sets_everything_and_finds_it_again(town: RuleTown) -> None:
    eva = town.eva
    sre = town.slack.workspace.add_group("sre", [town.ana])
    town.slack.workspace.add_group("web", [town.ben])
    await opened(town, eva)
    await chosen(eva)
    await eva.fill(EVERYTHING)
    await eva.fill({"Named people": [town.ben]})
    assert await eva.type_in("Named user groups", "sr") == ["@sre"]
    await eva.fill({"Named user groups": ["@sre"]})

    seen = await eva.submit()

    assert seen.errors == {}
    assert eva.modal is None
    await town.slack.wait_for(lambda: "The rules of #alerts are saved" in eva.sees)
    await opened(town, eva)
    shown = (await eva.waits_for_modal("Over budget")).fields
    assert shown["Who may start"] == "Only admins and those named below"
    assert shown["Named people"] == "ben"
    assert shown["Named user groups"] == "@sre"
    assert shown["Starts a day in this channel"] == "12"
    assert shown["Of those, at most automatically"] == "10"
    rules = await town.rules()
    assert rules.starters.groups == (sre.id,)
    assert rules.starters.users == (town.ben.id,)
    assert rules.starters.guests
    assert rules.route is not None
    assert rules.route.tags == {"team:core", "env:prod"}
    assert rules.route.monitors == {7, 8}
    assert rules.route.transitions == {"alert", "no data"}
    assert rules.auto is not None
    assert not rules.auto.tags

    assert (await eva.submit()).errors == {}
    assert await town.rules() == rules


async def test_project_and_type_of_new_cases_are_chosen_from_datadogs_own(town: RuleTown) -> None:
    eva, cases = town.eva, town.datadog.org.case_management
    core = town.datadog.add_project("CORE", "Core services")
    town.datadog.add_project("WEB", "Web shop")
    await town.settings_of(eva)
    assert await eva.type_in(PROJECT) == ["None", "Core services (CORE)", "Web shop (WEB)"]
    assert await eva.type_in(PROJECT, "core") == ["Core services (CORE)"]
    await eva.fill({PROJECT: "Core services (CORE)"})
    assert "Standard" in await eva.type_in(TYPE)
    await eva.fill({TYPE: "Standard"})
    assert (await eva.submit()).errors == {}
    assert (await town.rules()).case == CaseDefaults("CORE", "Standard")

    del cases.projects[core.id]
    await town.bot.stop()
    await town.start_bot()
    shown = await town.settings_of(eva)
    assert shown.fields[PROJECT] == "CORE"
    assert "Datadog doesn't list CORE any more" in shown.text
    assert (await eva.submit()).errors == {}
    assert (await town.rules()).case.project == "CORE"

    await town.settings_of(eva)
    await eva.type_in(PROJECT)
    await eva.fill({PROJECT: "None"})
    await eva.submit()
    assert (await town.rules()).case == CaseDefaults("", "Standard")


async def test_no_menu_waits_for_datadog(town: RuleTown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_lists, "LISTS_WAIT", 0.05)
    eva = town.eva
    town.datadog.add_project("CORE", "Core services")
    town.datadog.break_next("GET", "/api/v2/cases/projects", hang=True, times=20)
    await town.settings_of(eva)
    assert await eva.type_in(PROJECT) == ["None", "Still loading from Datadog: open this again, or type"]
    await eva.fill({PROJECT: "Still loading from Datadog: open this again, or type"})
    await eva.type_in(TYPE, "Standard")
    await eva.fill({TYPE: "Standard"})
    await eva.submit()
    assert (await town.rules()).case == CaseDefaults("", "Standard")


async def test_what_does_not_fit_is_said_under_its_field_and_nothing_is_saved(town: RuleTown) -> None:
    eva = town.eva
    await opened(town, eva)
    await eva.fill({"Starts a day in all channels": "5", "Of those, at most automatically": "6"})
    await chosen(eva)
    errors = (await eva.submit()).errors
    assert errors["Alerts from Datadog's webhook"] == "Say below which of them, or choose “All of them”."
    assert errors["Of those, at most automatically"] == "This is a part of the 5 a day, so it can't be more."

    await eva.fill({"route_monitors": "seven", "Of those, at most automatically": "5"})
    assert (await eva.submit()).errors == {
        "Of one of these monitors": "seven is no monitor; write its id or paste its link."
    }
    assert (await town.rules()).route is None


async def test_others_are_told_whom_to_ask(town: RuleTown) -> None:
    await town.ana.command("/bits", "settings", in_=town.channel)
    seen = await town.ana.waits_for_modal("Only workspace admins")
    assert "Starts automatically: never" in seen.text
    assert "Ask a workspace admin." in seen.text
    assert seen.submit_label == ""


async def test_a_named_person_changes_the_rules_but_neither_money_nor_people(town: RuleTown) -> None:
    eva = town.eva
    await opened(town, eva)
    await eva.fill({"Named people": [town.ana], "Starts a day in this channel": "3"})
    await eva.submit()

    shown = await town.settings_of(town.ana)
    assert "Starts a day in this channel" not in shown.fields
    assert "Who may start" not in shown.fields
    assert "Workspace admins set who may start" in shown.text
    await town.ana.fill({"Also in this channel": ["Conclusions as a message in the channel, too"]})
    assert (await town.ana.submit()).errors == {}

    rules = await town.rules()
    assert (rules.broadcast, rules.budget_per_day, rules.starters.users) == (True, 3, (town.ana.id,))


async def test_two_admins_at_once_do_not_overwrite_each_other(town: RuleTown) -> None:
    eva, max_ = town.eva, town.slack.workspace.add_user("max", admin=True)
    await opened(town, eva)
    await opened(town, max_)
    await eva.fill({"Starts a day in this channel": "3"})
    await max_.fill({"Starts a day in this channel": "9"})
    assert (await eva.submit()).errors == {}

    seen = await max_.submit()

    assert "Somebody else changed these rules meanwhile" in "".join(seen.errors.values())
    assert (await town.rules()).budget_per_day == 3


async def test_who_loses_the_right_while_the_form_is_open_saves_nothing(town: RuleTown) -> None:
    eva = town.eva
    await town.settings_of(eva)
    await eva.fill({"Named people": [town.ana]})
    await eva.submit()
    await town.settings_of(town.ana)
    await town.settings_of(eva)
    await eva.fill({"Named people": [town.ben]})
    await eva.submit()

    await town.ana.fill({"Also in this channel": ["Conclusions as a message in the channel, too"]})
    await town.ana.submit()

    assert town.ana.modal is not None
    assert "Only workspace admins and those the channel's rules name may" in town.ana.modal.text
    assert not (await town.rules()).broadcast


async def test_a_mention_can_not_open_a_form_and_says_what_does(town: RuleTown) -> None:
    await town.ana.mention("settings", in_=town.channel)
    await town.slack.wait_for(lambda: "type /bits settings in the channel" in town.ana.sees)


async def test_the_file_wins_and_the_form_says_so(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(
        'workspaces: [{budget_per_day: 9}]\nchannels: [{channel: "#alerts", budget_per_day: 2, nudge: true}]\n', "utf-8"
    )
    async with RuleTown(tmp_path, bits_channels_file=file) as town:
        eva = town.eva
        seen = await town.settings_of(eva)
        assert "They stand in the rules file rules.yml, which wins: change them there." in seen.text
        assert "Budget: 2 starts a day" in seen.text
        assert "Whole workspace: 9 starts a day" in seen.text
        assert seen.submit_label == ""
        assert seen.fields == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('channels: [{channel: "#alarms"}]', "I can't find a channel #alarms"),
        (
            "channels:\n  - channel: C0123\n    nudge: 3\n",
            "rules.yml, line 3: channels[0].nudge must be true or false.",
        ),
        ("channels: [{channel: C0123, org: eu}]", "no Datadog organisation eu is connected"),
    ],
)
async def test_a_file_that_can_not_be_used_stops_the_start_with_its_problems(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(text, "utf-8")
    town = RuleTown(tmp_path, bits_channels_file=file)
    try:
        with pytest.raises(StartError) as refused:
            await town.__aenter__()
        assert words in str(refused.value)
    finally:
        await town.__aexit__()


async def test_a_private_channel_may_be_named_too(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text('channels: [{channel: "#secret", budget_per_day: 4}]', "utf-8")
    town = RuleTown(tmp_path, bits_channels_file=file)
    secret = town.slack.workspace.add_channel("secret", private=True)
    async with town:
        await town.ana.command("/bits", "status", in_=secret)
        await town.is_told(town.ana, "this channel 0 of 4 used", "from the rules file")


async def test_whoever_invites_the_bot_is_asked_once_whether_alerts_get_buttons(town: RuleTown) -> None:
    outside = town.slack.workspace.add_channel("outside", member=False)
    await town.eva.invite_app(outside)
    await town.slack.wait_for(lambda: "Add Investigate buttons to alerts here?" in town.eva.sees)
    (asked,) = town.eva.ephemerals

    await town.eva.click("Settings", on=asked)
    await town.eva.waits_for_modal("Rules for #outside")
    await town.eva.click("Turn on", on=asked)
    await town.slack.wait_for(lambda: "Investigate buttons are on" in asked.shown)
    assert (await town.rules(outside)).nudge

    other = town.slack.workspace.add_channel("other", member=False)
    await town.ana.invite_app(other)
    await town.is_told(town.ana, "A workspace admin can turn them on")
    assert "[Turn on]" not in town.ana.sees
    assert outside.messages == [] == other.messages


async def test_a_rule_for_cases_is_set_read_by_members_and_turned_off(town: RuleTown) -> None:
    eva, when = town.eva, "Create a case for an alert automatically"
    await town.settings_of(eva)
    await eva.fill({when: "When it lasts longer than …"})
    await eva.waits_for_modal("Minutes that it has to last")
    await eva.fill({"For alerts of priority": "P1", "Minutes that it has to last": "0"})
    assert (await eva.submit()).errors == {"Minutes that it has to last": "Please enter a number between 1 and 1440."}
    closing = ["Close the case again if nobody has touched it"]
    await eva.fill({"Minutes that it has to last": "45", "When the alert recovers": closing})
    assert (await eva.submit()).errors == {}
    assert (await town.rules()).case == CaseDefaults(create=AutoCase(1, 45), close=True)

    await town.ana.command("/bits", "settings", in_=town.channel)
    seen = await town.ana.waits_for_modal(
        "A case is created automatically for alerts of P1 that last longer than 45 min"
    )
    assert "Closed again when the alert recovers, if nobody has touched it" in seen.text

    await town.settings_of(eva)
    await eva.fill({when: "Never"})
    await eva.submit()
    assert (await town.rules()).case == CaseDefaults()
