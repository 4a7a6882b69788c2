"""A cycle is what its events make it, in whatever order and however often they arrive."""

import json
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.sqlite import dialect

from bot.alerts.model import MOST_MOMENTS, Cycle, Notice, Transition, joined, standing
from bot.alerts.tables import alert_cycles
from bot.model import AlertRef, MonitorRef
from bot.storage.tables import TypedJson
from tests.alerts.conftest import NOW_MS, notice

ALERT, WARN, RECOVERED, RENOTIFY = Transition.ALERT, Transition.WARN, Transition.RECOVERED, Transition.RENOTIFY

SQLITE = dialect()

events = st.builds(
    lambda transition, at, snapshot: notice(transition, at, snapshot=snapshot),
    st.sampled_from(Transition),
    st.integers(0, 30),
    st.sampled_from(["", "a", "b"]),
)


def cycle_of(*notices: Notice) -> Cycle:
    cycle: Cycle | None = None
    for each in notices:
        cycle = joined(cycle, each)
    assert cycle is not None
    return cycle


@given(st.lists(events, min_size=1, max_size=8, unique_by=lambda each: each.order), st.randoms())
def test_order_and_repetition_do_not_matter(told: list[Notice], random: object) -> None:
    shuffled = [*told, *told[: len(told) // 2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert cycle_of(*shuffled) == cycle_of(*sorted(told, key=lambda each: each.order))


@given(st.lists(events, min_size=1, max_size=5))
def test_a_cycle_survives_being_written_down(told: list[Notice]) -> None:
    cycle = cycle_of(*told)
    column = alert_cycles.c.content.type
    assert isinstance(column, TypedJson)
    written = json.dumps(column.process_bind_param(cycle, SQLITE))
    assert column.process_result_value(json.loads(written), SQLITE) == cycle


def test_a_late_trigger_does_not_undo_the_recovery() -> None:
    for order in permutations([notice(ALERT, 0), notice(WARN, 60), notice(RECOVERED, 120)]):
        now = standing(cycle_of(*order))
        assert now.state is RECOVERED
        assert now.lasted == 120


def test_a_trigger_after_the_recovery_is_trouble_again() -> None:
    told = [notice(ALERT, 0), notice(RECOVERED, 60), notice(ALERT, 300)]
    for order in permutations(told):
        now = standing(cycle_of(*order))
        assert now.state is ALERT
        assert now.since == NOW_MS + 300_000
        assert isinstance(now.subject, AlertRef)
        assert now.subject.event_id == told[2].event_id


def test_a_recovery_alone_has_no_beginning() -> None:
    now = standing(cycle_of(notice(RECOVERED)))
    assert (now.state, now.since, now.lasted) == (RECOVERED, None, None)
    assert now.subject == MonitorRef(42, "Disk almost full", "host:web-1")


def test_a_recovery_told_twice_ended_the_first_time() -> None:
    assert standing(cycle_of(notice(ALERT), notice(RECOVERED, 60), notice(RECOVERED, 90))).lasted == 60


def test_repetitions_keep_the_state_and_the_event_that_is_investigated() -> None:
    began = notice(WARN, 0)
    now = standing(cycle_of(began, notice(RENOTIFY, 60), notice(RENOTIFY, 120)))
    assert now.state is WARN
    assert isinstance(now.subject, AlertRef)
    assert now.subject.event_id == began.event_id


def test_the_worst_of_it_is_what_is_investigated() -> None:
    worst = notice(ALERT, 60)
    now = standing(cycle_of(notice(WARN, 0), worst, notice(ALERT, 120), notice(WARN, 180)))
    assert now.state is WARN
    assert now.since == NOW_MS
    assert isinstance(now.subject, AlertRef)
    assert now.subject.event_id == worst.event_id


def test_weeks_of_repetition_do_not_push_out_the_beginning() -> None:
    told = [notice(ALERT, 0), *(notice(RENOTIFY, at) for at in range(60, 60_000, 60))]
    cycle = cycle_of(*told)
    assert standing(cycle).since == NOW_MS
    assert len(cycle.moments) == 3


def test_a_flapping_monitor_does_not_grow_a_row_without_end() -> None:
    flapping = [notice(ALERT if at % 2 else RECOVERED, at) for at in range(400)]
    cycle = cycle_of(*flapping)
    assert len(cycle.moments) == MOST_MOMENTS
    assert standing(cycle).state is ALERT


def test_a_test_and_an_alert_without_a_monitor_are_nothing_to_investigate() -> None:
    assert standing(cycle_of(notice(test=True))).subject is None
    assert standing(cycle_of(notice(monitor_id=0))).subject is None


def test_without_an_event_its_monitor_is_meant() -> None:
    assert standing(cycle_of(notice(event_id=""))).subject == MonitorRef(42, "Disk almost full", "host:web-1")
