"""Where rules are looked up: the file wins, what was set in Slack holds elsewhere, and nobody overwrites a colleague."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from bot.rules.audit import AuditTrail, Decision
from bot.rules.file import read_rules
from bot.rules.model import AlertFacts, AlertFilter, CaseDefaults, ChannelRules, Starters, WorkspaceRules
from bot.rules.repository import Draft, RuleRepository, taken_by
from bot.rules.tables import channel_rules
from bot.storage.engine import Database
from bot.storage.retention import forget_workspace
from tests.clock import Clock
from tests.pg import sqlite_only
from tests.rules.test_filters import some_rules

FILE = """
workspaces: [{budget_per_day: 40}]
channels:
  - {channel: C0CORE, route: {tags: team:core}}
  - {channel: "#rest", default: true}
"""
CORE = AlertFacts(7, tags=frozenset({"team:core"}))
WEB = AlertFacts(8, tags=frozenset({"team:web"}))


@pytest.fixture
async def database(database_url: str, clock: Clock) -> AsyncIterator[Database]:
    opened = Database(database_url, clock=clock)
    await opened.open()
    yield opened
    await opened.close()


def with_file(database: Database) -> RuleRepository:
    return RuleRepository(database, read_rules(FILE, "rules.yml"), home="T1", ids={"#rest": "C0REST"})


@sqlite_only
async def test_a_channel_nobody_has_set_has_the_defaults(database: Database) -> None:
    book = RuleRepository(database)
    assert await book.of("T1", "C1") == ChannelRules("T1", "C1")
    assert (await book.draft("T1", "")).workspace == WorkspaceRules("T1")


async def test_what_is_saved_is_found_again_and_written_into_the_audit(database: Database) -> None:
    book = RuleRepository(database)
    wanted = replace(ChannelRules("T1", "C1"), nudge=True, auto=AlertFilter(priorities=frozenset({1})))
    whole = WorkspaceRules("T1", budget_per_day=9, automatic_share=3, admins_may_exceed=False)

    assert await book.save(Draft(wanted, whole), "UANN")

    assert await book.of("T1", "C1") == wanted
    assert (await book.draft("T1", "")).workspace == whole
    assert await book.of("T1", "C2") == ChannelRules("T1", "C2")
    (line,) = await AuditTrail(database).latest("T1")
    assert (line.decision, line.person, line.channel) == (Decision.RULES_CHANGED, "UANN", "C1")


@sqlite_only
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some_rules)
async def test_whatever_is_saved_is_found_again(database: Database, rules: ChannelRules) -> None:
    book = RuleRepository(database)
    before = await book.draft("T1", "C1")
    assert await book.save(replace(before, channel=rules), "UANN")
    assert await book.of("T1", "C1") == rules


async def test_rules_of_an_older_and_of_a_newer_version_are_read(database: Database) -> None:
    older = {
        "org": "eu",
        "route": {"tags": ["team:core"], "priorities": [1, 2], "monitors": [7], "transitions": ["no data"]},
        "default": True,
        "nudge": False,
        "auto": {"tags": [], "priorities": [], "monitors": [], "transitions": []},
        "cooldown_minutes": 30,
        "budget_per_day": None,
        "case": {"project": "CORE", "type": ""},
        "starters": {"everyone": False, "groups": ["S0SRE"], "users": ["U0ANA"], "guests": True, "outsiders": False},
        "broadcast": True,
    }
    row = {"workspace": "T1", "version": 1, "changed_by": "UANN", "changed_at": 0.0}
    async with database.transaction() as connection:
        await connection.execute(channel_rules.insert().values(**row, channel="C1", content=older))
        newer = {"nudge": True, "mood": "calm", "starters": {"everyone": True, "robots": True}}
        await connection.execute(channel_rules.insert().values(**row, channel="C2", content=newer))

    assert await RuleRepository(database).of("T1", "C1") == ChannelRules(
        "T1",
        "C1",
        org="eu",
        route=AlertFilter(frozenset({"team:core"}), frozenset({1, 2}), frozenset({7}), frozenset({"no data"})),
        is_default=True,
        auto=AlertFilter(),
        cooldown_minutes=30,
        case=CaseDefaults("CORE"),
        starters=Starters(everyone=False, groups=("S0SRE",), users=("U0ANA",), guests=True),
        broadcast=True,
    )
    assert await RuleRepository(database).of("T1", "C2") == ChannelRules("T1", "C2", nudge=True)


async def test_who_saves_second_on_the_same_draft_changes_nothing(database: Database) -> None:
    book = RuleRepository(database)
    first = await book.draft("T1", "C1")
    assert await book.save(replace(first, channel=replace(first.channel, nudge=True)), "UANN")

    assert not await book.save(replace(first, channel=replace(first.channel, broadcast=True)), "UBEN")

    assert await book.of("T1", "C1") == replace(first.channel, nudge=True)
    later = await book.draft("T1", "C1")
    assert await book.save(replace(later, channel=replace(later.channel, broadcast=True)), "UBEN")
    assert await book.of("T1", "C1") == replace(first.channel, nudge=True, broadcast=True)


@sqlite_only
async def test_of_two_changes_that_belong_together_both_hold_or_neither(database: Database) -> None:
    book = RuleRepository(database)
    stale = await book.draft("T1", "C1")
    assert await book.save(replace(stale, workspace=WorkspaceRules("T1", 5)), "UANN")

    mine = replace(stale, channel=replace(stale.channel, nudge=True), workspace=WorkspaceRules("T1", 7))
    assert not await book.save(mine, "UBEN")

    assert await book.of("T1", "C1") == ChannelRules("T1", "C1")
    assert (await book.draft("T1", "")).workspace.budget_per_day == 5


@sqlite_only
async def test_the_file_wins_over_what_was_set_in_slack(database: Database) -> None:
    set_before = replace(ChannelRules("T1", "C0CORE"), nudge=True)
    await RuleRepository(database).save(Draft(set_before, WorkspaceRules("T1", 3)), "UANN")

    book = with_file(database)

    rules = await book.of("T1", "C0CORE")
    assert (rules.from_file, rules.nudge) == (True, False)
    assert (await book.draft("T1", "")).workspace.budget_per_day == 40
    assert (await book.of("T1", "C0REST")).is_default
    changed = Draft(replace(rules, nudge=True), replace((await book.draft("T1", "")).workspace, budget_per_day=1))
    assert await book.save(changed, "UANN")  # nothing to save
    assert await book.of("T1", "C0CORE") == rules


async def taken(book: RuleRepository, alert: AlertFacts) -> list[str]:
    return [rules.channel for rules in taken_by(await book.all(), alert)]


@sqlite_only
async def test_alerts_go_where_a_route_takes_them_else_to_the_default(database: Database) -> None:
    book = with_file(database)
    assert await taken(book, CORE) == ["C0CORE"]
    assert await taken(book, WEB) == ["C0REST"]

    both = replace(ChannelRules("T1", "C3"), route=AlertFilter())
    await book.save(Draft(both, (await book.draft("T1", "")).workspace), "UANN")
    assert await taken(book, CORE) == ["C0CORE", "C3"]
    assert await taken(book, WEB) == ["C3"]


@sqlite_only
async def test_a_workspace_that_leaves_takes_its_rules_along(database: Database) -> None:
    book = RuleRepository(database)
    for workspace in ("T1", "T2"):
        rules = replace(ChannelRules(workspace, "C1"), nudge=True)
        await book.save(Draft(rules, WorkspaceRules(workspace, 3)), "UANN")

    await forget_workspace(database, "T1")

    assert [rules.workspace for rules in await book.all()] == ["T2"]
    assert (await book.draft("T1", "")).workspace == WorkspaceRules("T1")
    assert await AuditTrail(database).latest("T1") == []
    assert len(await AuditTrail(database).latest("T2")) == 1
