"""The heart's trial by misfortune, many times over. `make faults` runs these."""

import pytest

from tests.investigations.trial import Trial
from tests.investigations.world import World

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("seed", range(100, 140))
async def test_on_one_machine(lasting_world: World, seed: int) -> None:
    trial = Trial(lasting_world, seed, bots=3, rounds=120)
    await trial.run()
    assert await trial.faults() == []


@pytest.mark.parametrize("seed", range(200, 210))
async def test_on_several(postgres_world: World, seed: int) -> None:
    trial = Trial(postgres_world, seed, bots=3, rounds=120)
    await trial.run()
    assert await trial.faults() == []
