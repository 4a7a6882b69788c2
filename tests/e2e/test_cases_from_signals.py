"""A message with a signal, an issue or an incident becomes a case that has it attached, under its title and with the right type."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.slack import Message
from tests.e2e.case_town import card_of, case_town, sees_it_made
from tests.e2e.town import Town


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with case_town(tmp_path) as town:
        yield town


async def _posted(town: Town, page: str, title: str) -> Message:
    return await town.slack.post_as_datadog(town.channel, title=title, title_link=town.datadog.app_url + page, text="x")


async def test_a_security_signal_becomes_a_security_case(town: Town) -> None:
    message = await _posted(town, "/security/signal?event=AQAAAYGCFXAgAAAA", "Impossible travel of ada")
    await town.ana.shortcut("create_case_from_message", on=message)
    form = await town.ana.waits_for_modal("Description")
    assert (form.fields["Title"], form.fields["Type"]) == ("Impossible travel of ada", "Security")
    assert "Attached with it: Security signal AQAAAYGCFXAgAAAA." in form.text
    offered = str(form.view.blocks)
    assert "Event Management" in offered
    assert "Error Tracking" not in offered

    await town.ana.submit()
    await sees_it_made(town.ana)
    await card_of(town, message, "Impossible travel of ada", "Type: Security", "Insights: 1")
    (case,) = town.datadog.cases()
    assert case.type.name == "Security"
    assert case.insights == {("SECURITY_SIGNAL", "AQAAAYGCFXAgAAAA"): "/security/signal?event=AQAAAYGCFXAgAAAA"}


async def test_a_link_that_does_not_name_its_issue_is_attached_with_the_id_that_is_typed(town: Town) -> None:
    page = "/sensitive-data-scanner/telemetry?view=open"
    message = await _posted(town, page, "Credit cards in logs of checkout")
    await town.ana.shortcut("create_case_from_message", on=message)
    form = await town.ana.waits_for_modal("Id of the sensitive data issue")
    assert form.fields["Type"] == "Security"
    await town.ana.fill({"Id of the sensitive data issue": "two words"})
    seen = await town.ana.submit()
    assert list(seen.errors) == ["Id of the sensitive data issue"]
    assert town.datadog.cases() == []

    await town.ana.fill({"Id of the sensitive data issue": "sds-77"})
    await town.ana.submit()
    await sees_it_made(town.ana)
    await card_of(town, message, "Insights: 1")
    (case,) = town.datadog.cases()
    assert case.insights == {("SENSITIVE_DATA_SCANNER_ISSUE", "sds-77"): page}


async def test_a_bare_link_to_an_incident_takes_the_incidents_title(town: Town) -> None:
    incident = town.datadog.add_incident("Checkout is down")
    said = await town.ben.say(f"{town.datadog.app_url}/incidents/{incident.public_id}", in_=town.channel)
    await town.ana.shortcut("create_case_from_message", on=said)
    form = await town.ana.waits_for_modal("Description")
    assert (form.fields["Title"], form.fields["Type"]) == ("Checkout is down", "Standard")
    # what Datadog refuses to attach is told, and the case is there all the same
    town.datadog.break_next("PUT", "/api/v2/cases/*/insights", status=400)
    await town.ana.submit()
    await sees_it_made(town.ana, "Its insights could not all be attached.")
    await town.ana.press("Try the rest again")
    await card_of(town, said, "Insights: 1")
    (case,) = town.datadog.cases()
    assert list(case.insights) == [("INCIDENT", str(incident.public_id))]
