"""Tokens at rest and over time: nothing readable on disk, keys that change, tokens that rotate under two replicas."""

import asyncio
import logging
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import update

from bot.cli import main
from bot.connections import StartError
from bot.sandbox.datadog import Script
from bot.wording import AI_WRITTEN
from bot.workspaces.tables import installations
from tests.e2e.install_town import PUBLIC_URL, InstallTown
from tests.pg import postgres_url, ready_postgres_url

__all__ = ["postgres_url", "ready_postgres_url"]


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("bits.sqlite3*"))


async def test_neither_the_database_file_nor_the_log_holds_a_readable_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    async with InstallTown(f"sqlite+aiosqlite:///{tmp_path}/bits.sqlite3") as town:
        town.slack.app.rotates_tokens = True
        ana = town.slack.workspace.add_user("ana")
        await town.start_bot()
        await town.install(town.slack.workspace, installer=ana)
        await ana.waits_for(lambda: ana.dms)
        alert = await town.alert(town.slack.workspace.add_channel("alerts"))
        await ana.shortcut("investigate_message", on=alert)
        await town.reads(alert, AI_WRITTEN)
        install = town.slack.workspace.install
        assert install is not None
        secrets = [install.bot_token, install.refresh_token or "?", town.slack.app.client_secret, town.keys]
        while_running = on_disk(tmp_path)
        await town.stop_bots()
    for secret in secrets:
        assert secret.encode() not in while_running
        assert secret.encode() not in on_disk(tmp_path)
        assert secret not in caplog.text
    assert install.bot_user_id.encode() in on_disk(tmp_path)  # the right file was looked at


def rekey(town: InstallTown, monkeypatch: pytest.MonkeyPatch, keys: str) -> int:
    for name, value in (
        ("SLACK_CLIENT_ID", town.slack.app.client_id),
        ("SLACK_CLIENT_SECRET", town.slack.app.client_secret),
        ("SLACK_APP_TOKEN", "xapp-1-A-2-b"),
        ("BITS_PUBLIC_URL", PUBLIC_URL),
        ("DATABASE_URL", town.database_url.replace("+aiosqlite", "")),
        ("BITS_ENCRYPTION_KEYS", keys),
    ):
        monkeypatch.setenv(name, value)
    return main(["rekey"])


async def test_a_new_key_takes_over_and_the_old_one_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    async with InstallTown(f"sqlite+aiosqlite:///{tmp_path}/bits.sqlite3", keys=old) as town:
        ana = town.slack.workspace.add_user("ana")
        await town.start_bot()
        await town.install(town.slack.workspace, installer=ana)
        assert await asyncio.to_thread(rekey, town, monkeypatch, f"{new},{old}") == 2
        assert "Another Bits Bot is already using" in capsys.readouterr().err
        await town.stop_bots()

        assert await asyncio.to_thread(rekey, town, monkeypatch, new) == 2
        assert "opens 1 of the stored secrets" in capsys.readouterr().err
        assert await asyncio.to_thread(rekey, town, monkeypatch, f"{new},{old}") == 0
        printed = capsys.readouterr().out
        assert "installations: 1 sealed anew, 0 sealed with the first key before, 0 unreadable" in printed
        assert old not in printed

        town.keys = old
        with pytest.raises(StartError, match="not in BITS_ENCRYPTION_KEYS"):
            await town.start_bot()
        town.keys = new
        await town.start_bot()
        alert = await town.alert(town.slack.workspace.add_channel("alerts"))
        await ana.shortcut("investigate_message", on=alert)
        await town.reads(alert, AI_WRITTEN)


async def test_tokens_rotate_while_two_replicas_post_in_the_background(ready_postgres_url: str) -> None:
    async with InstallTown(ready_postgres_url) as town:
        town.slack.app.rotates_tokens = True
        acme = town.slack.workspace
        ana = acme.add_user("ana")
        for _ in range(2):
            await town.start_bot()
        await town.install(acme, installer=ana)
        channels = [acme.add_channel(f"alerts-{number}") for number in range(3)]
        town.datadog.plan(*(Script.held() for _ in channels))
        alerts = [await town.alert(channel) for channel in channels]
        for alert in alerts:
            await ana.shortcut("investigate_message", on=alert)
            await town.reads(alert, "Investigating")
        first = acme.install.bot_token if acme.install else ""

        soon = installations.c.expires_at - 11 * 3600  # an hour is left
        async with town.bots[0]._database.transaction() as connection:
            await connection.execute(update(installations).values(expires_at=soon))
        for bot in town.bots:  # as a minute later
            assert bot._departures is not None
            bot._departures.workspaces.drop(acme.id)
        for run in town.datadog.triggers():
            town.datadog.finish(run.id)

        for alert in alerts:
            await town.reads(alert, "Asked by @ana", AI_WRITTEN)
            assert len(alert.replies) == 2
        refreshes = [call for call in town.slack.calls_to("oauth.v2.access") if "refresh_token" in call.args]
        assert [call.error for call in refreshes] == [""]
        assert acme.install is not None
        assert acme.install.bot_token != first
