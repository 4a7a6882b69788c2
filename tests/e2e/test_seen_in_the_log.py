"""One investigation can be read in the log from click to answer, as lines for machines and for people."""

import asyncio
import json
import logging
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from bot.logs import ABOUT, JsonLines, TextLines
from bot.sandbox.datadog import Script
from bot.wording import AI_WRITTEN
from tests.e2e.rule_town import RuleTown
from tests.e2e.town import Town

Line = dict[str, str]


class Log:
    def __init__(self, formatter: logging.Formatter) -> None:
        self._stream = StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(formatter)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    async def until(self, words: str) -> None:
        async with asyncio.timeout(30):
            while words not in self.text:  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.02)

    def lines(self) -> list[Line]:
        return [json.loads(line) for line in self.text.splitlines()]

    def about(self, ref: str) -> list[Line]:
        return [line for line in self.lines() if line.get("ref") == ref]


def _kept(formatter: logging.Formatter) -> Iterator[Log]:
    log, root = Log(formatter), logging.getLogger()
    level = root.level
    root.addHandler(log.handler)
    root.setLevel(logging.INFO)
    yield log
    root.removeHandler(log.handler)
    root.setLevel(level)


@pytest.fixture
def log() -> Iterator[Log]:
    yield from _kept(JsonLines())


@pytest.fixture
def log_for_people() -> Iterator[Log]:
    yield from _kept(TextLines())


async def _investigated(town: Town) -> None:
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, "Asked by @ana", AI_WRITTEN)


def _ids(town: Town) -> Line:
    workspace, channel = town.slack.workspace.id, town.channel.id
    return {"workspace": workspace, "channel": channel, "person": town.ana.id}


async def test_one_investigation_from_click_to_answer(town: Town, log: Log) -> None:
    await _investigated(town)
    await log.until("posted: conclusions")
    (asked,) = [line for line in log.lines() if line["message"].startswith("an investigation is asked for")]
    assert _ids(town).items() <= asked.items()
    (accepted,) = [line for line in log.lines() if line["message"] == "investigation accepted"]
    assert accepted["ask"] == asked["ask"]
    told = log.about(accepted["ref"])
    assert [line["message"].split(":")[0] for line in told if line["message"] != "posted: card"] == [
        "investigation accepted",
        "investigation started",
        "investigation ended",
        "posted",
    ]
    assert [line["message"] for line in told].count("posted: card") == 1
    for line in told:
        assert {name: line[name] for name in ("workspace", "channel", "person", "org")} == {
            **_ids(town),
            "org": "default",
        }


async def test_who_joins_and_who_is_refused_has_a_line(tmp_path: Path, log: Log) -> None:
    async with RuleTown(tmp_path) as town:
        town.datadog.plan(Script.held())
        alert = await town.alert()
        await town.ana.shortcut("investigate_message", on=alert.message)
        await town.reads(alert.message, "Investigating")
        await town.ben.shortcut("investigate_message", on=alert.message)
        await log.until("investigation joined")
        await town.ben.mention("investigate", in_=town.channel)
        await log.until("investigation refused")
        (joined,) = [line for line in log.lines() if line["message"] == "investigation joined"]
        (refused,) = [line for line in log.lines() if line["message"].startswith("investigation refused")]
        (accepted,) = [line for line in log.lines() if line["message"] == "investigation accepted"]
        assert (joined["ref"], joined["person"]) == (accepted["ref"], town.ben.id)
        assert {"workspace", "channel", "ask"} <= set(refused)
        assert "ref" not in refused


async def test_two_investigations_are_not_mixed_up(town: Town, log: Log) -> None:
    await _investigated(town)
    other = town.datadog.add_monitor("Another")
    alert = await town.alert(other)
    await town.ben.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, "Asked by @ben", AI_WRITTEN)
    refs = [line["ref"] for line in log.lines() if line["message"] == "investigation accepted"]
    assert len(set(refs)) == 2
    for ref, person in zip(refs, (town.ana, town.ben), strict=True):
        assert {line["person"] for line in log.about(ref)} == {person.id}


async def test_the_log_for_people_shows_the_reference(town: Town, log_for_people: Log) -> None:
    await _investigated(town)
    (line,) = [line for line in log_for_people.text.splitlines() if "investigation accepted" in line]
    assert " [ref=" in line
    assert f"person={town.ana.id} org=default]" in line


def test_what_tracers_add_is_written_down() -> None:
    record = logging.LogRecord("bot", logging.INFO, "", 1, "a line", None, None)
    record.__dict__ |= {"dd.trace_id": "123", "dd.span_id": "0"}  # a zero: outside of any span
    assert "dd.span_id" not in json.loads(JsonLines().format(record))
    assert json.loads(JsonLines().format(record))["dd.trace_id"] == "123"
    assert set(ABOUT).isdisjoint(json.loads(JsonLines().format(record)))
