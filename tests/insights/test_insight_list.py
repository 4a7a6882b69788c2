"""The list being put together, and that it survives the draft store."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.insight_drafts import InsightDraft, Lookup, LookupKind, Reason, SetAside
from bot.datadog.insight_types import InsightType
from bot.insights.drafts import InsightList
from bot.insights.saved import from_json, to_json
from tests.datadog.conftest import Recognise

ids = st.integers(1, 30).map(str)
lookups = st.one_of(st.none(), st.builds(Lookup, st.sampled_from(LookupKind), st.text(min_size=1)))
drafts = st.builds(InsightDraft, st.sampled_from(InsightType), ids, st.text(min_size=1), st.text(min_size=1), lookups)
pieces = st.builds(
    SetAside,
    st.text(min_size=1),
    st.sampled_from(Reason),
    st.text(),
    st.booleans(),
    st.one_of(st.none(), st.sampled_from(InsightType)),
    st.text(),
)


def monitor(number: int, label: str = "") -> InsightDraft:
    return InsightDraft(InsightType.MONITOR, str(number), f"/monitors/{number}", label or f"Monitor {number}")


def numbers(insights: InsightList) -> list[int]:
    return [int(draft.resource_id) for draft in insights.to_send]


@st.composite
def lists(draw: st.DrawFn) -> InsightList:
    insights = InsightList().add(draw(st.lists(drafts))).add(draw(st.lists(drafts)), chosen=False)
    insights = insights.put_aside(draw(st.lists(pieces)))
    known = [draft.key for draft in insights.drafts]
    return insights.mark_on_case(draw(st.lists(st.sampled_from(known), max_size=5)) if known else [])


def test_several_pastes_make_one_list_without_duplicates(pasted: Recognise) -> None:
    first = pasted("https://app.datadoghq.com/monitors/1 https://app.datadoghq.com/incidents/42")
    second = pasted("https://app.datadoghq.com/monitors/1/edit https://app.datadoghq.com/monitors/2 nonsense")
    insights = InsightList().add(first.drafts).add(second.drafts).put_aside(second.set_aside)
    assert [draft.label for draft in insights.drafts] == ["Monitor 1", "Incident 42", "Monitor 2"]
    assert insights.counter == "3 of 3 chosen"
    assert insights.summary == "2 monitors, 1 incident"
    assert [piece.url for piece in insights.set_aside] == ["nonsense"]
    assert insights.put_aside(second.set_aside) == insights
    assert insights.drop_set_aside().set_aside == ()


def test_what_the_case_holds_is_marked_and_not_sent_again() -> None:
    insights = InsightList().add([monitor(1), monitor(2)]).mark_on_case([("MONITOR", "2"), ("MONITOR", "9")])
    assert numbers(insights) == [1]
    assert insights.on_case == (monitor(2),)
    assert insights.counter == "1 of 2 chosen, 1 already on the case"
    assert numbers(insights.mark_on_case([])) == [1, 2]


def test_choosing_touches_only_what_was_shown() -> None:
    insights = InsightList().add(monitor(number) for number in range(1, 6))
    shown = [draft.handle for draft in insights.drafts[:3]]
    assert numbers(insights.choose([shown[1]], among=shown)) == [2, 4, 5]
    assert numbers(insights.choose([shown[1]])) == [2]
    assert numbers(insights.choose([])) == []
    assert InsightList().counter == "Nothing listed yet"


def test_pasting_something_again_chooses_it() -> None:
    offered = InsightList().add([monitor(1), monitor(2)], chosen=False)
    assert numbers(offered) == []
    assert numbers(offered.add([monitor(2, "other label")])) == [2]
    assert offered.add([monitor(2, "other label")]).drafts[1].label == "Monitor 2"
    assert numbers(offered.add([monitor(1)]).add([monitor(1)], chosen=False)) == [1]


def test_lines_can_be_taken_off() -> None:
    insights = InsightList().add([monitor(1), monitor(2)])
    assert numbers(insights.remove([monitor(1).handle])) == [2]


def test_labels_arrive_later() -> None:
    insights = InsightList().add([monitor(1), monitor(2)]).relabel({("MONITOR", "1"): "Monitor: High latency"})
    assert [draft.label for draft in insights.drafts] == ["Monitor: High latency", "Monitor 2"]


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])])
def test_requests_hold_a_hundred(count: int, sizes: list[int]) -> None:
    insights = InsightList().add(monitor(number) for number in range(count))
    assert [len(batch) for batch in insights.batches()] == sizes
    assert [len(page) for page in insights.pages()] == sizes


def test_handles_are_short_and_tell_drafts_apart() -> None:
    handles = {monitor(number).handle for number in range(300)}
    assert len(handles) == 300
    assert all(len(handle) <= 75 for handle in handles)


@given(lists())
def test_what_is_saved_is_what_is_read(insights: InsightList) -> None:
    assert from_json(to_json(insights)) == insights


json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                st.text(max_size=4),
                st.sampled_from(["lines", "set_aside", "type", "resource_id", "ref", "lookup", "id", "kind", "url"]),
            ),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=20,
)


@given(json_values)
def test_anything_else_saved_is_read_without_an_exception(value: Any) -> None:
    assert isinstance(from_json(json.dumps(value)), InsightList)
    wrapped = from_json(json.dumps({"lines": [value], "set_aside": [value]}))
    assert from_json(to_json(wrapped)) == wrapped


@pytest.mark.parametrize("saved", ["", "{", "null", "[]", '{"lines": 7}', "[" * 100_000])
def test_a_damaged_draft_is_an_empty_list(saved: str) -> None:
    assert from_json(saved) == InsightList()


def test_older_and_newer_drafts_keep_what_is_understood() -> None:
    line = {"type": "MONITOR", "resource_id": "1", "ref": "/monitors/1", "since": "v9"}
    saved = {
        "lines": [line, line, {"type": "NEW_THING", "resource_id": "1", "ref": "/x"}, {"type": "MONITOR"}],
        "set_aside": [{"url": "https://x.example", "reason": "of_a_later_version", "sentence": "S."}],
    }
    insights = from_json(json.dumps(saved))
    assert insights.drafts == (monitor(1),)
    assert numbers(insights) == [1]
    (piece,) = insights.set_aside
    assert (piece.url, piece.sentence) == ("https://x.example", "S.")


@given(st.lists(drafts), st.lists(drafts))
def test_merging_keeps_places_and_loses_nothing(first: list[InsightDraft], second: list[InsightDraft]) -> None:
    one, both = InsightList().add(first), InsightList().add(first).add(second)
    keys = [draft.key for draft in both.drafts]
    assert keys == list(dict.fromkeys(draft.key for draft in (*first, *second)))
    assert both.drafts[: len(one.drafts)] == one.drafts
    assert [draft for batch in both.batches(7) for draft in batch] == list(both.to_send)
