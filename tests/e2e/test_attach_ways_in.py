"""Every way into the insights window, and what it begins with."""

from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.investigations.subject_view import nudge_message
from bot.model import AlertRef
from bot.wording import AI_WRITTEN
from tests.e2e.attach_town import PASTE, a_case, held, hurry, link, monitor_links, opens, pastes, puts
from tests.e2e.case_town import card_of, investigated, made
from tests.e2e.town import Town


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


async def test_from_a_message_its_alert_and_pasted_links_go_to_the_case_and_the_thread_hears_of_it(town: Town) -> None:
    case = a_case(town)
    alert = await town.alert()
    await town.ana.shortcut("attach_message_to_case", on=alert.message)
    await town.ana.waits_for_modal("2 of 2 chosen: 1 monitor, 1 event")
    await town.ana.waits_for_modal("Disk almost full · monitor")

    assert await town.ana.type_in("Case", "disk") == [f"{case.key} · Disk trouble (Open)"]
    await town.ana.choose("Case", f"{case.key} · Disk trouble (Open)")
    links = [f"{each}?from_ts=1&to_ts=2&live=true" for each in monitor_links(town, [11, 12])]
    modal = await pastes(town.ana, links)
    assert "4 of 4 chosen: 3 monitors, 1 event" in modal
    assert modal.fields[PASTE] == ""
    await town.ana.submit()

    await town.ana.waits_for_modal("Attached 4 insights")
    await town.reads(alert.message, f"@ana attached 4 insights to {case.key}", "3 monitors, 1 event")
    assert len(alert.message.replies) == 1
    assert case.insights[("MONITOR", "11")] == "/monitors/11"
    assert held(case) == {"11", "12", str(town.monitor.id), alert.fired.event_id}
    assert puts(town, case) == [4]
    assert town.slack.broadcasts == []


async def test_from_the_conclusions_their_links_are_offered(town: Town) -> None:
    case = a_case(town)
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, "Attach to case", AI_WRITTEN)
    conclusions = alert.message.replies[-1]

    await town.ana.click("Attach to case", on=conclusions)
    modal = await town.ana.waits_for_modal("chosen")
    assert "Disk almost full · monitor" in modal.text
    await town.ana.type_in("Case", case.key)
    await town.ana.choose("Case", f"{case.key} · Disk trouble (Open)")
    await town.ana.submit()

    await town.reads(alert.message, "@ana attached", f"to {case.key}")
    assert str(town.monitor.id) in held(case)


async def test_from_the_case_card_which_then_tells_of_it(town: Town) -> None:
    town.datadog.add_project("CASEM", "Case Management")
    alert = await investigated(town)
    card = await made(town, alert)

    await town.ben.click("Attach insights", on=card)
    await town.ben.waits_for_modal("Disk almost full on host:web-1")
    await pastes(town.ben, monitor_links(town, [11, 12]))
    await town.ben.submit()
    await town.ben.waits_for_modal("Attached 2 insights")

    await card_of(town, alert.message, "Insights: 4", "@ben attached 2 insights")
    await town.reads(alert.message, "@ben attached 2 insights to CASEM-42")


async def test_from_the_window_that_offers_the_threads_case(town: Town) -> None:
    town.datadog.add_project("CASEM", "Case Management")
    alert = await investigated(town)
    await made(town, alert)
    await town.ben.shortcut("create_case_from_message", on=alert.message)
    await town.ben.waits_for_modal("This thread has a case already")

    await town.ben.press("Attach insights")
    await town.ben.waits_for_modal("Paste Datadog links")
    await pastes(town.ben, monitor_links(town, [11]))
    await town.ben.submit()
    await town.reads(alert.message, "@ben attached 1 insight to CASEM-42")


async def test_from_the_button_under_an_alert(town: Town) -> None:
    case = a_case(town)
    alert = await town.alert()
    under_it = nudge_message(AlertRef(town.monitor.id, alert.fired.event_id, 1, "Disk almost full", "host:web-1"))
    client = AsyncWebClient(town.slack.bot_token, base_url=town.slack.api_url)
    await client.chat_postMessage(channel=town.channel.id, thread_ts=alert.message.ts, **under_it.as_arguments())

    await town.ana.click("Attach to case", on=alert.message.replies[0])
    modal = await town.ana.waits_for_modal("2 of 2 chosen: 1 monitor, 1 event")
    assert "Disk almost full · monitor" in modal.fields["Insights"]
    await town.ana.type_in("Case", case.key)
    await town.ana.choose("Case", f"{case.key} · Disk trouble (Open)")
    await town.ana.submit()
    await town.reads(alert.message, f"@ana attached 2 insights to {case.key}")


