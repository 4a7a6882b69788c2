"""From the conclusions to a filled-in case with its card in the thread."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.datadog.samples import DISK_FULL, HOSTILE
from tests.e2e.case_town import card_of, cards_of, case_town, investigated, made, opens_form, sees_it_made, starts_case
from tests.e2e.town import Town


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with case_town(tmp_path) as town:
        yield town


async def test_a_case_is_made_from_the_conclusions_filled_in_beforehand(town: Town) -> None:
    alert = await investigated(town)
    form = await opens_form(town.ana, alert)
    assert form.fields["Title"] == "Disk almost full on host:web-1"
    assert form.fields["Project"] == "Case Management (CASEM)"
    assert form.fields["Type"] == "Standard"
    assert form.fields["Status"] == "Open"
    assert form.fields["Priority"] == "P2"
    assert form.fields["Assignee"] == "ana"
    assert "The disk filled up because logrotate fails." in form.fields["Description"]
    assert "Slack thread: https://acme.slack.com/archives/" in form.fields["Description"]

    seen = await town.ana.submit()
    assert seen.errors == {}
    result = await sees_it_made(town.ana)
    assert "CASEM-42" in result.text

    (case,) = town.datadog.cases()
    assert case.title == "Disk almost full on host:web-1"
    assert (case.priority, case.status_name, case.assignee and case.assignee.name) == ("P2", "Open", "Ana Lytic")
    assert "Opened from Slack with Bits Bot, ref " in case.description
    assert sorted(case.insights) == [("EVENT", alert.fired.event_id), ("MONITOR", str(town.monitor.id))]
    assert town.datadog.comments() == []  # the conclusions stand in the description
    card = await card_of(town, alert.message, "Insights: 2")
    for words in (
        "Case CASEM-42",
        "Disk almost full on host:web-1",
        "🔵 Open",
        "🟠 P2",
        "👤 Ana Lytic",
        "Project: Case Management",
        "@ana opened this case",
        "[Attach insights]",
        "[Open in Datadog]",
    ):
        assert words in card.shown, card.shown
    assert town.slack.broadcasts == []


async def test_conclusions_too_long_for_the_description_become_one_comment(town: Town) -> None:
    alert = await investigated(town, DISK_FULL, DISK_FULL, DISK_FULL)
    form = await opens_form(town.ana, alert)
    assert "the full conclusions, as a comment" in form.text
    await town.ana.submit()
    await sees_it_made(town.ana)
    await town.datadog.wait_for(town.datadog.comments)
    (comment,) = town.datadog.comments()
    assert "sudo groupadd --system dbagent" in comment


async def test_a_description_shortened_by_hand_brings_the_conclusions_as_a_comment(town: Town) -> None:
    alert = await investigated(town)
    await opens_form(town.ana, alert)
    await town.ana.fill({"Description": "see the thread"})
    await town.ana.submit()
    (comment,) = await town.datadog.wait_for(town.datadog.comments)
    assert "The disk filled up because logrotate fails." in comment


async def test_the_shortcut_on_an_alert_needs_no_investigation(town: Town) -> None:
    alert = await town.alert(group="host:db-1")
    await town.ben.shortcut("create_case_from_message", on=alert.message)
    form = await town.ben.waits_for_modal("Description")
    assert "Disk almost full" in form.fields["Title"]
    assert form.fields["Priority"] == "P2"
    assert form.fields["Assignee"] == ""  # Datadog does not know him

    await town.ben.submit()
    await sees_it_made(town.ben)
    card = await card_of(town, alert.message, "@ben opened this case", "Insights: 2")
    assert "👤 nobody yet" in card.shown
    assert len(town.datadog.cases()) == 1


async def test_the_shortcut_on_any_message_takes_its_words(town: Town) -> None:
    said = await town.ben.say("checkout is slow\nsince lunch, again", in_=town.channel)
    await town.ana.shortcut("create_case_from_message", on=said)
    form = await town.ana.waits_for_modal("Description")
    assert form.fields["Title"] == "checkout is slow"
    assert "since lunch, again" in form.fields["Description"]
    await town.ana.submit()
    await card_of(town, said, "checkout is slow", "Insights: 0")


async def test_the_command_opens_the_form_with_a_title(town: Town) -> None:
    await town.ana.command("/bits", "case new Disk of db-3 is full", in_=town.channel)
    form = await town.ana.waits_for_modal("Description")
    assert form.fields["Title"] == "Disk of db-3 is full"
    await town.ana.submit()
    await sees_it_made(town.ana)
    (card,) = await town.slack.wait_for(lambda: town.channel.messages)
    assert "Case CASEM-42" in card.shown


async def test_a_mention_answers_with_a_button_that_opens_the_form(town: Town) -> None:
    talk = await town.ben.say("disk again?", in_=town.channel)
    await town.ana.mention("case new Disk again", in_=town.channel, thread=talk)
    answer = await town.slack.wait_for(lambda: town.ana.ephemerals[-1] if town.ana.ephemerals else None)
    await town.ana.click("Create case", on=answer)
    form = await town.ana.waits_for_modal("Description")
    assert form.fields["Title"] == "Disk again"
    await town.ana.submit()
    await card_of(town, talk, "Disk again")


async def test_another_type_brings_its_own_status_names_and_keeps_what_was_typed(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    await opens_form(town.ana, alert)
    await town.ana.fill({"Title": "Roll back db-agent"})
    await town.ana.choose("Type", "Change Request")
    form = await town.ana.waits_for_modal("Description")
    await town.slack.wait_for(lambda: town.ana.modal and "Pending Approval" in str(town.ana.modal.view.blocks))
    await town.ana.fill({"Status": "Pending Approval"})
    assert town.ana.modal is not None
    assert town.ana.modal.fields["Title"] == "Roll back db-agent"
    assert "World" not in form.text  # a deleted type

    await town.ana.submit()
    await sees_it_made(town.ana)
    (case,) = town.datadog.cases()
    assert (case.title, case.type.name, case.status_name) == (
        "Roll back db-agent",
        "Change Request",
        "Pending Approval",
    )
    card = await card_of(town, alert.message, "🟠 Pending Approval", "Type: Change Request")
    assert "Declined" in str(card.to_json())


async def test_over_a_hundred_projects_are_searched(town: Town) -> None:
    for number in range(120):
        town.datadog.add_project(f"P{number}", f"Team number {number}")
    alert = await town.alert(group="host:web-1")
    await opens_form(town.ana, alert)

    assert (await town.ana.type_in("Project", "p77"))[0] == "Team number 77 (P77)"
    await town.ana.choose("Project", "Team number 77 (P77)")
    await town.ana.submit()
    await sees_it_made(town.ana)
    (case,) = town.datadog.cases()
    assert case.project.key == "P77"

    other = await town.ben.say("something else", in_=town.channel)
    await town.ben.shortcut("create_case_from_message", on=other)
    form = await town.ben.waits_for_modal("Description")
    assert form.fields["Project"] == "Team number 77 (P77)", "what this channel chose last"


async def test_what_is_missing_is_said_under_its_field(town: Town) -> None:
    town.datadog.add_project("OPS", "Operations")
    alert = await town.alert(group="host:web-1")
    await opens_form(town.ana, alert)
    await town.ana.fill({"Title": "\u200b \u200b"})
    await town.ana.choose("Project", "Operations (OPS)")
    seen = await town.ana.submit()
    assert seen.errors == {"Title": "A case needs a title."}
    assert town.datadog.cases() == []


async def test_an_assignee_datadog_does_not_know_is_left_out_and_said(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    await opens_form(town.ana, alert)
    await town.ana.fill({"Assignee": town.ben})
    await town.ana.submit()
    result = await sees_it_made(town.ana)
    assert "The case has no assignee." in result.text
    assert "@ben's Slack profile" in result.text
    (case,) = town.datadog.cases()
    assert case.assignee is None


async def test_without_the_right_to_see_addresses_the_assignee_is_left_out(town: Town) -> None:
    install = town.slack.workspace.install
    assert install is not None
    install.scopes.discard("users:read.email")
    alert = await town.alert(group="host:web-1")
    form = await opens_form(town.ana, alert)
    assert "Assignee" not in form.fields


async def test_a_thread_remembers_its_case_and_offers_it_first(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    await made(town, alert)
    await town.ana.close()

    await starts_case(town.ben, alert)
    offer = await town.ben.waits_for_modal("This thread has a case already: CASEM-42")
    assert "🔵 Open" in offer.text
    await town.ben.press("Create another case")
    await town.ben.waits_for_modal("Description")
    await town.ben.submit()
    await sees_it_made(town.ben)
    assert [case.key for case in town.datadog.cases()] == ["CASEM-42", "CASEM-43"]
    await town.slack.wait_for(lambda: len(cards_of(alert.message)) == 2)


async def test_two_people_with_the_form_open_make_two_cases_only_on_purpose(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    await opens_form(town.ana, alert)
    await opens_form(town.ben, alert)
    await town.ana.submit()
    await sees_it_made(town.ana)

    await town.ben.fill({"Title": "Ben's own words"})
    await town.ben.submit()
    seen = await town.ben.waits_for_modal("This thread has got a case meanwhile: CASEM-42")
    assert "what you wrote is kept" in seen.text
    assert len(town.datadog.cases()) == 1

    await town.ben.press("Create mine as well")
    await sees_it_made(town.ben, "CASEM-43")
    assert [case.title for case in town.datadog.cases()][1] == "Ben's own words"


async def test_a_form_submitted_twice_makes_one_case(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    await opens_form(town.ana, alert)
    interaction = town.ana
    slow = town.datadog.break_next("POST", "/api/v2/cases", hang=True, carried_out=True)
    await interaction.submit()
    twice = next(sent for sent in reversed(town.slack.deliveries) if sent.payload.get("type") == "view_submission")
    await town.slack.delivery.interact(twice.kind, twice.payload)
    slow.release()
    await sees_it_made(interaction)
    await town.slack.delivery.interact(twice.kind, twice.payload)
    assert len(town.datadog.asked("POST", "/api/v2/cases")) == 1
    assert len(town.datadog.cases()) == 1
    assert len(cards_of(alert.message)) == 1


async def test_with_a_slow_datadog_the_window_opens_at_once_and_fills_itself(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    slow = town.datadog.break_next("GET", "/api/v2/cases/projects", hang=True, carried_out=True)
    await starts_case(town.ana, alert)
    await town.ana.waits_for_modal("Asking Datadog for its projects")
    slow.release()
    form = await town.ana.waits_for_modal("Description")
    assert form.fields["Project"] == "Case Management (CASEM)"


async def test_without_projects_the_window_says_why_and_tries_again(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    town.datadog.revoke("cases_read")
    await starts_case(town.ana, alert)
    refused = await town.ana.waits_for_modal("My Datadog key may not do this")
    assert "cases_read" in refused.text
    town.datadog.grant("cases_read")
    await town.ana.press("Try again")
    await town.ana.waits_for_modal("Description")


async def test_hostile_words_stay_words(town: Town) -> None:
    alert = await investigated(town, HOSTILE)
    form = await opens_form(town.ana, alert)
    await town.ana.fill({"Title": "<!channel> *x* <https://evil.example|Datadog> `@here`"})
    assert form.title == "Create case"
    await town.ana.submit()
    await sees_it_made(town.ana)
    card = await card_of(town, alert.message, "<!channel> *x* <https://evil.example|Datadog> `@here`")
    assert town.datadog.cases()[0].title == "<!channel> *x* <https://evil.example|Datadog> `@here`"
    assert town.slack.broadcasts == []
    assert "evil.example|" in card.shown


async def test_another_persons_form_opens_nothing(town: Town) -> None:
    alert = await town.alert(group="host:web-1")
    await opens_form(town.ana, alert)
    await town.ana.submit()
    sent = next(one for one in reversed(town.slack.deliveries) if one.payload.get("type") == "view_submission")
    forged = {**sent.payload, "user": {**sent.payload["user"], "id": town.ben.id}}
    answer = await town.slack.delivery.interact("interactive", forged)
    assert "no longer have this form" in str(answer)
    await sees_it_made(town.ana)
    assert len(town.datadog.cases()) == 1


async def test_the_answer_leads_to_the_case_once_there_is_one(town: Town) -> None:
    alert = await investigated(town)
    await made(town, alert)
    seen = await town.reads(alert.message, "[Full report] [Open CASEM-42] [Ask a follow-up] [… Attach to case")
    assert "[Create case]" not in seen
