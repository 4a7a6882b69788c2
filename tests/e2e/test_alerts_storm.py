"""An alert storm: five hundred notifications in seconds, doubled and out of order, while Slack is down and then slows us."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.rules.model import AlertFilter
from bot.sandbox.datadog import FakeAlert, Script
from bot.sandbox.slack import Channel, Message
from tests.e2e.alert_town import AlertTown, Route
from tests.e2e.town import QUICK

CHANNELS = 5
GROUPS = 20  # of each channel's monitor
TOLD = 500
BUDGET = 4
COURSES = (
    ("alert", "renotify", "alert recovery"),
    ("warning", "alert", "alert recovery"),
    ("alert", "warning", "renotify"),
    ("no data", "alert", "renotify"),
    ("alert", "alert recovery", "alert"),  # a cycle ends with the recovery: these are two
)
LAST_WORD = {"alert": "Triggered", "warning": "Warning", "no data": "No data", "alert recovery": "Recovered"}


@dataclass
class Expected:
    channel: Channel
    group: str
    word: str


class Storm:
    """What Datadog tells, and what every channel must show in the end."""

    def __init__(self, town: AlertTown, dice: random.Random) -> None:
        self.town = town
        self.alerts: list[FakeAlert] = []
        self.expected: list[Expected] = []
        self.channels = [town.slack.workspace.add_channel(f"team-{number}") for number in range(CHANNELS)]
        self._began = town.datadog.world.clock() - 3_000
        for number, channel in enumerate(self.channels):
            monitor = town.datadog.add_monitor(f"Disk {number}", tags=[f"team:t{number}"], priority=2)
            for group in range(GROUPS):
                self._course(monitor, channel, f"host:h{number}-{group}", dice.choice(COURSES))
        doubled = [dice.choice(self.alerts) for _ in range(TOLD - len(self.alerts))]
        self.told = [*self.alerts, *doubled]
        dice.shuffle(self.told)

    def _course(self, monitor: Any, channel: Channel, group: str, course: tuple[str, ...]) -> None:
        last = ""
        for step, transition in enumerate(course):
            at = self._began + 60 * step
            self.alerts.append(self.town.datadog.fire(monitor, group=group, transition=transition, at=at))
            if last == "alert recovery":
                self.expected.append(Expected(channel, group, LAST_WORD[last]))
            last = last if transition == "renotify" else transition
        self.expected.append(Expected(channel, group, LAST_WORD[last]))

    async def tell(self, alerts: list[FakeAlert]) -> None:
        permissions = asyncio.Semaphore(20)

        async def tell(alert: FakeAlert) -> None:
            async with permissions:
                assert (await self.town.tell(alert)).attempts == (202,)

        await asyncio.gather(*map(tell, alerts))

    def is_settled(self) -> bool:
        return all(
            sorted(_shown(card) for card in self.town.cards(channel)) == self._wanted(channel)
            for channel in self.channels
        )

    def _wanted(self, channel: Channel) -> list[tuple[str, str]]:
        return sorted((each.group, each.word) for each in self.expected if each.channel is channel)


def _shown(card: Message) -> tuple[str, str]:
    """Its group, and its word for how things stand."""
    head = card.lines[0]
    word = next(word for word in LAST_WORD.values() if f"{word}: " in head)
    return head.rpartition(" on ")[2], word


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[AlertTown]:
    async with AlertTown(tmp_path, timing=replace(QUICK, settle=3.0, sweep=0.3, patience=5)) as town:
        yield town


@pytest.mark.timeout(180)
async def test_every_cycle_is_one_card_in_its_right_last_state(town: AlertTown) -> None:
    storm = Storm(town, random.Random(20_261_121))
    await town.decide(
        *(
            Route(channel, {"route": AlertFilter(tags=frozenset({f"team:t{number}"})), **_starts(number)})
            for number, channel in enumerate(storm.channels)
        )
    )
    weather = {"down": True}
    outage = town.slack.break_next("*", times=100_000, status=503, when=lambda _: weather["down"])
    await storm.tell(storm.told[: TOLD // 2])
    await town.slack.wait_for(lambda: outage.used > CHANNELS)
    assert all(town.cards(channel) == [] for channel in storm.channels)

    weather["down"] = False
    town.slack.break_next("chat.postMessage", times=CHANNELS, status=429, retry_after=1, error="ratelimited")
    town.slack.break_next("chat.update", times=CHANNELS, status=429, retry_after=1, error="ratelimited")
    await storm.tell(storm.told[TOLD // 2 :])

    await town.slack.wait_for(storm.is_settled, timeout=120)
    await town.datadog.wait_for(lambda: len(town.datadog.triggers()) == BUDGET)
    assert {run.monitor_id for run in town.datadog.triggers()} == {storm.alerts[0].monitor.id}
    assert town.slack.broadcasts == []


def _starts(number: int) -> dict[str, Any]:
    """The first channel investigates by itself, as far as its budget goes."""
    if number:
        return {}
    return {"auto": AlertFilter(transitions=frozenset({"alert"})), "cooldown_minutes": 0, "budget_per_day": BUDGET}


async def test_a_click_in_a_storm_is_answered_before_the_alerts_that_queue(tmp_path: Path) -> None:
    """Sixty cards are to come, one after the other; the clicker's does not come last."""
    async with AlertTown(tmp_path, timing=replace(QUICK, settle=5.0, pace=0.4)) as town:
        await town.decide(Route())
        town.datadog.plan_always(Script.held())
        for number in range(60):
            await town.fire(group=f"host:h{number}")
        first = (await town.slack.wait_for(town.cards))[0]
        await town.ana.click("Investigate", on=first)
        clicked_after = len(town.cards())

        await town.reads(first, "Asked by @ana")

        assert len(town.cards()) - clicked_after < 20
        assert len(town.cards()) < 60
