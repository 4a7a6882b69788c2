"""What the tests of cases share: our site, and shorthands for recognising on it."""

from collections.abc import Callable

import pytest

from bot.datadog.insight_recognition import Recognised, recognise
from bot.datadog.sites import Site, site_named

Recognise = Callable[[str], Recognised]


@pytest.fixture
def us1() -> Site:
    site = site_named("datadoghq.com")
    assert site
    return site


@pytest.fixture
def pasted(us1: Site) -> Recognise:
    return lambda text: recognise(text, site=us1)
