"""A workspace that removes the app leaves no word behind: in no column of any table, and in no byte of the file."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bot.sandbox.datadog import Script
from bot.sandbox.datadog.samples import DISK_FULL
from bot.storage.retention import AtUninstall, rules
from bot.wording import AI_WRITTEN
from bot.workspaces.tables import installations
from tests.e2e.install_town import InstallTown

QUESTION = "why is the zebra slow?"
KEPT = {table.name for table, rule in rules.items() if rule.at_uninstall is AtUninstall.KEPT}


def every_value(file: Path) -> dict[str, str]:
    """What stands in each table, in one text."""
    with closing(sqlite3.connect(file)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: str(connection.execute(f'SELECT * FROM "{name}"').fetchall()) for name in tables}


def tables_with(file: Path, *words: str) -> set[str]:
    return {name for name, values in every_value(file).items() if any(word in values for word in words)}


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("bits.sqlite3*"))


async def test_what_was_asked_and_found_goes_with_the_app(tmp_path: Path) -> None:
    file = tmp_path / "bits.sqlite3"
    async with InstallTown(f"sqlite+aiosqlite:///{file}") as town:
        acme, globex = town.slack.workspace, town.slack.add_workspace("Globex")
        ana, gil = acme.add_user("ana", admin=True), globex.add_user("gil")
        await town.start_bot()
        for workspace, installer in ((acme, ana), (globex, gil)):
            await town.install(workspace, installer=installer)
        ops, alerts = acme.add_channel("ops"), globex.add_channel("alerts")

        town.datadog.plan(Script.at_once("conclusive", DISK_FULL))
        talk = await ana.say("hm", in_=ops)
        await ana.mention(f"investigate {QUESTION}", in_=ops, thread=talk)
        await town.reads(talk, AI_WRITTEN)
        await ana.click("Right cause", on=next(reply for reply in talk.replies if AI_WRITTEN in reply.shown))
        await ana.waits_for(lambda: "Noted as right" in ana.sees)
        shared = town.datadog.fire(town.monitor)
        for person, channel in ((ana, ops), (gil, alerts)):  # asked for by ana first
            alert = await town.post_alert(channel, shared)
            await person.shortcut("investigate_message", on=alert)
            await town.reads(alert, AI_WRITTEN)
        its_words = (QUESTION, acme.id, ana.id, ops.id)
        assert {"investigations", "subscribers", "asks", "audit", "votes"} <= tables_with(file, *its_words)

        assert acme.install is not None
        town.slack.uninstall(acme.install)
        await town.slack.wait_for(lambda: acme.id in town.left)
        await town.all_heard()

        assert tables_with(file, *its_words) <= KEPT
        assert tables_with(file, QUESTION, ana.id) == set()
        found = every_value(file)["investigations"]
        assert (found.count(DISK_FULL.title), found.count(gil.id)) == (1, 1)  # Globex has its own
        assert globex.id in every_value(file)[installations.name]
        await town.stop_bots()
    left = on_disk(tmp_path)
    assert QUESTION.encode() not in left
    assert ana.id.encode() not in left
    assert gil.id.encode() in left  # the right file was looked at
