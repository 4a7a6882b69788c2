"""What a rule makes of an alert at a moment, and whether the case it made may be closed again."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.alerts.case_decisions import ClosingVerdict, RuleStep, Step, may_close, next_step
from bot.alerts.model import KnownCycle, Transition, joined
from bot.cases.model import CaseContent, CaseRequest, CaseRequestState, CaseSource, KnownCase
from bot.datadog.cases import SECURITY_TYPE, Case, Comment, Insight, Person, Ticket
from bot.datadog.trouble import Trouble, TroubleKind
from bot.model import Place
from bot.rules.model import AutoCase
from tests.alerts.conftest import NOW_MS, notice

BEGAN = NOW_MS / 1000
CONCLUDED, LASTS = AutoCase(2), AutoCase(2, 30)


def _cycle(*notices: Any) -> KnownCycle:
    cycle = None
    for each in notices:
        cycle = joined(cycle, each)
    assert cycle is not None
    return KnownCycle(1, "ref", "default", cycle)


FIRING = _cycle(notice(priority=2))
OVER = _cycle(notice(priority=2), notice(Transition.RECOVERED, 600, priority=2))


@pytest.mark.parametrize(
    ("rule", "known", "concluded", "minutes", "step"),
    [
        (None, FIRING, True, 60, RuleStep(Step.OFF)),
        (AutoCase(1), FIRING, True, 60, RuleStep(Step.OFF)),
        (CONCLUDED, _cycle(notice(priority=None)), True, 60, RuleStep(Step.OFF)),
        (CONCLUDED, _cycle(notice(priority=1, test=True)), True, 60, RuleStep(Step.OFF)),
        (CONCLUDED, _cycle(notice(priority=1, monitor_id=0)), True, 60, RuleStep(Step.OFF)),
        (CONCLUDED, FIRING, False, 60, RuleStep(Step.EXPECT)),
        (CONCLUDED, FIRING, True, 60, RuleStep(Step.CREATE)),
        (CONCLUDED, OVER, True, 60, RuleStep(Step.CREATE)),
        (LASTS, FIRING, False, 29, RuleStep(Step.WAIT, 60)),
        (LASTS, FIRING, True, 29, RuleStep(Step.WAIT, 60)),
        (LASTS, FIRING, False, 30, RuleStep(Step.CREATE)),
        (LASTS, OVER, False, 60, RuleStep(Step.RECOVERED)),
    ],
)
def test_the_next_step(rule: AutoCase | None, known: KnownCycle, concluded: bool, minutes: int, step: RuleStep) -> None:
    assert next_step(rule, known, concluded=concluded, at=BEGAN + minutes * 60) == step


def test_what_triggers_again_within_its_cycle_counts_from_then() -> None:
    again = _cycle(
        notice(priority=2), notice(Transition.RECOVERED, 600, priority=2), notice(at=1200, priority=2, event_id="99")
    )
    assert next_step(LASTS, again, concluded=False, at=BEGAN + 40 * 60) == RuleStep(Step.WAIT, 600)


# -- closing --------------------------------------------------------------------------------------------------------------

MONITOR = Insight("MONITOR", "/monitors/42", "42")
CONTENT = CaseContent("Disk almost full", priority="P2", insights=(MONITOR,), comment="It is\n\nthe rotation")
REQUEST = CaseRequest(
    1, "k", "REF", "default", Place("T1", "C1", "1.0"), "", CaseSource(), CaseRequestState.DONE, CONTENT, comment="done"
)
KNOWN = KnownCase(1, "default", "case-1", "CASEM-42", statuses=(("Open", "open"), ("Closed", "closed")))
CASE = Case(
    "case-1", "CASEM-42", "Disk  almost full", status="OPEN", status_name="Open", priority="P2", insights=(MONITOR,)
)
OURS = (Comment("It is the rotation"),)
OTHER = Insight("MONITOR", "/monitors/7", "7")


def test_what_nobody_touched_is_closed() -> None:
    assert may_close(REQUEST, KNOWN, CASE, OURS) is ClosingVerdict.CLOSE
    without = replace(REQUEST, content=replace(CONTENT, comment="", priority=""))
    assert may_close(without, KNOWN, replace(CASE, priority="NOT_DEFINED"), ()) is ClosingVerdict.CLOSE
    own_word = replace(REQUEST, content=replace(CONTENT, status_name="Triage"))
    assert may_close(own_word, KNOWN, replace(CASE, status_name="Triage"), OURS) is ClosingVerdict.CLOSE


def test_what_was_not_attached_when_it_was_made_is_no_touch() -> None:
    failed = replace(REQUEST, notes=(("insights", Trouble(TroubleKind.BAD_REQUEST)),))
    assert may_close(failed, KNOWN, replace(CASE, insights=()), OURS) is ClosingVerdict.CLOSE
    assert may_close(REQUEST, KNOWN, replace(CASE, insights=()), OURS) is ClosingVerdict.TOUCHED


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "IN_PROGRESS", "status_name": "In Progress"},
        {"status_name": "Reopened"},
        {"priority": "P1"},
        {"title": "Ours"},
        {"assignee": Person("u-1")},
        {"insights": (MONITOR, OTHER)},
        {"tickets": (Ticket("jira_issue", "COMPLETED"),)},
    ],
)
def test_any_change_is_a_touch(changed: dict[str, Any]) -> None:
    assert may_close(REQUEST, KNOWN, replace(CASE, **changed), OURS) is ClosingVerdict.TOUCHED
    security = replace(CASE, **{"type_id": SECURITY_TYPE, **changed})
    assert may_close(REQUEST, KNOWN, security, OURS) is ClosingVerdict.TOUCHED


@pytest.mark.parametrize("comments", [(Comment("Looking"),), (*OURS, Comment("Looking")), (*OURS, *OURS)])
def test_a_comment_of_somebody_is_a_touch(comments: tuple[Comment, ...]) -> None:
    assert may_close(REQUEST, KNOWN, CASE, comments) is ClosingVerdict.TOUCHED


def test_what_is_closed_or_archived_already_is_let_be() -> None:
    for over in ({"status": "CLOSED", "status_name": "Closed"}, {"archived_at": datetime.now(UTC)}):
        assert may_close(REQUEST, KNOWN, replace(CASE, priority="P1", **over), OURS) is ClosingVerdict.OVER


def test_a_security_case_and_what_is_not_told_are_not_closed() -> None:
    assert may_close(REQUEST, KNOWN, replace(CASE, type_id=SECURITY_TYPE), OURS) is ClosingVerdict.SECURITY
    assert may_close(REQUEST, KNOWN, replace(CASE, insights=None), OURS) is ClosingVerdict.UNKNOWN
    assert may_close(REQUEST, KNOWN, replace(CASE, status="", status_name=""), OURS) is ClosingVerdict.UNKNOWN
    no_end = replace(KNOWN, statuses=(("Open", "open"),))
    assert may_close(REQUEST, no_end, CASE, OURS) is ClosingVerdict.UNKNOWN
