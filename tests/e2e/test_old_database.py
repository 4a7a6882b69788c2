"""After an update: what people asked for before is still there, what waited goes on, and buttons under old messages answer."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from bot.config import Settings
from bot.sandbox.slack import Message
from bot.sandbox.slack.world import Author
from bot.storage import migrations
from bot.storage.retention import DAY, Kept
from bot.storage.workers import Timing
from tests.e2e.org_town import OrgTown
from tests.e2e.town import QUICK
from tests.storage.test_migrations import FIRST, FIXTURES, KEY, OLD_DATABASE, OLD_NOW


class OldTown(OrgTown):
    """An older version's database, left a moment ago, and some of the messages which that version had posted."""

    def __init__(self, folder: Path, *, age: float = 0.0, timing: Timing = QUICK, schema: str = FIRST) -> None:
        super().__init__(folder, bits_encryption_keys=KEY, timing=timing)
        self.datadog.add_project("CASEM", "Case Management")
        self.cards = self.slack.workspace.add_channel("cards")
        self.file = folder / "bits.sqlite3"
        _put_back_database(self.file, age)
        _bring_to(self.file, schema)
        self._put_back_messages()

    def _put_back_messages(self) -> None:
        install, team = self.slack.installs[0], self.slack.workspace.id
        authors = {
            "Bits Bot": Author(install.bot_user_id, "Bits Bot", install.bot_id, self.slack.app.id, team),
            "Datadog": Author("U0DATADOG", "Datadog", "B0DATADOG", "A0F7XDT7F", team, "bot_message"),
        }
        channels = {"alerts": self.channel, "cards": self.cards}
        for kept in json.loads((FIXTURES / "messages_0007.json").read_text("utf-8")):
            channel = channels[kept.pop("channel")]
            channel.messages.append(Message(channel, authors[kept.pop("author")], **kept))

    def old(self, words: str) -> Message:
        return next(one for one in (*self.channel.messages, *self.cards.messages) if words in one.shown)


def _put_back_database(path: Path, age: float) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.executescript(OLD_DATABASE)
        times = file.execute(
            "SELECT tables.name, columns.name FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns"
            " WHERE tables.type = 'table' AND columns.type = 'FLOAT'"
        ).fetchall()
        for table, column in times:
            file.execute(f"UPDATE {table} SET {column} = {column} + ?", (time.time() - age - OLD_NOW,))
        file.commit()


def _bring_to(path: Path, schema: str) -> None:
    with create_engine(f"sqlite:///{path}").begin() as connection:
        migrations._change(connection, schema)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[OldTown]:
    async with OldTown(tmp_path) as town:
        yield town


async def test_buttons_under_old_messages_answer(town: OldTown) -> None:
    conclusions = town.old("here is what Bits AI found")
    await town.ana.click("Details", on=conclusions)
    await town.ana.waits_for_modal("logrotate fails")
    await town.ben.click("👍 Helpful", on=conclusions)
    await town.slack.wait_for(lambda: "Noted as right" in town.ben.sees)
    await town.ben.click("Attach to case", on=conclusions)
    await town.ben.waits_for_modal("Paste Datadog links")

    await town.eva.click("Create case", on=town.old("Investigate with Bits AI?"))
    await town.eva.waits_for_modal("Description")

    card = town.old("[Unmute]")
    await town.eva.click("Unmute", on=card)
    await town.slack.wait_for(lambda: "Unmuted by @eva" in card.shown)


async def test_what_was_asked_is_there_and_what_waited_is_carried_out(town: OldTown) -> None:
    await town.slack.wait_for(lambda: any("on host:web-7" in card.shown for card in town.cards.messages))
    await town.slack.wait_for(lambda: "The status was not set to Closed on CASEM-42." in town.ben.sees)

    await town.ana.open_home()
    await town.ana.waits_for(lambda: town.ana.home and "Queue is long" in town.ana.home.text)
    await town.eva.command("/bits", "audit", in_=town.channel)
    await town.slack.wait_for(lambda: "Disk almost full on host:web-9" in town.eva.sees)


