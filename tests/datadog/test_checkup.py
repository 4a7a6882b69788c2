"""What a check of keys concludes from Datadog's answers; the calls themselves are proved against the local Datadog."""

from typing import Any

import httpx

from bot.datadog.checkup import Checkup, KeyProblem, check_up
from bot.datadog.client import Datadog
from tests.datadog.conftest import Scripted

OWNER = {"data": {"id": "u-1", "attributes": {"name": "Bits", "handle": "bits@acme", "service_account": True}}}
GOOD: dict[str, Any] = {
    "/api/v1/validate": {"valid": True},
    "/api/v2/validate": {"data": {"id": "org-uuid"}},
    "/api/v2/validate_keys": {"status": "ok"},
    "/api/v2/current_user": OWNER,
}

Answer = httpx.Response | dict[str, Any]


async def checked(**changes: Answer) -> Checkup:
    """`changes` by the last word of a path."""

    def handle(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        answer = changes.get(path.rsplit("/", 1)[-1], GOOD.get(path, {"data": []}))
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    async def no_wait(_: float) -> None:
        return

    async with Datadog(
        "https://api.datadoghq.eu", "k", "k", app_url="https://app.datadoghq.eu", http=Scripted(handle), sleep=no_wait
    ) as client:
        return await check_up(client)


def refused(status: int) -> httpx.Response:
    return httpx.Response(status, json={"errors": ["Forbidden"]})


async def test_good_keys() -> None:
    found = await checked()

    assert (found.problem, found.lacking, found.unclear, found.org_uuid) == (None, (), (), "org-uuid")
    assert found.owner_name == "Bits (service account)"


async def test_keys_that_cannot_be_used() -> None:
    cases: list[tuple[dict[str, Answer], KeyProblem]] = [
        ({"validate": refused(403)}, KeyProblem.API_KEY),
        ({"validate_keys": refused(403)}, KeyProblem.APP_KEY),
        ({"validate_keys": {"status": "no"}}, KeyProblem.APP_KEY),
        ({"validate_keys": refused(503)}, KeyProblem.NOT_REACHED),
        ({"validate_keys": httpx.Response(429, headers={"X-RateLimit-Reset": "60"})}, KeyProblem.BUSY),
        ({"investigations": refused(403)}, KeyProblem.ESSENTIAL),
    ]
    for changes, problem in cases:
        assert (await checked(**changes)).problem is problem


async def test_a_permission_is_missing_only_where_datadog_says_no() -> None:
    for word, permission in (("search", "monitors_read"), ("events", "events_read"), ("cases", "cases_read")):
        statuses: list[tuple[int, bool]] = [(403, True), (401, True), (500, False), (404, False)]
        for status, lacks in statuses:
            found = await checked(**{word: refused(status)})

            assert found.problem is None
            assert (found.lacking, found.unclear) == (((permission,), ()) if lacks else ((), (permission,)))


async def test_an_owner_that_is_not_told_spoils_nothing() -> None:
    cases: list[Answer] = [refused(403), refused(500), {"unexpected": 1}]
    for answer in cases:
        found = await checked(current_user=answer)

        assert (found.problem, found.owner_name) == (None, "")
