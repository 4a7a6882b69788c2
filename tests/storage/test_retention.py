"""Every table says how long its rows live and what becomes of them at an uninstall; and so it comes to pass, on both databases."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    Integer,
    Table,
    TableClause,
    column,
    event,
    insert,
    select,
    text,
    update,
)
from sqlalchemy import table as clause
from sqlalchemy.dialects import sqlite

import bot.schema
from bot.alerts.tables import ALERT_CARD, NUDGE, RULE_CASE, alert_cycles, alert_messages, alert_mutes
from bot.cases.tables import CASE_CARD, CASE_COMMENT, case_acts, case_places, cases
from bot.digest.tables import DIGEST
from bot.insights.tables import ATTACHED
from bot.investigations.tables import (
    CARD,
    CONCLUSIONS,
    EARLIER,
    EXPIRED,
    SHARED,
    investigations,
    left_starts,
    poll_turns,
    subscribers,
)
from bot.orgs.tables import alerts_of_settings, webhook_secrets
from bot.rules.tables import audit
from bot.schema import metadata
from bot.storage import retention
from bot.storage.engine import Database
from bot.storage.retention import (
    DAY,
    SOON,
    USUAL,
    AtUninstall,
    Kept,
    Life,
    Lives,
    all_lives,
    forget_workspace,
    is_old,
    remove_old,
    rules,
)
from bot.storage.tables import TypedJson, deliveries
from tests.clock import Clock

TIMED = {table.name: (table, rule.lives) for table, rule in rules.items() if not isinstance(rule.lives, Lives)}

LONG = Kept.CONCLUSIONS.days * DAY

# What Datadog told the operator's own organisation names no workspace.
ITS_ORGS = {"alert_notices"}

# How work looks that may go (for each life of a table), and work that somebody still has to do.
OVER: dict[str, list[dict[str, Any]]] = {
    "asks": [{"state": "done"}],
    "investigations": [{"state": "uncertain"}],
    "case_orders": [{"state": "draft"}, {"state": "refused", "told": True}],
    "insight_submits": [{"state": "done"}],
    "alert_notices": [{"state": "unrouted"}],
    "alert_starts": [{"state": "wanted"}],
    "alert_mutes": [{"state": "unclear"}],
}
UNDER_WAY: dict[str, dict[str, Any]] = {
    "asks": {"state": "waiting"},
    "investigations": {"state": "running"},
    "case_orders": {"state": "refused", "told": False},
    "insight_submits": {"state": "waiting"},
    "alert_notices": {"state": "new"},
    "alert_mutes": {"state": "sending"},
}

# Messages go with what they show.
SHOWN_BY = {
    "investigations": (CARD, CONCLUSIONS, EXPIRED, EARLIER),
    "cases": (CASE_CARD,),
    "insight_submits": (ATTACHED,),
    "alert_cycles": (ALERT_CARD,),
    "alert_messages": (NUDGE,),
    "case_comments": (CASE_COMMENT,),
    "alert_cases": (RULE_CASE,),
    "digests": (DIGEST,),
    "shares": (SHARED,),
}

# A row of each table that has a rule of days, and of each kind of message that has one.
LIVES = [
    pytest.param(table, life, over, id=f"{life.lasts.name}-{table.name}")
    for table, lives in TIMED.values()
    for life, over in zip(lives, OVER.get(table.name, [{}]), strict=True)
    if isinstance(life.lasts, Kept)
] + [
    pytest.param(
        deliveries, part.life, {"kind": SHOWN_BY[table.name][0], "state": "sent"}, id=f"messages of {table.name}"
    )
    for table, rule in rules.items()
    for part in rule.parts
    if part.life is not None
]


def made_up(table: Table, number: int, at: float, **more: Any) -> dict[str, Any]:
    """A row whose numbers are all the same, so that it belongs to the rows of that number in other tables."""

    def value(column: Column[Any]) -> Any:
        if isinstance(column.type, JSON | TypedJson):
            return {}
        if isinstance(column.type, Boolean):
            return True
        if isinstance(column.type, Float):
            return at
        if isinstance(column.type, Integer):
            return int(at / DAY) if column.name == "day" else number
        return f"T{number}"

    return {column.name: value(column) for column in table.columns} | more


async def put(database: Database, table: Table, *rows: dict[str, Any]) -> None:
    async with database.transaction() as connection:
        await connection.execute(insert(_untyped(table)), rows)


def _untyped(table: Table) -> TableClause:
    """The table with plain JSON in place of its records: what is made up here is none."""
    return clause(
        table.name, *(column(each.name, JSON() if isinstance(each.type, TypedJson) else each.type) for each in table.c)
    )


async def put_whole(database: Database, table: Table, number: int, at: float, **more: Any) -> None:
    """A row with everything that belongs to it."""
    await put(database, table, made_up(table, number, at, **more))
    for part in {part.row.table for part in rules[table].parts} - {deliveries}:
        await put(database, part, made_up(part, number, at, **({"state": "done"} if "state" in part.c else {})))
    for index, kind in enumerate(SHOWN_BY.get(table.name, ())):
        more = {"id": number * 10 + index, "key": f"T{number}:{kind}", "kind": kind, "state": "sent"}
        await put(database, deliveries, made_up(deliveries, number, at, **more))


async def left_in(database: Database, table: Table) -> set[int]:
    """The numbers of the rows that are left."""
    async with database.transaction() as connection:
        rows = (await connection.execute(select(table))).all()
    return {int(found[1]) for row in rows if (found := re.search(r"'T(\d+)", str(row)))}


# -- what tables say ------------------------------------------------------------------------------------------------


def test_every_table_says_how_long_its_rows_live_and_what_happens_at_an_uninstall() -> None:
    assert set(rules) == set(metadata.tables.values())


def test_what_says_whose_it_is_is_deleted_or_counts_money_or_patience() -> None:
    named = {table.name: rules[table].at_uninstall for table in rules if "workspace" in table.c}
    assert {table.name for table, rule in rules.items() if rule.at_uninstall is AtUninstall.DELETED} <= set(named)
    kept = {name for name, at_uninstall in named.items() if at_uninstall is not AtUninstall.DELETED}
    assert kept == {"charges", "cooldowns", "spending"}


def test_what_refers_to_a_row_goes_with_it() -> None:
    parts = {part.row for rule in rules.values() for part in rule.parts}
    assert {column.table for column in parts} == {table for table in rules if rules[table].lives is Lives.WITH_ANOTHER}
    assert {key.parent for table in rules for key in table.foreign_keys} <= parts


def test_no_room_is_overlooked() -> None:
    rooms = {path.parent.name for path in Path(bot.schema.__file__).parent.glob("*/tables.py")} - {"slack"}
    assert {module.__name__ for module in vars(bot.schema).values() if isinstance(module, ModuleType)} == {
        f"bot.{room}.tables" for room in rooms
    }


# -- old rows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, (_, lives) in sorted(TIMED.items()) for number in range(len(lives))]
)
async def test_old_rows_go_and_young_and_unfinished_ones_stay(
    database: Database, clock: Clock, name: str, number: int
) -> None:
    table, lives = TIMED[name]
    life, over = lives[number], OVER.get(name, [{}])[number]
    lasts = life.seconds(USUAL)
    old, young = clock.now - lasts - DAY, clock.now - min(lasts / 2, 60 * DAY)
    await put_whole(database, table, 1, old, **over)
    await put_whole(database, table, 2, young, **over)
    await put_whole(database, table, 3, old, **UNDER_WAY.get(name, over))
    await put_whole(database, table, 4, young, **over)

    assert await remove_old(database) is None

    left = {2, 3, 4} if name in UNDER_WAY else {2, 4}
    assert await left_in(database, table) == left
    for part in rules[table].parts:  # some end before what they belong to
        assert await left_in(database, part.row.table) == (left - {3} if part.life else left), part.row.table.name


async def test_a_number_is_not_given_out_again(database: Database, clock: Clock) -> None:
    await put(database, investigations, made_up(investigations, 1, clock.now - LONG - DAY, state="concluded"))
    await remove_old(database)
    assert await left_in(database, investigations) == {1}


@pytest.mark.parametrize(
    ("part", "of", "more"),
    [
        (subscribers, investigations, {}),  # a thread that asked for it only now
        (deliveries, investigations, {"kind": CARD, "state": "pending", "wanted": 1, "shown": 0}),
        (deliveries, investigations, {"kind": CONCLUSIONS, "state": "sent", "wanted": 3, "shown": 2}),
        (case_places, cases, {}),
        (case_acts, cases, {"created_at": 0.0, "state": "sending"}),
        (deliveries, alert_messages, {"kind": NUDGE, "state": "sending", "wanted": 1, "shown": 0}),
    ],
)
async def test_a_row_stays_while_somebody_waits_for_it(
    database: Database, clock: Clock, part: Table, of: Table, more: dict[str, Any]
) -> None:
    state = {"state": "concluded"} if "state" in of.c else {}
    for number in (1, 2):
        await put(database, of, made_up(of, number, clock.now - LONG - DAY, **state))
    await put(database, part, made_up(part, 1, clock.now - DAY, **more))
    await remove_old(database)
    assert await left_in(database, of) == {1, 2}

    clock.wind(LONG)
    async with database.transaction() as connection:
        if "state" in part.c:
            await connection.execute(update(part).values(state="refused"))
    await remove_old(database)
    assert await left_in(database, of) == {2}
    assert await left_in(database, part) == set()


async def test_many_go_in_batches(database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(1, 6):
        await put_whole(database, investigations, number, clock.now - LONG - DAY, state="failed")
    left = []
    for again in (SOON, SOON, None):
        assert await remove_old(database) == again
        left.append(len(await left_in(database, subscribers)))
    assert left == [3, 1, 1]


async def test_a_table_in_trouble_holds_up_no_other(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A row of a newer version refers to an investigation, which this version does not know how to remove."""
    await put_whole(database, investigations, 1, clock.now - LONG - DAY, state="failed")
    await put_whole(database, investigations, 2, clock.now)
    await put(database, audit, *(made_up(audit, number, clock.now - LONG - DAY) for number in (1, 2)))
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE later (of_it BIGINT REFERENCES investigations (id))"))
        await connection.execute(text("INSERT INTO later VALUES (1)"))
    assert await remove_old(database) is None
    assert "old rows of investigations could not be removed" in caplog.text
    assert await left_in(database, subscribers) == {1, 2}
    assert await left_in(database, audit) == {2}


