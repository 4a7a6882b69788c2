"""Which organisation serves a request: the link's, the channel's, the only one; else the person is asked, and it goes on."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.investigations.card_view import ENDED
from bot.sandbox.datadog import Script
from bot.sandbox.datadog.journal import Seen
from bot.sandbox.datadog.org import FakeOrg
from bot.sandbox.slack import Message
from bot.sandbox.slack.people import Person
from tests.e2e.org_town import OrgTown


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[OrgTown]:
    """Two organisations: that of the settings on US1, and acme on EU1."""
    async with OrgTown(tmp_path) as town:
        town.datadog.plan(*[Script.at_once("conclusive")] * 4)
        await town.is_connected(town.acme, subdomain="acme")
        yield town


def started(town: OrgTown) -> tuple[int, int]:
    """How many runs each has: the settings' organisation, acme."""
    return town.runs_of(town.datadog.org), town.runs_of(town.acme)


async def question(person: Person) -> Message:
    return await person.waits_for(
        lambda: next((one for one in person.ephemerals if "Which Datadog organisation" in one.shown), None)
    )


async def answers(person: Person, name: str) -> None:
    asked = await question(person)
    label = next(label for label in options_of(asked) if label.startswith(f"{name} ("))
    await person.choose("org:choose", label, on=asked)


def options_of(message: Message) -> list[str]:
    elements = next(block["elements"] for block in message.blocks if block["type"] == "actions")
    return [option["text"]["text"] for option in elements[0]["options"]]


async def test_the_link_of_an_alert_decides(town: OrgTown) -> None:
    alert = await town.alert()
    _, acme_alert = await town.acme_alert()

    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.ana.shortcut("investigate_message", on=acme_alert)

    await town.reads(alert.message, ENDED)
    await town.reads(acme_alert, ENDED)
    assert started(town) == (1, 1)


async def test_a_typed_link_decides(town: OrgTown) -> None:
    fired = town.datadog.fire(town.acme_monitor)

    await town.ana.command("/bits", f"investigate {fired.link()}", in_=town.channel)

    await town.slack.wait_for(lambda: started(town) == (0, 1))


async def test_a_mention_in_a_thread_takes_the_organisation_of_its_alert(town: OrgTown) -> None:
    _, message = await town.acme_alert()

    await town.ana.mention("investigate", town.channel, thread=message)

    await town.reads(message, ENDED)
    assert started(town) == (0, 1)


async def test_a_link_of_an_organisation_that_is_not_connected_starts_nothing(town: OrgTown) -> None:
    await town.ana.command("/bits", "investigate https://globex.us5.datadoghq.com/monitors/7", in_=town.channel)

    await town.slack.wait_for(lambda: "globex.us5.datadoghq.com, which is not connected" in town.ana.sees)
    assert started(town) == (0, 0)


async def test_another_sub_domain_of_a_connected_site_is_another_organisation(town: OrgTown) -> None:
    await town.ana.command("/bits", "list https://other.datadoghq.eu/monitors/7", in_=town.channel)

    await town.slack.wait_for(lambda: "other.datadoghq.eu, which is not connected" in town.ana.sees)


async def test_a_bare_id_asks_and_goes_on_with_the_answer(town: OrgTown) -> None:
    town.datadog.fire(town.acme_monitor)
    await town.ana.command("/bits", f"investigate {town.acme_monitor.id}", in_=town.channel)
    asked = await question(town.ana)
    assert options_of(asked) == ["default (app.datadoghq.com)", "acme (acme.datadoghq.eu)"]
    assert started(town) == (0, 0)

    await answers(town.ana, "acme")

    await town.slack.wait_for(lambda: started(town) == (0, 1))
    await town.slack.wait_for(lambda: "Going on with acme" in town.ana.sees)
    assert "Which Datadog organisation" not in town.ana.sees


async def test_a_question_in_words_asks_too(town: OrgTown) -> None:
    await town.ana.command("/bits", "investigate why is checkout slow last 2h", in_=town.channel)

    await answers(town.ana, "acme")

    await town.slack.wait_for(lambda: started(town) == (0, 1))


