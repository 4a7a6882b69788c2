"""The comments of a case, never twice the same: Datadog has no key for one, so a lost answer is looked up in the timeline."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from bot.datadog.case_model import moment
from bot.datadog.cases import READ, Cases
from bot.datadog.client import Datadog
from bot.datadog.errors import DatadogError
from bot.datadog.shapes import JsonObject, objects, segment, text
from bot.datadog.trouble import Trouble, TroubleKind, trouble_of

_PAGE = 50
_CLOCK_SKEW = 120.0  # seconds Datadog's clock may be behind ours


@dataclass(frozen=True, slots=True)
class Comment:
    message: str
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CommentToPost:
    case: str
    message: str
    sent_before: float | None = None  # Unix seconds, when an earlier try has an unknown outcome


class CaseComments:
    def __init__(self, client: Datadog) -> None:
        self._client = client
        self._cases = Cases(client)

    async def latest(self, case: str) -> tuple[Comment, ...]:
        """The newest comments, newest first. The pages of this one list count from zero."""
        path = f"/api/v2/cases/{segment(case)}/timelines"
        params: dict[str, str | int] = {"page[size]": _PAGE, "page[number]": 0, "sort[ascending]": "false"}
        answer = await self._client.call("GET", path, params=params, permission=READ)
        read = (_comment(cell) for cell in objects(answer, "data"))
        return tuple(comment for comment in read if comment)

    async def post_once(
        self, comment: CommentToPost, *, about_to_send: Callable[[], Awaitable[bool]]
    ) -> Trouble | None:
        """Post it unless it is there already; None when it is. Where it may be there it is to be tried again later.

        `about_to_send` writes down that it may have been sent from now on.
        """
        try:
            if comment.sent_before is not None and await self._is_there(comment):
                return None
        except DatadogError:
            return Trouble(TroubleKind.UNCLEAR)
        if not await about_to_send():
            return Trouble(TroubleKind.UNCLEAR)
        try:
            await self._cases.comment(comment.case, comment.message)
        except DatadogError as error:
            return trouble_of(error)
        return None

    async def _is_there(self, comment: CommentToPost) -> bool:
        since = (comment.sent_before or 0.0) - _CLOCK_SKEW
        for each in await self.latest(comment.case):
            told_at = each.created_at.timestamp() if each.created_at else since
            # Datadog may tidy spaces and line ends
            if told_at >= since and each.message.split() == comment.message.split():
                return True
        return False


def _comment(cell: JsonObject) -> Comment | None:
    if text(cell, "attributes", "type") != "COMMENT":
        return None
    message = text(cell, "attributes", "cell_content", "message")
    return Comment(message, moment(text(cell, "attributes", "created_at")))
