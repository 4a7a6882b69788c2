"""What each permission in docs/permissions.md is for: without it these calls are refused, and the refusal names it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.datadog.client import Datadog
from bot.datadog.errors import Forbidden
from bot.datadog.orgs import ConnectedOrg
from bot.sandbox.datadog import FakeDatadog

Ask = Callable[[ConnectedOrg, str], Awaitable[Any]]
NEEDS: dict[str, tuple[Ask, ...]] = {
    "cases_read": (lambda org, case: org.cases.get(case), lambda org, _: org.cases.search("status:open")),
    "cases_write": (
        lambda org, case: org.cases.comment(case, "words"),
        lambda org, case: org.cases.set_priority(case, "P1"),
        lambda org, case: org.escalations.make_notebook(case),
        lambda org, case: org.escalations.make_service_now_ticket(case, "acme", ""),
        lambda org, case: org.escalations.link_incident(case, "1"),
    ),
    "user_access_read": (lambda org, _: org.cases.user_with_email("ana@example.com"),),
    "incident_read": (lambda org, _: org.escalations.declared("ref A."),),
    "incident_write": (lambda org, _: org.escalations.declare("Down", severity="SEV-1", impact="", summary="ref A."),),
    "on_call_page": (lambda org, _: org.escalations.page("sre", "Down", "", "high"),),
}


@pytest.mark.parametrize("permission", NEEDS)
async def test_a_refusal_names_the_permission_that_is_missing(permission: str) -> None:
    async with FakeDatadog() as fake:
        case = fake.add_case("Disk", fake.add_project("SRE"))
        fake.revoke(permission)
        async with Datadog(fake.url, fake.api_key, fake.app_key, app_url=fake.app_url) as client:
            for ask in NEEDS[permission]:
                with pytest.raises(Forbidden) as refused:
                    await ask(ConnectedOrg("default", client, fake.app_url), case.key)
                assert refused.value.permission == permission


async def test_pages_go_to_the_host_of_the_site_and_others_to_the_api() -> None:
    sent: list[str] = []

    class Sender:
        async def send(self, _method: str, url: str, _headers: Any, _body: Any) -> Any:
            sent.append(url)
            raise ConnectionError

        async def close(self) -> None: ...

    client = Datadog(
        "https://api.datadoghq.eu", "key", "key", app_url="https://app.datadoghq.eu", http=Sender(), attempts=1
    )
    org = ConnectedOrg("default", client, client.app_url)
    for asking in (org.escalations.page("sre", "Down", "", "high"), org.escalations.make_notebook("SRE-1")):
        with pytest.raises(ConnectionError):
            await asking
    assert sent == [
        "https://beige.oncall.datadoghq.eu/api/v2/on-call/pages",
        "https://api.datadoghq.eu/api/v2/cases/SRE-1/relationships/notebook",
    ]
