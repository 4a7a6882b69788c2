"""Why nothing came of an investigation, in our words: what happened, and what to do next. Datadog's own words are
untrusted and are shown beside these, never inside."""

from dataclasses import dataclass

from bot.investigations.model import Failure, FailureKind
from bot.slack.text import code
from bot.wording import COMMAND, DATADOG, INVESTIGATION, PRODUCT, RUN_AGAIN


@dataclass(frozen=True, slots=True)
class Explanation:
    sentence: str  # mrkdwn
    next_step: str


_EXPLANATIONS = {
    FailureKind.BAD_REQUEST: Explanation(
        f"{DATADOG} did not accept the request, so nothing was started.",
        f"Check {DATADOG}'s reason below. Some monitor types can't be investigated, and old alerts may be gone.",
    ),
    FailureKind.UNAUTHORIZED: Explanation(
        f"{DATADOG} does not know the keys I use, so nothing was started.",
        "Ask whoever runs this app to check the API key, the application key and the site.",
    ),
    FailureKind.FORBIDDEN: Explanation(
        f"My {DATADOG} key may not do this, so nothing was started.",
        f"Ask a {DATADOG} admin to give the key's owner, and the key itself if it is scoped, what is missing.",
    ),
    FailureKind.NOT_FOUND: Explanation(
        f"{DATADOG} can't find this monitor or alert. It may have been deleted, or belong to another organisation.",
        "Open the alert in Datadog to see whether it still exists, and try a newer one.",
    ),
    FailureKind.NO_ALERT: Explanation(
        "I found no alert of this monitor in the last 7 days, so there is nothing to investigate.",
        f"Paste the link of an older alert, or ask in words: `{COMMAND} investigate why …`.",
    ),
    FailureKind.RATE_LIMITED: Explanation(
        f"{DATADOG} is limiting how often we may ask, and did not let us in for too long. Nothing was started.",
        f"Wait a few minutes, then press {RUN_AGAIN}.",
    ),
    FailureKind.REFUSED: Explanation(
        f"{DATADOG} refused the request, so nothing was started.",
        f"Check {DATADOG}'s reason below. If it makes no sense, quote the reference to whoever runs this app.",
    ),
    FailureKind.UNAVAILABLE: Explanation(
        f"{DATADOG} could not be reached for longer than I wait.",
        f"Look at {DATADOG}'s status page, then press {RUN_AGAIN}.",
    ),
    FailureKind.NO_ORG: Explanation(
        f"No {DATADOG} organisation is connected to this workspace.",
        "Ask whoever installed this app to connect one.",
    ),
    FailureKind.BITS_FAILED: Explanation(
        f"{PRODUCT} started, but reported that it failed.",
        f"Open it in {DATADOG} to see how far it came, or press {RUN_AGAIN}.",
    ),
    FailureKind.VANISHED: Explanation(
        f"The running {INVESTIGATION} is gone from {DATADOG}; somebody may have deleted it.",
        f"Check {DATADOG}'s list (`{COMMAND} list`), or press {RUN_AGAIN}.",
    ),
    FailureKind.INTERNAL: Explanation(
        "Something went wrong on my side.",
        f"Press {RUN_AGAIN}. If it happens again, quote the reference to whoever runs this app.",
    ),
}


def explain(failure: Failure) -> Explanation:
    told = _EXPLANATIONS[failure.kind]
    if failure.kind is FailureKind.FORBIDDEN and failure.permission:
        return Explanation(f"{told.sentence} It lacks the permission {code(failure.permission)}.", told.next_step)
    if not failure.detail:
        return Explanation(told.sentence, told.next_step.replace(f"Check {DATADOG}'s reason below. ", ""))
    return told
