"""The list being put together."""

from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.insights import InsightDraft, InsightType, Lookup, LookupKind
from bot.insights.attach_form import InsightList
from tests.datadog.conftest import Recognise

ids = st.integers(1, 30).map(str)
lookups = st.one_of(st.none(), st.builds(Lookup, st.sampled_from(LookupKind), st.text(min_size=1)))
drafts = st.builds(InsightDraft, st.sampled_from(InsightType), ids, st.text(min_size=1), st.text(min_size=1), lookups)


def monitor(number: int, label: str = "") -> InsightDraft:
    return InsightDraft(InsightType.MONITOR, str(number), f"/monitors/{number}", label or f"Monitor {number}")


def numbers(insights: InsightList) -> list[int]:
    return [int(line.resource_id) for line in insights.to_send]


def test_several_pastes_make_one_list_without_duplicates(pasted: Recognise) -> None:
    first = pasted("https://app.datadoghq.com/monitors/1 https://app.datadoghq.com/incidents/42")
    second = pasted("https://app.datadoghq.com/monitors/1/edit https://app.datadoghq.com/monitors/2 nonsense")
    insights = InsightList().add(first.drafts).add(second.drafts).put_aside(second.set_aside)
    assert [line.label for line in insights.lines] == ["Monitor 1", "Incident 42", "Monitor 2"]
    assert insights.counter == "3 of 3 chosen"
    assert insights.summary == "2 monitors, 1 incident"
    assert [piece.url for piece in insights.set_aside] == ["nonsense"]
    assert insights.put_aside(second.set_aside) == insights


def test_what_the_case_holds_is_marked_and_not_sent_again() -> None:
    insights = InsightList().add([monitor(1), monitor(2)]).mark_on_case([("MONITOR", "2"), ("MONITOR", "9")])
    assert numbers(insights) == [1]
    assert [line.resource_id for line in insights.on_case] == ["2"]
    assert insights.counter == "1 of 1 chosen"
    assert numbers(insights.mark_on_case([])) == [1, 2]


def test_choosing_touches_only_what_was_shown() -> None:
    insights = InsightList().add(monitor(number) for number in range(1, 6))
    shown = [line.handle for line in insights.lines[:3]]
    assert numbers(insights.choose([shown[1]], among=shown)) == [2, 4, 5]


def test_pasting_something_again_chooses_it_and_keeps_its_name() -> None:
    offered = InsightList().add([monitor(1), monitor(2)])
    nothing = offered.choose([], among=[line.handle for line in offered.lines])
    assert numbers(nothing) == []
    again = nothing.add([monitor(2, "other label")])
    assert (numbers(again), again.lines[1].label) == ([2], "Monitor 2")


def test_labels_arrive_later() -> None:
    insights = InsightList().add([monitor(1), monitor(2)]).relabel({("MONITOR", "1"): "High latency · monitor"})
    assert [line.label for line in insights.lines] == ["High latency · monitor", "Monitor 2"]


def test_handles_are_short_and_tell_drafts_apart() -> None:
    handles = {monitor(number).handle for number in range(300)}
    assert len(handles) == 300
    assert all(len(handle) <= 75 for handle in handles)


@given(st.lists(drafts), st.lists(drafts))
def test_merging_keeps_places_and_loses_nothing(first: list[InsightDraft], second: list[InsightDraft]) -> None:
    one, both = InsightList().add(first), InsightList().add(first).add(second)
    keys = [line.key for line in both.lines]
    assert keys == list(dict.fromkeys(draft.key for draft in (*first, *second)))
    assert both.lines[: len(one.lines)] == one.lines
