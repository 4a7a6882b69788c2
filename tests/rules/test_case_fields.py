"""The rule for cases that make themselves: drawn, read back, put into words, and written in the rules file."""

from dataclasses import replace
from typing import Any

import pytest

from bot.rules import no_start
from bot.rules.case_fields import case_rule_lines
from bot.rules.file import RuleFileProblems, read_rules
from bot.rules.model import CHANNEL_RULES, AutoCase, CaseDefaults, ChannelRules
from bot.rules.repository import Draft
from bot.rules.rule_words import rule_lines
from bot.rules.settings_view import Shown, readable_modal, settings_modal
from bot.rules.submitted_settings import read_settings
from bot.slack.forms import FormState
from tests.rules.test_settings_form import RULES, WORKSPACE, check_view, chosen, saved, written

LASTS = CaseDefaults("CORE", create=AutoCase(2, 45), close=True)


def _drawn(case: CaseDefaults, shown: str = "") -> tuple[dict[str, Any], Draft]:
    draft = Draft(replace(RULES, case=case), WORKSPACE)
    view = settings_modal(draft, admin=False, file_name="", handles={}, shown=Shown(case=shown))
    check_view(view)
    return view, draft


def _fields(view: dict[str, Any]) -> set[str]:
    return {block["block_id"] for block in view["blocks"] if block.get("block_id", "").startswith("auto_case")} - {
        "auto_case"
    }


def _saved(case: CaseDefaults, shown: str = "", **changes: dict[str, Any]) -> CaseDefaults | dict[str, str]:
    view, draft = _drawn(case, shown)
    read = saved(view, draft, admin=False, **changes)
    return read.channel.case if isinstance(read, Draft) else read


def test_it_is_off_and_only_what_was_chosen_has_fields() -> None:
    assert _saved(CaseDefaults()) == CaseDefaults()
    assert _fields(_drawn(CaseDefaults())[0]) == set()
    assert _fields(_drawn(CaseDefaults(), "concluded")[0]) == {"auto_case_priority", "auto_case_close"}
    assert _fields(_drawn(LASTS)[0]) == {"auto_case_priority", "auto_case_minutes", "auto_case_close"}


def test_what_was_set_is_shown_and_saved_again() -> None:
    concluded = CaseDefaults(create=AutoCase(1))
    for case in (LASTS, concluded, replace(concluded, close=True)):
        assert _saved(case) == case


def test_it_is_turned_on_and_off() -> None:
    ticked = {"type": "checkboxes", "selected_options": [{"value": "yes"}]}
    on = _saved(
        CaseDefaults(),
        "lasts",
        auto_case=chosen("lasts"),
        auto_case_priority=chosen("3"),
        auto_case_minutes=written("90"),
        auto_case_close=ticked,
    )
    assert on == CaseDefaults(create=AutoCase(3, 90), close=True)
    assert _saved(LASTS, auto_case=chosen("never")) == CaseDefaults("CORE")


@pytest.mark.parametrize("minutes", ["", "0", "1441", "soon", "1.5", "9" * 12])
def test_minutes_that_are_none_are_said_under_their_field(minutes: str) -> None:
    told = _saved(LASTS, auto_case_minutes=written(minutes))
    assert told == {"auto_case_minutes": "Write a whole number from 1 to 1,440."}


def test_a_form_of_an_earlier_version_leaves_it_as_it_is() -> None:
    draft = Draft(replace(RULES, case=LASTS), WORKSPACE)
    form = FormState({"state": {"values": {"case_project": {"case_project": written("CORE")}}}})
    read = read_settings(form, draft, admin=False)
    assert isinstance(read, Draft)
    assert read.channel.case == LASTS


def test_a_choice_sent_before_its_fields_were_there_takes_the_usual_ones() -> None:
    assert _saved(CaseDefaults(), auto_case=chosen("lasts")) == CaseDefaults(create=AutoCase(2, 30))


def test_members_read_it() -> None:
    told = "A case is created automatically for alerts of P1 and P2 that last longer than 45 minutes"
    assert case_rule_lines(LASTS) == [f"{told}. Closed again when the alert recovers, if nobody has touched it"]
    concluded = CaseDefaults(create=AutoCase(1))
    told = "A case is created automatically for alerts of P1, once the investigation has conclusions"
    assert told in rule_lines(replace(RULES, case=concluded))
    assert case_rule_lines(CaseDefaults(close=True)) == []
    check_view(readable_modal(Draft(replace(RULES, case=LASTS), WORKSPACE), no_start.offer_gone()))


def test_only_alerts_of_that_priority_and_more_urgent_ones_are_meant() -> None:
    rule = AutoCase(2)
    assert [each for each in (None, 1, 2, 3) if rule.wants(each)] == [1, 2]


def test_it_is_kept_and_read_again() -> None:
    rules = ChannelRules("T1", "C1", case=LASTS)
    assert CHANNEL_RULES.validate_python(CHANNEL_RULES.dump_python(rules, mode="json", by_alias=True)) == rules


def test_the_file_says_it_too() -> None:
    (entry,) = _read("{create: {priority: P2, minutes: 45}, close: true, project: CORE}")
    assert entry.case == LASTS
    (entry,) = _read("{create: {priority: 1}}")
    assert entry.case == CaseDefaults(create=AutoCase(1))


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("{create: {minutes: 5}}", "channels[0].case.create.priority is missing"),
        ("{create: {priority: P6}}", "channels[0].case.create.priority"),
        ("{create: {priority: P1, minutes: 0}}", "channels[0].case.create.minutes is out of range"),
        ("{create: {priority: P1, hours: 2}}", "hours is no setting of the rules file"),
        ("{create: P1}", "must be a group of settings"),
        ("{close: 1}", "must be true or false"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_line(case: str, words: str) -> None:
    with pytest.raises(RuleFileProblems) as problems:
        _read(case)
    assert words in str(problems.value)
    assert "line 3" in str(problems.value)


def _read(case: str) -> tuple[Any, ...]:
    return read_rules(f"channels:\n  - channel: C1AA\n    case: {case}\n", "rules.yml").channels
