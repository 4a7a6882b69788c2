"""The day's budget is right to the unit, whoever asks at once; what nothing came of costs nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from bot.datadog.errors import Forbidden, NotSent
from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import Reception, Requests
from bot.investigations.tables import HELD_FOR
from bot.model import AlertRef, Ask, MonitorRef, Place, Source, ThreadRef
from bot.rules.audit import AuditTrail, Decision
from bot.rules.budget import Budget, Limits, OverBudget, Usage, give_back
from bot.rules.repository import Draft, RuleRepository
from bot.storage.engine import Database
from bot.storage.inbox import Inbox
from tests.clock import Clock
from tests.investigations.world import ALERT, QUESTION, TIMING, World, lost, start

HERE = Place("T1", "C1")


def alert(number: int) -> AlertRef:
    return AlertRef(number, str(number), 1_700_000_000_000)


async def set_budget(
    database: Database, *, workspace: int | None = None, channel: int | None = None, share: int | None = None
) -> None:
    book = RuleRepository(database)
    draft = await book.draft("T1", "C1")
    rules = replace(draft.channel, budget_per_day=channel)
    whole = replace(draft.workspace, budget_per_day=workspace, automatic_share=share)
    assert await book.save(Draft(rules, whole, draft.channel_version, draft.workspace_version), "UEVA")


async def used(world: World) -> tuple[int, int, int]:
    usage = await Budget(world.database, RuleRepository(world.database)).usage(HERE)
    return usage.workspace, usage.channel, usage.automatic


async def decisions(world: World) -> list[Decision]:
    return [line.decision for line in reversed(await AuditTrail(world.database).latest("T1", limit=100))]


def automatic(number: int) -> Ask:
    return Ask(f"auto:{number}", alert(number), Place("T1", "C1", "1.1"), "", Source.AUTOMATIC)


# -- to the unit ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def replicas(database_url: str, clock: Clock) -> AsyncIterator[list[Requests]]:
    """Three bots on one PostgreSQL; SQLite has but one, whose gestures come all at once."""
    number = 1 if database_url.startswith("sqlite") else 3
    async with AsyncExitStack() as stack:
        databases = [Database(database_url, clock=clock) for _ in range(number)]
        for database in databases:
            await database.open()
            stack.push_async_callback(database.close)
        yield [
            Requests(
                InvestigationRepository(database, TIMING), Budget(database, RuleRepository(database)), Inbox(database)
            )
            for database in databases
        ]


async def fifty(replicas: list[Requests]) -> Counter[Reception]:
    """Fifty people press at once, under fifty alerts in two channels."""
    asks = [
        Ask(f"gesture {number}", alert(number), Place("T1", f"C{number % 2}", "1.1"), "UANN", Source.BUTTON)
        for number in range(1, 51)
    ]
    outcomes = await asyncio.gather(*(start(replicas[n % len(replicas)], ask) for n, ask in enumerate(asks)))
    return Counter(outcome.reception for outcome in outcomes)


async def test_of_fifty_at_once_exactly_twelve_start(replicas: list[Requests]) -> None:
    database = replicas[0]._database
    await set_budget(database, workspace=12)

    assert await fifty(replicas) == {Reception.STARTED: 12, Reception.REFUSED: 38}

    usage = await Budget(database, RuleRepository(database)).usage(HERE)
    assert usage.workspace == 12
    lines = await AuditTrail(database).latest("T1", limit=100)
    told = Counter(line.decision for line in lines)
    assert told == {Decision.STARTED: 12, Decision.OVER_BUDGET: 38, Decision.RULES_CHANGED: 1}
    after = [line.budget.split(",")[0] for line in lines if line.decision is Decision.STARTED]
    assert sorted(after, key=lambda words: int(words.split()[1])) == [f"workspace {n} of 12" for n in range(1, 13)]


async def test_the_narrower_of_two_budgets_holds_and_the_wider_is_not_charged_for_it(replicas: list[Requests]) -> None:
    database = replicas[0]._database
    await set_budget(database, workspace=40, channel=7)

    outcomes = await fifty(replicas)

    # C1 is limited to 7 of its 25, C0 only by the workspace
    assert outcomes == {Reception.STARTED: 32, Reception.REFUSED: 18}
    usage = await Budget(database, RuleRepository(database)).usage(HERE)
    assert (usage.workspace, usage.channel) == (32, 7)


async def test_fifty_people_on_one_alert_pay_for_one(replicas: list[Requests]) -> None:
    database = replicas[0]._database
    await set_budget(database, workspace=1)
    asks = [
        Ask(f"gesture {number}", ALERT, Place("T1", "C1", f"1.{number}"), "UANN", Source.BUTTON)
        for number in range(1, 51)
    ]

    outcomes = await asyncio.gather(*(start(replicas[n % len(replicas)], ask) for n, ask in enumerate(asks)))

    assert Counter(outcome.reception for outcome in outcomes) == {Reception.STARTED: 1, Reception.FOLLOWING: 49}
    assert (await Budget(database, RuleRepository(database)).usage(HERE)).workspace == 1


async def test_automatic_starts_keep_to_their_share_and_leave_the_rest_to_people(replicas: list[Requests]) -> None:
    database = replicas[0]._database
    await set_budget(database, workspace=10, share=4)

    outcomes = await asyncio.gather(*(start(replicas[n % len(replicas)], automatic(n)) for n in range(1, 21)))

    assert Counter(outcome.reception for outcome in outcomes) == {Reception.STARTED: 4, Reception.REFUSED: 16}
    refused = next(outcome.refusal for outcome in outcomes if outcome.refusal)
    assert isinstance(refused, OverBudget)
    assert (refused.scope, refused.used, refused.limit) == ("automatic", 4, 4)
    people = [Ask(f"by hand {n}", alert(100 + n), HERE, "UANN", Source.BUTTON) for n in range(8)]
    by_hand = await asyncio.gather(*(start(replicas[0], ask) for ask in people))
    assert Counter(outcome.reception for outcome in by_hand) == {Reception.STARTED: 6, Reception.REFUSED: 2}


# -- what costs, and what does not ----------------------------------------------------------------------------------


async def test_a_refused_start_leaves_nothing_behind(both_worlds: World) -> None:
    world = both_worlds
    await set_budget(world.database, workspace=0)

    outcome = await world.ask()

    assert isinstance(outcome.refusal, OverBudget)
    assert (outcome.refusal.used, outcome.refusal.limit) == (0, 0)
    await world.turns()
    assert await world.investigations() == []
    assert await world.deliveries() == []
    assert world.datadog.runs == {}
    assert await used(world) == (0, 0, 0)


async def test_joining_costs_nothing_and_running_again_costs(both_worlds: World) -> None:
    world = both_worlds
    await set_budget(world.database, workspace=2)
    first = await world.ask()
    assert (await world.ask(thread="2.2")).reception is Reception.FOLLOWING
    assert await used(world) == (1, 1, 0)

    assert first.investigation is not None
    again = await world.bot.run_again(world.an_ask(), 1)
    assert again.reception is Reception.STARTED
    assert await used(world) == (2, 2, 0)

    assert again.investigation is not None
    third = await world.bot.run_again(world.an_ask(), again.investigation.id)
    assert isinstance(third.refusal, OverBudget)
    assert await decisions(world) == [
        Decision.RULES_CHANGED,
        Decision.STARTED,
        Decision.JOINED,
        Decision.STARTED,
        Decision.OVER_BUDGET,
    ]


async def test_the_budget_is_whole_again_at_midnight_utc(world: World, clock: Clock) -> None:
    await set_budget(world.database, workspace=1)
    clock.now = 1_700_006_400 - 60  # 2023-11-15, a minute before it begins
    assert (await world.ask(alert(1))).reception is Reception.STARTED
    assert (await world.ask(alert(2))).reception is Reception.REFUSED

    clock.wind(60)

    assert await used(world) == (0, 0, 0)
    assert (await world.ask(alert(3))).reception is Reception.STARTED


async def test_what_datadog_refuses_is_given_back_once(both_worlds: World) -> None:
    world = both_worlds
    await set_budget(world.database, workspace=5)
    world.datadog.network.expect("trigger", Forbidden("no", status=403))
    await world.ask()
    assert await used(world) == (1, 1, 0)

    await world.turns()

    assert await world.state() == "failed"
    assert await used(world) == (0, 0, 0)
    await world.restart()
    await world.wind(120)
    assert await used(world) == (0, 0, 0)
    assert await decisions(world) == [Decision.RULES_CHANGED, Decision.STARTED, Decision.RETURNED]


async def test_a_unit_is_given_back_once_however_often_it_is_tried(both_worlds: World) -> None:
    world = both_worlds
    await world.ask(alert(1))
    started = await world.ask(alert(2))
    assert started.investigation is not None
    number = started.investigation.id

    async def give() -> bool:
        async with world.database.transaction() as connection:
            return await give_back(connection, number)

    assert sorted(await asyncio.gather(*(give() for _ in range(10)))) == [False] * 9 + [True]
    assert await used(world) == (1, 1, 0)


async def test_what_never_reached_datadog_is_given_back_on_its_own_day(world: World, clock: Clock) -> None:
    clock.now = 1_700_006_400 - 10
    world.datadog.network.choose = lambda _: lost(NotSent("no route"), lands=False)
    await world.ask()
    budget = Budget(world.database, RuleRepository(world.database))

    await world.wind(3600, step=60)

    assert await world.state() == "failed"
    assert (await budget.usage(HERE)).workspace == 0
    clock.now = 1_700_006_400 - 10
    assert (await budget.usage(HERE)).workspace == 0


async def test_a_start_whose_outcome_is_unknown_stays_paid(world: World) -> None:
    world.datadog.network.expect("trigger", lost(lands=False))
    await world.ask()
    await world.wind(600)
    assert await world.state() == "uncertain"
    assert await used(world) == (1, 1, 0)


async def test_a_look_up_is_paid_when_the_alert_is_found(world: World) -> None:
    await set_budget(world.database, workspace=0)
    world.threads.subject = ALERT
    await world.receive(MonitorRef(404))
    await world.receive(ThreadRef())

    await world.turns()

    assert sorted(world.answers.told) == ["UANN: OverBudget", "UANN: not_found"]
    assert await world.investigations() == []
    assert Counter(await decisions(world)) == {
        Decision.RULES_CHANGED: 1,
        Decision.NOT_FOUND: 1,
        Decision.OVER_BUDGET: 1,
    }


# -- start anyway ---------------------------------------------------------------------------------------------------


async def test_start_anyway_works_once_for_the_one_who_asked(both_worlds: World) -> None:
    world = both_worlds
    await set_budget(world.database, workspace=0)
    refused = await world.ask()
    requests = world.bot.requests

    assert await requests.held(refused.ask_id, "T1", "UBEN") is None
    assert await requests.held(refused.ask_id, "T2", "UANN") is None
    held = await requests.held(refused.ask_id, "T1", "UANN")
    assert held is not None
    assert await requests.start_anyway(replace(held, requester="UBEN"), refused.ask_id, rule="") is None
    pressed = await asyncio.gather(
        *(requests.start_anyway(held, refused.ask_id, rule="over budget") for _ in range(10))
    )

    assert [outcome.reception for outcome in pressed if outcome] == [Reception.STARTED]
    assert await used(world) == (1, 1, 0)
    await world.turns()
    assert len(world.datadog.runs) == 1
    assert (await decisions(world))[-1] is Decision.CONFIRMED


async def test_start_anyway_of_a_run_again_is_a_new_run(world: World) -> None:
    await set_budget(world.database, workspace=1)
    await world.ask(QUESTION)
    refused = await world.bot.run_again(world.an_ask(QUESTION), 1)

    held = await world.bot.requests.held(refused.ask_id, "T1", "UANN")
    assert held is not None
    outcome = await world.bot.requests.start_anyway(held, refused.ask_id, rule="over budget")

    assert outcome is not None
    assert outcome.investigation is not None
    assert outcome.investigation.run == 2


async def test_the_offer_ends_after_an_hour(world: World, clock: Clock) -> None:
    await set_budget(world.database, workspace=0)
    refused, requests = await world.ask(), world.bot.requests
    clock.wind(HELD_FOR - 1)
    held = await requests.held(refused.ask_id, "T1", "UANN")
    assert held is not None
    clock.wind(2)
    assert await requests.held(refused.ask_id, "T1", "UANN") is None
    assert await requests.start_anyway(held, refused.ask_id, rule="over budget") is None


async def test_a_gesture_that_slack_delivers_twice_is_refused_once(world: World) -> None:
    await set_budget(world.database, workspace=0)
    ask = world.an_ask()
    first = await world.bot.ask(ask)
    assert first.reception is Reception.REFUSED
    assert await world.bot.ask(ask) is first
    assert (await decisions(world)).count(Decision.OVER_BUDGET) == 1


def test_usage_in_words() -> None:
    assert Usage(7, 3, 2, Limits(40, None, 10)).words() == "workspace 7 of 40, channel 3, automatic 2 of 10"
