"""A noisy run leaves none of its secrets in the log: no token, key, response URL, nor what people wrote."""

import logging

import pytest

from bot.sandbox.datadog import Script
from tests.e2e.town import Town


async def test_nothing_secret_is_logged(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    town.datadog.plan(Script.held())
    town.datadog.break_next("GET", "/api/v2/bits-ai/*", times=3, status=500, body="<html>secret body</html>")
    town.slack.break_next("chat.postMessage", times=1, error="ratelimited", retry_after=1)
    town.slack.break_next("chat.update", times=1, status=500)
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.slack.wait_for(town.datadog.triggers)
    await town.ana.command("/bits", "investigate my very private words", in_=town.channel)
    await town.ana.command("/bits", "show nonsense", in_=town.channel)
    await town.ana.mention("a word in confidence", in_=town.channel)
    await town.ana.say("a word in confidence", in_=town.channel)
    await town.slack.sockets.send("events_api", {"type": "a word in confidence", "a": []}, more={}, seconds=30)
    await town.slack.sockets.connections[0].socket.send_str("[a word in confidence")
    await town.slack.wait_for(lambda: "running" in town.thread(alert.message))
    town.datadog.finish(town.datadog.triggers()[0].id)
    await town.slack.wait_for(lambda: len(alert.message.replies) == 2)

    secrets = [
        town.slack.bot_token,
        town.slack.app_token,
        town.datadog.org.api_key,
        town.datadog.org.app_key,
        "/response/",
        "very private words",
        "Disk almost full",  # what an alert is called
        "a word in confidence",
        "secret body",
    ]
    assert caplog.records
    assert [secret for secret in secrets if secret in caplog.text] == []