@pytest.mark.parametrize("words", ["list", "show 6f1f7f0e-5a3c-4a57-9d0f-0a4f5a1c2b3d"])
async def test_look_ups_ask_and_go_on(town: OrgTown, words: str) -> None:
    await town.ana.command("/bits", words, in_=town.channel)

    await answers(town.ana, "acme")

    await town.slack.wait_for(lambda: "Datadog shows no" in town.ana.sees or "exist, or I can" in town.ana.sees)
    assert asked_at(town, "/api/v2/bits-ai/investigations") == {"acme"}


def asked_at(town: OrgTown, path: str) -> set[str]:
    """Which organisations were asked there, the check of the keys left out."""
    return {seen.org for seen in town.datadog.journal.requests if seen.path.startswith(path) and not is_check(seen)}


def is_check(seen: Seen) -> bool:
    return seen.query.get("page[limit]") == "1"


async def test_the_channels_settings_decide_before_anybody_is_asked(town: OrgTown) -> None:
    await set_channel_org(town, "acme")
    town.datadog.fire(town.acme_monitor)

    await town.ana.command("/bits", f"investigate {town.acme_monitor.id}", in_=town.channel)

    await town.slack.wait_for(lambda: started(town) == (0, 1))
    assert "Which Datadog organisation" not in town.ana.sees


async def test_settings_that_name_no_connected_organisation_say_so(town: OrgTown) -> None:
    await set_channel_org(town, "acme")
    await disconnect(town, "acme")

    await town.ana.command("/bits", "list", in_=town.channel)

    await town.slack.wait_for(lambda: "name the Datadog organisation acme, which is not connected" in town.ana.sees)


async def set_channel_org(town: OrgTown, name: str) -> None:
    await town.eva.command("/bits", "settings", in_=town.channel)
    await town.eva.waits_for_modal("Datadog organisation")
    await town.eva.fill({"Datadog organisation": name})
    await town.eva.submit()
    await town.eva.waits_for(lambda: town.eva.modal is None or "saved" in town.eva.modal.text)


async def disconnect(town: OrgTown, name: str) -> None:
    home = await town.eva.open_home()
    home = await town.eva.waits_for(lambda: town.eva.home if town.eva.home and name in town.eva.home.text else None)
    assert home is not None
    await town.eva.press("Disconnect")
    await town.eva.waits_for(lambda: f"{name} is disconnected" in town.eva.sees)


async def test_what_goes_on_is_told_in_the_thread_it_was_asked_in_wherever_the_question_was_answered(
    town: OrgTown,
) -> None:
    alert = await town.alert()
    town.slack.break_next("chat.postEphemeral", error="user_not_in_channel")
    await town.ana.mention("list", town.channel, thread=alert.message)
    asked = await town.slack.wait_for(
        lambda: next((one for one in town.ana.dms if "organisation do you" in one.shown), None)
    )

    await town.ana.choose("org:choose", "acme (acme.datadoghq.eu)", on=asked)

    told = await town.ana.waits_for(lambda: next(iter(town.ana.ephemerals), None))
    assert "Datadog shows no" in told.shown
    assert (told.channel, told.thread_ts) == (town.channel, alert.message.ts)


async def test_two_answers_to_one_question_start_one_thing(town: OrgTown) -> None:
    await town.ana.command("/bits", "investigate why is checkout slow", in_=town.channel)
    asked = await question(town.ana)
    block_id = block_of(asked)
    await answers(town.ana, "acme")
    await town.slack.wait_for(lambda: started(town) == (0, 1))

    await chooses(town, town.ana, "default", asked, block_id)
    await chooses(town, town.ana, "acme-id", asked, block_id)

    await town.slack.wait_for(lambda: town.ana.sees.count("already") == 2)
    assert started(town) == (0, 1)


