"""What the stories of attaching share: a case somebody opened, links to paste, the window opened and filled."""

import asyncio
from collections.abc import Iterable
from fnmatch import fnmatch
from typing import Any

import pytest
from yarl import URL

from bot.datadog import client, http
from bot.insights import attach_jobs, sending
from bot.sandbox.datadog.case_model import FakeCase
from bot.sandbox.datadog.faults import Fault
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.visible import SeenView
from tests.e2e.town import Town

PASTE = "Paste Datadog links"
INSIGHTS = "/api/v2/cases/*/insights"
COMMENT = "/api/v2/cases/*/comment"


def a_case(town: Town, title: str = "Disk trouble", key: str = "CASEM") -> FakeCase:
    return town.datadog.add_case(title, town.datadog.add_project(key))


def link(town: Town, path: str) -> str:
    return f"{town.datadog.app_url}{path}"


def monitor_links(town: Town, numbers: Iterable[int]) -> list[str]:
    return [link(town, f"/monitors/{number}") for number in numbers]


def hold(case: FakeCase, numbers: Iterable[int]) -> None:
    case.insights |= {("MONITOR", str(number)): f"/monitors/{number}" for number in numbers}


def held(case: FakeCase) -> set[str]:
    return {resource_id for _, resource_id in case.insights}


def puts(town: Town, case: FakeCase) -> list[int]:
    """How many insights each request to attach carried."""
    return _carried(town, case, "PUT")


def deletes(town: Town, case: FakeCase) -> list[int]:
    """How many insights each request to remove carried."""
    return _carried(town, case, "DELETE")


def _carried(town: Town, case: FakeCase, method: str) -> list[int]:
    named = (f"/api/v2/cases/{case.id}/insights", f"/api/v2/cases/{case.key}/insights")
    asked = [seen for seen in town.datadog.journal.requests if seen.method == method and seen.path in named]
    return [len(seen.json["data"]["attributes"]["insights"]) for seen in asked]


async def opens(town: Town, person: Person, case: FakeCase | None = None) -> SeenView:
    """By the command, with its case chosen already; names and what the case has are looked up by then."""
    await person.command("/bits", f"attach {case.key}" if case else "attach", in_=town.channel)
    return await person.waits_for_modal(f"{case.key} · " if case else "No insights listed yet")


async def pastes(person: Person, links: Iterable[str]) -> SeenView:
    """As many batches as a field of 3,000 characters needs."""
    batch: list[str] = []
    for each in links:
        if sum(map(len, batch)) + len(batch) + len(each) > 2_900:
            await _adds(person, batch)
            batch = []
        batch.append(each)
    return await _adds(person, batch)


async def _adds(person: Person, batch: list[str]) -> SeenView:
    await person.fill({PASTE: " ".join(batch)})
    await person.press("Add")
    return await person.waits_for(lambda: person.modal if person.modal and not person.modal.fields[PASTE] else None)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses before a repeat, and for a client that is far away, are no part of a story."""
    monkeypatch.setattr(attach_jobs, "_HEAD_START", 0.1)
    monkeypatch.setattr(client, "_BACKOFF", (0.01,))
    monkeypatch.setattr(client, "_RESET_MARGIN", 0.01)
    monkeypatch.setattr(sending, "_PAUSE_BEFORE_REPEAT", 0.01)


def gives_up(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot waits a moment only for the answers that this keeps back, and for all others as long as ever."""
    exchange = http.Http._exchange

    async def exchange_in_time(connections: http.Http, method: str, url: URL, *rest: Any) -> Any:
        is_kept_back = len(fault.hits) < fault.times and not fault._released.is_set()
        is_meant = method == fault.method and fnmatch(url.raw_path, fault.path)
        async with asyncio.timeout(0.3 if is_kept_back and is_meant else 30.0):
            return await exchange(connections, method, url, *rest)

    monkeypatch.setattr(http.Http, "_exchange", exchange_in_time)
