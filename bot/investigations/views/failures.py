"""Why nothing came of an investigation or a look-up, in our words: what happened, and what to do next. Datadog's own
words are untrusted and are shown beside these, never inside."""

from dataclasses import dataclass

from bot.investigations.model import Failure, FailureKind
from bot.slack.text import code
from bot.wording import COMMAND, DATADOG, INVESTIGATION, PRODUCT


@dataclass(frozen=True, slots=True)
class Explanation:
    sentence: str  # mrkdwn
    next_step: str


_REASON = f"{DATADOG}'s reason stands below."
_EXPLANATIONS = {
    FailureKind.BAD_REQUEST: Explanation(
        f"{DATADOG} did not accept the request.",
        "Some monitor types can't be investigated, and old alerts may be gone: try a newer alert, or ask in words.",
    ),
    FailureKind.UNAUTHORIZED: Explanation(
        f"{DATADOG} does not know the keys I use.",
        "Ask whoever runs this app to check the API key, the application key and the site.",
    ),
    FailureKind.FORBIDDEN: Explanation(
        f"My {DATADOG} key may not do this.",
        f"Ask a {DATADOG} admin to grant that to the key's owner, and to the key itself if it is scoped.",
    ),
    FailureKind.NOT_FOUND: Explanation(
        f"{DATADOG} can't find this. It may have been deleted, or belong to another organisation.",
        f"Open the alert in {DATADOG} to see whether it still exists, and try a newer one.",
    ),
    FailureKind.NO_ALERT: Explanation(
        "I found no alert of this monitor in the last 7 days, so there is nothing to investigate.",
        f"Paste the link of an older alert, or ask in words: `{COMMAND} investigate why …`.",
    ),
    FailureKind.RATE_LIMITED: Explanation(
        f"{DATADOG} limits how often we may ask, and did not let us in for longer than I wait.",
        "Wait a few minutes, then try again.",
    ),
    FailureKind.REFUSED: Explanation(
        f"{DATADOG} refused the request.",
        "If the reason is not clear, show this to whoever runs this app.",
    ),
    FailureKind.UNAVAILABLE: Explanation(
        f"{DATADOG} could not be reached for longer than I wait.",
        f"Look at {DATADOG}'s status page, then try again.",
    ),
    FailureKind.NO_ORG: Explanation(
        f"No {DATADOG} organisation is connected to this workspace.",
        f"A workspace admin can connect one: `{COMMAND} connect`.",
    ),
    FailureKind.BITS_FAILED: Explanation(
        f"{PRODUCT} itself reported that it failed.",
        f"Open it in {DATADOG} to see how far it came, or run it again.",
    ),
    FailureKind.VANISHED: Explanation(
        f"The running {INVESTIGATION} is gone from {DATADOG}; somebody may have deleted it.",
        f"See what is there with `{COMMAND} list`, or run it again.",
    ),
    FailureKind.INTERNAL: Explanation(
        "Something went wrong on my side.",
        "Try again. If it happens again, show this to whoever runs this app: the reference stands in its log.",
    ),
}
# A definite no: whatever was asked for has not been done, and costs nothing.
_NOTHING_DONE = {
    FailureKind.BAD_REQUEST,
    FailureKind.UNAUTHORIZED,
    FailureKind.FORBIDDEN,
    FailureKind.NOT_FOUND,
    FailureKind.NO_ORG,
    FailureKind.RATE_LIMITED,
    FailureKind.REFUSED,
}


def explain(failure: Failure) -> Explanation:
    told = _EXPLANATIONS[failure.kind]
    lacking = f"It lacks the permission {code(failure.permission)}." if failure.permission else ""
    reason = _REASON if failure.detail else ""
    return Explanation(" ".join(part for part in (told.sentence, lacking, reason) if part), told.next_step)


def consequence(failure: Failure, *, running: bool) -> str:
    """What it means for the investigation; `running` where Datadog has already begun it."""
    if running and failure.kind not in {FailureKind.BITS_FAILED, FailureKind.VANISHED}:
        return f"It may still finish in {DATADOG}, but I can't follow it."
    return "Nothing was started." if not running and failure.kind in _NOTHING_DONE else ""
