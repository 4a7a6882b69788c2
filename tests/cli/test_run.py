"""`bits-bot run` as the person at the terminal meets it: a start that fails says why, in a sentence, never a traceback."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot import connections
from bot.app import Bot
from bot.cli import main
from bot.config import load_settings
from bot.connections import StartError
from bot.sandbox.datadog import FakeDatadog
from bot.sandbox.playground.environment import BotProcess
from bot.sandbox.slack import FakeSlack
from bot.storage.engine import DatabaseUnusableError
from bot.storage.postgres import UNLIMITED
from bot.wording import AI_WRITTEN, version
from tests.starts import FERNET_KEY, Environment


async def _start(folder: Path, **environment: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        cwd=folder,
        env={"PATH": os.environ.get("PATH", ""), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def _run(folder: Path, **environment: str) -> tuple[int, str]:
    return await _end(await _start(folder, **environment))


async def _end(process: Process) -> tuple[int, str]:
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode()


async def _until(process: Process, words: str) -> str:
    """What it has told by then."""
    told = ""
    assert process.stdout is not None
    while words not in told:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        assert line, told
        told += line.decode()
    return told


def _settings(slack: FakeSlack, datadog: FakeDatadog) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "DD_API_KEY": datadog.org.api_key,
        "DD_APP_KEY": datadog.org.app_key,
        "DD_API_URL": datadog.url,
        "BITS_HTTP_PORT": "0",
    }


async def test_missing_settings_are_named_all_at_once(tmp_path: Path) -> None:
    code, output = await _run(tmp_path)
    assert code == 2
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "DD_API_KEY", "DD_APP_KEY"):
        assert name in output
    assert "Traceback" not in output


def _lines(output: str) -> list[dict[str, str]]:
    """Each is JSON, or this fails."""
    return [json.loads(line) for line in output.splitlines()]


async def test_for_machines_settings_that_are_missing_are_json_too(tmp_path: Path) -> None:
    code, output = await _run(tmp_path, BITS_LOG_FORMAT="json")
    assert code == 2
    assert "SLACK_BOT_TOKEN" in " ".join(line["message"] for line in _lines(output))
    assert {line["level"] for line in _lines(output)} == {"ERROR"}


async def test_for_machines_a_start_that_fails_is_json_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BITS_LOG_FORMAT=JSON\n")
    async with FakeSlack() as slack, FakeDatadog() as datadog:
        settings = _settings(slack, datadog) | {"SLACK_BOT_TOKEN": "xoxb-wrong", "BITS_POL_SECONDS": "3"}
        code, output = await _run(tmp_path, **settings)
    assert code == 2
    told = _lines(output)
    assert f"Bits Bot {version()} starts: socket mode, SQLite" in told[0]["message"]
    assert "BITS_POL_SECONDS" in told[1]["message"]
    assert "Slack does not accept SLACK_BOT_TOKEN" in told[-1]["message"]
    assert "xoxb-wrong" not in output


async def test_for_machines_a_life_from_start_to_stop_is_json(tmp_path: Path) -> None:
    async with FakeSlack() as slack, FakeDatadog() as datadog:
        process = await _start(tmp_path, **_settings(slack, datadog), BITS_LOG_FORMAT="json", BITS_LOG_LEVEL="debug")
        told = await _until(process, "Bits Bot is ready.")
        process.send_signal(signal.SIGHUP)  # its terminal was closed
        code, output = await _end(process)
    assert code == 0
    assert _lines(told + output)


async def test_for_machines_an_error_that_nobody_expected_is_json(tmp_path: Path) -> None:
    fails = "threading.Thread(target=lambda: 1 / 0).start(); raise RuntimeError('unexpected')"
    code = f"import threading; from bot import cli; cli._set_up_logs('json', 'INFO'); {fails}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    returned, output = await _end(process)
    of_thread, of_end = sorted(_lines(output), key=lambda line: line["level"], reverse=True)
    assert (returned, of_thread["level"], of_end["level"]) == (1, "ERROR", "CRITICAL")
    assert "ZeroDivisionError" in of_thread["error"]
    assert "RuntimeError: unexpected" in of_end["error"]


@pytest.fixture
def refused(environment: Environment) -> Callable[..., Awaitable[str]]:
    """What a start with these settings ends with: `run` prints that sentence, as the test of a second bot shows."""

    async def start(settings: dict[str, str], **changes: str | None) -> str:
        environment(settings, **changes)
        bot = Bot(load_settings(None))
        with pytest.raises((StartError, DatabaseUnusableError)) as told:
            await bot.start()
        await bot.stop()
        return str(told.value)

    return start


async def test_a_database_that_cannot_be_reached(refused: Callable[..., Awaitable[str]]) -> None:
    url = "postgresql://bits:hidden-word@127.0.0.1:9/bits"
    async with FakeSlack() as slack, FakeDatadog() as datadog:
        told = await refused(_settings(slack, datadog), DATABASE_URL=url)
    assert "Check DATABASE_URL" in told
    assert "hidden-word" not in told


async def test_a_database_that_never_answers_is_given_up_and_until_then_a_stop_is_obeyed(
    refused: Callable[..., Awaitable[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"postgresql://bits:hidden-word@127.0.0.1:{deaf.getsockname()[1]}/bits"
        async with FakeSlack() as slack, FakeDatadog() as datadog:
            settings = _settings(slack, datadog)
        process = await _start(tmp_path, **settings, DATABASE_URL=url)
        line, _ = await asyncio.to_thread(deaf.accept)
        with line:  # closed it would be an answer
            process.send_signal(signal.SIGTERM)
            code, output = await _end(process)
        assert (code, "Traceback" in output) == (0, False)
        monkeypatch.setattr("bot.storage.engine.UNLIMITED", replace(UNLIMITED, connect=0.05))
        told = await refused(settings, DATABASE_URL=url)
    assert "can't be opened: no answer in time. Check DATABASE_URL" in told
    assert "hidden-word" not in told + output


@pytest.mark.parametrize("command", ["migrate", "rekey"])
def test_the_database_alone_needs_no_secrets_of_slack_and_datadog(
    environment: Environment, capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    environment(DATABASE_URL=f"sqlite:///{tmp_path}/bits.sqlite3", BITS_ENCRYPTION_KEYS=FERNET_KEY, DD_SITE="nowhere")
    assert main([command]) == 0
    environment(DATABASE_URL="postgresql://bits:hidden-word@127.0.0.1:9/bits")
    assert main([command]) == 2
    told = capsys.readouterr().err
    assert "Check DATABASE_URL" in told
    assert "hidden-word" not in told
    environment(DATABASE_URL="mysql://x")
    assert main([command]) == 2


def test_alone_it_shows_its_help_and_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "serve Slack" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"Bits Bot {version()}\n")


async def test_a_file_that_cannot_be_opened(refused: Callable[..., Awaitable[str]]) -> None:
    async with FakeSlack() as slack, FakeDatadog() as datadog:
        told = await refused(_settings(slack, datadog), DATABASE_URL="sqlite:////proc/bits.sqlite3")
    assert "Check DATABASE_URL" in told


async def test_a_token_slack_does_not_take(refused: Callable[..., Awaitable[str]]) -> None:
    async with FakeSlack() as slack, FakeDatadog() as datadog:
        told = await refused(_settings(slack, datadog), SLACK_BOT_TOKEN="xoxb-wrong")
    assert "Slack does not accept SLACK_BOT_TOKEN (invalid_auth)" in told
    assert "xoxb-wrong" not in told


async def test_an_app_token_slack_does_not_take(refused: Callable[..., Awaitable[str]]) -> None:
    async with FakeSlack() as slack, FakeDatadog() as datadog:
        told = await refused(_settings(slack, datadog), SLACK_APP_TOKEN="xapp-wrong")
    assert "SLACK_APP_TOKEN" in told
    assert "connections:write" in told


@pytest.mark.parametrize("method", ["auth.test", "apps.connections.open"])
async def test_a_slack_with_trouble_of_its_own_is_waited_for(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    monkeypatch.setattr(connections, "AGAIN_AFTER", (0.0, 0.001, 0.002, 0.003))
    async with FakeSlack() as slack, FakeDatadog() as datadog:
        slack.break_next(method, times=2, status=503, error="service_unavailable")
        slack.break_next(method, status=502)
        slack.break_next(method, status=429, error="ratelimited", retry_after=0)
        environment(_settings(slack, datadog))
        bot = Bot(load_settings(None))
        await bot.start()
        await slack.connected()
        await bot.stop()
    assert caplog.text.count("Slack can't be used now (HTTP 503 service_unavailable): trying again") == 1


@pytest.mark.parametrize("token", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"])
async def test_trouble_of_slacks_that_lasts_and_a_proxys_page_are_not_the_tokens_fault(
    refused: Callable[..., Awaitable[str]], monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setattr(connections, "AGAIN_AFTER", (0.0,))
    method = {"SLACK_BOT_TOKEN": "auth.test", "SLACK_APP_TOKEN": "apps.connections.open"}[token]
    async with FakeSlack() as slack, FakeDatadog() as datadog:
        slack.break_next(method, times=2, status=503, error="service_unavailable")
        busy = await refused(_settings(slack, datadog))
        slack.break_next(method, times=2, status=502)
        page = await refused(_settings(slack, datadog))
    assert "Slack has trouble of its own (HTTP 503 service_unavailable)" in busy
    assert "not Slack answered but a page of something else (HTTP 502)" in page
    assert token not in busy + page


async def test_a_start_that_waits_for_slack_ends_when_it_is_told_to(tmp_path: Path) -> None:
    async with FakeSlack() as slack, FakeDatadog() as datadog:
        slack.break_next("auth.test", times=99, status=503, error="service_unavailable")
        process = await _start(tmp_path, **_settings(slack, datadog))
        await slack.wait_for(lambda: slack.calls_to("auth.test"))
        process.send_signal(signal.SIGTERM)
        code, output = await _end(process)
    assert code == 0, output
    assert "trying again" in output


async def test_slack_that_cannot_be_reached(refused: Callable[..., Awaitable[str]]) -> None:
    async with FakeSlack() as slack, FakeDatadog() as datadog:
        settings = _settings(slack, datadog)
    assert "Slack can't be reached" in await refused(settings)


async def test_a_port_in_use_that_slack_needs(refused: Callable[..., Awaitable[str]]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with FakeSlack() as slack, FakeDatadog() as datadog:
            told = await refused(
                _settings(slack, datadog),
                BITS_HTTP_PORT=str(taken.getsockname()[1]),
                SLACK_APP_TOKEN=None,
                SLACK_SIGNING_SECRET=slack.signing_secret,
            )
    assert "BITS_HTTP_PORT" in told


async def test_a_port_in_use_that_only_health_would_need(
    environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with FakeSlack() as slack, FakeDatadog() as datadog:
            environment(_settings(slack, datadog), BITS_HTTP_PORT=str(taken.getsockname()[1]))
            bot = Bot(load_settings(None))
            await bot.start()
            await slack.connected()
            await bot.stop()
    assert "BITS_HTTP_PORT" in caplog.text


async def test_a_second_bot_on_the_same_file_is_refused_and_the_first_leaves_cleanly(tmp_path: Path) -> None:
    async with FakeSlack() as slack, FakeDatadog() as datadog:
        first = BotProcess(tmp_path)
        await first.start(_settings(slack, datadog))
        try:
            await slack.connected()
            code, output = await _run(tmp_path, **_settings(slack, datadog))
        finally:
            await first.stop()
    assert code == 2
    assert "Another Bits Bot is already using" in output
    assert "Traceback" not in output
    log = first.log.read_text()
    assert "Bits Bot is ready." in log
    assert "Traceback" not in log
    assert "ERROR" not in log, log


@pytest.mark.parametrize("moment", ["at once", "auth.test", "apps.connections.open"])
async def test_a_stop_while_it_starts_is_a_clean_one(tmp_path: Path, moment: str) -> None:
    """`moment` may be a method that Slack does not answer."""
    async with FakeSlack() as slack, FakeDatadog() as datadog:
        asked = asyncio.Event()

        def is_asked(_: object) -> bool:
            asked.set()
            return True

        slack.break_next("auth.test" if moment == "at once" else moment, when=is_asked, delay=asyncio.Event())
        process = await _start(tmp_path, **_settings(slack, datadog))
        if moment == "at once":
            await _has_begun(process.pid)
        else:
            await asyncio.wait_for(asked.wait(), 30)
        process.send_signal(signal.SIGTERM)
        code, output = await _end(process)
        slack.heal()
    assert code == 0, output
    assert "Traceback" not in output
    assert "Unclosed" not in output


async def _has_begun(pid: int) -> None:
    """Until the interpreter is up and has taken the signal for its own."""
    while not _takes(pid, signal.SIGTERM):  # noqa: ASYNC110  nobody tells
        await asyncio.sleep(0.01)


def _takes(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    return bool(int(re.findall(r"SigCgt:\s+(\w+)", status)[0], 16) & 1 << (number - 1))


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["manifest"], ["manifest", "--mode", "http"]])
async def test_help_and_manifest_need_no_settings(tmp_path: Path, arguments: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert b"Traceback" not in output
    assert process.returncode == (2 if "http" in arguments else 0)


async def test_the_story_comes_to_its_end(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "story",
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    told = output.decode()
    assert process.returncode == 0, told
    assert AI_WRITTEN in told
    assert "Two clicks, 1 investigation at Datadog, 2 posts in the thread." in told
