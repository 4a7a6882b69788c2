"""A case is escalated from its card: each thing once, whatever breaks on the way, and the card says how it stands."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.datadog import FakeCase
from bot.sandbox.slack import Message
from tests.e2e.case_town import case_town, killed
from tests.e2e.town import Town

DECLARE = ("POST", "/api/v2/incidents")
PAGE = ("POST", "/api/v2/on-call/pages")
LINK = ("POST", "/api/v2/cases/*/relationships/incidents")
INCIDENT, TEAM = "Declare an incident", "Page an on-call team"
JIRA, SERVICE_NOW, NOTEBOOK = "Make a Jira issue", "Make a ServiceNow ticket", "Start an investigation notebook"


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with case_town(tmp_path) as town:
        yield town


async def _shown(town: Town, title: str = "Checkout is down") -> tuple[FakeCase, Message]:
    project = next(iter(town.datadog.org.case_management.projects.values()))
    case = town.datadog.add_case(title, project)
    await town.ana.command("/bits", f"case {case.key}", in_=town.channel)
    return case, await town.slack.wait_for(
        lambda: next((each for each in town.channel.messages if case.key in each.shown), None)
    )


async def _says(town: Town, card: Message, *words: str) -> str:
    return await town.slack.wait_for(lambda: card.shown if all(word in card.shown for word in words) else "")


async def _escalates(town: Town, card: Message, kind: str = INCIDENT, waits_for: str = "", **fields: Any) -> None:
    await town.ana.click("Escalate…", on=card)
    await town.ana.waits_for_modal("What customers notice")
    if kind != INCIDENT:
        await town.ana.fill({"What": kind})
        await town.ana.waits_for_modal(waits_for)
    if fields:
        await town.ana.fill({name.replace("_", " "): value for name, value in fields.items()})
    await town.ana.submit()


# -- an incident ----------------------------------------------------------------------------------------------------


async def test_an_incident_is_declared_and_linked_both_ways(town: Town) -> None:
    case, card = await _shown(town)
    fields = {"Title": "Checkout is down in Europe", "Severity": "SEV-2, high", "What_customers_notice": "No orders"}
    await _escalates(town, card, **fields)
    shown = await _says(town, card, "✅", "Incident #411", "@ana", "Insights: 1")
    assert "app.datadoghq.com/incidents/411" in str(card.blocks)
    assert "Try again" not in shown
    (incident,) = town.datadog.org.incidents
    assert (incident.title, incident.severity, incident.impact) == ("Checkout is down in Europe", "SEV-2", "No orders")
    assert f"/cases/{case.key}" in (incident.summary or "")
    assert (incident.summary or "").startswith("ana asked for it in Slack")
    assert case.incidents == [incident.id]
    assert list(case.insights) == [("INCIDENT", incident.id)]

    await _escalates_in_vain(town, card, "This case has its incident already")
    assert len(town.datadog.org.incidents) == 1


async def _escalates_in_vain(town: Town, card: Message, why: str) -> None:
    await town.ben.click("Escalate…", on=card)
    await town.ben.waits_for_modal("What customers notice")
    seen = await town.ben.submit()
    assert why in seen.errors["What"]
    await town.ben.close()


LOST: dict[str, dict[str, Any]] = {
    "the answer is lost": {"drop": "after"},
    "a gateway gives up": {"status": 503, "carried_out": True},
    "it lands late": {"lands_after": 0.2},
}


@pytest.mark.parametrize("how", LOST)
async def test_a_lost_answer_is_looked_up_and_the_one_incident_adopted(town: Town, how: str) -> None:
    case, card = await _shown(town)
    town.datadog.break_next(*DECLARE, **LOST[how])
    await _escalates(town, card)
    await _says(town, card, "✅", "Incident #411")
    (incident,) = town.datadog.org.incidents
    assert case.incidents == [incident.id]
    assert len(town.datadog.asked(*DECLARE)) == 1


async def test_what_was_perhaps_not_declared_is_asked_about_never_guessed(town: Town) -> None:
    case, card = await _shown(town)
    town.datadog.break_next(*DECLARE, status=500)
    await _escalates(town, card)
    await _says(town, card, "I don't know whether the incident was declared", "for ref ")
    assert len(town.datadog.asked(*DECLARE)) == 1
    await _escalates_in_vain(town, card, "This case has its incident already, or is getting one")

    # whoever asks again is believed, and yet it is looked for first
    seen = await town.ben.click("Declare", on=card)
    assert "Only if Datadog does not show it." in seen.asked
    await _says(town, card, "✅", "Incident #411", "@ben")
    assert len(town.datadog.org.incidents) == len(case.incidents) == 1


async def test_a_bot_killed_while_it_declares_leaves_one_incident(town: Town) -> None:
    case, card = await _shown(town)
    hanging = town.datadog.break_next(*DECLARE, hang=True, carried_out=True)
    await _escalates(town, card)
    await town.datadog.wait_for(lambda: town.datadog.org.incidents)
    assert "⏳ Declaring an incident for @ana" in card.shown
    await killed(town.bot)
    hanging.release()
    await town.start_bot()
    await _says(town, card, "✅", "Incident #411")
    assert len(town.datadog.org.incidents) == len(case.incidents) == 1


async def test_refusals_say_what_is_missing_and_try_again_makes_it(town: Town) -> None:
    _, card = await _shown(town)
    town.datadog.revoke("incident_write")
    await _escalates(town, card)
    await _says(town, card, "No incident was declared", "incident_write", "Ask a Datadog admin", "[Try again]")
    town.datadog.grant("incident_write")
    for broken, told in (
        ({"status": 400, "body": {"errors": ["severity is locked"]}}, "severity is locked"),
        ({"status": 429, "headers": {"X-RateLimit-Reset": "120"}}, "Try again in 2 minutes"),
        ({"status": 409}, "[Try again]"),
        ({"status": 404}, "[Try again]"),
    ):
        town.datadog.break_next(*DECLARE, **broken)
        before = len(town.datadog.asked(*DECLARE))
        await town.ben.click("Try again", on=card)
        await town.datadog.wait_for(lambda before=before: len(town.datadog.asked(*DECLARE)) > before)  # type: ignore[misc]
        await _says(town, card, "No incident was declared", told)
    await town.ben.click("Try again", on=card)
    shown = await _says(town, card, "✅", "Incident #411")
    assert "No incident was declared" not in shown
    assert len(town.datadog.org.incidents) == 1


async def test_a_link_that_fails_is_told_and_made_later_and_the_incident_stays_one(town: Town) -> None:
    case, card = await _shown(town)
    town.datadog.break_next(*LINK, status=403)
    await _escalates(town, card)
    await _says(town, card, "⚠️", "Incident #411", "It is not linked to this case yet", "cases_write")
    await town.ana.click("Try again", on=card)
    await _says(town, card, "✅", "Incident #411")
    assert len(town.datadog.org.incidents) == len(case.incidents) == 1
    assert len(town.datadog.asked(*DECLARE)) == 1


async def test_an_incident_needs_a_title_and_nothing_is_lost(town: Town) -> None:
    _, card = await _shown(town)
    await town.ana.click("Escalate…", on=card)
    await town.ana.waits_for_modal("What customers notice")
    await town.ana.fill({"Title": "   ", "What customers notice": "No orders"})
    seen = await town.ana.submit()
    assert list(seen.errors) == ["Title"]
    assert town.datadog.org.incidents == []


# -- a page ---------------------------------------------------------------------------------------------------------


async def _pages(town: Town, card: Message, team: str = "checkout-sre") -> None:
    await _escalates(town, card, TEAM, "Urgency", Team=team, Message="Please look")


async def test_a_team_is_paged_and_the_case_shows_it(town: Town) -> None:
    town.datadog.add_on_call_team("checkout-sre")
    case, card = await _shown(town)
    await _pages(town, card, "@checkout sre")
    assert "no spaces" in (town.ana.modal.errors["Team"] if town.ana.modal else "")
    await town.ana.fill({"Team": "@checkout-sre"})
    await town.ana.submit()
    await _says(town, card, "✅", "Paged checkout-sre", "@ana")
    (page,) = town.datadog.org.pages
    assert (page.team, page.title, page.urgency) == ("checkout-sre", "Checkout is down", "high")
    assert page.description.startswith("Please look\n\nana asked for it in Slack")
    (link,) = town.datadog.org.case_management.links
    assert (link["attributes"]["parent_entity_id"], link["attributes"]["child_entity_id"]) == (case.id, page.id)

    # a team may be paged again, and others too
    await _pages(town, card, "nobody")
    await _says(town, card, "Nobody was paged", "knows no such team", "Look up its handle")
    assert len(town.datadog.org.pages) == 1


@pytest.mark.parametrize("broken", [{"drop": "after"}, {"status": 502}, {"status": 503, "carried_out": True}])
async def test_a_page_with_an_unknown_outcome_is_never_repeated_on_a_guess(town: Town, broken: dict[str, Any]) -> None:
    """Datadog lists no pages, so that nobody but a person can look."""
    town.datadog.add_on_call_team("checkout-sre")
    _, card = await _shown(town)
    town.datadog.break_next(*PAGE, **broken)
    await _pages(town, card)
    await _says(town, card, "I don't know whether the page went out", "or ask the team")
    assert len(town.datadog.asked(*PAGE)) == 1
    await town.ben.click("Page", on=card)
    await _says(town, card, "✅", "Paged", "@ben")
    assert len(town.datadog.asked(*PAGE)) == 2


async def test_without_the_right_to_page_it_says_which_is_missing(town: Town) -> None:
    town.datadog.add_on_call_team("checkout-sre")
    town.datadog.revoke("on_call_page")
    _, card = await _shown(town)
    await _pages(town, card)
    await _says(town, card, "Nobody was paged", "on_call_page", "[Try again]")
    town.datadog.grant("on_call_page")
    await town.ana.click("Try again", on=card)
    await _says(town, card, "✅", "Paged")


# -- tickets and the notebook ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, {"drop": "after"}, {"status": 503, "carried_out": True}])
async def test_a_jira_issue_is_made_once_and_linked_when_it_is_there(town: Town, how: dict[str, Any]) -> None:
    town.datadog.connect_jira("Bug", "Task")
    case, card = await _shown(town)
    if how:
        town.datadog.break_next("POST", "/api/v2/cases/*/relationships/jira_issues", **how)
    await _escalates(town, card, JIRA, "Template", Template="Bug")
    await town.datadog.wait_for(lambda: case.tickets)
    assert "Jira issue" in await _says(town, card, "⏳")
    town.datadog.finish_ticket(case, "jira_issue")
    await _says(town, card, "Jira issue OPS-7", "@ana", "Jira: OPS-7")
    assert "example.atlassian.net/browse/OPS-7" in str(card.blocks)
    assert len(town.datadog.effects("ticket_asked")) == 1


async def test_a_ticket_that_datadog_could_not_make_is_told_and_asked_for_again(town: Town) -> None:
    town.datadog.connect_service_now("acme")
    case, card = await _shown(town)
    await _escalates(town, card, SERVICE_NOW, "Instance", Instance="acme", Assignment_group="Network")
    await town.datadog.wait_for(lambda: case.tickets)
    town.datadog.finish_ticket(case, "service_now_ticket", fails=True)
    await _says(town, card, "No ServiceNow ticket was made", "ServiceNow integration's page", "[Try again]")
    await town.ana.click("Try again", on=card)
    await town.datadog.wait_for(lambda: case.tickets["service_now_ticket"]["status"] == "IN_PROGRESS")
    town.datadog.finish_ticket(case, "service_now_ticket")
    await _says(town, card, "✅", "ServiceNow ticket", "@ana")
    assert len(town.datadog.effects("ticket_asked")) == 2


async def test_what_is_not_connected_is_said_in_the_window(town: Town) -> None:
    _, card = await _shown(town)
    await town.ana.click("Escalate…", on=card)
    await town.ana.waits_for_modal("What customers notice")
    await town.ana.fill({"What": JIRA})
    await town.ana.waits_for_modal("Jira integration's page")
    await town.ana.fill({"What": SERVICE_NOW})
    await town.ana.waits_for_modal("knows no ServiceNow instance")
    town.datadog.break_next("GET", "/api/v2/integration/jira/issue-templates", status=403)
    await town.ana.fill({"What": JIRA})
    await town.ana.waits_for_modal("My Datadog key may not do this")


async def test_a_notebook_is_started_once(town: Town) -> None:
    case, card = await _shown(town)
    await _escalates(town, card, NOTEBOOK, "starts a notebook")
    await _says(town, card, "✅", "Notebook", "@ana")
    assert case.notebooks == 1


async def test_tickets_that_a_case_has_already_show_on_its_card(town: Town) -> None:
    town.datadog.connect_jira("Bug")
    project = next(iter(town.datadog.org.case_management.projects.values()))
    case = town.datadog.add_case("Made elsewhere", project)
    town.datadog.finish_ticket(case, "jira_issue")
    await town.ana.command("/bits", f"case {case.key}", in_=town.channel)
    (card,) = await town.slack.wait_for(lambda: town.channel.messages)
    await _says(town, card, "Jira: OPS-7")
