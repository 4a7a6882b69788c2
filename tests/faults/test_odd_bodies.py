"""Thousands of bodies of no shape at each door."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.odd_bodies import WAYS, Doors, sent
from tests.e2e.test_odd_bodies import doors

__all__ = ["doors"]

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3_600)]


@pytest.mark.parametrize("way", WAYS)
@sent(times=5_000)
@given(seed=st.integers(0, 2**32))
async def test_whatever_comes_is_answered_and_costs_one_line(doors: Doors, way: str, seed: int) -> None:
    await WAYS[way].send(doors, Random(seed))
