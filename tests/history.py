"""Years of use in a database: many finished rows in every table that grows, made quickly; and what a statement reads of them."""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from bot.storage.engine import Database
from bot.storage.retention import DAY

SPAN = 380 * DAY  # nothing of it is old enough to go, but for what is kept for a shorter time
_SHORTER = {
    "asks": 85,
    "alert_notices": 13,
    "alert_starts": 13,
    "alert_mutes": 13,
    "sightings": 29,
    "insight_submits": 29,
}

_ALERT = {
    "monitor_id": 7,
    "event_id": "8919984065612897485",
    "event_ts": 1795935281000,
    "monitor_name": "Old",
    "group": "",
}
_CYCLE = {
    "latest": {"event_ts": 1795935281000, "transition": "recovered", "monitor_id": 7, "event_id": "1", "name": "Old"}
}
_PLACED = {"workspace": "{workspace}", "channel": "CASE i % 20 WHEN 0 THEN {channel} ELSE 'C' || (i % 50) END"}
_THREAD = _PLACED | {"thread_ts": "'1700000000.' || i"}
_WORK = {"attempt": "0", "due_at": "{at}"}


def _record(members: Any) -> str:
    return f"'{json.dumps(members)}'".replace("{", "{{").replace("}", "}}")


_JSON_ALERT, _SUBJECT = _record(_ALERT), _record({"kind": "alert", **_ALERT})

