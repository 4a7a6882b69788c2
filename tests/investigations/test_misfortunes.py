"""Whatever dies or falls silent, and in whichever order: one run an alert, one answer a thread."""

import pytest

from bot.investigations.trigger_worker import TriggerWorker
from bot.slack import poster
from bot.slack.clients import BotClient
from bot.storage.outbox import Delivery
from tests.investigations.trial import Trial, misfortunes
from tests.investigations.world import Fate, World, lost


async def hold(trial: Trial) -> None:
    await trial.run(until=lambda: min(misfortunes(trial).values()) > 0)
    assert await trial.faults() == []


async def test_one_run_an_alert_and_one_answer_a_thread(lasting_world: World) -> None:
    await hold(Trial(lasting_world, 0, rounds=30))


async def test_the_same_on_the_database_of_several_replicas(postgres_world: World) -> None:
    await hold(Trial(postgres_world, 1, bots=3, rounds=15))


async def test_the_trial_would_see_a_doubled_post(lasting_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that does not look before it repeats a post: if the trial found nothing wrong with it, it would prove nothing."""
    monkeypatch.setattr(poster, "_find_ours", sees_nothing)
    trial = Trial(lasting_world, 0, rounds=30)
    lasting_world.slack.network.expect("post", *(Fate(TimeoutError(), lands=True) for _ in range(3)))
    await trial.run()
    assert any("instead of" in fault for fault in await trial.faults())


async def sees_nothing(_bot_client: BotClient, _delivery: Delivery) -> None:
    return None


async def test_the_trial_would_see_a_doubled_run(lasting_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that starts again what it is not sure of."""
    monkeypatch.setattr(TriggerWorker, "_look", TriggerWorker._begin)
    trial = Trial(lasting_world, 0, rounds=30)
    lasting_world.datadog.network.expect("trigger", *(lost(lands=True) for _ in range(3)))
    await trial.run()
    assert any(fault.endswith(" runs") for fault in await trial.faults())