async def test_with_nothing_to_remove_it_asks_once_a_table(database: Database) -> None:
    statements: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    await remove_old(database)
    lives = list(all_lives())
    assert len([each for each in statements if each.startswith("SELECT")]) == len(lives)
    assert {each.split()[0] for each in statements} <= {"SELECT", "BEGIN"}


async def test_each_look_goes_by_an_index(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL's plans depend on how much there is")
    looks = [select(table).where(is_old(database, table, life)) for table, life in all_lives()] + [
        select(part.row.table).where(part.row.in_([1, 2]), part.only) for rule in rules.values() for part in rule.parts
    ]
    read_whole: set[str] = set()
    for look in looks:
        query = look.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        async with database.transaction() as connection:
            plan = (await connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))).all()
        read_whole |= {step.detail.split()[1] for step in plan if step.detail.startswith("SCAN")}
    assert read_whole - {"CONSTANT"} == set()


@pytest.mark.parametrize(("table", "life", "over"), LIVES)
async def test_each_rule_can_be_told_other_days(
    database: Database, clock: Clock, table: Table, life: Life, over: dict[str, Any]
) -> None:
    """With one day more than its age it stays, with one less it goes, whatever the others say."""
    assert isinstance(life.lasts, Kept)
    for number in (1, 2):  # the highest number is not given out again
        await put(database, table, made_up(table, number, clock.now - 10.5 * DAY, **over))
    others = dict.fromkeys(Kept, 3650)
    await remove_old(database, {**others, life.lasts: 11})
    assert await left_in(database, table) == {1, 2}
    await remove_old(database, {**others, life.lasts: 10})
    assert 1 not in await left_in(database, table)


