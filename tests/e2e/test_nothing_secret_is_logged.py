"""A noisy run leaves none of its secrets in the log: no token, key, response URL, nor what people wrote."""

import logging
from io import StringIO

import httpx
import pytest

from bot.logs import JsonLines, TextLines
from bot.sandbox.datadog import Script
from tests.e2e.town import Town


async def test_nothing_secret_is_logged(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for_machines, for_people = StringIO(), StringIO()
    handlers = [logging.StreamHandler(for_machines), logging.StreamHandler(for_people)]
    for handler, formatter in zip(handlers, (JsonLines(), TextLines()), strict=True):
        handler.setFormatter(formatter)
        logging.getLogger().addHandler(handler)
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
    await town.slack.wait_for(lambda: "Investigating" in town.thread(alert.message))
    town.datadog.finish(town.datadog.triggers()[0].id)
    await town.slack.wait_for(lambda: len(alert.message.replies) == 2)

    async with httpx.AsyncClient(trust_env=False, base_url=f"http://127.0.0.1:{town.bot.port}") as supervisor:
        seen = [(await supervisor.get(path)).text for path in ("/healthz", "/readyz", "/metrics")]
    for handler in handlers:
        logging.getLogger().removeHandler(handler)
    ids = [town.slack.workspace.id, town.channel.id, town.ana.id]

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
    assert "investigation accepted" in for_machines.getvalue()
    assert all(number in for_people.getvalue() for number in ids)
    written = "".join([caplog.text, for_machines.getvalue(), for_people.getvalue(), *seen])
    assert [secret for secret in secrets if secret in written] == []
    assert [number for number in ids if number in "".join(seen)] == []
