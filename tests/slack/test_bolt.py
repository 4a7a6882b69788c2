"""Bolt, as the bot uses it: a request finds its listener by its body alone."""

import re
from typing import Any

import pytest
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.listener_matcher import async_builtins
from slack_bolt.response import BoltResponse

from bot.slack.bolt import BoltApp

BUTTON = {"type": "block_actions", "actions": [{"type": "button", "action_id": "card:open", "block_id": "b"}]}


async def heard() -> None:
    """A listener that is only looked for."""


async def test_each_listener_is_asked_without_gathering_what_a_function_could_be_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = BoltApp(name="bits-bot", signing_secret="secret", token="xoxb-1")
    app.action("card:close")(heard)
    app.action(re.compile(r".*:open$"))(heard)
    app.view("window")(heard)
    app.event("app_mention")(heard)
    gathered: list[Any] = []
    monkeypatch.setattr(async_builtins, "build_async_required_kwargs", gathered.append)
    asked = AsyncBoltRequest(body=BUTTON, mode="socket_mode")
    fits = [await one.async_matches(req=asked, resp=BoltResponse(status=200)) for one in app._async_listeners]
    assert fits == [False, True, False, False]
    assert gathered == []
