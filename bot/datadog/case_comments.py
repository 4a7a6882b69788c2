"""The comments of a case, read back from its timeline: how a comment whose answer got lost is found again."""

from dataclasses import dataclass
from datetime import datetime

from bot.datadog.case_model import moment
from bot.datadog.cases import READ
from bot.datadog.client import Datadog
from bot.datadog.shapes import JsonObject, objects, segment, text

_PAGE = 50


@dataclass(frozen=True, slots=True)
class Comment:
    id: str
    message: str
    created_at: datetime | None = None


class CaseComments:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    async def latest(self, case: str) -> tuple[Comment, ...]:
        """The newest comments, newest first. The pages of this one list count from zero."""
        path = f"/api/v2/cases/{segment(case)}/timelines"
        params: dict[str, str | int] = {"page[size]": _PAGE, "page[number]": 0, "sort[ascending]": "false"}
        answer = await self._client.call("GET", path, params=params, permission=READ)
        read = (_comment(cell) for cell in objects(answer, "data"))
        return tuple(comment for comment in read if comment)


def _comment(cell: JsonObject) -> Comment | None:
    if text(cell, "attributes", "type") != "COMMENT":
        return None
    message = text(cell, "attributes", "cell_content", "message")
    return Comment(text(cell, "id"), message, moment(text(cell, "attributes", "created_at")))
