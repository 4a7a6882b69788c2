"""The schema comes by itself and is what the tables describe; a database of the oldest schema comes along with every row."""

import sqlite3
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, create_engine, inspect, select, text

from bot.alerts.repository import CycleRepository
from bot.cases.model import CaseRequestState
from bot.cases.repository import CaseRepository
from bot.cases.requests import read_request
from bot.cases.tables import case_orders
from bot.insights.attach_form import AttachFormStore, Owner
from bot.insights.attach_jobs import AttachJobs, AttachWork
from bot.investigations.model import State
from bot.investigations.repository import InvestigationRepository
from bot.investigations.tables import poll_turns
from bot.rules.audit import AuditTrail, Decision
from bot.rules.repository import RuleRepository
from bot.schema import metadata
from bot.storage import migrations
from bot.storage.encryption import Encryption, check_secrets
from bot.storage.engine import Database, DatabaseUnusableError
from bot.storage.workers import Timing
from bot.workspaces.repository import InstallationRepository

FIRST = "0007"
FIXTURES = Path(__file__).parent / "fixtures"
OLD_DATABASE = (FIXTURES / f"schema_{FIRST}.sql").read_text("utf-8")
OLD_NOW = 1_795_935_400.0  # when it was made, just after the last row
KEY = "bm90LWEtc2VjcmV0LWEta2V5LW9mLXRlc3RzLW9ubHk="  # encrypted what is encrypted in it

Rows = dict[str, list[dict[str, Any]]]


def differences(connection: Connection) -> list[object]:
    """Between the database and the tables; Alembic does not look at primary keys."""
    options = {"compare_type": True, "compare_server_default": True}
    found = inspect(connection)
    keys = {name: found.get_pk_constraint(name)["constrained_columns"] for name in metadata.tables}
    wanted = {name: list(table.primary_key.columns.keys()) for name, table in metadata.tables.items()}
    return [
        *compare_metadata(MigrationContext.configure(connection, opts=options), metadata),
        *(name for name in wanted if keys[name] != wanted[name]),
    ]


