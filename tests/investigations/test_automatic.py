"""Starts nobody pressed for: only what the channel wants, once a cooldown, within the share, never a test."""

import asyncio
from dataclasses import replace

import pytest

from bot.alerts.starts import Automatic
from bot.model import AlertRef, Place
from bot.orgs.model import DEFAULT
from bot.rules.audit import AuditTrail, Decision
from bot.rules.model import AlertFacts, AlertFilter, ChannelRules
from bot.rules.repository import RuleRepository
from tests.clock import Clock
from tests.investigations.world import World

HERE = Place("T1", "C1", "1.1")
FIRST = AlertRef(7, "70", 1_700_000_000_000, "Disk is full", "host:web-1")
FACTS = AlertFacts(7, "host:web-1", 1, frozenset({"team:core"}), "alert")


@pytest.fixture
def automatic(world: World) -> Automatic:
    return Automatic(world.bot.requests, RuleRepository(world.database))


async def set_rules(world: World, rules: ChannelRules, *, share: int | None = None) -> None:
    book = RuleRepository(world.database)
    draft = await book.draft(rules.workspace, rules.channel)
    changed = replace(draft, channel=rules, workspace=replace(draft.workspace, automatic_share=share))
    assert await book.save(changed, "UEVA")


def wanting(alerts: AlertFilter | None = None, *, channel: str = "C1", cooldown: int = 60) -> ChannelRules:
    return replace(ChannelRules("T1", channel), auto=alerts or AlertFilter(), cooldown_minutes=cooldown)


def later(number: int) -> AlertRef:
    return replace(FIRST, event_id=f"70{number}")


async def last_decision(world: World) -> Decision:
    return (await AuditTrail(world.database).latest("T1"))[0].decision


async def test_without_a_rule_nothing_starts_by_itself(world: World, automatic: Automatic) -> None:
    assert await automatic.consider(HERE, FIRST, FACTS, DEFAULT) == "the channel has no rule for automatic starts"
    assert await world.investigations() == []


async def test_what_the_rule_wants_is_investigated_in_the_alerts_thread(world: World, automatic: Automatic) -> None:
    await set_rules(world, wanting(AlertFilter(priorities=frozenset({1}))))

    assert await automatic.consider(HERE, FIRST, FACTS, DEFAULT) is None
    await world.turns()

    assert world.datadog.run.about == "event 70"
    (card,) = await world.deliveries()
    assert (card.channel, card.thread_ts, card.requester) == ("C1", "1.1", "")
    (line, _) = await AuditTrail(world.database).latest("T1")
    assert (line.decision, line.person, line.source, line.rule) == (
        Decision.STARTED,
        "",
        "automatic",
        "automatic rule",
    )
    assert line.what == "Disk is full on host:web-1"


@pytest.mark.parametrize(
    ("facts", "alert", "reason"),
    [
        (replace(FACTS, priority=2), FIRST, "the channel's rule does not match"),
        (replace(FACTS, transition="warn"), FIRST, "the channel's rule does not match"),
        (replace(FACTS, transition="recovered"), FIRST, "it has recovered"),
        (FACTS, replace(FIRST, monitor_name="[TEST] Disk is full"), "it is a test notification"),
    ],
)
async def test_what_it_does_not_want_is_left_alone(
    world: World, automatic: Automatic, facts: AlertFacts, alert: AlertRef, reason: str
) -> None:
    await set_rules(world, wanting(AlertFilter(priorities=frozenset({1}), transitions=frozenset({"alert"}))))
    assert await automatic.consider(HERE, alert, facts, DEFAULT) == reason
    assert await world.investigations() == []


async def test_a_monitor_and_group_cool_down_together_and_others_do_not_wait(
    world: World, automatic: Automatic, clock: Clock
) -> None:
    await set_rules(world, wanting(cooldown=30))
    assert await automatic.consider(HERE, FIRST, FACTS, DEFAULT) is None

    reason = await automatic.consider(HERE, later(1), FACTS, DEFAULT)
    assert reason == "its monitor and group were investigated by themselves a short while ago"
    assert await last_decision(world) is Decision.COOLING_DOWN
    other_group = replace(FIRST, event_id="71", group="host:web-2")
    assert await automatic.consider(HERE, other_group, FACTS, DEFAULT) is None
    other_monitor = replace(FIRST, event_id="72", monitor_id=8)
    assert await automatic.consider(HERE, other_monitor, FACTS, DEFAULT) is None

    clock.wind(30 * 60 - 1)
    assert await automatic.consider(HERE, later(2), FACTS, DEFAULT) == reason
    clock.wind(1)
    assert await automatic.consider(HERE, later(3), FACTS, DEFAULT) is None


async def test_a_start_by_hand_neither_waits_nor_makes_others_wait(world: World, automatic: Automatic) -> None:
    await set_rules(world, wanting())
    await world.ask(FIRST)
    assert await automatic.consider(HERE, later(1), FACTS, DEFAULT) is None
    assert (await world.ask(later(2))).refusal is None


async def test_the_same_alert_again_is_decided_once(world: World, automatic: Automatic) -> None:
    await set_rules(world, wanting())
    assert await automatic.consider(HERE, FIRST, FACTS, DEFAULT) is None
    assert await automatic.consider(HERE, FIRST, FACTS, DEFAULT) is None
    assert len(await world.investigations()) == 1

    await automatic.consider(HERE, later(1), FACTS, DEFAULT)
    assert await automatic.consider(HERE, later(1), FACTS, DEFAULT) == "it was decided before"


async def test_what_runs_already_is_followed_without_cooldown_or_cost(world: World, automatic: Automatic) -> None:
    await set_rules(world, wanting(), share=1)
    await set_rules(world, wanting(channel="C2"), share=1)
    assert await automatic.consider(HERE, FIRST, FACTS, DEFAULT) is None
    assert await automatic.consider(Place("T1", "C2", "2.2"), FIRST, FACTS, DEFAULT) is None
    assert len(await world.investigations()) == 1
    assert {row.channel for row in await world.deliveries()} == {"C1", "C2"}


async def test_over_the_share_nothing_starts_and_the_cooldown_is_not_begun(world: World, automatic: Automatic) -> None:
    await set_rules(world, wanting(), share=0)
    assert await automatic.consider(HERE, FIRST, FACTS, DEFAULT) == "the automatic budget is used up (0 of 0)"
    assert await last_decision(world) is Decision.OVER_BUDGET

    await set_rules(world, wanting(), share=1)
    assert await automatic.consider(HERE, later(1), FACTS, DEFAULT) is None


async def test_a_flapping_monitor_starts_one_however_often_it_fires_at_once(both_worlds: World) -> None:
    world = both_worlds
    automatic = Automatic(world.bot.requests, RuleRepository(world.database))
    await set_rules(world, wanting())

    reasons = await asyncio.gather(*(automatic.consider(HERE, later(number), FACTS, DEFAULT) for number in range(20)))

    assert sum(reason is None for reason in reasons) == 1
    assert len(await world.investigations()) == 1