# As a process left it that was killed in the middle of everything.
IN_FLIGHT = (
    "UPDATE asks SET state = 'received', owner = 'dead', attempt = 1 WHERE id = 1",
    "UPDATE investigations SET state = 'requested', owner = 'dead', attempt = 1, datadog_id = NULL WHERE id = 1",
    "UPDATE investigations SET state = 'triggering', owner = 'dead', before_ids = '[]', datadog_id = NULL WHERE id = 2",
    (
        "UPDATE investigations SET state = 'running', datadog_id = 'run', started_at = created_at, deadline_at = created_at + 60"
        " WHERE id = 3"
    ),
    "UPDATE deliveries SET state = 'sending', owner = 'dead', shown = 0, ts = NULL WHERE kind = 'card' AND subject_id = 4",
    "UPDATE case_orders SET state = 'ordered', told = 0, owner = 'dead', problem = NULL WHERE id = 3",
)
STILL_OPEN = (
    "SELECT 'ask', id FROM asks WHERE state IN ('received', 'waiting') AND id = 1",
    "SELECT 'run', id FROM investigations WHERE state IN ('requested', 'triggering', 'running') AND id < 4",
    "SELECT 'message', id FROM deliveries WHERE state != 'refused' AND shown < wanted AND subject_id = 4",
    "SELECT 'case', id FROM case_orders WHERE id = 3 AND (state IN ('ordered', 'creating', 'created') OR NOT told)",
)
RELEASED_SCHEMAS = sorted(path.name[:4] for path in Path(migrations.__file__).parent.glob("versions/[0-9]*.py"))


@pytest.mark.parametrize("schema", RELEASED_SCHEMAS)
async def test_work_in_flight_is_brought_to_its_end(tmp_path: Path, schema: str) -> None:
    town = OldTown(tmp_path, schema=schema)
    with closing(sqlite3.connect(town.file)) as file:
        before = {each: file.execute(each).fetchall() for each in STILL_OPEN}
        changed = [file.execute(each).rowcount for each in IN_FLIGHT]
        file.commit()
        assert all(changed), changed
        assert [each for each in STILL_OPEN if len(file.execute(each).fetchall()) <= len(before[each])] == []
    async with town:
        for _ in range(800):  # the last of it is written after Slack was told
            if not (still := _still_open(town.file)):
                break
            await asyncio.sleep(0.05)
    assert still == []
    with closing(sqlite3.connect(town.file)) as file:
        ended = file.execute("SELECT id, state FROM investigations WHERE id < 4 ORDER BY id").fetchall()
    # this Datadog knows neither alert nor run; what was being sent is looked for, and not sent again
    assert ended == [(1, "failed"), (2, "uncertain"), (3, "failed")]


def _still_open(path: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(path, timeout=30)) as file:
        return [row for each in STILL_OPEN for row in file.execute(each).fetchall()]


async def test_what_nobody_can_ask_for_any_more_is_removed_by_itself(tmp_path: Path) -> None:
    async with OldTown(tmp_path, age=2 * Kept.CONCLUSIONS.days * DAY, timing=replace(QUICK, first_removal=0.0)):
        pass  # a stop lets the round under way end

    with closing(sqlite3.connect(tmp_path / "bits.sqlite3")) as file:
        assert file.execute("SELECT count(*) FROM insight_drafts").fetchone() == (0,)
        assert file.execute("SELECT count(*) FROM workspace_rules").fetchone() != (0,)


async def test_what_the_operator_keeps_for_fewer_days_is_removed_sooner(tmp_path: Path) -> None:
    class ForgetfulTown(OldTown):
        def settings(self) -> Settings:
            return super().settings().model_copy(update={"bits_keep_audit_days": 10})

    async with ForgetfulTown(tmp_path, age=20 * DAY, timing=replace(QUICK, first_removal=0.0)) as town:
        await town.eva.command("/bits", "audit", in_=town.channel)
        await town.slack.wait_for(lambda: "Kept for 10 days" in town.eva.sees)

    with closing(sqlite3.connect(tmp_path / "bits.sqlite3")) as file:
        old = file.execute("SELECT count(*) FROM audit WHERE at < ?", (time.time() - 15 * DAY,)).fetchone()[0]
        assert old <= 1  # no number is given out again
        assert file.execute("SELECT count(*) FROM investigations").fetchone()[0] > 1
