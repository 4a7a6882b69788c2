"""Thousands of bodies of no shape at each door."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.odd_bodies import WAYS, Doors, doors_of, sent
from tests.e2e.test_odd_bodies import doors

__all__ = ["doors"]

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3_600)]


@pytest.mark.parametrize("way", WAYS)
@sent(times=5_000)
@given(seed=st.integers(0, 2**32))
async def test_whatever_comes_is_answered_and_costs_one_line(doors: Doors, way: str, seed: int) -> None:
    await WAYS[way].send(doors, Random(seed))


@pytest.fixture
async def doors_on_postgres(way: str, tmp_path: Path, postgres_url: str) -> AsyncIterator[Doors]:
    async with doors_of(WAYS[way].where, tmp_path, database_url=postgres_url) as doors:
        yield doors


@pytest.mark.parametrize("way", [way for way in WAYS if WAYS[way].where == "http"])
@sent(times=1_000)
@given(seed=st.integers(0, 2**32))
async def test_the_same_where_the_database_is_strict_about_texts(doors_on_postgres: Doors, way: str, seed: int) -> None:
    await WAYS[way].send(doors_on_postgres, Random(seed))