def test_every_rule_is_one_of_these_and_of_some_table() -> None:
    assert {life.lasts for _, life in all_lives() if isinstance(life.lasts, Kept)} == set(Kept)


def test_the_usual_days_are_those_promised() -> None:
    promised = {Kept.CONCLUSIONS: 400, Kept.ASKS: 90, Kept.DELIVERIES: 90, Kept.AUDIT: 400, Kept.SEEN_ALERTS: 30}
    assert {kept: USUAL[kept] for kept in promised} == promised


# -- a workspace leaves ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own_org", [True, False])
async def test_what_a_workspace_leaves_behind_is_what_its_tables_say(
    database: Database, clock: Clock, own_org: bool
) -> None:
    tables = [table for table in metadata.sorted_tables if table is not left_starts]  # what leaves is noted there
    for table in tables:
        for number in (1, 2):
            of_settings = (
                not own_org and "org" in table.c and table not in {poll_turns, webhook_secrets, alerts_of_settings}
            )
            org = {"org": "default"} if of_settings else {}
            more = {"kind": ALERT_CARD} if table is deliveries else {}
            await put(database, table, made_up(table, number, clock.now, **org, **more))

    for _ in range(2):  # the news comes twice
        await forget_workspace(database, "T1")

    left = {table.name for table in tables if 1 in await left_in(database, table)}
    nobodys = {
        table.name for table in tables if rules[table].at_uninstall in {AtUninstall.BY_ITS_ROOM, AtUninstall.NOBODYS}
    }
    if own_org:
        assert left == {"cooldowns", "spending"} | nobodys  # a charge says of an investigation whether it was paid for
    else:
        assert left == {"cooldowns", "spending"} | ITS_ORGS | nobodys
    for table in tables:
        assert 2 in await left_in(database, table), table.name


