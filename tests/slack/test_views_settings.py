"""The settings form drawn and read back, the refusals with their buttons, status and audit: all within Slack's limits."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from bot.home.health import WorkspaceHealth
from bot.home.status import Status, budget_line, status_message
from bot.rules.audit import Decision, Line
from bot.rules.budget import CoolingDown, Limits, OverBudget, Usage
from bot.rules.model import AlertFilter, ChannelRules, Starters, WorkspaceRules
from bot.rules.policy import Refused, Why
from bot.rules.repository import Draft
from bot.rules.views import no_start
from bot.rules.views.audit import audit_message
from bot.rules.views.settings_fields import Form
from bot.rules.views.settings_modal import (
    Opened,
    closed_modal,
    loading_modal,
    read_opened,
    read_settings,
    settings_modal,
)
from bot.sandbox.slack import blockkit as local_slack
from bot.slack.message import Message
from tests.investigations.samples import HOSTILE, INV
from tests.investigations.test_rules import some_rules
from tests.slack.blockkit import buttons, check_message, mrkdwn, shown

RULES = ChannelRules("T1", "C0ALERTS")
WORKSPACE = WorkspaceRules("T1")
NAMED = Starters(everyone=False, groups=("S0SRE",), users=("U0ANA",))
USAGE = Usage(7, 3, 2, Limits(40, 12, 10))

OPTION_FIELDS = {"static_select": "initial_option", "checkboxes": "initial_options"}


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
    empty = {"static_select": "selected_option", "multi_users_select": "selected_users"}.get(element["type"])
    state: dict[str, Any] = {"type": element["type"]}
    state |= {names[key]: value for key, value in initial.items()}
    if not initial:
        selects = element["type"] in {"checkboxes", "multi_external_select"}
        state[empty or ("selected_options" if selects else "value")] = [] if selects or empty else None
    return {element["action_id"]: state}


def saved(view: dict[str, Any], draft: Draft, *, admin: bool, **changes: dict[str, Any]) -> Draft | dict[str, str]:
    state = untouched(view)
    for name, value in changes.items():
        state["values"][name][name] = value
    return read_settings(state, draft, admin=admin)


def written(value: str) -> dict[str, Any]:
    return {"type": "plain_text_input", "value": value}


def chosen(value: str) -> dict[str, Any]:
    return {"type": "static_select", "selected_option": {"value": value}}


# -- the form -------------------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(some_rules)
def test_a_form_saved_as_it_was_opened_changes_nothing(rules: ChannelRules) -> None:
    starters = replace(rules.starters, groups=tuple(sorted(rules.starters.groups)))
    rules = replace(rules, starters=starters, case_project=Form({}).text("x") or "CORE", case_type="", org=rules.org)
    draft = Draft(rules, replace(WORKSPACE, budget_per_day=5, automatic_share=2, admins_may_exceed=False))
    view = settings_modal(draft, admin=True, handles={"S1": "sre"})
    check_view(view)
    assert saved(view, draft, admin=True) == draft


def test_what_one_may_not_set_is_neither_shown_nor_read() -> None:
    draft = Draft(replace(RULES, starters=NAMED, budget_per_day=3), replace(WORKSPACE, budget_per_day=9))
    view = settings_modal(draft, admin=False)
    check_view(view)
    names = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    assert not names & {"budget", "starters", "starter_people", "others", "workspace_budget", "automatic_share"}

    forged = untouched(settings_modal(draft, admin=True))
    forged["values"]["budget"]["budget"] = written("999")
    forged["values"]["workspace_budget"]["workspace_budget"] = written("999")
    forged["values"]["starters"]["starters"] = chosen("everyone")
    assert read_settings(forged, draft, admin=False) == draft


def test_rules_from_the_file_are_shown_as_they_are_and_read_from_nowhere() -> None:
    draft = Draft(replace(RULES, from_file=True, nudge=True), replace(WORKSPACE, from_file=True))
    view = settings_modal(draft, admin=True, file_name="rules.yml")
    check_view(view)
    assert "submit" not in view
    assert "`rules.yml`, which wins" in shown(view["blocks"])
    forged = untouched(settings_modal(Draft(RULES, WORKSPACE), admin=True))
    assert read_settings(forged, draft, admin=True) == draft


def test_the_workspaces_part_stays_editable_where_only_the_channel_is_in_the_file() -> None:
    draft = Draft(replace(RULES, from_file=True), WORKSPACE)
    view = settings_modal(draft, admin=True, file_name="rules.yml")
    check_view(view)
    changed = saved(view, draft, admin=True, workspace_budget={"type": "number_input", "value": "7"})
    assert changed == replace(draft, workspace=replace(WORKSPACE, budget_per_day=7))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("route_tags", written("team:core " + "x" * 201), "is no tag"),
        ("route_monitors", written("https://example.com/monitors/x"), "is no monitor"),
        ("auto_monitors", written("0"), "is no monitor"),
        ("cooldown", {"type": "number_input", "value": "10081"}, "from 0 to 10,080"),
        ("budget", {"type": "number_input", "value": "-1"}, "whole number from 0 to 10,000"),
        ("budget", {"type": "number_input", "value": "1.5"}, "whole number"),
        ("route", chosen("some"), "Say below which alerts"),
        ("auto", chosen("some"), "Say below which alerts"),
    ],
)
def test_each_field_says_what_is_wrong_with_it(field: str, value: dict[str, Any], words: str) -> None:
    draft = Draft(RULES, WORKSPACE)
    told = saved(settings_modal(draft, admin=True), draft, admin=True, **{field: value})
    assert isinstance(told, dict)
    assert list(told) == [field]
    assert words in told[field]


def test_a_form_knows_what_it_was_opened_on() -> None:
    view = settings_modal(Draft(RULES, WORKSPACE, 3, 4), admin=True)
    assert read_opened(view["private_metadata"]) == Opened("C0ALERTS", 3, 4)
    for forged in ("", "{}", "[1]", '["C1","x",2]', "null"):
        assert read_opened(forged) is None


def test_the_views_around_the_form_are_slacks_too() -> None:
    check_view(loading_modal())
    check_view(closed_modal(no_start.refused(Refused(Why.GUEST, NAMED))))


# -- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", list(Why))
@pytest.mark.parametrize("starters", [Starters(), NAMED, Starters(users=tuple(f"U{n:04}" for n in range(200)))])
def test_every_refusal_says_why_and_whom_to_ask(why: Why, starters: Starters) -> None:
    message = no_start.refused(Refused(why, starters, "missing_scope usergroups:read"))
    check_message(message)
    assert "admin" in message.text
    if why is Why.UNKNOWN:
        assert "`usergroups:read`" in message.text
    elif starters == NAMED:
        assert "<@U0ANA>, <!subteam^S0SRE>" in message.text


def test_who_slack_does_not_name_is_told_to_try_again() -> None:
    told = no_start.refused(Refused(Why.UNKNOWN, Starters(), "ratelimited")).text
    assert "`ratelimited`" in told
    assert "Try again in a minute" in told


def test_the_budgets_refusal_has_the_numbers_and_the_button_only_for_who_may() -> None:
    over = OverBudget("workspace", 12, 12, USAGE)
    for ask_id in (0, 7):
        message = no_start.over_budget(over, NAMED, ask_id=ask_id)
        check_message(message)
        assert "12 of 12 used today, resets at 00:00 UTC" in message.text
        assert "12 of 12 used today, resets at 00:00 UTC" in shown(message.blocks)
        assert set(buttons(message.blocks)) == ({"Start anyway"} if ask_id else set())
    anyway = buttons(message.blocks)["Start anyway"]
    assert (anyway["style"], anyway["confirm"]["style"], anyway["value"]) == ("danger", "danger", "7")
    assert "<@U0ANA>" in no_start.over_budget(over, NAMED).text


def test_the_small_answers_are_messages_too() -> None:
    for message in (no_start.cooling_down(CoolingDown(1.7e9)), no_start.started_anyway(), no_start.offer_gone()):
        check_message(message)


# -- status and audit -----------------------------------------------------------------------------------------------


def status(**changes: Any) -> Status:
    health = WorkspaceHealth(running=2, running_here=(INV,), refused_posts=0)
    return replace(Status(RULES, WORKSPACE, USAGE, health), **changes)


def checked(message: Message) -> str:
    check_message(message)
    return f"{message.text}\n{shown(message.blocks)}"


def test_status_says_budget_running_rules_and_health() -> None:
    told = checked(status_message(status()))
    assert "workspace 7 of 40 used, this channel 3 of 12 used, by themselves 2 of 10 used" in told
    assert "resets at 00:00 UTC" in told
    assert "2 investigations in this workspace" in told
    assert INV.ref in told
    assert "change them with `/bits settings`" in told
    assert "Database: answers" in told
    assert "not asked for" in told


@pytest.mark.parametrize(
    ("health", "words"),
    [
        (WorkspaceHealth(0, (), 3, 1.7e9), "3 messages refused by channels in the last day"),
        (WorkspaceHealth(0, (), 0, 1.7e9, 1.6e9, "forbidden"), "answered last at"),
        (WorkspaceHealth(0, (), 0, 1.6e9, 1.7e9, "forbidden"), "my key lacks a permission; answered last at"),
        (WorkspaceHealth(0, (), 0, None, 1.7e9, "not_found"), "it refused the start"),
    ],
)
def test_status_names_what_is_not_well(health: WorkspaceHealth, words: str) -> None:
    assert words in checked(status_message(status(health=health)))


def test_without_limits_only_what_was_used_is_said() -> None:
    assert budget_line(Usage(7, 3, 0, Limits())).endswith(
        "workspace 7 started, no limit, this channel 3 started, no limit"
    )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(some_rules)
def test_whatever_the_rules_status_fits_into_a_message(rules: ChannelRules) -> None:
    check_message(status_message(status(rules=rules)))


def line(**changes: Any) -> Line:
    known = Line(1.7e9, "C0ALERTS", "U0ANA", "button", Decision.STARTED, "named user", "Disk", USAGE.words(), "ABC2345")
    return replace(known, **changes)


def test_the_audit_tells_who_what_where_by_which_rule_and_what_is_left() -> None:
    told = checked(audit_message([line()]))
    for words in ("<@U0ANA>", "*started*", "Disk", "by button", "rule: named user", "workspace 7 of 40", "`ABC2345`"):
        assert words in told
    assert "in <#C0ALERTS>" in told
    assert "by itself" in checked(audit_message([line(person="", source="automatic")], channel="C0ALERTS"))
    assert "Nothing has been started or refused" in checked(audit_message([]))


@pytest.mark.parametrize("decision", list(Decision))
def test_every_decision_has_words_and_many_long_lines_fit(decision: Decision) -> None:
    long = line(decision=decision, what="<" * 200, rule="&" * 160, budget="workspace 10000 of 10000, " * 6)
    check_message(audit_message([long] * 15))


def test_nothing_in_an_audit_line_is_live() -> None:
    message = audit_message([line(what=text, rule=text) for text in HOSTILE][:15])
    check_message(message)
    for text in [*mrkdwn(message.blocks), message.text]:
        assert "<!channel>" not in text
        assert "<!here>" not in text


def test_filters_with_everything_are_shown_in_words() -> None:
    everything = AlertFilter(frozenset({"team:core"}), frozenset({1}), frozenset({7}), frozenset({"alert"}))
    told = checked(status_message(status(rules=replace(RULES, route=everything, is_default=True, auto=AlertFilter()))))
    assert "`team:core` and P1 and monitors 7 and alert; and those nobody else takes" in told
    assert "Started by itself: every alert, once in 60 minutes for each monitor and group" in told
