"""Every product noun shown to people, and the sentences several rooms share. Nothing here decides anything."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

APP = "Bits Bot"
COMMAND = "/bits"
DATADOG = "Datadog"
PRODUCT = "Bits AI"
INVESTIGATION = "Bits AI investigation"
INVESTIGATIONS = "Bits AI investigations"
CASE = "case"
CASES = "cases"
INSIGHT = "insight"
INSIGHTS = "insights"

OPEN_IN_DATADOG = f"Open in {DATADOG}"
INVESTIGATE = "Investigate"
RUN_AGAIN = "Run again"
START_AGAIN = "Start again"
KEEP_WAITING = "Keep waiting"
SHOW = "Show"
ASK_FOLLOW_UP = "Ask a follow-up"
USE_ANSWER = "Use that answer"
SHARE = "Share to a channel"
FULL_REPORT = "Full report"

DISCLAIMER = f"Written by {PRODUCT}, which can be wrong: check before you act."
AI_WRITTEN = "AI-written, check before you act"
PRIVATE_CHANNELS = f"A private one has to have {APP} in it: type /invite @{APP} there first."
COSTS = f"This starts a new {INVESTIGATION}, and {DATADOG} bills each one."

_IN_SLACK = " wrote in Slack:"


def version() -> str:
    """Of what is installed; a bare copy of the code has none."""
    try:
        return version_of("bits-bot")
    except PackageNotFoundError:
        return "unknown"


def said_in_slack(author: str, words: str) -> str:
    """What a person says through us: in Datadog it stands under the name of the key's owner."""
    return f"{author}{_IN_SLACK}\n\n{words}"


def is_said_in_slack(comment: str) -> bool:
    """Whether a comment was made through us, or through another bot of this kind."""
    return comment.strip().split("\n", 1)[0].rstrip().endswith(_IN_SLACK)


def counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def lasted(seconds: float) -> str:
    """How long something took, as short as it can be said."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{max(1, round(seconds))} s"
    if minutes < 100:
        return f"{minutes} min"
    return f"{round(minutes / 60)} h"


def duration(seconds: float) -> str:
    """A wait or a window in words, rounded up so that nobody comes back too early."""
    whole = max(1, int(-(-seconds // 1)))
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if whole >= size:
            return counted(-(-whole // size), name)
    return counted(whole, "second")