# How a row looks, as SQL over its number `i`. `{at}` is its time.
_ROWS: dict[str, dict[str, str]] = {
    "asks": _THREAD | _WORK | {
        "key": "'old:' || i", "org": "'default'", "requester": "{person}", "source": "'shortcut'", "subject": _SUBJECT,
        "state": "CASE i % 20 WHEN 1 THEN 'refused' ELSE 'done' END", "investigation_id": "i", "created_at": "{at}",
    },
    "investigations": _WORK | {
        "ref": "'R' || i", "org": "'default'", "subject_key": "'alert:7:' || i", "run": "1", "subject": _SUBJECT,
        "state": "CASE i % 100 WHEN 1 THEN 'failed' WHEN 2 THEN 'expired' WHEN 3 THEN 'uncertain' ELSE 'concluded' END",
        "requested_by": "{person}", "created_at": "{at}", "started_at": "{at}", "finished_at": "{at}",
        "monitor_id": "CASE i % 10 WHEN 0 THEN {monitor} ELSE i % 500 END", "datadog_id": "'run-' || i",
        "adopted": "FALSE", "presumed": "FALSE", "verdict": "'conclusive'", "version": "3", "conclusions": "'[]'",
    },
    "subscribers": _THREAD | {
        "investigation_id": "i", "source": "'shortcut'", "created_at": "{at}",
        "requester": "CASE i % 100 WHEN 0 THEN {person} ELSE 'U' || (i % 90) END",
    },
    "votes": {"investigation_id": "i", "workspace": "{workspace}", "voter": "{person}", "helpful": "TRUE", "voted_at": "{at}"},
    "shares": _THREAD | {
        "key": "'old:' || i", "ref": "'R' || i", "investigation_id": "i", "person": "{person}", "target": "{channel}",
        "note": "''", "created_at": "{at}",
    },
    "charges": _PLACED | {"investigation_id": "i", "day": "20000 + i % 300", "automatic": "FALSE", "returned": "FALSE"},
    "deliveries": _THREAD | _WORK | {
        "kind": "CASE WHEN i * 5 > {rows} * 4 THEN CASE i % 2 WHEN 0 THEN 'card' ELSE 'conclusions' END"
        " ELSE CASE i % 2 WHEN 0 THEN 'alert_card' ELSE 'case_card' END END",
        "key": "'old:' || i", "lane": "'old:' || i", "subject_id": "i", "requester": "{person}", "created_at": "{at}",
        "state": "CASE i % 50 WHEN 7 THEN 'refused' ELSE 'sent' END", "wanted": "3",
        "shown": "CASE i % 50 WHEN 7 THEN 0 ELSE 3 END", "ts": "CASE i % 50 WHEN 7 THEN NULL ELSE '1700000001.' || i END",
        "problem": "CASE i % 50 WHEN 7 THEN 'not_in_channel' END",
    },
    "sightings": _PLACED | {"ts": "'1700000000.' || i", "alert": _JSON_ALERT, "seen_at": "{at}"},
    "alert_notices": _WORK | {
        "key": "'old:' || i", "org": "'default'", "content": _record(_CYCLE["latest"]),
        "state": "CASE i % 10 WHEN 0 THEN 'unrouted' ELSE 'sorted' END", "received_at": "{at}",
    },
    "alert_cycles": {
        "ref": "'R' || i", "org": "'default'", "identity": "'identity ' || i", "generation": "0",
        "content": _record(_CYCLE), "changed_at": "{at}", "muted_by": "''", "downtime_id": "''",
        "unmuted_by": "''",
    },
    "alert_messages": _PLACED | {"ts": "'1700000000.' || i", "subject": _JSON_ALERT, "seen_at": "{at}"},
    "alert_starts": _THREAD | _WORK | {
        "key": "'old:' || i", "org": "'default'", "cycle_id": "i", "alert": _JSON_ALERT, "facts": "'{{}}'",
        "state": "'decided'", "decision": "'started'", "created_at": "{at}",
    },
    "alert_cases": _THREAD | _WORK | {
        "cycle_id": "i", "org": "'default'", "monitor_id": "CASE i % 10 WHEN 0 THEN {monitor} ELSE i % 500 END",
        "state": "'done'", "roused": "TRUE", "made_for": "i", "slot": "'old:' || i", "order_id": "i", "case_row": "i",
        "may_close": "TRUE", "rule": "''", "outcome": "'closed'", "created_at": "{at}",
    },
    "alert_mutes": _THREAD | _WORK | {
        "key": "'old:' || i", "work": "'mute'", "cycle_id": "i", "org": "'default'", "person": "{person}",
        "person_name": "'ana'", "monitor_id": "7", "until": "{at}", "state": "'done'", "created_at": "{at}",
    },
    "cases": {
        "org": "'default'", "case_id": "'case-' || i", "key": "'OLD-' || i", "shown": _record({"title": "Old", "status": "OPEN"}), "version": "1",
        "gone": "FALSE", "seen_at": "{at}",
    },
    "case_places": _THREAD | {"case_row": "i", "requester": "{person}", "touched_at": "{at}"},
    "case_acts": _THREAD | _WORK | {
        "key": "'old:' || i", "case_row": "i", "kind": "'status'", "value": "'Closed'", "said": "'closed it'",
        "state": "'done'", "done_at": "{at}", "created_at": "{at}",
        "person": "CASE i % 100 WHEN 0 THEN {person} ELSE 'U' || (i % 90) END",
    },
    "case_orders": _THREAD | _WORK | {
        "key": "'old:' || i", "ref": "'R' || i", "org": "'default'", "requester": "{person}", "source": "'{{}}'",
        "state": "'done'", "told": "TRUE", "comment": "'done'", "notes": "'{{}}'", "created_at": "{at}", "wanted": "'{{}}'",
        "case_row": "i",
    },
    "case_escalations": _THREAD | _WORK | {
        "key": "'old:' || i", "ref": "'R' || i", "case_row": "i", "person": "{person}", "kind": "'incident'", "form": "'{{}}'",
        "state": "'done'", "created_at": "{at}",
    },
    "insight_submits": _THREAD | _WORK | {
        "key": "'old:' || i", "ref": "'R' || i", "draft_key": "'old:' || i", "view_id": "'V' || i", "work": "'attach'",
        "org": "'default'", "person": "{person}", "case_id": "'case-' || i", "case_key": "'OLD-' || i",
        "outcome": "'[]'", "comment": "''", "comment_state": "'none'", "state": "'done'", "created_at": "{at}",
    },
    "digests": {
        "ref": "'R' || i", "workspace": "{workspace}", "channel": "CASE i % 20 WHEN 0 THEN {channel} ELSE 'C' || (i % 50) END",
        "since": "{at} - 604800", "until": "{at} - 172800",
    },
    "cooldowns": {"workspace": "{workspace}", "monitor_id": "i", "group_hash": "''", "started_at": "{at}"},
    "spending": {"workspace": "{workspace}", "channel": "'C' || (i / 350)", "day": "{today} - i % 350", "used": "3", "automatic": "1"},
    "audit": _THREAD | {
        "key": "'old:' || i", "at": "{at}", "person": "{person}", "source": "'shortcut'", "decision": "'started'",
        "rule": "''", "what": "'Old alert'", "budget": "''", "investigation_id": "i",
    },
}  # fmt: skip

