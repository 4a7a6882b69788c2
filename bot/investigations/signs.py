"""How an investigation stands in one sign and one word, the same wherever it is told in a line."""

from bot.datadog.investigations import Progress
from bot.investigations.model import Investigation, State, Verdict

_PROGRESS = {
    Progress.RUNNING: ("⏳", "running"),
    Progress.CONCLUSIVE: ("✅", "conclusive"),
    Progress.INCONCLUSIVE: ("🟡", "inconclusive"),
    Progress.FAILED: ("❌", "failed"),
}
_VERDICTS = {
    Verdict.CONCLUSIVE: Progress.CONCLUSIVE,
    Verdict.INCONCLUSIVE: Progress.INCONCLUSIVE,
    Verdict.FAILED: Progress.FAILED,
}
_STATES = {
    State.REQUESTED: ("⏳", "starting"),
    State.TRIGGERING: ("⏳", "starting"),
    State.RUNNING: ("⏳", "running"),
    State.CONCLUDED: ("✅", "concluded"),
    State.FAILED: ("❌", "failed"),
    State.EXPIRED: ("⌛", "no longer watched"),
    State.UNCERTAIN: ("❔", "not sure this started"),
}
UNKNOWN = "▫️"


def stands(inv: Investigation) -> tuple[str, str]:
    if inv.state is State.CONCLUDED and inv.verdict is Verdict.CONCLUSIVE and not inv.conclusions:
        return "🟡", "ended without a conclusion"
    if inv.state is State.CONCLUDED and inv.verdict:
        return _PROGRESS[_VERDICTS[inv.verdict]]
    return _STATES[inv.state]


def stands_in_datadog(progress: Progress, status: str) -> tuple[str, str]:
    """`status` is Datadog's own word, for one that we don't know."""
    return _PROGRESS.get(progress) or (UNKNOWN, status)
