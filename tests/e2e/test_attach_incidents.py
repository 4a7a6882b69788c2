"""Incidents by the name people know them by, though links carry only a number; where Datadog does not tell, the number."""

from typing import Any

import pytest

from tests.e2e.attach_town import a_case, held, hurry, link, opens, pastes
from tests.e2e.town import Town


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


async def test_a_pasted_incident_gets_its_name(town: Town) -> None:
    case = a_case(town)
    numbered = town.datadog.add_incident("Checkout is down")
    other = town.datadog.add_incident("Search is slow")
    await opens(town, town.ana, case)
    await pastes(
        town.ana, [link(town, f"/incidents/{numbered.public_id}/timeline"), link(town, f"/incidents/{other.id}")]
    )

    modal = await town.ana.waits_for_modal("Search is slow")
    assert f"Checkout is down · incident {numbered.public_id}" in modal.fields["Insights"]
    await town.ana.submit()
    await town.ana.waits_for_modal("2 incidents")
    assert held(case) == {str(numbered.public_id), other.id}


@pytest.mark.parametrize(
    "fault", [{}, {"status": 403}, {"status": 400}, {"status": 404}, {"status": 503}, {"body": []}, {"drop": "before"}]
)
async def test_an_incident_that_can_not_be_searched_for_goes_by_its_number(town: Town, fault: dict[str, Any]) -> None:
    case = a_case(town)
    if fault:
        town.datadog.break_next("GET", "/api/v2/incidents/search", times=99, **fault)
    await opens(town, town.ana, case)
    await pastes(town.ana, [link(town, "/incidents/7")])
    await town.datadog.wait_for(lambda: town.datadog.asked("GET", "/api/v2/incidents/search"))
    await pastes(town.ana, [link(town, f"/monitors/{town.monitor.id}")])
    modal = await town.ana.waits_for_modal("Disk almost full · monitor")
    assert modal.fields["Insights"] == "Incident 7, Disk almost full · monitor"
    await town.ana.submit()

    await town.ana.waits_for_modal("Attached 2 insights")
    assert held(case) == {"7", str(town.monitor.id)}