async def test_over_http_the_picker_answers_as_well(tmp_path: Path) -> None:
    async with Town(tmp_path, mode="http") as town:
        case = a_case(town)
        await opens(town, town.ana)
        assert await town.ana.type_in("Case", "disk") == [f"{case.key} · Disk trouble (Open)"]
        await town.ana.choose("Case", f"{case.key} · Disk trouble (Open)")
        await pastes(town.ana, monitor_links(town, [1]))
        await town.ana.submit()
        await town.ana.waits_for_modal("Attached 1 insight")


async def test_from_the_lightning_menu_nothing_is_posted_and_the_window_tells(town: Town) -> None:
    case = a_case(town)
    await town.ana.global_shortcut("attach_insights")
    await town.ana.waits_for_modal("No insights listed yet")
    await town.ana.type_in("Case", case.key.lower())
    await town.ana.choose("Case", f"{case.key} · Disk trouble (Open)")
    await town.ana.fill({PASTE: link(town, "/monitors/7")})
    await town.ana.submit()

    await town.ana.waits_for_modal("Attached 1 insight")
    assert held(case) == {"7"}
    assert town.channel.messages == []
    assert town.ana.sees == ""


async def test_by_command_with_a_case_by_key_or_link_and_by_nonsense(town: Town) -> None:
    case = a_case(town)
    for named in (case.key, f"<{link(town, f'/cases/{case.key}')}>", link(town, f"/work/{case.key}"), case.id):
        await town.ana.command("/bits", f"attach {named}", in_=town.channel)
        modal = await town.ana.waits_for_modal("Disk trouble")
        assert modal.fields["Case"].startswith(case.key), named
        await town.ana.close()

    await town.ana.command("/bits", "attach the blue one", in_=town.channel)
    assert "the blue one is no case" in town.ana.sees
    assert town.ana.modal is None


async def test_guests_are_shown_no_window(town: Town) -> None:
    case = a_case(town)
    gus = town.slack.workspace.add_user("gus", guest=True)
    alert = await town.alert()
    await gus.command("/bits", f"attach {case.key}", in_=town.channel)
    await gus.shortcut("attach_message_to_case", on=alert.message)
    await gus.global_shortcut("attach_insights")

    await town.slack.wait_for(lambda: gus.sees.count("Guests may not work on cases here") == 3)
    assert gus.modal is None


async def test_a_case_that_does_not_exist_is_told_and_the_list_kept(town: Town) -> None:
    await town.ana.command("/bits", "attach NOPE-1", in_=town.channel)
    modal = await town.ana.waits_for_modal("Datadog has no case NOPE-1")
    assert modal.fields["Case"] == ""


async def test_a_mention_can_only_offer_a_button_which_opens_the_window(town: Town) -> None:
    case = a_case(town)
    talk = await town.ben.say("disk again?", in_=town.channel)
    await town.ana.mention(f"attach {case.key}", in_=town.channel, thread=talk)
    await town.slack.wait_for(lambda: "Press the button to open the window" in town.ana.sees)

    await town.ana.click("Attach insights", on=town.ana.ephemerals[-1])
    await town.ana.waits_for_modal(f"{case.key} · Disk trouble")
    await town.ana.fill({PASTE: link(town, "/monitors/7")})
    await town.ana.submit()
    await town.reads(talk, f"@ana attached 1 insight to {case.key}")


async def test_a_thread_remembers_the_case_it_was_attached_to(town: Town) -> None:
    case = a_case(town)
    alert = await town.alert()
    await town.ana.shortcut("attach_message_to_case", on=alert.message)
    await town.ana.waits_for_modal("chosen")
    await town.ana.type_in("Case", case.key)
    await town.ana.choose("Case", f"{case.key} · Disk trouble (Open)")
    await town.ana.submit()
    await town.ana.waits_for_modal("Attached")

    await town.ben.shortcut("attach_message_to_case", on=alert.message)
    modal = await town.ben.waits_for_modal("Already on")
    assert modal.fields["Case"].startswith(case.key)
    assert "Nothing left to attach" in modal
    seen = await town.ben.submit()
    assert "All of them are on the case already" in str(seen.errors)
    assert puts(town, case) == [2]
