"""What a case's card opens: the reason of a closed security case, labels and attributes, the archive."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.datadog import SECURITY, FakeCase
from bot.sandbox.slack import Message
from tests.e2e.case_town import case_town
from tests.e2e.town import Town


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with case_town(tmp_path) as town:
        yield town


async def _shown(town: Town, **members: Any) -> tuple[FakeCase, Message]:
    (project,) = town.datadog.org.case_management.projects.values()
    case = town.datadog.add_case("Impossible travel of ada", project, **members)
    await town.ana.command("/bits", f"case {case.key}", in_=town.channel)
    (card,) = await town.slack.wait_for(lambda: town.channel.messages)
    return case, card


async def _says(town: Town, card: Message, *words: str) -> None:
    await town.slack.wait_for(lambda: all(word in card.shown for word in words))


async def test_a_security_case_is_closed_with_its_reason_and_not_without(town: Town) -> None:
    case, card = await _shown(town, type=SECURITY)
    await town.ana.choose("Set status", "In Progress", on=card)
    await _says(town, card, "In Progress ·")

    await town.ana.choose("Set status", "Closed", on=card)
    window = await town.ana.waits_for_modal("is a security case")
    assert "Testing" in window.text
    seen = await town.ana.submit()
    assert list(seen.errors) == ["Reason"]
    await town.ana.close()
    assert (case.status, case.resolved_reason) == ("IN_PROGRESS", "")

    await town.ana.choose("Set status", "Closed", on=card)
    await town.ana.waits_for_modal("is a security case")
    await town.ana.fill({"Reason": "One-time exception"})
    await town.ana.submit()
    await _says(town, card, "Closed ·", "@ana set the status to Closed: one-time exception")
    assert (case.status, case.resolved_reason) == ("CLOSED", "ONE_TIME_EXCEPTION")
    assert town.ana.modal is None


async def test_a_reason_that_is_refused_leaves_the_case_open_and_says_why(town: Town) -> None:
    case, card = await _shown(town, type=SECURITY)

    async def closes() -> None:
        await town.ana.choose("Set status", "Closed", on=card)
        await town.ana.waits_for_modal("is a security case")
        await town.ana.fill({"Reason": "False positive"})
        await town.ana.submit()

    for number, broken in enumerate(({"status": 403}, {"status": 409}, {"status": 400, "times": 2}), start=1):
        town.datadog.break_next("POST", "/api/v2/cases/*/resolved_reason", **broken)  # type: ignore[arg-type]
        await closes()
        await town.slack.wait_for(lambda number=number: len(town.ana.ephemerals) == number)  # type: ignore[misc]
        assert "The status was not set to Closed on CASEM-42." in town.ana.ephemerals[-1].shown
        assert (case.status, case.resolved_reason) == ("OPEN", "")
    await _says(town, card, "Open ·")

    # an answer that gets lost, on either side of its effect, is asked for again
    town.datadog.break_next("POST", "/api/v2/cases/*/resolved_reason", drop="after")
    town.datadog.break_next("POST", "/api/v2/cases/*/status", status=503)
    # and where Datadog takes a reason of closed cases only, it comes after
    town.datadog.org.case_management.reasons_of_closed_only = True
    await closes()
    await _says(town, card, "Closed ·", "set the status to Closed: false positive")
    assert (case.status, case.resolved_reason) == ("CLOSED", "FALSE_POSITIVE")


async def test_labels_and_attributes_are_shown_and_changed(town: Town) -> None:
    for key, name, kind, options in (
        ("customer", "Customer", "TEXT", ()),
        ("region", "Region", "SELECT", ("eu", "us")),
        ("cost", "Cost", "NUMBER", ()),
    ):
        town.datadog.add_custom_attribute(key, name, kind, *options)
    case, card = await _shown(town, attributes={"env": ["prod"], "team": ["sre"]})
    await _says(town, card, "env: prod")

    await town.ben.click("Labels and attributes…", on=card)
    window = await town.ben.waits_for_modal("Labels and tags")
    assert window.fields["Labels and tags"] == "env: prod\nteam: sre"
    await town.ben.fill({"Customer": "Acme", "Region": "eu", "Labels and tags": "env prod"})
    seen = await town.ben.submit()
    assert "names no attribute" in seen.errors["Labels and tags"]
    case.attributes["service"] = ["checkout"]  # somebody else's, meanwhile
    await town.ben.fill({"Labels and tags": "env: prod, staging"})
    await town.ben.submit()

    await _says(
        town, card, "Customer: Acme", "Region: eu", "env: prod, staging", "@ben changed Customer, Region, env, team"
    )
    assert case.attributes == {"env": ["prod", "staging"], "service": ["checkout"]}
    assert {key: each["value"] for key, each in case.custom_attributes.items()} == {"customer": "Acme", "region": "eu"}

    await town.ben.click("Labels and attributes…", on=card)
    await town.ben.waits_for_modal("Labels and tags")
    town.datadog.break_next("POST", "/api/v2/cases/*/custom_attributes/customer", status=400)
    await town.ben.fill({"Customer": "Globex", "Cost": "12"})
    await town.ben.submit()
    await town.slack.wait_for(lambda: "Not all that you changed was taken over on CASEM-42." in town.ben.sees)
    assert "Customer: Globex" in town.ben.sees, "what was typed is not lost"


async def test_without_the_right_to_see_it_the_window_says_so(town: Town) -> None:
    _, card = await _shown(town)
    town.datadog.revoke("cases_read")
    await town.ben.click("Labels and attributes…", on=card)
    await town.ben.waits_for_modal("cases_read")


async def test_a_case_is_archived_and_taken_out_again(town: Town) -> None:
    case, card = await _shown(town)
    town.datadog.break_next("POST", "/api/v2/cases/*/archive", drop="after")
    await town.ben.click("Archive", on=card)
    await _says(town, card, "(archived)", "@ben archived it")
    assert case.archived
    await town.ana.click("Unarchive", on=card)
    await _says(town, card, "@ana took it out of the archive")
    assert not case.archived
    assert "(archived)" not in card.shown


async def test_a_new_case_carries_the_alerts_service_team_and_environment(town: Town) -> None:
    monitor = town.datadog.add_monitor("Latency", tags=("team:core", "env:prod", "service:shop", "host:x"))
    alert = await town.alert(monitor, group="service:web")
    await town.ana.shortcut("create_case_from_message", on=alert.message)
    form = await town.ana.waits_for_modal("Description")
    assert "service: web; team: core; env: prod" in form.text
    town.datadog.break_next("POST", "/api/v2/cases/*/attributes", status=503)
    await town.ana.submit()
    wanted = {"service": ["web"], "team": ["core"], "env": ["prod"]}
    await town.datadog.wait_for(lambda: [case.attributes for case in town.datadog.cases()] == [wanted])
    await town.slack.wait_for(lambda: any("team: core" in reply.shown for reply in alert.message.replies))
