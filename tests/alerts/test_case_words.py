"""What a thread is told of its rule's case: each outcome in its own sentence, whatever is in the names."""

from types import SimpleNamespace
from typing import Any

import pytest

from bot.alerts.case_rows import RuleOutcome
from bot.alerts.case_words import closed, made, not_closed, not_made
from bot.cases.model import CaseRequest, CaseRequestState, CaseSource, KnownCase
from bot.datadog.trouble import Trouble, TroubleKind
from bot.model import Place
from bot.sandbox.slack import blockkit as local_slack
from bot.slack.blocks import Message

APP = "https://app.datadoghq.com"
EVIL = "<!channel> <https://evil.example|click> *x*"
CASE = KnownCase(1, "default", "case-1", "CASEM-42", title=EVIL)
REQUEST = CaseRequest(
    1, "k", "REF23456", "default", Place("T1", "C1", "1.0"), "", CaseSource(), CaseRequestState.UNCERTAIN
)


def _row(outcome: RuleOutcome = RuleOutcome.NONE, problem: Trouble | None = None, **members: Any) -> Any:
    told = {"outcome": outcome, "problem": problem, "made_for": 1, "rule": "P1", **members}
    return SimpleNamespace(**told)


def _said(message: Message) -> str:
    assert local_slack.check_blocks(message.blocks or [], "message") == []
    assert "<!channel>" not in message.text
    sections = [block for block in message.blocks or [] if block["type"] == "section"]
    assert "<https://evil.example" not in f"{message.text}{sections}"
    return message.text


def test_every_reason_why_nothing_was_made_has_its_own_sentence() -> None:
    reasons = (
        RuleOutcome.NO_PROJECT,
        RuleOutcome.UNKNOWN_PROJECT,
        RuleOutcome.FULL,
        RuleOutcome.UNCERTAIN,
        RuleOutcome.FAILED,
    )
    said = [_said(not_made(_row(each), REQUEST, APP, project=EVIL)) for each in reasons]
    assert len(set(said)) == len(said)
    assert all("Create case" in each for each in said)
    assert "ref REF23456" in said[3]


@pytest.mark.parametrize("kind", list(TroubleKind))
def test_every_trouble_is_told(kind: TroubleKind) -> None:
    trouble = Trouble(kind, detail=EVIL, permission="cases_write", wait=60, about="")
    assert "did not create a case" in _said(not_made(_row(RuleOutcome.FAILED, trouble), None, APP, project=""))
    assert "stays open" in _said(not_closed(_row(RuleOutcome.FAILED, trouble), CASE, APP))


def test_what_was_made_says_by_which_rule_and_what_did_not_work() -> None:
    noted = CaseRequest(
        1, "k", "R", "default", REQUEST.place, "", CaseSource(), CaseRequestState.DONE,
        notes=(("insights", Trouble(TroubleKind.FORBIDDEN, permission="cases_write")),),
    )  # fmt: skip
    said = _said(made(_row(), noted, CASE, APP, closes=True))
    assert "by this channel's rule:* alerts of P1." in said
    assert "closed again when the alert recovers" in said
    assert "insights could not all be attached" in said
    assert "another channel's rule" in _said(made(_row(made_for=None), REQUEST, CASE, APP, closes=False))


def test_why_a_case_stays_open() -> None:
    said = [
        _said(not_closed(_row(each), CASE, APP))
        for each in (RuleOutcome.SECURITY, RuleOutcome.UNKNOWN, RuleOutcome.FAILED)
    ]
    assert len(set(said)) == 3
    assert "nobody had touched" in _said(closed(CASE, APP))
