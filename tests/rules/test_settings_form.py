"""The settings form drawn and read back, within Slack's limits."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given

from bot.rules import no_start
from bot.rules.model import AlertFilter, CaseDefaults, ChannelRules, Starters, WorkspaceRules
from bot.rules.repository import Draft
from bot.rules.settings_view import Shown, closed_modal, loading_modal, readable_modal, settings_modal
from bot.rules.submitted_settings import OpenedSettings, read_opened, read_settings
from bot.sandbox.slack import blockkit as local_slack
from bot.slack.forms import FormState
from tests.rules.test_filters import some_rules
from tests.slack.blockkit import shown

RULES = ChannelRules("T1", "C0ALERTS")
WORKSPACE = WorkspaceRules("T1")
NAMED = Starters(everyone=False, groups=("S0SRE",), users=("U0ANA",))


def drawn(draft: Draft, *, admin: bool) -> dict[str, Any]:
    orgs = {"acme": "acme", "globex": "globex"}
    return settings_modal(
        draft, admin=admin, file_name="rules.yml", handles={"S1": "sre"}, orgs=orgs, shown=Shown(more=admin)
    )


def check_view(view: dict[str, Any]) -> None:
    assert local_slack.check_view(view, "modal") == []
    assert len(view["private_metadata"]) <= 3_000
    assert len(json.dumps(view)) < 250_000


def untouched(view: dict[str, Any]) -> dict[str, Any]:
    """The state Slack sends when somebody saves the form as it was opened."""
    return {"values": {block["block_id"]: _value(block) for block in view["blocks"] if block["type"] == "input"}}


def _value(block: dict[str, Any]) -> dict[str, Any]:
    element = block["element"]
    initial = {key.removeprefix("initial_"): value for key, value in element.items() if key.startswith("initial_")}
    names = {"option": "selected_option", "options": "selected_options", "users": "selected_users", "value": "value"}
    empty = {
        "static_select": "selected_option",
        "external_select": "selected_option",
        "multi_users_select": "selected_users",
    }.get(element["type"])
    state: dict[str, Any] = {"type": element["type"]}
    state |= {names[key]: value for key, value in initial.items()}
    if not initial:
        selects = element["type"] in {"checkboxes", "multi_external_select", "multi_static_select"}
        state[empty or ("selected_options" if selects else "value")] = [] if selects or empty else None
    return {element["action_id"]: state}


def saved(view: dict[str, Any], draft: Draft, *, admin: bool, **changes: dict[str, Any]) -> Draft | dict[str, str]:
    state = untouched(view)
    for name, value in changes.items():
        state["values"][name][name] = value
    return read_settings(FormState({"state": state}), draft, admin=admin)


def written(value: str) -> dict[str, Any]:
    return {"type": "plain_text_input", "value": value}


def chosen(value: str) -> dict[str, Any]:
    return {"type": "static_select", "selected_option": {"value": value}}


# -- the form -------------------------------------------------------------------------------------------------------


@given(some_rules)
def test_a_form_saved_as_it_was_opened_changes_nothing(rules: ChannelRules) -> None:
    starters = replace(rules.starters, groups=tuple(sorted(rules.starters.groups)))
    rules = replace(rules, starters=starters, case=CaseDefaults("CORE"))
    draft = Draft(rules, replace(WORKSPACE, budget_per_day=5, automatic_share=2, admins_may_exceed=False))
    view = drawn(draft, admin=True)
    check_view(view)
    assert saved(view, draft, admin=True) == draft


def test_what_one_may_not_set_is_neither_shown_nor_read() -> None:
    draft = Draft(replace(RULES, starters=NAMED, budget_per_day=3), replace(WORKSPACE, budget_per_day=9))
    view = drawn(draft, admin=False)
    check_view(view)
    names = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    assert not names & {"budget", "starters", "starter_people", "others", "workspace_budget", "automatic_share"}

    forged = untouched(drawn(draft, admin=True))
    forged["values"]["budget"]["budget"] = written("999")
    forged["values"]["workspace_budget"]["workspace_budget"] = written("999")
    forged["values"]["starters"]["starters"] = chosen("everyone")
    assert read_settings(FormState({"state": forged}), draft, admin=False) == draft


def test_rules_from_the_file_are_shown_as_they_are_and_read_from_nowhere() -> None:
    draft = Draft(replace(RULES, from_file=True, nudge=True), replace(WORKSPACE, from_file=True))
    view = drawn(draft, admin=True)
    check_view(view)
    assert "submit" not in view
    assert "`rules.yml`, which wins" in shown(view["blocks"])
    forged = untouched(drawn(Draft(RULES, WORKSPACE), admin=True))
    assert read_settings(FormState({"state": forged}), draft, admin=True) == draft


def test_the_workspaces_part_stays_editable_where_only_the_channel_is_in_the_file() -> None:
    draft = Draft(replace(RULES, from_file=True), WORKSPACE)
    view = drawn(draft, admin=True)
    check_view(view)
    changed = saved(view, draft, admin=True, workspace_budget={"type": "number_input", "value": "7"})
    assert changed == replace(draft, workspace=replace(WORKSPACE, budget_per_day=7))


def test_each_field_says_what_is_wrong_with_it() -> None:
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("route_tags", written("team:core " + "x" * 201), "is no tag"),
        ("route_monitors", written("https://example.com/monitors/x"), "is no monitor"),
        ("auto_monitors", written("0"), "is no monitor"),
        ("cooldown", {"type": "number_input", "value": "10081"}, "from 0 to 10,080"),
        ("budget", {"type": "number_input", "value": "-1"}, "whole number from 0 to 10,000"),
        ("budget", {"type": "number_input", "value": "1.5"}, "whole number"),
        ("route", chosen("some"), "Say below which of them"),
        ("auto", chosen("some"), "Say below which of them"),
    ]
    of_one = AlertFilter(transitions=frozenset({"alert"}))
    for field, value, words in cases:
        filtered = field.partition("_")[0] in {"route", "auto", "cooldown"} and field not in {"route", "auto"}
        draft = Draft(replace(RULES, route=of_one, auto=of_one) if filtered else RULES, WORKSPACE)
        told = saved(drawn(draft, admin=True), draft, admin=True, **{field: value})
        assert isinstance(told, dict)
        assert list(told) == [field]
        assert words in told[field]


def test_only_what_was_chosen_has_fields() -> None:
    def fields(**chosen: Any) -> list[str]:
        view = settings_modal(
            Draft(RULES, WORKSPACE), admin=True, file_name="", handles={}, orgs={"acme": "acme"}, shown=Shown(**chosen)
        )
        check_view(view)
        return [block["block_id"] for block in view["blocks"] if block["type"] == "input"]

    assert len(fields()) == 9
    assert {"route_tags", "route_monitors", "auto_tags"} & {*fields()} == set()
    assert {"route_tags", "route_priorities", "route_monitors", "route_transitions"} <= {*fields(route="some")}
    assert "cooldown" in fields(auto="all")
    assert {"budget", "datadog_apps", "others", "workspace_budget", "exceed"} <= {*fields(more=True)}


def test_what_is_hidden_stays_as_it_is() -> None:
    rules = replace(RULES, starters=replace(NAMED, guests=True), budget_per_day=3, cooldown_minutes=5, org="acme")
    draft = Draft(rules, replace(WORKSPACE, budget_per_day=9))
    view = settings_modal(draft, admin=True, file_name="", handles={})
    assert saved(view, draft, admin=True) == draft


def test_members_read_the_rules() -> None:
    view = readable_modal(Draft(RULES, WORKSPACE), no_start.offer_gone())
    check_view(view)
    assert "submit" not in view
    assert "• Starts automatically: never" in shown(view["blocks"])


def test_a_form_knows_what_it_was_opened_on() -> None:
    view = drawn(Draft(RULES, WORKSPACE, 3, 4), admin=True)
    assert read_opened(view["private_metadata"]) == OpenedSettings("C0ALERTS", 3, 4)
    for forged in ("", "{}", "[1]", '["C1","x",2]', "null", '["C1",1e999,2]', f'["C1",1,{2**70}]', "[" * 100_000):
        assert read_opened(forged) is None


def test_the_views_around_the_form_are_slacks_too() -> None:
    check_view(loading_modal())
    check_view(closed_modal(no_start.offer_gone()))