async def test_the_schema_is_the_one_the_tables_describe(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    await database.open()
    async with database.transaction() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


# Of the files as they were released: what stands in people's databases is what these made of it. A change is a new file.
RELEASED = {
    "0007_first.py": "01dda70d1c17b418",
    "0008_webhook_secrets.py": "e8f8e899a9bf2008",
    "0009_told_waits.py": "91137f085f35c668",
    "0010_history.py": "e15bb56a6ec2cd73",
    "0011_gone_since.py": "60a24cd50fe31085",
    "0012_authors_and_batches.py": "8f183a12d0810d47",
    "0013_who_is_on_it.py": "92691c416194c5ed",
    "0014_seen_before.py": "8d765694c86426d0",
    "0015_alert_setup_and_digests.py": "b64e6f57b4ee90dc",
    "0016_follow_cases.py": "4b2ddc346d02c55c",
    "0017_escalations.py": "1cec2ce08d4821fe",
    "0018_shares.py": "561130cca117ee1f",
    "0019_alerts_of_settings.py": "36ed83a8c8e22732",
    "0020_cases_by_rule.py": "8b9e53bd70731bbe",
    "0021_cases_tell_of_themselves.py": "d5dc43d52a222bbf",
    "0022_left_starts.py": "5fc62dca26d2f861",
}


def test_a_migration_is_not_touched_after_its_release() -> None:
    folder = Path(migrations.__file__).parent / "versions"
    there = {path.name: sha256(path.read_bytes()).hexdigest()[:16] for path in sorted(folder.glob("*.py"))}
    assert there == RELEASED, "a migration stays as it is and a change is one of its own, whose hash goes here with it"


# -- a database of the first schema -----------------------------------------------------------------------------------


def old_rows() -> Rows:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.connection.executescript(OLD_DATABASE)
        return read(connection)


def read(connection: Connection) -> Rows:
    tables = MetaData()
    tables.reflect(connection)
    return {
        table.name: [dict(row._mapping) for row in connection.execute(select(table).order_by(*table.primary_key))]
        for table in tables.sorted_tables
    }


def make_old(rows: Rows, connection: Connection) -> None:
    migrations._change(connection, FIRST)
    tables = MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        for row in rows[table.name] if table.name != "alembic_version" else ():
            connection.execute(table.insert().values({name: value for name, value in row.items() if value is not None}))


@pytest.fixture
async def old_database(empty_database_url: str) -> Database:
    """On PostgreSQL the same rows in the first schema as this version makes it; on SQLite the file as it was."""
    database = Database(empty_database_url, clock=lambda: OLD_NOW)
    if database.is_sqlite:
        with closing(sqlite3.connect(str(database.url.database))) as file:
            file.executescript(OLD_DATABASE)
    else:
        async with database.transaction() as connection:
            await connection.run_sync(partial(make_old, old_rows()))
    return database


async def test_an_old_database_comes_along_with_every_row(old_database: Database) -> None:
    rows = old_rows()
    assert [name for name in rows if not rows[name]] == []

    await old_database.open()

    async with old_database.transaction() as connection:
        assert await connection.run_sync(differences) == []
        now = await connection.run_sync(read)
    for name in set(rows) - {"alembic_version"}:
        kept = [{column: row[column] for column in row if column in now[name][0]} for row in rows[name]]
        assert [{column: row[column] for column in kept[0]} for row in now[name]] == kept, name
    await old_database.close()


async def test_what_stands_in_an_old_database_is_read_as_before(old_database: Database) -> None:
    await old_database.open()
    encryption = Encryption([KEY])

    investigations = InvestigationRepository(old_database, Timing())
    runs = [run for number in range(1, 10) if (run := await investigations.get(number))]
    assert {run.state for run in runs} == set(State) - {State.TRIGGERING}
    assert [conclusion.title for conclusion in runs[0].conclusions] == ["Log rotation stopped"]
    assert "Queue is long" in {run.alert.monitor_name for run in runs if run.alert}

    rules = RuleRepository(old_database)
    assert (await rules.of("T0001", "C0001")).nudge
    assert (await rules.draft("T0001", "")).workspace.budget_per_day == 40
    assert Decision.OVER_BUDGET in {line.decision for line in await AuditTrail(old_database).latest("T0001")}

    cases = CaseRepository(old_database, lambda _org: None)
    case = await cases.get(1)
    assert case
    assert (case.key, case.status_name) == ("CASEM-42", "In Progress")
    orders = select(case_orders).where(case_orders.c.id < 4).order_by(case_orders.c.id)
    requests = [read_request(row) for row in await old_database.all(orders)]
    wanted_states = [CaseRequestState.DONE, CaseRequestState.DRAFT, CaseRequestState.REFUSED]
    assert [request.state for request in requests] == wanted_states
    jobs = [await AttachJobs(old_database, cases).get(number) for number in (1, 2, 3)]
    assert [job.work for job in jobs if job] == [AttachWork.ATTACH, AttachWork.REMOVE, AttachWork.ATTACH]
    forms = AttachFormStore(old_database)
    for row in old_rows()["insight_drafts"]:
        assert await forms.get(row["key"], Owner(row["workspace"], row["person"]))

    cycle = await CycleRepository(old_database).get(2)
    assert cycle
    assert cycle.mute.by == "U0002"

    await check_secrets(old_database, encryption)
    installation = await InstallationRepository(old_database, encryption).at("E0001")
    assert installation
    assert installation.tokens.bot_token.startswith("xoxb-")
    await old_database.close()


# -- starts that end early, versions that do not fit --------------------------------------------------------------------


async def test_a_start_interrupted_half_way_through_the_schema_leaves_nothing_half_made(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a kill would: the first start ends after some tables were made and before the last one."""
    database, made, execute = Database(empty_database_url), [], Operations.execute

    def killed_at_the_fifth(self: Operations, statement: str) -> None:
        made.append(statement)
        if len(made) == 5:
            raise InterruptedError
        execute(self, statement)

    with monkeypatch.context() as patch:
        patch.setattr(Operations, "execute", killed_at_the_fifth)
        with pytest.raises(DatabaseUnusableError, match="InterruptedError"):
            await database.open()

    await database.open()
    async with database.transaction() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


@pytest.mark.parametrize("schema", ["0001", "0006"])
async def test_a_database_from_before_the_first_schema_is_refused_with_what_to_do(
    schema: str, old_database: Database
) -> None:
    async with old_database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :schema"), {"schema": schema})

    with pytest.raises(DatabaseUnusableError) as refused:
        await old_database.open()

    assert str(refused.value) == f"The database has schema {schema}. {migrations.TOO_OLD}"


async def test_an_older_version_still_starts_on_a_newer_schema(empty_database_url: str) -> None:
    """A release taken back, or an old replica that restarts while new ones run: columns were only added."""
    newer = Database(empty_database_url)
    await newer.open()
    async with newer.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await connection.execute(text("ALTER TABLE poll_turns ADD COLUMN invented_later FLOAT"))
    await newer.close()

    older = Database(empty_database_url)
    await older.open()
    async with older.transaction() as connection:
        await connection.execute(poll_turns.insert().values(org="default", next_at=1.0, slow_at=1.0))
        version = await connection.execute(text("SELECT version_num FROM alembic_version"))
        assert version.scalar_one() == "9999"
    await older.close()
