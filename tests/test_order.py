from collections import Counter
from pathlib import Path

import pytest

from tests.order import LONG, long_first

TESTS = Path(__file__).parent


class Item:
    def __init__(self, place: str) -> None:
        self.path = TESTS / place


def test_each_worker_begins_with_long_ones_and_none_is_lost() -> None:
    places = [place for lot in LONG for place in lot] + [f"storage/test_{number}.py" for number in range(61)]
    items: list[pytest.Item] = [Item(place) for place in places]  # type: ignore[misc]
    ordered = long_first(items)
    assert Counter(ordered) == Counter(items)
    for number, lot in enumerate(LONG):
        begins = len(items) * number // len(LONG)
        assert [each.path for each in ordered[begins : begins + len(lot)]] == [TESTS / place for place in lot]


@pytest.mark.parametrize("place", [place for lot in LONG for place in lot])
def test_what_is_named_is_there(place: str) -> None:
    assert (TESTS / place).exists()
