"""An answer is shared to another channel: once, with the cause first, where it may be seen; who shares it hears why not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.rules.model import Starters
from bot.sandbox.datadog.samples import POOL_EXHAUSTED
from bot.sandbox.slack import Channel, Message
from bot.sandbox.slack.visible import Outcome
from bot.wording import AI_WRITTEN
from tests.e2e.alert_town import AlertTown, Route
from tests.e2e.org_town import OrgTown
from tests.e2e.test_follow_up import answered
from tests.e2e.town import Town


async def shares(town: Town, answer: Message, to: Channel, note: str = "") -> Outcome:
    await town.ben.click("Share to a channel", on=answer)
    await town.ben.waits_for_modal("Note")
    await town.ben.fill({"Channel": to, "Note": note})
    return await town.ben.submit()


async def shared(town: Town, channel: Channel) -> Message:
    return await town.slack.wait_for(lambda: next(iter(channel.top_level), None))


async def test_an_answer_is_shared_with_its_cause_first_and_a_link_to_its_thread(town: Town) -> None:
    incidents = town.slack.workspace.add_channel("incidents")
    _, answer = await answered(town)

    await shares(town, answer, incidents, "Same as <!channel> last week?")

    assert town.ben.modal is None
    message = await shared(town, incidents)
    told = message.shown
    assert told.startswith(f"✅ Likely cause: {POOL_EXHAUSTED.title}")
    assert "Same as <!channel> last week?" in told
    assert "Shared by @ben from #alerts" in told
    assert AI_WRITTEN in told
    (link,) = [element["url"] for block in message.blocks for element in block.get("elements", ()) if "url" in element]
    assert answer.ts.replace(".", "") in link
    assert "Sharing it to #incidents" in town.ben.sees
    assert [ping for ping in town.slack.pings if ping.is_broadcast] == []

    await town.ana.click("Full report", on=message)
    await town.ana.waits_for_modal(POOL_EXHAUSTED.title)
    await town.ana.press("Wrong cause")
    await town.ana.waits_for_modal("What was the real cause?")
    await town.slack.wait_for(lambda: "1 found it wrong" in message.shown)


async def test_a_window_that_is_sent_twice_shares_once(town: Town) -> None:
    incidents = town.slack.workspace.add_channel("incidents")
    _, answer = await answered(town)
    await town.ben.click("Full report", on=answer)
    await town.ben.waits_for_modal("Right cause")
    await town.ben.press("Share to a channel")
    window = await town.ben.waits_for_modal("Note")
    await town.ben.fill({"Channel": incidents})
    again = town.ben.base_payload("view_submission") | {"view": window.view.to_json()}
    await town.ben.submit()
    await shared(town, incidents)
    await town.ben.send(again)
    await shares(town, answer, incidents, "once more, and meant")
    await town.slack.wait_for(lambda: len(incidents.top_level) == 2)
    assert "once more, and meant" in incidents.top_level[1].shown


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "not in it": ({"private": True, "member": False}, "/invite @Bits Bot"),
    "archived": ({"archived": True}, "is archived, so nobody can post there"),
    "restricted": ({"posting": "restricted"}, "restricted by your workspace's rules"),
}


@pytest.mark.parametrize("why", REFUSALS)
async def test_what_the_channel_does_not_take_is_told_to_who_shares_it(town: Town, why: str) -> None:
    how, words = REFUSALS[why]
    there = town.slack.workspace.add_channel("incidents", **how)
    alert, answer = await answered(town)
    await shares(town, answer, there)
    await town.slack.wait_for(lambda: "Nothing was shared." in town.ben.sees)
    assert words in town.ben.sees
    assert there.messages == []
    (told,) = [each for each in town.ben.ephemerals if "Nothing was shared." in each.shown]
    assert told.thread_ts == alert.message.ts


async def test_without_a_channel_the_window_stays(town: Town) -> None:
    _, answer = await answered(town)
    await town.ben.click("Share to a channel", on=answer)
    await town.ben.waits_for_modal("Note")
    outcome = await town.ben.submit()
    assert outcome.errors


@pytest.fixture
async def ruled_town(tmp_path: Path) -> AsyncIterator[AlertTown]:
    async with AlertTown(tmp_path) as town:
        yield town


async def test_a_guest_shares_only_to_where_guests_may_look(ruled_town: AlertTown) -> None:
    town = ruled_town
    town.ben = town.slack.workspace.add_user("gus", guest=True)
    closed, guests = (town.slack.workspace.add_channel(name) for name in ("closed", "guests"))
    for channel in (town.channel, closed, guests):
        channel.members.add(town.ben.id)
    starters = {"starters": Starters(guests=True)}
    await town.decide(Route(rules=starters), Route(guests, rules=starters))
    _, answer = await answered(town)

    refused = await shares(town, answer, closed)
    assert "You may not see investigations in that channel" in str(refused.errors)
    await town.ben.fill({"Channel": guests})
    await town.ben.submit()
    await shared(town, guests)
    assert closed.messages == []


async def test_a_channel_of_another_organisation_does_not_get_it(tmp_path: Path) -> None:
    async with OrgTown(tmp_path) as town:
        await town.is_connected(town.acme, subdomain="acme")
        theirs, anybodys = (town.slack.workspace.add_channel(name) for name in ("acme-only", "anybody"))
        await AlertTown.decide(town, Route(theirs, rules={"org": "acme-id"}))  # type: ignore[arg-type]
        _, answer = await answered(town)

        refused = await shares(town, answer, theirs)
        assert "works with another Datadog organisation" in str(refused.errors)
        await town.ben.fill({"Channel": anybodys})
        await town.ben.submit()
        await shared(town, anybodys)
        assert theirs.messages == []
