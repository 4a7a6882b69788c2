"""A case's card follows what is done in Datadog: one search for all open cards, more seldom the longer nothing happens."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot.cases.tables import case_follows
from bot.sandbox.datadog import FakeUser
from bot.sandbox.slack import Message
from tests.e2e.case_town import case_town, shown
from tests.e2e.town import QUICK, Town

SOON = replace(QUICK, follow=0.1)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with case_town(tmp_path, SOON) as town:
        yield town


def _looks(town: Town) -> int:
    return len(
        [seen for seen in town.datadog.asked("GET", "/api/v2/cases") if "-status" in seen.query.get("filter", "")]
    )


async def _says(town: Town, card: Message, *words: str) -> None:
    await town.slack.wait_for(lambda: all(word in card.shown for word in words))


async def _followed(town: Town) -> int:
    rows = await town.bot._database.all(select(func.count().label("number")).select_from(case_follows))
    return int(rows[0].number)


def _ana(town: Town) -> FakeUser:
    return next(user for user in town.datadog.org.users.values() if user.name == "Ana Lytic")


async def test_what_is_done_in_datadog_shows_on_the_card(town: Town) -> None:
    case, card = await shown(town)
    other, other_card = await shown(town, "Second")
    assert await _followed(town) == 2
    await town.datadog.wait_for(lambda: _looks(town))
    singly = len(town.datadog.asked("GET", f"/api/v2/cases/{case.id}"))

    town.datadog.change_case(case, status_name="In Progress", priority="P1", assignee=_ana(town))
    await _says(town, card, "🟠 In Progress", "🔴 P1", "👤 Ana Lytic")
    town.datadog.change_case(case, insights={("MONITOR", "7"): "/monitors/7"})
    await _says(town, card, "Insights: 1")
    town.datadog.comment_on(case, "It is the log rotation", _ana(town))
    await _says(town, card, "Comments: 1")
    town.datadog.change_case(other, title="Renamed there")
    await _says(town, other_card, "Renamed there")

    asked_for = [seen.query["filter"] for seen in town.datadog.asked("GET", "/api/v2/cases") if "filter" in seen.query]
    assert set(asked_for) == {"-status:closed project:(CASEM)"}
    assert len(town.datadog.asked("GET", f"/api/v2/cases/{case.id}")) == singly


async def test_a_case_closed_archived_or_deleted_there_is_shown_so_and_not_asked_for_again(town: Town) -> None:
    cards = [await shown(town, f"Number {number}") for number in range(3)]
    (closed, _), (archived, _), (deleted, _) = cards
    town.datadog.change_case(closed, status_name="Closed")
    town.datadog.change_case(archived, archived=town.datadog.world.clock())
    del town.datadog.org.case_management.cases[deleted.id]

    for (_, card), words in zip(cards, ("✅ Closed", "(archived)", "no such case any more"), strict=True):
        await _says(town, card, words)
    assert await _followed(town) == 0

    await town.ben.choose("Set status", "Open", on=cards[0][1])  # from here it is followed again
    await _says(town, cards[0][1], "🔵 Open")
    town.datadog.change_case(closed, priority="P2")
    await _says(town, cards[0][1], "🟠 P2")


TROUBLES: list[dict[str, Any]] = [
    {"status": 403},
    {"status": 429, "headers": {"X-RateLimit-Reset": "0.1"}},
    {"status": 500},
    {"drop": "after"},
    {"status": 200, "body": {"data": []}},  # the search knows of nothing: each is asked for by itself
]


async def test_datadogs_troubles_lose_nothing(town: Town) -> None:
    case, card = await shown(town)
    await shown(town, "Second")
    for number, trouble in enumerate(TROUBLES):
        await town.datadog.wait_for(lambda: _looks(town))
        town.datadog.break_next("GET", "/api/v2/cases", times=2, **trouble)
        town.datadog.change_case(case, title=f"Title {number}")
        await _says(town, card, f"Title {number}")
    assert town.ana.sees == ""
    assert town.ben.sees == ""


async def test_it_goes_on_after_a_restart_and_an_older_answer_changes_nothing(town: Town) -> None:
    case, card = await shown(town)
    await town.bot.stop()
    town.datadog.change_case(case, priority="P1")
    await town.start_bot()
    await _says(town, card, "🔴 P1")

    late = case.data()
    late["attributes"] |= {"priority": "P5", "modified_at": "2020-01-01T00:00:00Z"}
    path = f"/api/v2/cases/{case.id}"
    town.datadog.break_next("GET", path, times=3, status=200, body={"data": late})
    before = len(town.datadog.asked("GET", path))
    await town.datadog.wait_for(lambda: len(town.datadog.asked("GET", path)) > before + 3)
    await town.ben.choose("Set status", "In Progress", on=card)
    await _says(town, card, "🟠 In Progress", "🔴 P1")


async def test_after_a_month_of_silence_nobody_looks_until_something_happens(town: Town) -> None:
    case, card = await shown(town)
    month_ago = case_follows.c.changed_at - 31 * 86_400
    await town.bot._database.write(update(case_follows).values(changed_at=month_ago))
    other, other_card = await shown(town, "Second")
    for title in ("Once", "Twice"):  # what is due is taken together
        town.datadog.change_case(other, title=title)
        await _says(town, other_card, title)
    assert await _followed(town) == 1
    town.datadog.change_case(case, title="Nobody looks")
    await town.ben.choose("Set priority", "P1", on=card)
    await _says(town, card, "🔴 P1", "Nobody looks")
    assert await _followed(town) == 2
