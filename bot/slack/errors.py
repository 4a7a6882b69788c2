"""What a failed call to Slack means: certainly not done, maybe done, refused for good, or our own message at fault."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import ClientConnectorError, ClientError
from slack_sdk.errors import SlackApiError, SlackClientError

DEFAULT_WAIT = 1.0


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


_MALFORMED = {
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_too_long",
    "msg_blocks_too_long",
    "invalid_arguments",
    "invalid_attachments",
    "too_many_attachments",
    "no_text",
    "metadata_too_large",
}
_GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}
_MAYBE = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}


def trouble_of(error: Exception) -> SlackTrouble:
    if isinstance(error, SlackApiError):
        return _answered(error)
    if isinstance(error, ClientConnectorError):
        return SlackTrouble(Meaning.WAIT, "no_connection")
    return SlackTrouble(Meaning.OPEN, "no_answer")


def error_code(error: SlackApiError) -> str:
    """Slack's word for what is wrong; empty when a proxy answered in its place, with a page of its own."""
    data = getattr(error.response, "data", error.response)
    return str(data.get("error") or "") if isinstance(data, dict) else ""


def _answered(error: SlackApiError) -> SlackTrouble:
    response = error.response
    status = getattr(response, "status_code", 200)
    code = error_code(error)
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        return SlackTrouble(Meaning.WAIT, "ratelimited", _retry_after(getattr(response, "headers", None)))
    if code == "token_expired":
        return SlackTrouble(Meaning.WAIT, code)  # renewed by the next try
    if status >= 500 or code in _MAYBE or not code:
        return SlackTrouble(Meaning.OPEN, code or f"http_{status}")
    if code in _MALFORMED:
        return SlackTrouble(Meaning.MALFORMED, code)
    if code in _GONE:
        return SlackTrouble(Meaning.GONE, code)
    return SlackTrouble(Meaning.REFUSED, code)


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


CALL_ERRORS = (SlackClientError, ClientError, OSError, asyncio.TimeoutError)
