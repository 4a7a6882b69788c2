"""With BITS_WORK_OBJECTS a case's card carries a Work Object: opened, edited, refused, and never in the card's way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.manifest import manifest
from bot.sandbox.datadog import SECURITY
from bot.sandbox.slack import Message
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.work_objects import submit_entity
from tests.e2e.case_town import shown
from tests.e2e.town import Town


class ObjectTown(Town):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, bits_work_objects=True)
        self.slack.app.apply_manifest(manifest("socket", work_objects=True))
        self.datadog.add_project("CASEM", "Case Management")
        self.analyst = self.datadog.add_user("Ana Lytic", "ana@example.com")

    async def opens(self, person: Person, card: Message, *words: str) -> str:
        await person.open_work_object(card)

        def there() -> str:
            text = person.pane.text if person.pane and (person.pane.metadata or person.pane.error) else ""
            return text if all(word in text for word in words) else ""

        return await person.waits_for(there)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[ObjectTown]:
    async with ObjectTown(tmp_path) as town:
        yield town


async def _says(town: Town, card: Message, *words: str) -> None:
    await town.slack.wait_for(lambda: all(word in card.shown for word in words))


async def test_its_details_are_those_of_datadog_now(town: ObjectTown) -> None:
    case, card = await shown(town, title="Disk <!channel> full", insights={("MONITOR", "7"): "/monitors/7"})
    assert card.metadata is not None
    (entity,) = card.metadata["entities"]
    assert entity["url"].endswith(f"/cases/{case.key}")
    assert card.metadata["event_payload"]["key"].startswith("case_card:"), "we know our message again"
    town.datadog.change_case(case, status_name="In Progress", priority="P1", assignee=town.analyst)
    town.datadog.comment_on(case, "It is the log rotation", town.analyst)

    text = await town.opens(town.ben, card, "status: In Progress")
    for line in ("priority: P1", "assignee: Ana Lytic", "Insights: monitor 7", "Project: Case Management"):
        assert line in text
    assert "Ana Lytic: It is the log rotation" in text
    assert "<!channel>" not in str(town.ben.pane)
    await _says(town, card, "🟠 In Progress", "🔴 P1")
    assert card.metadata["entities"], "an edit of the card leaves it there"


async def test_an_edit_goes_the_way_of_the_cards_own_actions(town: ObjectTown) -> None:
    case, card = await shown(town)
    await town.opens(town.ben, card, "status: Open")
    answer = await town.ben.save_work_object({"status": "In Progress", "priority": "P2", "assignee": town.ana.id})
    assert answer == {}
    await town.ben.waits_for(lambda: town.ben.pane and "Sent to Datadog: status, priority" in town.ben.pane.text)
    await _says(town, card, "🟠 In Progress", "🟠 P2", "👤 Ana Lytic", "@ben set the status to In Progress")
    assert case.assignee is town.analyst
    await town.opens(town.ben, card, "status: In Progress", "priority: P2")
    await town.ben.save_work_object({"status": "Closed"})  # the same pane once more
    await _says(town, card, "✅ Closed")


async def test_what_it_does_not_take_is_said_at_the_field(town: ObjectTown) -> None:
    _, card = await shown(town, type=SECURITY)
    await town.opens(town.ben, card, "status: Open")
    chosen = {"type": "static_select", "selected_option": {"value": "Closed"}}
    title = {"type": "plain_text_input", "value": "Mine"}
    answer = await submit_entity(
        town.ben,
        {"status": {"status.input": chosen}, "title": {"title.input": title}, "priority": {"priority.input": {}}},
    )
    assert answer["response_action"] == "errors"
    assert "is closed with a reason" in answer["errors"]["status"]
    assert "can't be changed here" in answer["errors"]["title"]
    assert "no such priority" in answer["errors"]["priority"]
    await submit_entity(town.ben, {})
    await town.ben.waits_for(lambda: town.ben.pane and "nothing was changed" in town.ben.pane.text)
    assert town.datadog.effects("case_updated") == []


async def test_whoever_may_not_sees_and_changes_nothing(town: ObjectTown) -> None:
    case, card = await shown(town, title="Secret")
    guest = town.slack.workspace.add_user("gus", guest=True)
    town.channel.members.add(guest.id)
    text = await town.opens(guest, card)
    assert "Guests may not" in text
    assert "Secret" not in text
    chosen = {"type": "static_select", "selected_option": {"value": "Closed"}}
    await submit_entity(guest, {"status": {"status.input": chosen}})
    await guest.waits_for(lambda: guest.pane and guest.pane.error.get("status") == "edit_error")
    del town.datadog.org.case_management.cases[case.id]
    assert town.datadog.effects("case_updated") == []


async def test_without_datadog_it_shows_what_the_card_shows(town: ObjectTown) -> None:
    case, card = await shown(town)
    town.datadog.break_next("GET", f"/api/v2/cases/{case.id}", status=403)
    text = await town.opens(town.ben, card, "status: Open")
    assert "As last seen: My Datadog key may not do this" in text


@pytest.mark.parametrize("code", ["invalid_metadata_format", "invalid_metadata_schema", "metadata_too_large"])
async def test_a_slack_that_does_not_take_it_gets_the_card_without(
    town: ObjectTown, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    town.slack.break_next("chat.postMessage", times=1, error=code)
    _, card = await shown(town)
    assert card.metadata is not None
    assert "entities" not in card.metadata
    assert card.metadata["event_payload"]["key"].startswith("case_card:")
    assert len([record for record in caplog.records if "posted without them" in record.message]) == 1
    assert len([message for message in town.channel.messages if "Assign to me" in message.shown]) == 1


async def test_a_card_whose_answer_got_lost_is_found_again_and_still_opens(town: ObjectTown) -> None:
    town.slack.break_next("chat.postMessage", times=1, drop="after")
    _, card = await shown(town)
    await town.slack.wait_for(lambda: any(call.method == "conversations.history" for call in town.slack.calls))
    await town.opens(town.ben, card, "status: Open")
    await town.ben.save_work_object({"priority": "P1"})
    await _says(town, card, "🔴 P1")
    assert len([message for message in town.channel.messages if "Assign to me" in message.shown]) == 1


async def test_by_default_no_card_carries_one(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        town.datadog.add_project("CASEM", "Case Management")
        _, card = await shown(town)
        assert card.metadata is not None
        assert "entities" not in card.metadata
