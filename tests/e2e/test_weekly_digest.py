"""A channel's week: told once when it ends, whatever happens, and at once to whoever asks."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.digest.tables import digests
from bot.digest.weekly_digests import WeeklyDigests
from bot.investigations.tables import investigations, subscribers, votes
from bot.rules.model import AlertFilter
from bot.rules.repository import RuleRepository
from bot.rules.tables import channel_rules
from bot.sandbox.slack import Message
from bot.wording import AI_WRITTEN
from tests.e2e.alert_town import AlertTown, Route

HOUR, DAY = 3600.0, 24 * 3600.0


class WeekTown(AlertTown):
    async def lives_a_day(self) -> str:
        """An alert comes in and is investigated; two people vote. What the cause was."""
        await self.decide(Route(rules={"route": AlertFilter()}))
        await self.fire()
        card = await self.card(self.monitor.name)
        await self.ana.click("Investigate", on=card)
        await self.reads(card, AI_WRITTEN)
        async with self.bot._database.transaction() as connection:
            (run,) = (await connection.execute(select(investigations.c.id, investigations.c.conclusions))).all()
            for voter, helpful in (("U1", True), ("U2", False)):
                vote = {"investigation_id": run.id, "workspace": self.slack.workspace.id, "voter": voter}
                await connection.execute(votes.insert().values(**vote, helpful=helpful, voted_at=1.0))
        return str(run.conclusions[0].title)

    async def it_was_yesterday(self) -> None:
        async with self.bot._database.transaction() as connection:
            await connection.execute(update(subscribers).values(created_at=subscribers.c.created_at - DAY))

    async def wants_digest(self, *, hours_ago: float, set_days_ago: float = 30.0) -> None:
        """The week ends at an hour that has passed by so much."""
        end = datetime.fromtimestamp(datetime.now(UTC).timestamp() - hours_ago * HOUR, UTC)
        await self.decide(Route(rules={"route": AlertFilter(), "digest": f"{end:%A %H:%M}".lower()}))
        async with self.bot._database.transaction() as connection:
            await connection.execute(
                update(channel_rules).values(changed_at=channel_rules.c.changed_at - set_days_ago * DAY)
            )

    async def looks(self) -> int:
        """As the bot does every few minutes; how many digests there are by then."""
        database = self.bot._database
        await WeeklyDigests(database, RuleRepository(database)).step()
        async with database.transaction() as connection:
            return len((await connection.execute(select(digests.c.id))).all())

    def told(self) -> list[Message]:
        return [card for card in self.cards() if "This channel's week" in card.shown]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[WeekTown]:
    async with WeekTown(tmp_path) as town:
        yield town


async def test_the_week_is_told_once_with_what_came_of_it(town: WeekTown) -> None:
    cause = await town.lives_a_day()
    await town.it_was_yesterday()
    await town.wants_digest(hours_ago=1)

    assert [await town.looks() for _ in range(3)] == [1, 1, 1]
    await town.slack.wait_for(lambda: bool(town.told()))
    (message,) = town.told()
    for words in ("1 investigation, 1 with a cause", cause[:40], "1 right, 1 wrong", "1 start paid for"):
        assert words in message.shown

    await town.wants_digest(hours_ago=3)  # the hand-over moved by hours: that week was told
    assert await town.looks() == 1


async def test_nobody_who_did_not_ask_gets_one_and_no_week_from_before_it_was_asked_for(town: WeekTown) -> None:
    await town.decide(Route(rules={"route": AlertFilter()}))
    assert await town.looks() == 0
    await town.wants_digest(hours_ago=1, set_days_ago=0)
    assert await town.looks() == 0
    await town.wants_digest(hours_ago=30)  # away for more than a day: it would be about old news
    assert await town.looks() == 0


async def test_whoever_asks_sees_the_last_seven_days_and_the_csv(town: WeekTown) -> None:
    cause = await town.lives_a_day()

    await town.ana.command("/bits", "report", in_=town.channel)
    await town.ana.waits_for(lambda: "This channel's week" in town.ana.sees)
    assert cause[:40] in town.ana.sees
    assert "Noisiest monitors" in town.ana.sees
    await town.ana.command("/bits", "report csv", in_=town.channel)
    await town.ana.waits_for(lambda: "ref,asked at,what" in town.ana.sees)
    assert await town.looks() == 0


async def test_the_hand_over_is_set_in_the_settings_and_a_wrong_one_is_said(town: WeekTown) -> None:
    eva = town.slack.workspace.add_user("eva", admin=True)
    town.channel.members.add(eva.id)
    await eva.command("/bits", "settings", in_=town.channel)
    await eva.waits_for_modal("Who may start")
    await eva.press("Budgets and more")
    await eva.waits_for_modal("Weekly digest at")
    await eva.fill({"Weekly digest at": "someday"})
    assert "is no time of the week" in (await eva.submit()).errors["Weekly digest at"]
    await eva.fill({"Weekly digest at": "Fri 17:00 Europe/Vienna"})
    assert (await eva.submit()).errors == {}

    rules = await RuleRepository(town.bot._database).of(town.slack.workspace.id, town.channel.id)
    assert rules.digest == "friday 17:00 Europe/Vienna"
