"""What a failed call to Slack means: certainly not done, maybe done, refused for good, or our own message at fault. And
what to tell the person whose click could not be answered in the channel: what happened, what to do."""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import ClientConnectorError, ClientError, ClientHttpProxyError
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.datadog.trouble import Trouble, TroubleKind
from bot.slack.text import channel_mention, code, is_direct, mention
from bot.wording import APP, CASE, COMMAND, DATADOG, INVESTIGATION, PRODUCT, duration

CALL_ERRORS = (SlackClientError, ClientError, OSError, asyncio.TimeoutError)
DEFAULT_WAIT = 1.0
RATE_LIMITED = "ratelimited"


class Meaning(StrEnum):
    WAIT = "wait"  # not done; again after `wait`
    OPEN = "open"  # may have been done: look before repeating
    REFUSED = "refused"  # will not be done, and repeating does not help
    MALFORMED = "malformed"  # Slack does not like what we wrote
    GONE = "gone"  # what was to be edited is not there any more


@dataclass(frozen=True, slots=True)
class SlackTrouble:
    meaning: Meaning
    code: str
    wait: float = DEFAULT_WAIT


_MEANINGS = {
    **dict.fromkeys(("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"), Meaning.MALFORMED),
    **dict.fromkeys(("invalid_arguments", "invalid_attachments", "too_many_attachments"), Meaning.MALFORMED),
    **dict.fromkeys(("msg_too_long", "no_text", "metadata_too_large"), Meaning.MALFORMED),
    **dict.fromkeys(("message_not_found", "cant_update_message", "edit_window_closed"), Meaning.GONE),
    **dict.fromkeys(
        ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"), Meaning.OPEN
    ),
    "token_expired": Meaning.WAIT,  # renewed by the next try
}


def trouble_of(error: Exception) -> SlackTrouble:
    if isinstance(error, ClientConnectorError | ClientHttpProxyError):
        return SlackTrouble(Meaning.WAIT, "no_connection")
    if not isinstance(error, SlackApiError):
        return SlackTrouble(Meaning.OPEN, "no_answer")
    status, code = getattr(error.response, "status_code", 200), error_code(error)
    if status == 429 or code in {RATE_LIMITED, "rate_limited"}:
        return SlackTrouble(Meaning.WAIT, RATE_LIMITED, _retry_after(getattr(error.response, "headers", None)))
    if not code or (status >= 500 and code != "token_expired"):
        return SlackTrouble(Meaning.OPEN, code or f"http_{status}")
    return SlackTrouble(_MEANINGS.get(code, Meaning.REFUSED), code)


def error_code(error: Exception) -> str:
    """Slack's word for what is wrong, empty when a proxy answered in its place with a page of its own; where nobody
    answered, what happened."""
    if not isinstance(error, SlackApiError):
        return type(error).__name__
    data = getattr(error.response, "data", error.response)
    return str(data.get("error") or "") if isinstance(data, dict) else ""


def _retry_after(headers: object) -> float:
    """In seconds. The headers are aiohttp's own mapping, not a dict, and the name may come in any case."""
    if not isinstance(headers, Mapping):
        return DEFAULT_WAIT
    given = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        wait = float(given)
    except ValueError:
        return DEFAULT_WAIT
    return max(wait, DEFAULT_WAIT) if math.isfinite(wait) else DEFAULT_WAIT


# -- told to the person ------------------------------------------------------------------------------------------

