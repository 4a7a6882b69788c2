"""What stands in JSON columns: rows that earlier versions wrote are read, and theirs can read what is written now."""

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import Column
from sqlalchemy.dialects.sqlite import dialect

from bot.alerts.model import Cycle, Moment, Notice, Transition
from bot.alerts.tables import alert_cycles, alert_messages, alert_notices, alert_starts
from bot.model import AlertRef, MonitorRef
from bot.rules.model import AlertFacts
from bot.storage.tables import TypedJson

SQLITE = dialect()

NOTICE_ROW = {
    "event_ts": 1_700_000_000_000,
    "transition": "no data",
    "word": "No data",
    "monitor_id": 42,
    "event_id": "7",
    "cycle": "c1",
    "group_key": "host:a",
    "group": "host:a",
    "name": "Disk",
    "priority": 2,
    "value": "99 %",
    "tags": ["team:core"],
    "snapshot": "",
    "test": False,
    "message": "",
}
A_NOTICE = Notice(
    1_700_000_000_000,
    Transition.NO_DATA,
    "No data",
    42,
    "7",
    "c1",
    "host:a",
    "host:a",
    "Disk",
    2,
    "99 %",
    ("team:core",),
)
MOMENTS = [[1_700_000_000_000, "7", "no data"], [1_700_000_060_000, "", "recovered"]]
CYCLE = Cycle(
    A_NOTICE,
    replace(A_NOTICE, event_id="8"),
    (Moment(1_700_000_000_000, "7", Transition.NO_DATA), Moment(1_700_000_060_000, "", Transition.RECOVERED)),
)
MONITOR_ROW = {"monitor_id": 42, "monitor_name": "Disk", "group": "host:a", "host": "app.datadoghq.eu"}
ALERT_ROW = {**MONITOR_ROW, "event_id": "7", "event_ts": 1_700_000_000_000, "thread": ""}
LATER: dict[str, object] = {"priority": None, "tags": [], "snapshot": ""}  # what an alert of today has beside that
FACTS_ROW = {"monitor_id": 42, "group": "host:a", "priority": None, "tags": ["team:core"], "transition": "warn"}
ALERT = AlertRef(42, "7", 1_700_000_000_000, "Disk", "host:a")


def test_rows_of_earlier_versions_are_read_and_written_alike() -> None:
    cases: list[tuple[Column[Any], Any, object]] = [
        (alert_notices.c.content, NOTICE_ROW, A_NOTICE),
        (alert_cycles.c.content, {"latest": NOTICE_ROW, "trouble": None, "moments": []}, Cycle(A_NOTICE)),
        (
            alert_cycles.c.content,
            {"latest": NOTICE_ROW, "trouble": {**NOTICE_ROW, "event_id": "8"}, "moments": MOMENTS},
            CYCLE,
        ),
        (alert_messages.c.subject, ALERT_ROW, ALERT),
        (alert_messages.c.subject, MONITOR_ROW, MonitorRef(42, "Disk", "host:a")),
        (alert_starts.c.alert, ALERT_ROW, ALERT),
        (alert_starts.c.facts, FACTS_ROW, AlertFacts(42, "host:a", None, frozenset({"team:core"}), "warn")),
    ]
    for column, row, record in cases:
        typed = column.type
        assert isinstance(typed, TypedJson)
        assert typed.process_result_value(row, SQLITE) == record
        assert typed.process_result_value({**row, "of_a_later_version": 1}, SQLITE) == record
        read = typed.process_result_value(row, SQLITE)
        written = {**row, **(LATER if row is ALERT_ROW else {})}
        assert json.loads(json.dumps(typed.process_bind_param(read, SQLITE))) == written


def test_a_row_without_what_came_later_is_read() -> None:
    without = {name: value for name, value in ALERT_ROW.items() if name not in {"host", "thread"}}
    typed = alert_messages.c.subject.type
    assert isinstance(typed, TypedJson)
    assert typed.process_result_value(without, SQLITE) == ALERT
