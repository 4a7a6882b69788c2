"""The sentences for every kind of trouble: what happened, and what to do. What it means for that which was asked for
("the case was not created"), and Datadog's own words, which are untrusted, are put beside them by whoever says it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.datadog.trouble import Trouble, TroubleKind
from bot.slack.text import code, mention
from bot.wording import CASE, COMMAND, DATADOG, INVESTIGATION, PRODUCT, duration


@dataclass(frozen=True, slots=True)
class TroubleWords:
    """Both are mrkdwn."""

    happened: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.happened} {self.next_step}"


WordsFor = TroubleWords | Callable[[Trouble], TroubleWords]


def explain(trouble: Trouble, instead: Mapping[TroubleKind, WordsFor] | None = None) -> TroubleWords:
    """`instead` holds a room's own sentences for kinds of which it can say more than this table."""
    words = (instead or {}).get(trouble.kind) or _WORDS[trouble.kind]
    return words if isinstance(words, TroubleWords) else words(trouble)


def _forbidden(trouble: Trouble) -> TroubleWords:
    lacking = f" It lacks the permission {code(trouble.permission, 80)}." if trouble.permission else ""
    return TroubleWords(
        f"My {DATADOG} key may not do this.{lacking}",
        f"Ask a {DATADOG} admin to grant that to the key's owner, and to the key itself if it is scoped.",
    )


def _rate_limited(trouble: Trouble) -> TroubleWords:
    wait = f"in {duration(trouble.wait)}" if trouble.wait else "in a minute"
    return TroubleWords(f"{DATADOG} limits how often we may ask, and says no for now.", f"Try again {wait}.")


def _no_email(trouble: Trouble) -> TroubleWords:
    return TroubleWords(
        f"Slack does not show me the e-mail address of {mention(trouble.about)}, "
        f"so I can't tell who that is in {DATADOG}.",
        f"Assign it in {DATADOG}, or ask whoever installed this app to allow `users:read.email`.",
    )


def _no_user(trouble: Trouble) -> TroubleWords:
    return TroubleWords(
        f"No active {DATADOG} user has the e-mail address of {mention(trouble.about)}'s Slack profile.",
        f"Assign it in {DATADOG}.",
    )


_WORDS: dict[TroubleKind, WordsFor] = {
    TroubleKind.BAD_REQUEST: TroubleWords(
        f"{DATADOG} did not accept it.", "Change what it complains about, then try again."
    ),
    TroubleKind.UNAUTHORIZED: TroubleWords(
        f"{DATADOG} does not know the keys I use.",
        "Ask whoever runs this app to check the API key, the application key and the site.",
    ),
    TroubleKind.FORBIDDEN: _forbidden,
    TroubleKind.NOT_FOUND: TroubleWords(
        f"{DATADOG} can't find what this names: it may have been deleted meanwhile.",
        f"Look at it in {DATADOG}, then choose again.",
    ),
    TroubleKind.CONFLICT: TroubleWords(
        f"Somebody else was changing the {CASE} at the same moment.", "See how it stands now, then try again."
    ),
    TroubleKind.RATE_LIMITED: _rate_limited,
    TroubleKind.REFUSED: TroubleWords(
        f"{DATADOG} refused the request.", "If the reason is not clear, show this to whoever runs this app."
    ),
    TroubleKind.NOT_REACHED: TroubleWords(
        f"{DATADOG} could not be reached; nothing was sent.", f"Look at {DATADOG}'s status page, then try again."
    ),
    TroubleKind.UNCLEAR: TroubleWords(
        f"{DATADOG} did not answer clearly, so it may have been done or not.",
        f"See how the {CASE} stands, then try again.",
    ),
    TroubleKind.NO_ORG: TroubleWords(
        f"No {DATADOG} organisation is connected to this workspace.", "Ask whoever installed this app to connect one."
    ),
    TroubleKind.NO_PROJECT: TroubleWords(
        f"{DATADOG} has no {CASE} project that I may see.",
        f"Create one in {DATADOG}, or ask an admin to let my key see one. Then try again.",
    ),
    TroubleKind.NO_EMAIL: _no_email,
    TroubleKind.NO_USER: _no_user,
    TroubleKind.NO_ALERT: TroubleWords(
        "I found no alert of this monitor in the last 7 days, so there is nothing to investigate.",
        f"Paste the link of an older alert, or ask in words: `{COMMAND} investigate why …`.",
    ),
    TroubleKind.BITS_FAILED: TroubleWords(
        f"{PRODUCT} itself reported that it failed.", f"Open it in {DATADOG} to see how far it came, or run it again."
    ),
    TroubleKind.VANISHED: TroubleWords(
        f"The running {INVESTIGATION} is gone from {DATADOG}; somebody may have deleted it.",
        f"See what is there with `{COMMAND} list`, or run it again.",
    ),
    TroubleKind.INTERNAL: TroubleWords(
        "Something went wrong on my side.",
        "Try again. If it happens again, show this to whoever runs this app: the reference stands in its log.",
    ),
}
