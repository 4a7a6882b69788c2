"""No body of any shape breaks a door: over HTTP and the socket, signed or not, for each kind of thing that comes in.

A short form; `make faults` sends thousands.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.odd_bodies import WAYS, Doors, doors_of, sent


@pytest.fixture
async def doors(way: str, tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors_of(WAYS[way].where, tmp_path) as doors:
        yield doors


@pytest.mark.parametrize("way", WAYS)
@sent(times=40)
@given(seed=st.integers(0, 2**32))
async def test_whatever_comes_is_answered_and_costs_one_line(doors: Doors, way: str, seed: int) -> None:
    await WAYS[way].send(doors, Random(seed))