_INVITE = f"Type `/invite @{APP}` there, then try again."
_NO_SCOPE = f"I lack a Slack permission. Ask whoever installed {APP} to install it again."
_BAD_TOKEN = f"Slack does not accept my token. Ask whoever runs {APP} to check it."
_SENTENCES = {
    "not_in_channel": "I'm not in {channel}, so I can't post there. " + _INVITE,
    "channel_not_found": (
        "I can't see {channel}: it is private and I'm not a member, or it belongs to another organisation. " + _INVITE
    ),
    "is_archived": "{channel} is archived, so nobody can post there. Unarchive it, or ask in another channel.",
    "restricted_action": (
        "Posting in {channel} is restricted by your workspace's rules. Ask a workspace admin to let {bot} post there."
    ),
    "restricted_action_read_only_channel": (
        "{channel} is read-only for {bot}. Ask a channel manager to let me post, or ask in another channel."
    ),
    "restricted_action_thread_only_channel": (
        "{channel} only allows posts in threads. Start from a message there, with its shortcut."
    ),
    "restricted_action_non_threadable_channel": "{channel} does not allow threads. Ask in another channel.",
    "restricted_action_thread_locked": "That thread is locked. Ask a channel manager to unlock it, or start elsewhere.",
    "cannot_reply_to_message": "Slack allows no replies to that message. Ask in the channel, or on another message.",
    "thread_not_found": "That message is gone, so I can't answer in its thread. Ask in the channel.",
    "message_not_found": "That message is gone. Ask again in the channel.",
    "message_limit_exceeded": "Your workspace has reached Slack's limit of messages. A workspace admin can raise it.",
    "ekm_access_denied": "Your organisation's key management forbids posting in {channel} for now. Ask a Slack admin.",
    "team_access_not_granted": "{bot} is not allowed in this workspace. Ask a Slack org admin to add it.",
    "missing_scope": _NO_SCOPE,
    "no_permission": _NO_SCOPE,
    "account_inactive": "{bot} was removed from this workspace. Ask a workspace admin to install it again.",
    "token_revoked": "{bot}'s access was revoked. Ask a workspace admin to install it again.",
    "token_expired": "{bot}'s access has run out. Ask whoever runs it to connect Slack again.",
    "invalid_auth": _BAD_TOKEN,
    "not_authed": _BAD_TOKEN,
    "user_not_in_channel": "You are not in {channel}, so I can't answer you there. Join it and try again.",
    RATE_LIMITED: "Slack asks me to slow down. I keep trying; nothing to do for you.",
}


def posting_sentence(error: str, *, channel: str) -> str:
    """`channel` is its id."""
    if is_direct(channel) and error in {"not_in_channel", "channel_not_found"}:
        return f"I can't write into this direct message: {APP} is no part of it. Ask in a channel, or in {APP}'s own messages."
    known = "restricted_action" if error.startswith("restricted_action") and error not in _SENTENCES else error
    unknown = "Slack did not let me post in {channel} ({code}). Ask whoever runs {bot}, and quote that word."
    told = _SENTENCES.get(known, unknown).format(channel=channel_mention(channel), bot=APP, code=code(error, 80))
    return told[0].upper() + told[1:]


# -- trouble with Datadog, told to the person: what it means for that which was asked for, and Datadog's own words, which
# are untrusted, are put beside these sentences by whoever says them -----------------------------------------------


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


def why_it_waits(trouble: Trouble | None) -> str:
    """For what is tried again by itself."""
    match trouble:
        case Trouble(TroubleKind.NOT_REACHED):
            return f"{DATADOG} can't be reached just now."
        case Trouble(TroubleKind.RATE_LIMITED) | None:  # an earlier version kept no reason
            return f"{DATADOG} asked us to wait."
        case _:
            return f"{DATADOG} does not answer just now."


def _forbidden(trouble: Trouble) -> TroubleWords:
    if trouble.about:
        return not_offered(trouble)
    lacking = f" It lacks the permission {code(trouble.permission, 80)}." if trouble.permission else ""
    return TroubleWords(
        f"My {DATADOG} key may not do this.{lacking}",
        f"Ask a {DATADOG} admin to grant that to the key's owner, and to the key itself if it is scoped.",
    )


def not_offered(trouble: Trouble) -> TroubleWords:
    return TroubleWords(
        f"{DATADOG} refuses this on its site {code(trouble.about, 40)}: by its documents it is not offered there.",
        f"Nothing was done. Ask {DATADOG} whether your organisation can have it.",
    )


def _rate_limited(trouble: Trouble) -> TroubleWords:
    wait = f"in {duration(trouble.wait)}" if trouble.wait else "in a minute"
    if trouble.about:
        who = mention(trouble.about)
        return TroubleWords(
            f"Slack limits how often I may ask who {who} is, and says no for now.", f"Try again {wait}."
        )
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
        f"{DATADOG} does not accept my keys.",
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
