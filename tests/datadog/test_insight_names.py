"""Names looked up in the background: what is learnt in time is shown, the rest keeps its id."""

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

import pytest

from bot.datadog.errors import DatadogError, Forbidden, NoAnswer, NotFound, RateLimited
from bot.datadog.insights import Incidents, InsightDraft, InsightKey, InsightType, draft, event_draft, look_up_labels
from bot.datadog.monitors import Monitor, Monitors


class Named:
    """Datadog's monitors: `names` holds a name, an error, or an event to wait for."""

    def __init__(self, names: dict[int, str | DatadogError | asyncio.Event]) -> None:
        self.names = names
        self.asked: list[int] = []
        self.under_way = 0
        self.most_under_way = 0
        self.first_question = asyncio.Event()

    async def get(self, monitor_id: int, /) -> Monitor:
        self.asked.append(monitor_id)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            self.first_question.set()
            await asyncio.sleep(0)
            name = self.names[monitor_id]
            if isinstance(name, asyncio.Event):
                await name.wait()
                name = "too late"
            if isinstance(name, DatadogError):
                raise name
            return Monitor(name)
        finally:
            self.under_way -= 1


class NamedIncidents:
    async def title(self, incident: str, /) -> str:
        if incident == "404":
            raise NotFound("no such incident", status=404)
        return "Checkout\nis down"


async def look_up(
    drafts: Iterable[InsightDraft], named: Named, *, at_once: int = 5, seconds: float = 5
) -> dict[InsightKey, str]:
    monitors, incidents = cast("Monitors", named), cast("Incidents", NamedIncidents())
    return await look_up_labels(drafts, monitors=monitors, incidents=incidents, at_once=at_once, seconds=seconds)


async def labels_of(named: Named, *ids: int, at_once: int = 5, seconds: float = 5) -> dict[str, str]:
    wanted = [draft(InsightType.MONITOR, str(one), f"/monitors/{one}") for one in ids]
    found = await look_up(wanted, named, at_once=at_once, seconds=seconds)
    return {resource_id: label for (_, resource_id), label in found.items()}


async def test_monitors_events_and_incidents_get_their_names() -> None:
    named = Named({1: "High   latency"})
    drafts = [
        draft(InsightType.MONITOR, "1", "/monitors/1"),
        event_draft("99", "1"),
        event_draft("98"),
        draft(InsightType.INCIDENT, "42", "/incidents/42"),
        draft(InsightType.INCIDENT, "404", "/incidents/404"),
        draft(InsightType.WIDGET, "7", "/dashboard/a?fullscreen_widget=7"),
    ]
    assert await look_up(drafts, named) == {
        ("MONITOR", "1"): "High latency · monitor",
        ("EVENT", "99"): "High latency · event 99",
        ("INCIDENT", "42"): "Checkout is down · incident 42",
    }
    assert named.asked == [1]


async def test_nothing_to_look_up_asks_nobody() -> None:
    named = Named({})
    assert await labels_of(named) == {}
    assert named.asked == []


async def test_a_slow_one_is_left_at_the_deadline_and_the_others_are_kept() -> None:
    named = Named({1: "High latency", 2: asyncio.Event(), 3: "Errors"})
    assert await labels_of(named, 1, 2, 3, seconds=0.3) == {"1": "High latency · monitor", "3": "Errors · monitor"}
    assert named.under_way == 0


async def test_giving_up_stops_the_questions_under_way() -> None:
    named = Named({1: asyncio.Event()})
    asking = asyncio.create_task(labels_of(named, 1))
    await named.first_question.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert named.under_way == 0


async def test_only_so_many_are_asked_at_once() -> None:
    named = Named({number: f"name {number}" for number in range(1, 21)})
    assert len(await labels_of(named, *range(1, 21), at_once=3)) == 20
    assert named.most_under_way == 3


async def test_one_failure_costs_one_label() -> None:
    cases: list[Callable[[str], DatadogError]] = [NotFound, NoAnswer]
    for make in cases:
        named = Named({1: make("no"), 2: "Errors", 3: ""})
        assert await labels_of(named, 1, 2, 3) == {"2": "Errors · monitor"}


async def test_a_refusal_of_all_is_not_asked_for_again() -> None:
    cases: list[Callable[[str], DatadogError]] = [Forbidden, RateLimited]
    for make in cases:
        named = Named({number: make("no") for number in range(1, 21)})
        assert await labels_of(named, *range(1, 21), at_once=2) == {}
        assert len(named.asked) <= 3


async def test_a_long_name_is_cut() -> None:
    label = (await labels_of(Named({1: "x" * 5000}), 1))["1"]
    assert len(label) == 200
