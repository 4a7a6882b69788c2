"""`/bits status`: within Slack's limits whatever the rules are."""

from dataclasses import replace
from typing import Any

from hypothesis import given

from bot.home.status import MOST_ANSWERS, ChannelStatus, JudgedAnswers, WorkspaceHealth, status_message
from bot.rules.budget import Limits, Usage
from bot.rules.model import AlertFilter, ChannelRules
from bot.slack.blocks import Message
from tests.investigations.samples import INV
from tests.rules.test_filters import some_rules
from tests.slack.blockkit import check_message, shown

RULES = ChannelRules("T1", "C0ALERTS")
USAGE = Usage(7, 3, 2, Limits(40, 12, 10))


def status(**changes: Any) -> ChannelStatus:
    health = WorkspaceHealth(running=2, running_here=(INV,), refused_posts=0)
    return replace(ChannelStatus(RULES, USAGE, health), **changes)


def checked(message: Message) -> str:
    check_message(message)
    return f"{message.text}\n{shown(message.blocks)}"


def test_status_says_budget_running_rules_and_health() -> None:
    told = checked(status_message(status()))
    assert "workspace 7 of 40 used, this channel 3 of 12 used, automatically 2 of 10 used" in told
    assert "resets at 00:00 UTC" in told
    assert "2 investigations in this workspace" in told
    assert INV.ref in told
    assert "change them with `/bits settings`" in told
    assert "Database: answers" in told
    assert "not asked for" in told


def test_status_names_what_is_not_well() -> None:
    cases: list[tuple[WorkspaceHealth, str]] = [
        (WorkspaceHealth(0, (), 3, 1.7e9), "3 delivery errors in 24 h: a channel refused what I posted"),
        (WorkspaceHealth(0, (), 0, 1.7e9, 1.6e9, "forbidden"), "last answered"),
        (WorkspaceHealth(0, (), 0, 1.6e9, 1.7e9, "forbidden"), "my key lacks a permission; last answered"),
        (WorkspaceHealth(0, (), 0, None, 1.7e9, "not_found"), "it refused the start"),
    ]
    for health, words in cases:
        assert words in checked(status_message(status(health=health)))


def test_how_answers_were_judged_is_told_where_there_are_any() -> None:
    health = WorkspaceHealth(0, (), 0, judged=JudgedAnswers(12, 3, 5))
    told = checked(status_message(status(health=health)))
    assert "*How people judged answers of 30 days*: 12 right, 3 wrong, 5 unrated" in told
    most = replace(health, judged=JudgedAnswers(100, 50, MOST_ANSWERS - 150))
    assert f"judged the last {MOST_ANSWERS} answers*: 100 right" in checked(status_message(status(health=most)))
    assert "judged" not in checked(status_message(status(health=replace(health, judged=JudgedAnswers(0, 0, 0)))))


def test_without_limits_only_what_was_used_is_said() -> None:
    told = checked(status_message(status(usage=Usage(7, 3, 0, Limits()))))
    assert "workspace 7 started, no limit, this channel 3 started, no limit\n" in told


@given(some_rules)
def test_whatever_the_rules_status_fits_into_a_message(rules: ChannelRules) -> None:
    check_message(status_message(status(rules=rules)))


def test_filters_with_everything_are_shown_in_words() -> None:
    everything = AlertFilter(frozenset({"team:core"}), frozenset({1}), frozenset({7}), frozenset({"alert"}))
    told = checked(status_message(status(rules=replace(RULES, route=everything, is_default=True, auto=AlertFilter()))))
    assert "`team:core` and P1 and monitors 7 and alert; and those nobody else takes" in told
    assert "Starts automatically: every alert, once in 60 minutes for each monitor and group" in told
