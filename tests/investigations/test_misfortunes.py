"""Whatever dies or falls silent, and in whichever order: one run an alert, one answer a thread."""

import pytest

from bot.datadog.errors import Unavailable
from bot.investigations.trigger_worker import TriggerWorker
from bot.slack.clients import BotClient
from bot.slack.poster import Poster
from bot.storage.outbox import Delivery
from tests.investigations.trial import Trial, misfortunes
from tests.investigations.world import CAUSE, QUESTION, Fate, World, lost


async def hold(trial: Trial) -> None:
    await trial.run(until=lambda: min(misfortunes(trial).values()) > 0)
    assert await trial.faults() == []


async def test_one_run_an_alert_and_one_answer_a_thread(lasting_world: World) -> None:
    await hold(Trial(lasting_world, 0, rounds=30))


async def test_the_same_on_the_database_of_several_replicas(postgres_world: World) -> None:
    await hold(Trial(postgres_world, 1, bots=3, rounds=15))


async def test_the_trial_would_see_a_doubled_post(lasting_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that does not look before it repeats a post: if the trial found nothing wrong with it, it would prove nothing."""
    monkeypatch.setattr(Poster, "_find_ours", sees_nothing)
    trial = Trial(lasting_world, 0, rounds=30)
    lasting_world.slack.network.expect("post", *(Fate(TimeoutError(), lands=True) for _ in range(3)))
    await trial.run()
    assert any("instead of" in fault for fault in await trial.faults())


async def sees_nothing(_poster: Poster, _bot_client: BotClient, _delivery: Delivery) -> None:
    return None


async def test_the_trial_would_see_a_doubled_run(lasting_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that starts again what it is not sure of."""
    monkeypatch.setattr(TriggerWorker, "_look", TriggerWorker._begin)
    trial = Trial(lasting_world, 0, rounds=30)
    lasting_world.datadog.network.expect("trigger", *(lost(lands=True) for _ in range(3)))
    await trial.run()
    assert any(fault.endswith(" runs") for fault in await trial.faults())


@pytest.mark.parametrize("hours", [1, 24])
async def test_a_clock_set_forward_and_back_leaves_nothing_stuck(world: World, hours: int) -> None:
    """What was claimed, put off and begun while it ran ahead lies far in the future afterwards."""
    ahead = 3600.0 * hours
    world.clock.wind(ahead)
    world.datadog.network.expect("ids", Unavailable("503", status=503))
    await world.ask()
    await world.turns()
    await world.ask(QUESTION, thread="2.2")
    await world.turns()
    world.clock.wind(-ahead)
    await world.wind(120)
    assert world.slack.cards() == ["card: running", "card: running"]
    for run in world.datadog.runs.values():
        run.ends("conclusive", CAUSE)
    await world.wind(60)
    assert world.slack.cards() == ["card: concluded", "card: concluded"]
