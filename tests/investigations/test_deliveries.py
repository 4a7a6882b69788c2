"""What threads are owed: in order, once, and never behind what is true by now."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import case, update

from bot.investigations.model import Usual
from bot.investigations.repository import ENDS
from bot.investigations.tables import OFFER, investigations, offer_key
from bot.model import AlertRef, Place, Question
from bot.slack.poster import LONGEST_WAIT
from bot.storage.engine import wake
from bot.storage.leases import Leases
from bot.storage.outbox import (
    PENDING,
    REFUSED,
    SENDING,
    SENT,
    Delivery,
    NewPost,
    Outbox,
    claiming,
    due,
    enqueue,
    read_deliveries,
    show_anew,
)
from bot.storage.tables import deliveries
from tests.investigations.slack import OUR_BOT, says
from tests.investigations.world import ALERT, CAUSE, TIMING, Bot, World, lost


class Box(Outbox):
    """The outbox as one process sees it that claims what is due."""

    def __init__(self, world: World, owner: str) -> None:
        super().__init__(world.database, lease=TIMING.lease)
        self._leases = Leases(world.database, deliveries, owner=owner, lease=TIMING.lease)

    async def claim(self, limit: int) -> list[Delivery]:
        async with self.database.transaction() as connection:
            rows = await self._leases.claim(connection, claiming(self._leases, self.database.moment, due()), limit)
            return await read_deliveries(connection, rows, self._leases.fence, TIMING.lease)


async def conclude(world: World) -> None:
    await world.turns(2)
    world.datadog.run.ends("conclusive", CAUSE)
    world.clock.wind(30)
    await world.bot.watcher.step()
    await world.bot.rest()
    assert await world.state() == "concluded"


async def test_the_card_goes_before_the_conclusions(world: World) -> None:
    """Even when Slack takes nothing until all is over."""
    world.slack.network.expect("post", *(says("ratelimited", status=429) for _ in range(3)))
    await world.ask()
    await world.bot.runner.step()
    await world.bot.rest()
    await conclude(world)
    await world.wind(60)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


async def test_conclusions_wait_for_a_card_whose_post_is_open(world: World) -> None:
    world.slack.network.expect("post", lost(TimeoutError(), lands=True, lands_in=TIMING.settle - 5))  # type: ignore[arg-type]
    await world.ask()
    await world.turns(1)
    world.datadog.run.ends("conclusive", CAUSE)
    await world.wind(60)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


async def test_asked_in_the_channel_the_card_opens_the_thread(world: World) -> None:
    await world.ask(thread="")
    await conclude(world)
    await world.turns()
    card, reply = world.slack.messages
    assert (card["thread_ts"], card["text"]) == ("", "card: concluded")
    assert (reply["thread_ts"], reply["text"]) == (card["ts"], "conclusive: Disk full")


async def test_a_channel_that_refuses_holds_up_nobody_else(world: World) -> None:
    await world.ask(channel="CGONE")
    await world.ask(channel="C2", thread="2.2")
    world.slack.archived.add("CGONE")
    await conclude(world)
    await world.turns(4)
    states = {(row.channel, row.kind): row.state for row in await world.deliveries()}
    assert states[("CGONE", "card")] == REFUSED
    assert world.slack.said("C2", "2.2") == ["card: concluded", "conclusive: Disk full"]
    assert world.slack.said("UANN", "") == ["conclusive: Disk full"]


async def test_a_change_during_the_post_is_shown_afterwards(world: World) -> None:
    """The card is on its way with "requested" while the run begins."""
    await world.ask()
    on_its_way, go_on = asyncio.Event(), asyncio.Event()

    async def hold(leg: str) -> None:
        if leg == "from post":
            on_its_way.set()
            await go_on.wait()

    world.slack.network.between = hold
    await world.bot.poster.step()
    await on_its_way.wait()
    assert world.slack.said() == ["card: requested"]
    other = Bot(world)
    await other.runner.step()
    await other.rest()
    go_on.set()
    await world.bot.rest()
    await world.turns(1)
    assert world.slack.said() == ["card: running"]


async def touched(world: World) -> None:
    async with world.database.transaction() as connection:
        await show_anew(connection, "card", 1)


async def test_a_change_during_an_edit_is_shown_afterwards(world: World) -> None:
    await world.ask()
    await world.turns(2)
    world.datadog.run.ends("conclusive", CAUSE)
    await touched(world)  # a first change, on its way
    on_its_way, go_on = asyncio.Event(), asyncio.Event()

    async def hold(leg: str) -> None:
        if leg == "from edit":
            on_its_way.set()
            await go_on.wait()

    async def touch() -> None:
        async with world.database.transaction() as connection:
            await connection.execute(deliveries.update().values(digest="something else"))

    await touch()
    world.slack.network.between = hold
    await world.bot.poster.step()
    await on_its_way.wait()
    world.clock.wind(30)
    await world.bot.watcher.step()
    await asyncio.wait(world.bot.watcher._tasks._tasks)
    go_on.set()
    await world.bot.rest()
    await world.turns(2)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


async def test_a_change_that_shows_nothing_new_is_no_edit(world: World) -> None:
    await world.ask()
    await world.turns()
    edits = world.slack.edits
    await touched(world)
    await world.turns()
    assert world.slack.edits == edits
    (card,) = await world.deliveries()
    assert card.shown == card.wanted


async def test_every_change_people_can_see_counts(world: World) -> None:
    await world.ask()
    versions = [row.version for row in await world.investigations()]
    await world.turns()
    versions += [row.version for row in await world.investigations()]
    world.datadog.run.ends("conclusive", CAUSE)
    await world.wind(40)
    versions += [row.version for row in await world.investigations()]
    assert versions == sorted(set(versions))


async def test_two_replicas_never_hold_the_same_delivery(both_worlds: World) -> None:
    world = both_worlds
    for number in range(20):
        await world.ask(Question(f"number {number}"), thread=f"{number}.0", channel=f"C{number % 4}")
    boxes = [Box(world, f"box {number}") for number in range(4)]
    claimed = await asyncio.gather(*(box.claim(8) for box in boxes))
    keys = [delivery.post.key for each in claimed for delivery in each]
    assert len(keys) == len(set(keys))
    assert len(keys) >= 8


async def test_an_outcome_is_written_only_by_who_still_holds_it(world: World) -> None:
    await world.ask()
    ann = Box(world, "ann")
    ben = Box(world, "ben")
    (hers,) = await ann.claim(1)
    world.clock.wind(TIMING.lease)
    (his,) = await ben.claim(1)
    assert not await ann.sending(hers)
    assert await ben.sending(his)
    await ann.sent(hers, "9.9", "digest")
    await ann.not_sent(hers, 0, "ratelimited")
    assert not await ann.refused(hers, "not_in_channel")
    (row,) = await world.deliveries()
    assert (row.state, row.ts, row.owner) == (SENDING, None, "ben")


async def test_the_lease_covers_the_time_in_which_a_post_may_land(world: World) -> None:
    """After a long look it leaves late, and may land long after that: the lease starts anew when it leaves."""
    await world.ask()
    ann = Box(world, "ann")
    ben = Box(world, "ben")
    (hers,) = await ann.claim(1)
    world.clock.wind(TIMING.lease - 1)
    assert await ann.sending(hers)
    world.clock.wind(TIMING.settle)
    assert await ben.claim(1) == []


async def test_only_what_may_stand_is_in_doubt(world: World) -> None:
    await world.ask()
    box = Box(world, "ann")
    (delivery,) = await box.claim(1)
    assert not delivery.may_stand_already
    await box.outcome_open(delivery, 0, "no_answer")
    for _ in range(2):
        (delivery,) = await box.claim(1)
        assert delivery.may_stand_already
        world.clock.wind(TIMING.lease)
    (delivery,) = await box.claim(1)
    await box.not_sent(delivery, 0, "ratelimited")
    (delivery,) = await box.claim(1)
    assert not delivery.may_stand_already


async def test_a_long_word_of_slack_s_does_no_harm(both_worlds: World) -> None:
    world = both_worlds
    await world.ask()
    box = Box(world, "ann")
    (delivery,) = await box.claim(1)
    await box.outcome_open(delivery, 0, "x" * 300)
    (delivery,) = await box.claim(1)
    await box.not_sent(delivery, 0, "x" * 300)
    (row,) = await world.deliveries()
    assert row.state == PENDING


async def test_many_threads_are_served_in_rounds(world: World) -> None:
    async with world.database.transaction() as connection:
        for number in range(30):
            ask = world.an_ask(thread=f"{number}.0", channel=f"C{number}")
            await world.repository.begin(connection, ask, ALERT, after=None)
    rounds = 0
    while any(row.state != SENT for row in await world.deliveries()):
        await world.bot.poster.step()
        await world.bot.rest()
        rounds += 1
        assert rounds < 5
    assert len(world.slack.messages) == 30


async def test_an_outage_of_slack_costs_few_calls_and_its_end_is_noticed(world: World) -> None:
    """The card stands, its answer got lost, and then nobody answers for ten minutes."""
    world.slack.network.expect("post", lost(TimeoutError(), lands=True))  # type: ignore[arg-type]
    world.slack.network.expect("look", *(says("", status=503) for _ in range(1000)))
    await world.ask()
    await world.wind(600)
    assert world.slack.network.calls["look"] <= 6
    world.slack.network.fates["look"].clear()
    await world.wind(LONGEST_WAIT)
    assert world.slack.said() == ["card: running"]
    assert world.slack.network.calls["post"] == 1


# -- the message with buttons becomes the card ---------------------------------------------------------------------------


async def _offer(world: World, subject: Question | AlertRef = ALERT, **values: Any) -> None:
    """Buttons stand under the alert, or are on their way there; then somebody presses."""
    place = Place("T1", "C1", "1.1")
    post = NewPost(offer_key(place), OFFER, "nudge:1", 1, "T1", "C1", "1.1")
    if values.get("ts"):
        message = {"channel": "C1", "thread_ts": "1.1", "text": "buttons", "blocks": [], "metadata": {}}
        world.slack.messages.append(message | {"bot_id": OUR_BOT, "ts": values["ts"]})
    async with world.database.transaction() as connection:
        await enqueue(world.database, connection, post)
        await connection.execute(update(deliveries).values(shown=1, **values))
    await world.ask(subject)


async def test_the_message_with_buttons_becomes_the_card_and_nothing_is_posted_beside_it(both_worlds: World) -> None:
    world = both_worlds
    await _offer(world, state=SENT, ts="5.000001")
    await conclude(world)
    await world.wind(60)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]
    (post,) = world.slack.posts
    assert post["metadata"]["event_payload"]["key"].startswith("conclusions:")
    (card, _) = await world.rows(deliveries)
    assert card.key.startswith("card:")
    assert card.ts == "5.000001"


async def test_buttons_that_were_never_sent_are_the_card_at_once(world: World) -> None:
    await _offer(world, state=PENDING)
    await conclude(world)
    await world.wind(60)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


@pytest.mark.parametrize(
    "values",
    [
        {"state": SENDING},  # nobody knows whether it stands
        {"state": SENT, "ts": "5.000001", "owner": "another"},  # who edits it this moment would write over the card
        {"state": REFUSED},
    ],
)
async def test_where_that_is_not_safe_there_is_a_card_of_its_own(world: World, values: dict[str, Any]) -> None:
    await _offer(world, **values)
    await conclude(world)
    await world.wind(60)
    assert [said for said in world.slack.said() if said != "buttons"] == ["card: concluded", "conclusive: Disk full"]
    assert {row.kind for row in await world.rows(deliveries)} == {OFFER, "card", "conclusions"}


async def test_a_question_in_the_alerts_thread_leaves_the_buttons(world: World) -> None:
    await _offer(world, Question("why is it slow"), state=SENT, ts="5.000001")
    await world.turns(2)
    assert world.slack.said() == ["buttons", "card: running"]


async def test_a_bot_that_dies_after_the_click_edits_the_message_all_the_same(world: World) -> None:
    await _offer(world, state=SENT, ts="5.000001")
    await world.bot.die()
    world.bot = Bot(world)
    await conclude(world)
    await world.wind(120)
    assert world.slack.said() == ["card: concluded", "conclusive: Disk full"]


# -- how long it takes ------------------------------------------------------------------------------------------------


async def test_how_long_runs_usually_take_is_told_by_the_monitors_own_or_by_all(world: World) -> None:
    assert await world.repository.usual("default", ALERT.monitor_id) is None
    for number in range(10):
        alert = replace(ALERT, monitor_id=ALERT.monitor_id + number % 2, event_id=str(number))
        await world.ask(alert, thread=f"{number}.5")
    await world.turns(3)
    async with world.database.transaction() as connection:
        minutes = case((investigations.c.monitor_id == ALERT.monitor_id, 120.0), else_=600.0)
        ended = {"state": "concluded", "finished_at": investigations.c.started_at + minutes}
        await connection.execute(update(investigations).values(**ended))
        wake(connection, ENDS)
    assert await world.repository.usual("default", ALERT.monitor_id) == Usual(120.0, 120.0)
    everything = await world.repository.usual("default", 999)
    assert everything is not None
    assert (everything.low, everything.high) == (120.0, 600.0)
    assert await world.repository.usual("another", ALERT.monitor_id) is None
