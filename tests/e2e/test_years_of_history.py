"""After years of use: nothing that people or workers wait for reads more of the database than it is about."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.digest.weekly_digests import WeeklyDigests
from bot.rules.model import AlertFilter, AutoCase, CaseDefaults
from bot.rules.repository import RuleRepository
from bot.rules.tables import channel_rules
from bot.sandbox.slack.people import Person
from bot.wording import AI_WRITTEN
from tests import history
from tests.e2e.alert_town import AlertTown, Route
from tests.e2e.case_town import card_of, sees_it_made
from tests.e2e.town import QUICK
from tests.pg import postgres_url

__all__ = ["postgres_url"]

FEW = 20_000
ROWS = pytest.mark.parametrize(
    "rows", [FEW, pytest.param(500_000, marks=[pytest.mark.faults, pytest.mark.timeout(1800)])]
)
MOST_ROWS = 1_000  # a twentieth of a table
MOST_STEPS = 20  # thousand; a table read from end to end takes sixty

# What may read more, by words of the statement, and why.
MAY = {"count(*) AS count_1 FROM alert_notices": "status counts a day's notices, and they are kept for two weeks"}


class BusyTown(AlertTown):
    """A town whose channel, people and monitor have been busy for years."""

    def __init__(self, folder: Path, url: str, rows: int) -> None:
        super().__init__(folder, timing=replace(QUICK, first_removal=0.0), database_url=url)
        self.url, self.rows = url, rows
        self.eva = self.slack.workspace.add_user("eva", admin=True)
        self.datadog.add_project("CASEM", "Case Management")

    async def start_bot(self) -> None:
        names = {"workspace": self.slack.workspace.id, "channel": self.channel.id, "person": self.ana.id}
        await history.lived_in(self.url, self.rows, **names, monitor=self.monitor.id)
        await super().start_bot()


async def a_day(town: BusyTown) -> None:
    await town.decide(Route(rules={"route": AlertFilter(), "nudge": True}))
    await town.fire(group="host:web-1")
    card = await town.card("Triggered")
    await town.ana.choose("Mute …", "For 1 hour", on=card)
    await town.slack.wait_for(lambda: "[Unmute]" in card.shown)
    await town.ana.click("Investigate", on=card)
    await town.reads(card, "Asked by @ana", AI_WRITTEN)
    conclusions = next(reply for reply in card.replies if AI_WRITTEN in reply.shown)
    await town.ana.click("Full report", on=conclusions)
    await town.ana.waits_for_modal("")
    await town.ana.close()
    await town.ben.click("Right cause", on=conclusions)
    await town.slack.wait_for(lambda: "Noted as right" in town.ben.sees)
    await town.runs_again(town.ana, conclusions)
    await town.datadog.wait_for(lambda: len(town.datadog.triggers()) == 2)
    town.datadog.break_next("POST", "/api/v2/bits-ai/investigations", status=400, body={"errors": []})
    not_taken = await town.alert(group="host:web-3")
    await town.ana.shortcut("investigate_message", on=not_taken.message)
    await town.reads(not_taken.message, "Not started")

    await town.ana.click("Create case", on=conclusions)
    await town.ana.waits_for_modal("Description")
    await town.ana.submit()
    await sees_it_made(town.ana)
    case = await card_of(town, card, "opened this case")
    await town.ben.choose("Set status", "In Progress", on=case)
    await town.slack.wait_for(lambda: "🟠 In Progress" in case.shown)

    posted = await town.alert(group="host:web-2")
    await town.reads(posted.message, "Investigate with Bits AI?")
    await town.ana.shortcut("investigate_message", on=posted.message)
    await town.reads(posted.message, AI_WRITTEN)

    await _case_by_rule(town)

    for command, answer in (
        ("list", "Disk almost full"),
        ("report", "This channel's week"),
        ("status", "Budget today"),
        ("audit", "Disk almost full"),
    ):
        await town.eva.command("/bits", command, in_=town.channel)
        await town.slack.wait_for(partial(_sees, town.eva, answer))
    await tells_the_week(town)
    for person in (town.ana, town.eva):
        await person.open_home()
        await person.waits_for(partial(_shows_home, person))


async def tells_the_week(town: BusyTown) -> None:
    ended = datetime.now(UTC) - timedelta(hours=1)
    await town.decide(Route(rules={"route": AlertFilter(), "digest": f"{ended:%A %H:%M}".lower()}))
    database = town.bot._database
    async with database.transaction() as connection:
        await connection.execute(update(channel_rules).values(changed_at=0.0))
    await WeeklyDigests(database, RuleRepository(database)).step()
    await town.slack.wait_for(lambda: any("This channel's week" in each.shown for each in town.channel.messages))


async def _case_by_rule(town: BusyTown) -> None:
    case = CaseDefaults(create=AutoCase(2, 30), close=True)
    await town.decide(Route(rules={"route": AlertFilter(), "case": case}))
    await town.fire(group="host:web-5", at=town.datadog.world.clock() - 3600)
    card = await town.card("Triggered", "host:web-5")
    await town.reads(card, "Created ")
    await card_of(town, card, "A channel's rule opened this case", "Insights: 2")
    await town.fire(group="host:web-5", transition="alert recovery")
    await town.reads(card, "Closed ")


def _sees(person: Person, words: str) -> bool:
    return words in person.sees


def _shows_home(person: Person) -> bool:
    return person.home is not None and "investigations" in person.home.text


@ROWS
async def test_on_sqlite(tmp_path: Path, rows: int) -> None:
    with history.Recorder() as recorder:
        async with BusyTown(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/bits.sqlite3", rows) as town:
            await a_day(town)
    _few(history.steps_in_sqlite(tmp_path / "bits.sqlite3", recorder.asked), MOST_STEPS * rows // FEW)


@ROWS
async def test_on_postgresql(tmp_path: Path, postgres_url: str, rows: int) -> None:
    with history.Recorder() as recorder:
        async with BusyTown(tmp_path, postgres_url, rows) as town:
            await a_day(town)
    read = await history.rows_in_postgres(postgres_url, recorder.asked, as_if_big=rows == FEW)
    _few(read, MOST_ROWS * rows // FEW)


def _few(read: Mapping[str, int], most: int) -> None:
    told = {" ".join(statement.split()): number for statement, number in read.items()}
    assert len(told) > 100
    too_many = {each: number for each, number in told.items() if number > most and not any(may in each for may in MAY)}
    assert too_many == {}, "\n\n".join(f"{number}: {each}" for each, number in too_many.items())
