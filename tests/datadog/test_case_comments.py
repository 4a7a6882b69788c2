"""Comments read back from a case's timeline."""

import httpx

from bot.datadog.cases import Cases
from bot.datadog.client import Datadog
from tests.datadog.conftest import Scripted

CELLS = [
    {
        "id": "c2",
        "type": "timeline_cell",
        "attributes": {
            "type": "COMMENT",
            "cell_content": {"message": "newer"},
            "created_at": "2026-01-02T03:04:05.123456789Z",
        },
    },
    {"id": "s1", "type": "timeline_cell", "attributes": {"type": "STATUS", "cell_content": {"message": "not this"}}},
    {"id": "c1", "type": "timeline_cell", "attributes": {"type": "COMMENT", "cell_content": {}}},
]


async def test_the_newest_comments_are_asked_for_and_read_from_among_other_cells() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"data": CELLS})

    async with Datadog("https://api.test", "a", "b", app_url="https://app.test", http=Scripted(answer)) as client:
        comments = await Cases(client).comments("CASEM-1")

    assert [each.message for each in comments] == ["newer", ""]
    assert comments[0].created_at is not None
    assert comments[0].created_at.year == 2026
    (request,) = asked
    assert request.url.path == "/api/v2/cases/CASEM-1/timelines"
    assert dict(request.url.params) == {"page[size]": "50", "page[number]": "0", "sort[ascending]": "false"}