async def test_what_others_share_stays_without_the_names_of_those_who_leave(database: Database, clock: Clock) -> None:
    """An investigation, an alert and a case of an organisation that two workspaces use."""
    mine, theirs = {"workspace": "T1"}, {"workspace": "T2"}
    for table, rows in (
        (investigations, [{"requested_by": "UT1", "org": "default", "state": "running"}]),
        (subscribers, [{**mine, "requester": "UT1"}, {**theirs, "requester": "UT2"}]),
        (cases, [{"org": "default"}]),
        (case_places, [{**mine, "requester": "UT1"}, theirs]),
        (alert_cycles, [{"org": "default", "muted_by": "UT1", "unmuted_by": "UT2"}]),
        (alert_mutes, [{**mine, "person": "UT1"}, {**theirs, "person": "UT2"}]),
        (deliveries, [{**mine, "kind": ALERT_CARD}, {**theirs, "kind": ALERT_CARD}]),
    ):
        for number, row in enumerate(rows, start=1):
            more = {
                "id": number,
                "key": f"K{number}",
                "investigation_id": 1,
                "case_row": 1,
                "cycle_id": 1,
                "subject_id": 1,
            }
            fitting = {name: value for name, value in more.items() if name in table.c}
            await put(database, table, made_up(table, 7, clock.now, **fitting, **row))

    await forget_workspace(database, "T1")

    for table in metadata.sorted_tables:
        async with database.transaction() as connection:
            rows_left = (await connection.execute(select(_untyped(table)))).all()
        assert "T1" not in str(rows_left), table.name
    (investigation,) = await database.all(select(investigations.c.requested_by, investigations.c.state))
    assert tuple(investigation) == ("UT2", "running")
    (cycle,) = await database.all(select(alert_cycles.c.muted_by, alert_cycles.c.unmuted_by))
    assert tuple(cycle) == ("", "UT2")
    assert len(await database.all(select(case_places.c.id))) == 1
