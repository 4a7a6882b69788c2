"""What is kept in memory: this process sees its own changes at once, another within two seconds, and nobody an old one for good."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, update

from bot.orgs.tables import webhook_secrets
from bot.orgs.webhook_secrets import WebhookSecrets
from bot.rules.model import ChannelRules, WorkspaceRules
from bot.rules.repository import Draft, RuleRepository
from bot.rules.tables import channel_rules
from bot.storage import remembered
from bot.storage.engine import Database, wake
from bot.storage.remembered import LASTS, Remembered
from bot.storage.retention import forget_workspace
from tests.clock import Clock
from tests.meter import Meter
from tests.pg import sqlite_only

NUDGING = replace(ChannelRules("T1", "C1"), nudge=True)


async def _save(book: RuleRepository, rules: ChannelRules) -> None:
    draft = await book.draft(rules.workspace, rules.channel)
    assert await book.save(replace(draft, channel=rules), "UANN")


async def test_what_nobody_changes_is_read_once(database: Database) -> None:
    book, meter = RuleRepository(database), Meter(database)
    await book.of("T1", "C1")
    read = meter.statements
    for _ in range(5):
        assert await book.of("T1", "C1") == ChannelRules("T1", "C1")
        assert (await book.known("T1", "C1")).workspace == WorkspaceRules("T1")
    assert meter.statements == read > 0


async def test_a_change_of_this_process_counts_at_once(database: Database) -> None:
    one, another = RuleRepository(database), RuleRepository(database)
    assert not (await another.of("T1", "C1")).nudge
    await _save(one, NUDGING)
    assert (await another.of("T1", "C1")).nudge
    await forget_workspace(database, "T1")
    assert not (await another.of("T1", "C1")).nudge


async def test_a_change_counts_that_nobody_speaks_of(database: Database) -> None:
    """Whoever writes to a table need not know that somebody keeps its rows in memory."""
    one = RuleRepository(database)
    assert not (await one.of("T1", "C1")).nudge
    await _save(RuleRepository(database), NUDGING)
    assert (await one.of("T1", "C1")).nudge
    async with database.transaction() as connection:
        await connection.execute(delete(channel_rules))
    assert not (await one.of("T1", "C1")).nudge


@pytest.fixture
async def replicas(ready_postgres_url: str, clock: Clock) -> AsyncIterator[tuple[RuleRepository, RuleRepository]]:
    databases = [Database(ready_postgres_url, clock=clock) for _ in range(2)]
    yield RuleRepository(databases[0]), RuleRepository(databases[1])
    for database in databases:
        await database.close()


async def test_a_change_of_another_replica_counts_within_two_seconds(
    replicas: tuple[RuleRepository, RuleRepository], clock: Clock
) -> None:
    here, there = replicas
    assert not (await there.of("T1", "C1")).nudge
    await _save(here, NUDGING)

    assert (await here.of("T1", "C1")).nudge
    assert LASTS <= 2
    clock.wind(LASTS)
    assert (await there.of("T1", "C1")).nudge


async def test_who_changes_rules_sees_them_as_they_are(replicas: tuple[RuleRepository, RuleRepository]) -> None:
    here, there = replicas
    await there.of("T1", "C1")
    await _save(here, NUDGING)
    await _save(there, replace(NUDGING, broadcast=True))  # nobody was faster
    assert (await there.of("T1", "C1")).broadcast


@sqlite_only
async def test_what_was_read_before_a_change_is_not_kept_after_it(database: Database) -> None:
    answers, may_answer = iter(["old", "new"]), asyncio.Event()

    async def read(_: str) -> str:
        answer = next(answers)
        await may_answer.wait()
        return answer

    known = Remembered(database, read, channel_rules)
    asked = asyncio.create_task(known.get("it"))
    await asyncio.sleep(0)
    async with database.transaction() as connection:
        wake(connection, channel_rules)
    may_answer.set()
    assert await asked == "old"
    assert await known.get("it") == "new"


@sqlite_only
async def test_a_change_that_came_to_nothing_or_to_who_knows_what_is_looked_for(database: Database) -> None:
    count = iter(range(10))

    async def read(_: str) -> int:
        return next(count)

    known = Remembered(database, read, channel_rules)
    assert (await known.get("it"), await known.get("it")) == (0, 0)

    async def come_to_nothing() -> None:
        async with database.transaction() as connection:
            wake(connection, channel_rules)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await come_to_nothing()
    assert await known.get("it") == 1


@sqlite_only
async def test_memory_has_an_end_and_a_reading_that_fails_is_not_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "MOST", 3)
    asked: list[Any] = []

    async def read(key: int) -> int:
        asked.append(key)
        if len(asked) == 1:
            raise ZeroDivisionError
        return key

    known = Remembered(database, read, channel_rules)
    with pytest.raises(ZeroDivisionError):
        await known.get(0)
    for key in (0, 1, 2, 0, 3, 3):
        assert await known.get(key) == key
    assert asked == [0, 0, 1, 2, 3]
    assert len(known._values) <= 3


@sqlite_only
async def test_a_draft_of_rules_as_kept_is_the_one_as_stored(database: Database) -> None:
    book = RuleRepository(database)
    assert await book.save(Draft(NUDGING, WorkspaceRules("T1", 7)), "UANN")
    assert await book.known("T1", "C1") == await book.draft("T1", "C1")


async def test_what_opens_a_webhook_is_read_once_until_it_changes_or_ends(database: Database, clock: Clock) -> None:
    secrets, meter = WebhookSecrets(database), Meter(database)
    first = await secrets.first("acme-id")
    assert await secrets.open("acme-id", [first])
    read = meter.statements
    assert [await secrets.open("acme-id", [each]) for each in (first, "guessed")] == [True, False]
    assert meter.statements == read

    async with database.transaction() as connection:
        await connection.execute(update(webhook_secrets).values(ends_at=clock.now + 1))
        wake(connection, webhook_secrets)
    assert await secrets.open("acme-id", [first])
    clock.wind(1)
    assert not await secrets.open("acme-id", [first])