async def test_a_request_too_long_for_its_question_waits_in_the_database_and_is_used_once(town: OrgTown) -> None:
    await town.ana.command("/bits", f"investigate why is {'checkout ' * 30} slow", in_=town.channel)
    asked = await question(town.ana)
    assert block_of(asked) == "org_question:1"
    await answers(town.ana, "acme")
    await town.slack.wait_for(lambda: started(town) == (0, 1))

    await chooses(town, town.ana, "acme-id", asked, "org_question:1")

    await town.slack.wait_for(lambda: "answered already" in town.ana.sees)
    assert started(town) == (0, 1)


@pytest.mark.parametrize(("name", "org"), [("ben", "acme-id"), ("ana", "of-another-workspace")])
@pytest.mark.parametrize("words", ["why is checkout slow", "why is checkout slow " * 20])
async def test_nobody_answers_for_another_person_or_with_an_organisation_of_elsewhere(
    town: OrgTown, words: str, name: str, org: str
) -> None:
    await town.ana.command("/bits", f"investigate {words}", in_=town.channel)
    asked = await question(town.ana)

    await chooses(town, {"ana": town.ana, "ben": town.ben}[name], org, asked, block_of(asked))

    await town.slack.wait_for(lambda: "answered already" in town.ana.sees)  # in the place of the question
    assert started(town) == (0, 0)


def block_of(message: Message) -> str:
    return str(next(block["block_id"] for block in message.blocks if block["type"] == "actions"))


async def chooses(town: OrgTown, person: Person, org: str, asked: Message, block_id: str) -> None:
    """A choice as a client sends it that still shows the question, or that somebody has changed."""
    action = {
        "type": "static_select",
        "action_id": "org:choose",
        "block_id": block_id,
        "selected_option": {"text": {"type": "plain_text", "text": "x"}, "value": org},
        "action_ts": f"{time.time():.6f}",
    }
    payload = person.base_payload("block_actions", channel_id=town.channel.id)
    payload |= {
        "channel": {"id": town.channel.id},
        "container": {"type": "message", "message_ts": asked.ts, "channel_id": town.channel.id},
        "actions": [action],
        "response_url": town.slack.response_urls.issue(town.channel, person.id, asked),
    }
    await person.send(payload)


async def test_cases_ask_too_and_the_form_opens_with_the_answer(town: OrgTown) -> None:
    project_in(town, town.acme)
    await town.ana.command("/bits", "case new Checkout is down", in_=town.channel)

    await answers(town.ana, "acme")

    assert "ACME" in (await town.ana.waits_for_modal("Description")).text


def project_in(town: OrgTown, org: FakeOrg) -> None:
    town.datadog.add_project("ACME", "Acme project", org=org)


async def test_a_case_from_an_alert_belongs_to_the_alerts_organisation(town: OrgTown) -> None:
    project_in(town, town.acme)
    _, message = await town.acme_alert()

    await town.ana.shortcut("create_case_from_message", on=message)

    assert "ACME" in (await town.ana.waits_for_modal("Description")).text


async def test_insights_go_to_the_organisation_of_the_message(town: OrgTown) -> None:
    _, message = await town.acme_alert()

    await town.ana.shortcut("attach_message_to_case", on=message)

    shown = await town.ana.waits_for_modal("Checkout is slow")
    assert "another" not in shown.text


async def test_insights_without_a_link_ask_and_the_window_opens_then(town: OrgTown) -> None:
    await town.ana.command("/bits", "attach", in_=town.channel)

    await answers(town.ana, "acme")

    assert await town.ana.waits_for_modal("Case")


async def test_run_again_stays_with_its_organisation(town: OrgTown) -> None:
    town.datadog.plan(Script.at_once("inconclusive"))
    _, message = await town.acme_alert()
    await town.ana.shortcut("investigate_message", on=message)
    await town.reads(message, ENDED)
    conclusions = next(reply for reply in message.replies if ENDED in reply.shown)

    await town.ana.click("Run again", on=conclusions)

    await town.slack.wait_for(lambda: started(town) == (0, 2))
