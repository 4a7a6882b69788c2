"""What strangers can provoke in the log: the first line at once, then a count."""

import logging
from unittest.mock import MagicMock

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import load_settings
from bot.connections import bolt_app
from bot.logs import Seldom, described
from tests.clock import Clock
from tests.starts import OAUTH, SOCKET_MODE, Environment


def test_a_kind_of_line_comes_once_a_minute_with_the_number_of_those_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    seldom = Seldom(logging.getLogger("door"), clock=clock)
    for number in range(5):
        seldom.warning("no %s", number)
    seldom.warning("something else")
    clock.wind(60)
    seldom.warning("no %s", 5)
    seldom.info("of no interest")
    assert caplog.messages == ["no 0", "something else", "no 5 [and 4 more like it before]"]


def test_an_error_is_told_by_its_kind_and_place_only(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("anybody's words")  # noqa: TRY301
    except ValueError as error:
        told = described(error)
        Seldom(logging.getLogger("door")).exception("it failed", exc_info=error)
    assert told.startswith("ValueError at test_logs.py:")
    assert "anybody" not in told + caplog.text
    assert caplog.messages == ["it failed (ValueError)"]
    assert caplog.records[0].levelno == logging.WARNING


@pytest.mark.parametrize("given", [SOCKET_MODE, OAUTH])
def test_slacks_framework_says_nothing_of_the_settings_that_it_finds(
    given: dict[str, str], environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    environment(given)
    bolt_app(load_settings(None), MagicMock(), AsyncWebClient())
    assert caplog.messages == []
