"""Which alerts a filter means."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.rules.model import TRANSITIONS, AlertFacts, AlertFilter, CaseDefaults, ChannelRules, Starters

ALERT = AlertFacts(7, "host:web-1", 2, frozenset({"team:core", "env:prod"}), "alert")
EVERYTHING = AlertFilter(frozenset({"team:core"}), frozenset({1, 2}), frozenset({7}), frozenset({"alert", "warn"}))

tags = st.frozensets(st.sampled_from(["team:core", "team:web", "env:prod", "env:dev"]))
filters = st.builds(
    AlertFilter,
    tags,
    st.frozensets(st.integers(1, 5)),
    st.frozensets(st.integers(1, 9)),
    st.frozensets(st.sampled_from(TRANSITIONS)),
)
facts = st.builds(
    AlertFacts,
    st.integers(1, 9),
    st.just(""),
    st.none() | st.integers(1, 5),
    tags,
    st.sampled_from(TRANSITIONS),
)


def test_an_empty_filter_means_every_alert() -> None:
    assert AlertFilter().matches(ALERT)
    assert AlertFilter().matches(AlertFacts(1))


def test_every_member_has_to_fit() -> None:
    assert EVERYTHING.matches(ALERT)
    misfits = [
        replace(ALERT, tags=frozenset({"env:prod"})),
        replace(ALERT, priority=3),
        replace(ALERT, priority=None),
        replace(ALERT, monitor_id=8),
        replace(ALERT, transition="no data"),
    ]
    assert [EVERYTHING.matches(each) for each in misfits] == [False] * 5


def test_of_tags_all_must_be_there_and_case_does_not_matter() -> None:
    both = AlertFilter(tags=frozenset({"Team:Core", "env:prod"}))
    assert both.matches(ALERT)
    assert not both.matches(replace(ALERT, tags=frozenset({"team:core"})))


@given(filters, facts)
def test_one_more_demand_never_lets_more_in(known: AlertFilter, alert: AlertFacts) -> None:
    for stricter in (
        replace(known, tags=known.tags | {"team:core"}),
        replace(known, monitors=known.monitors & {alert.monitor_id} or frozenset({alert.monitor_id})),
    ):
        if stricter.matches(alert):
            assert replace(stricter, tags=frozenset(), monitors=frozenset()).matches(alert)


ids = st.text("ABC123", min_size=3, max_size=8)
some_rules = st.builds(
    ChannelRules,
    workspace=st.just("T1"),
    channel=st.just("C1"),
    org=st.sampled_from(["", "default", "eu"]),
    route=st.none() | filters,
    is_default=st.booleans(),
    nudge=st.booleans(),
    auto=st.none() | filters,
    cooldown_minutes=st.integers(0, 10_080),
    budget_per_day=st.none() | st.integers(0, 10_000),
    case=st.builds(CaseDefaults, st.text(max_size=64), st.text(max_size=64)),
    starters=st.builds(
        Starters,
        st.booleans(),
        st.lists(ids.map(lambda tail: f"S{tail}"), unique=True).map(tuple),
        st.lists(ids.map(lambda tail: f"U{tail}"), unique=True).map(tuple),
        st.booleans(),
        st.booleans(),
    ),
    broadcast=st.booleans(),
)