BIG = frozenset(_ROWS)


async def lived_in(url: str, rows: int, **names: Any) -> None:
    """A database with so many finished rows in each table that grows; `names` are those of the story's world."""
    database = Database(url)
    await database.open()
    async with database._unlimited() as engine, engine.begin() as connection:
        await connection.run_sync(partial(_fill, rows=rows, now=time.time(), **names))
        if not database.is_sqlite:  # which does this by itself after a while
            await connection.execute(text("ANALYZE"))
    await database.close()


def _fill(connection: Connection, rows: int, now: float, **names: Any) -> None:
    told = {name: value if isinstance(value, int) else f"'{value}'" for name, value in names.items()}
    for table, columns in _ROWS.items():
        span = _SHORTER.get(table, SPAN / DAY) * DAY
        at = f"({now - span} + {span / (rows + 1)} * i)"
        values = ", ".join(value.format(at=at, rows=rows, today=int(now / DAY), **told) for value in columns.values())
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
        connection.exec_driver_sql(f"{numbers} INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM n")


# -- what is read ---------------------------------------------------------------------------------------------------


class Recorder:
    """Every statement of a bot with the first and the last parameters it was given."""

    def __init__(self) -> None:
        self.asked: dict[str, list[Any]] = {}

    def __enter__(self) -> Self:
        event.listen(Engine, "before_cursor_execute", self._asked)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._asked)

    def _asked(
        self, _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        ours = statement.startswith(("SELECT", "WITH chosen", "UPDATE", "DELETE", "INSERT"))  # not how it was filled
        if ours and any(each in statement for each in BIG):
            told = self.asked.setdefault(statement, [])
            in_one = not many or "), (" in statement  # SQLAlchemy joins the rows of an insert that answers
            told[1:] = [parameters if in_one else parameters[-1]]


def steps_in_sqlite(file: Path, asked: Mapping[str, Sequence[Any]]) -> dict[str, int]:
    """For each statement, how many thousand instructions SQLite takes for it at most; a row that is read takes a few."""
    steps: dict[str, int] = {}
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement, all_told in asked.items():
            for told in all_told:
                count = [0]
                connection.set_progress_handler(partial(_count, count), 1000)
                connection.execute("BEGIN")
                with suppress(sqlite3.IntegrityError):  # it was written by the story itself
                    connection.execute(statement, told).fetchall()
                connection.execute("ROLLBACK")
                steps[statement] = max(steps.get(statement, 0), count[0])
    return steps


def _count(count: list[int]) -> int:
    count[0] += 1
    return 0


async def rows_in_postgres(url: str, asked: Mapping[str, Sequence[Any]], *, as_if_big: bool) -> dict[str, int]:
    """For each statement, how many rows PostgreSQL looks at for it at most.

    A table that is not big it likes to read whole, index or not; `as_if_big` it does so only where there is none.
    """
    rows: dict[str, int] = {}
    settings = {"enable_seqscan": "off" if as_if_big else "on"}
    engine = create_async_engine(url, connect_args={"server_settings": settings})
    async with engine.connect() as connection:
        for statement, all_told in asked.items():
            for told in all_told:
                with suppress(IntegrityError):
                    explained = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", told)
                    (plan,) = explained.scalar_one()
                    looked_at = sum(_rows_of(each) for each in _nodes(plan["Plan"]))
                    rows[statement] = max(rows.get(statement, 0), looked_at)
                await connection.rollback()
    await engine.dispose()
    return rows


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _rows_of(node: dict[str, Any]) -> int:
    if "Scan" not in node["Node Type"] or (node.get("Relation Name") or node.get("Index Name")) is None:
        return 0
    removed = sum(node.get(f"Rows Removed by {what}", 0) for what in ("Filter", "Index Recheck"))
    return int((node["Actual Rows"] + removed) * node["Actual Loops"])
