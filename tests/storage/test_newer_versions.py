"""Records of a newer version are read by this one, and those of an older one, too; what can't be read is left alone."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from bot.rules.model import CHANNEL_RULES, WORKSPACE_RULES
from bot.schema import metadata
from bot.storage.tables import TypedJson
from tests.storage.test_migrations import old_rows

_TROUBLE = {"kind": "forbidden", "detail": "no", "permission": "cases_write", "wait": 1.0, "about": "U1"}
_ALERT = {"monitor_id": 7, "event_id": "8", "event_ts": 9, "monitor_name": "Disk", "group": "host:a", "host": "app"}
_INSIGHT = ["MONITOR", "/monitors/7", "7"]

# Records of today with all that can stand in them, beside those of the first schema's database.
SAMPLES: dict[str, list[Any]] = {
    "asks.subject": [
        {"kind": "monitor", "monitor_id": 7, "monitor_name": "Disk", "group": "", "host": ""},
        {"kind": "event", "event_id": "8", "host": ""},
        {"kind": "question", "text": "why", "tags": ["a"], "start_ts": 1, "end_ts": 2, "background": "b"},
        {"kind": "existing", "investigation_id": "x", "alert": _ALERT, "host": ""},
        {"kind": "thread"},
        {"kind": "message", "message": {}, "trigger_id": ""},
        {"kind": "again", "number": 3},
    ],
    "alert_messages.subject": [_ALERT, {"monitor_id": 7, "monitor_name": "Disk", "group": "", "host": ""}],
    "alert_cases.problem": [_TROUBLE],
    "case_acts.problem": [_TROUBLE],
    "cases.unseen": [_TROUBLE],
    "case_orders.problem": [_TROUBLE],
    "case_orders.notes": [[["insights", _TROUBLE]]],
    "case_escalations.form": [
        {"title": "Down", "severity": "SEV-1", "impact": "all", "team": "sre", "urgency": "high"}
    ],
    "case_escalations.made": [{"id": "1", "name": "IR-1", "url": "https://x"}],
    "case_escalations.problem": [_TROUBLE],
    "insight_submits.comment_problem": [_TROUBLE],
    "insight_submits.outcome": [
        [{"number": 1, "done": [_INSIGHT], "refused": [[_INSIGHT, _TROUBLE]], "open": [_INSIGHT], "problem": _TROUBLE}]
    ],
    "held_asks.subject": [{"kind": "alert", **_ALERT}],
    "investigations.failure": [_TROUBLE],
}

# What every version has written since the first. A member that comes later has a default: rows are there without it.
ALWAYS_THERE = {
    "cause",  # which is `kind` in older rows, as `why` is
    "why",
    "event_id",
    "event_ts",
    "investigation_id",
    "kind",
    "latest",
    "message",
    "monitor_id",
    "number",
    "text",
    "transition",
    "title",
    "summary",
    "description",
    "type",
    "ref",
    "resource_id",
}


def columns() -> Iterator[tuple[str, Any]]:
    """Each column of records, with what reads it."""
    for table in metadata.sorted_tables:
        for column in table.c:
            if isinstance(column.type, TypedJson):
                yield f"{table.name}.{column.name}", column.type.adapter
    yield "channel_rules.content", CHANNEL_RULES
    yield "workspace_rules.content", WORKSPACE_RULES


COLUMNS = [pytest.param(name, adapter, id=name) for name, adapter in columns()]
OLD_ROWS = old_rows()


def records(name: str) -> list[Any]:
    table, _, column = name.partition(".")
    beside = {"workspace": "T1", "channel": "C1"} if table.endswith("_rules") else None
    old = [row[column] for row in OLD_ROWS.get(table, ()) if row.get(column) is not None]
    told = [*old, *SAMPLES.get(name, [])]
    return [{**each, **beside} for each in told] if beside else told


def places(stored: Any, path: tuple[Any, ...] = (), *, in_list: bool = False) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Everything in a record that has members of its own: objects, and lists of known length, which stand in lists."""
    if path and path[-1] == "message":
        return  # Slack's own
    if isinstance(stored, dict) or (isinstance(stored, list) and in_list):
        yield path, stored
    for key, value in (
        stored.items() if isinstance(stored, dict) else enumerate(stored) if isinstance(stored, list) else ()
    ):
        yield from places(value, (*path, key), in_list=isinstance(stored, list))


def at(stored: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        stored = stored[key]
    return stored


@pytest.mark.parametrize(("name", "adapter"), COLUMNS)
def test_what_a_newer_version_adds_is_passed_over(name: str, adapter: Any) -> None:
    assert records(name), f"{name}: no record to try"
    for stored in records(name):
        read = adapter.validate_python(deepcopy(stored))
        for path, _ in places(stored):
            newer = deepcopy(stored)
            place = at(newer, path)
            if isinstance(place, dict):
                place["invented_later"] = {"deep": [1]}
            else:
                place.append({"deep": [1]})
            assert adapter.validate_python(newer) == read, path


@pytest.mark.parametrize(("name", "adapter"), COLUMNS)
def test_what_an_older_version_did_not_know_has_a_default(name: str, adapter: Any) -> None:
    for stored in records(name):
        for path, place in places(stored):
            for member in set(place if isinstance(place, dict) else ()) - ALWAYS_THERE - {"workspace", "channel"}:
                older = deepcopy(stored)
                del at(older, path)[member]
                try:
                    adapter.validate_python(older)
                except ValidationError as error:
                    pytest.fail(f"without {(*path, member)}: {error}")
