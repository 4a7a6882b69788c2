"""Is the database there, has it this version's schema, and do the encryption keys open what is stored? Reads only, takes no
lock: a bot may be running on it."""

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

import bot.schema  # noqa: F401  every table, so that no secret is overlooked
from bot.doctor.model import Finding, fail, ok, warn
from bot.orgs.tables import orgs
from bot.storage.encryption import Encryption, EncryptionError, check_secrets
from bot.storage.engine import Database
from bot.storage.migrations import TOO_OLD, Schema, schema_of
from bot.workspaces.tables import installations

DATABASE, KEYS = "Database", "Encryption keys"


@dataclass(slots=True)
class DatabaseExamined:
    """What could be opened for the other checks; `database` only where its schema is this version's."""

    findings: list[Finding] = field(default_factory=list)
    database: Database | None = None
    encryption: Encryption | None = None

    async def close(self) -> None:
        if self.database is not None:
            await self.database.engine.dispose()


async def examine_database(url: str, keys: tuple[str, ...], *, needs_keys: bool) -> DatabaseExamined:
    examined = DatabaseExamined()
    await _look_at_database(url, examined)
    if keys:
        finding = await _keys(keys, examined)
    elif needs_keys:
        finding = fail(KEYS, "BITS_ENCRYPTION_KEYS is not set", "OAuth needs it: tokens are stored sealed.")
    else:
        finding = await _without_keys(examined.database)
    examined.findings.append(finding)
    return examined


async def _look_at_database(url: str, examined: DatabaseExamined) -> None:
    if there := _not_there_yet(url):
        examined.findings.append(there)
        return
    database = _reader(url)
    try:
        async with database.engine.connect() as connection:
            schema = await connection.run_sync(schema_of)
    except (SQLAlchemyError, OSError) as error:
        await database.engine.dispose()
        examined.findings.append(_unusable(url, error))
        return
    examined.findings.append(_told_of_schema(url, schema))
    if schema.is_current:
        examined.database = database
    else:
        await database.engine.dispose()


def _not_there_yet(url: str) -> Finding | None:
    path = _path(url)
    if path is None or path.is_file():
        return None
    if path.parent.is_dir():
        return ok(DATABASE, f"{path} will be made at the first start")
    return fail(DATABASE, f"the folder of {path} does not exist", "Make it, or correct DATABASE_URL.")


def _path(url: str) -> Path | None:
    """The file; None for PostgreSQL and for a database in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        return None
    return Path(str(parsed.database)).expanduser().resolve()


def read_only(url: str) -> str:
    path = _path(url)
    return url if path is None else f"sqlite+aiosqlite:///file:{path}?mode=ro&uri=true"


def _reader(url: str) -> Database:
    """Sets up nothing as the bot would: a file may not even be the bot's."""
    database = Database(read_only(url))
    database.engine = create_async_engine(read_only(url))
    return database


def _unusable(url: str, error: Exception) -> Finding:
    if path := _path(url):
        fix = (
            "Is it really this bot's file, and may this user read it? A copy can be put in its place while no bot runs."
        )
        return fail(DATABASE, f"{path} can't be read as a database ({type(error).__name__})", fix)
    host = make_url(url).host or "the server"
    fix = "Check that it runs, and host, user, password and name in DATABASE_URL."
    return fail(DATABASE, f"PostgreSQL at {host} can't be used ({type(error).__name__})", fix)


def _told_of_schema(url: str, schema: Schema) -> Finding:
    where = str(_path(url) or make_url(url).host or "in memory")
    if schema.is_current:
        return ok(DATABASE, f"{where}, schema {schema.there}")
    if schema.is_too_old:
        return fail(DATABASE, f"{where} has schema {schema.there}", TOO_OLD)
    if schema.is_newer:
        return warn(
            DATABASE,
            f"{where} has the schema of a newer version ({schema.there})",
            "Fine while an update is rolled out; else run the newer version.",
        )
    told = f"{where} has schema {schema.there or 'none'}, this version's is {schema.wanted}"
    return warn(DATABASE, told, "The next start brings it up to date, or `bits-bot migrate` while no bot runs.")


async def _keys(keys: tuple[str, ...], examined: DatabaseExamined) -> Finding:
    try:
        examined.encryption = Encryption(keys)
        if examined.database is not None:
            await check_secrets(examined.database, examined.encryption)
    except EncryptionError as error:
        return fail(KEYS, "not every stored secret can be opened", str(error))
    return ok(KEYS, f"{len(keys)} of them; the first seals, all open what is stored")


async def _without_keys(database: Database | None) -> Finding:
    if database is not None:
        for table, column in ((orgs, orgs.c.api_key), (installations, installations.c.bot_token)):
            if await database.first(select(column).where(column.is_not(None)).limit(1)):
                told = f"BITS_ENCRYPTION_KEYS is not set, but {table.name} holds secrets sealed with it"
                return fail(KEYS, told, "Put it back.")
    return ok(KEYS, "not set, and not needed; with it, organisations can be connected in Slack")
