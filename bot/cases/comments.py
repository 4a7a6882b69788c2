"""One comment on a case, never twice: Datadog has no key for it, so a lost answer is looked up in the timeline."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.cases.ports import CaseOrg
from bot.cases.trouble import Trouble, trouble_of
from bot.datadog.errors import DatadogError

_CLOCK_SKEW = 120.0  # seconds Datadog's clock may be behind ours


class Posted(StrEnum):
    DONE = "done"
    OPEN = "open"  # it may be there: look again later


@dataclass(frozen=True, slots=True)
class CommentToPost:
    case: str
    message: str
    sent_before: float | None = None  # Unix seconds, when an earlier try has an unknown outcome


async def post_once(
    org: CaseOrg, comment: CommentToPost, *, about_to_send: Callable[[], Awaitable[bool]]
) -> Posted | Trouble:
    """Post it unless it stands there already. `about_to_send` writes down that it may have been sent from now on."""
    if comment.sent_before is not None:
        try:
            there = await _is_there(org, comment)
        except DatadogError:
            return Posted.OPEN
        if there:
            return Posted.DONE
    if not await about_to_send():
        return Posted.OPEN
    try:
        await org.cases.comment(comment.case, comment.message)
    except DatadogError as error:
        return Posted.OPEN if error.may_have_happened else trouble_of(error)
    return Posted.DONE


async def _is_there(org: CaseOrg, comment: CommentToPost) -> bool:
    since = (comment.sent_before or 0.0) - _CLOCK_SKEW
    for each in await org.comments.latest(comment.case):
        told_at = each.created_at.timestamp() if each.created_at else since
        if told_at >= since and _same(each.message, comment.message):
            return True
    return False


def _same(one: str, other: str) -> bool:
    """Datadog may tidy spaces and line ends."""
    return one.split() == other.split()
