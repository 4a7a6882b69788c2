"""What a channel's rule makes of an alert now, and whether somebody has touched the case it made. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.alerts.model import AlertStanding, KnownCycle, standing
from bot.cases.catalog import NO_PRIORITY
from bot.cases.model import CaseContent, CaseRequest, KnownCase
from bot.datadog.cases import SECURITY_TYPE, Case, Comment
from bot.rules.model import AutoCase


class Step(StrEnum):
    CREATE = "create"
    WAIT = "wait"  # until it has lasted long enough
    EXPECT = "expect"  # its investigation has not concluded
    OFF = "off"  # the rule does not mean it (any more)
    RECOVERED = "recovered"  # before it had lasted long enough


@dataclass(frozen=True, slots=True)
class RuleStep:
    step: Step
    wait: float = 0.0  # seconds


def next_step(rule: AutoCase | None, known: KnownCycle, *, concluded: bool, at: float) -> RuleStep:
    """`at` is the time, in Unix seconds."""
    now = standing(known.cycle)
    if rule is None or not is_meant(rule, known, now):
        return RuleStep(Step.OFF)
    if rule.minutes is None:
        return RuleStep(Step.CREATE if concluded else Step.EXPECT)
    if now.recovered_at is not None:
        return RuleStep(Step.RECOVERED)
    began = (known.cycle.latest.event_ts if now.since is None else now.since) / 1000
    left = began + rule.minutes * 60 - at
    return RuleStep(Step.WAIT, left) if left > 0 else RuleStep(Step.CREATE)


def is_meant(rule: AutoCase, known: KnownCycle, now: AlertStanding) -> bool:
    """Never a test, nor what names no monitor."""
    notice = known.cycle.trouble or known.cycle.latest
    return now.subject is not None and rule.wants(notice.priority)


# -- may it be closed again ------------------------------------------------------------------------------------------


class ClosingVerdict(StrEnum):
    CLOSE = "close"
    OVER = "over"  # somebody has closed or archived it
    TOUCHED = "touched"
    SECURITY = "security"  # closed with a reason only
    UNKNOWN = "unknown"  # Datadog does not tell all of it


def may_close(request: CaseRequest, known: KnownCase, case: Case, comments: Sequence[Comment]) -> ClosingVerdict:
    """`known` is our picture of `case`; `comments` are those of its timeline."""
    content = request.content or CaseContent()
    if case.status == "CLOSED" or case.archived_at is not None:
        return ClosingVerdict.OVER
    if _is_changed(content, known, case) or _is_commented(content, comments):
        return ClosingVerdict.TOUCHED
    if case.insights is not None and _is_attached(request, content, case):
        return ClosingVerdict.TOUCHED
    if case.type_id == SECURITY_TYPE:
        return ClosingVerdict.SECURITY
    is_told = bool(case.status and known.status_in("closed")) and case.insights is not None
    return ClosingVerdict.CLOSE if is_told else ClosingVerdict.UNKNOWN


def _is_changed(content: CaseContent, known: KnownCase, case: Case) -> bool:
    first = content.status_name or known.status_in("open")
    same_status = case.status in {"OPEN", ""} and case.status_name in {first, ""}
    same_priority = (case.priority or NO_PRIORITY) == (content.priority or NO_PRIORITY)
    same_title = case.title.split() == content.title.split()
    return not (same_status and same_priority and same_title) or case.assignee is not None or bool(case.tickets)


def _is_commented(content: CaseContent, comments: Sequence[Comment]) -> bool:
    """Our own is that with the conclusions."""
    ours = content.comment.split()
    return len(comments) > 1 or any(not ours or each.message.split() != ours for each in comments)


def _is_attached(request: CaseRequest, content: CaseContent, case: Case) -> bool:
    there, ours = {each.key for each in case.insights or ()}, {each.key for each in content.insights}
    some_failed = any(what == "insights" for what, _ in request.notes)
    return bool(there - ours) or (bool(ours - there) and not some_failed)
