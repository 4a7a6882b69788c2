"""What the tests of cases share: our site."""

import pytest

from bot.datadog.links import SITES, Site


@pytest.fixture
def us1() -> Site:
    return SITES[0]
