"""Where rules are looked up: the file wins, what was set in Slack holds elsewhere, and nobody overwrites a colleague."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.rules.audit import AuditTrail, Decision
from bot.rules.file import read_rules
from bot.rules.model import AlertFacts, AlertFilter, ChannelRules, WorkspaceRules
from bot.rules.repository import Draft, RuleRepository, taken_by
from bot.storage.engine import Database
from bot.storage.retention import forget_workspace
from tests.clock import Clock

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


async def test_a_channel_nobody_has_set_has_the_defaults(database: Database) -> None:
    book = RuleRepository(database)
    assert await book.of("T1", "C1") == ChannelRules("T1", "C1")
    assert await book.workspace("T1") == WorkspaceRules("T1")


async def test_what_is_saved_is_found_again_and_written_into_the_audit(database: Database) -> None:
    book = RuleRepository(database)
    wanted = replace(ChannelRules("T1", "C1"), nudge=True, auto=AlertFilter(priorities=frozenset({1})))
    whole = WorkspaceRules("T1", budget_per_day=9, automatic_share=3, admins_may_exceed=False)

    assert await book.save(Draft(wanted, whole), "UANN")

    assert await book.of("T1", "C1") == wanted
    assert await book.workspace("T1") == whole
    assert await book.of("T1", "C2") == ChannelRules("T1", "C2")
    (line,) = await AuditTrail(database).latest("T1")
    assert (line.decision, line.person, line.channel) == (Decision.RULES_CHANGED, "UANN", "C1")


async def test_who_saves_second_on_the_same_sheet_changes_nothing(database: Database) -> None:
    book = RuleRepository(database)
    first = await book.draft("T1", "C1")
    assert await book.save(replace(first, channel=replace(first.channel, nudge=True)), "UANN")

    assert not await book.save(replace(first, channel=replace(first.channel, broadcast=True)), "UBEN")

    assert await book.of("T1", "C1") == replace(first.channel, nudge=True)
    later = await book.draft("T1", "C1")
    assert await book.save(replace(later, channel=replace(later.channel, broadcast=True)), "UBEN")
    assert await book.of("T1", "C1") == replace(first.channel, nudge=True, broadcast=True)


async def test_of_two_changes_that_belong_together_both_hold_or_neither(database: Database) -> None:
    book = RuleRepository(database)
    stale = await book.draft("T1", "C1")
    assert await book.save(replace(stale, workspace=WorkspaceRules("T1", 5)), "UANN")

    mine = replace(stale, channel=replace(stale.channel, nudge=True), workspace=WorkspaceRules("T1", 7))
    assert not await book.save(mine, "UBEN")

    assert await book.of("T1", "C1") == ChannelRules("T1", "C1")
    assert (await book.workspace("T1")).budget_per_day == 5


async def test_the_file_wins_over_what_was_set_in_slack(database: Database) -> None:
    set_before = replace(ChannelRules("T1", "C0CORE"), nudge=True)
    await RuleRepository(database).save(Draft(set_before, WorkspaceRules("T1", 3)), "UANN")

    book = with_file(database)

    rules = await book.of("T1", "C0CORE")
    assert (rules.from_file, rules.nudge) == (True, False)
    assert (await book.workspace("T1")).budget_per_day == 40
    assert (await book.of("T1", "C0REST")).is_default
    changed = Draft(replace(rules, nudge=True), replace(await book.workspace("T1"), budget_per_day=1))
    assert await book.save(changed, "UANN")  # nothing to save
    assert await book.of("T1", "C0CORE") == rules


async def taken(book: RuleRepository, alert: AlertFacts) -> list[str]:
    return [rules.channel for rules in taken_by(await book.all(), alert)]


async def test_alerts_go_where_a_route_takes_them_else_to_the_default(database: Database) -> None:
    book = with_file(database)
    assert await taken(book, CORE) == ["C0CORE"]
    assert await taken(book, WEB) == ["C0REST"]

    both = replace(ChannelRules("T1", "C3"), route=AlertFilter())
    await book.save(Draft(both, await book.workspace("T1")), "UANN")
    assert await taken(book, CORE) == ["C0CORE", "C3"]
    assert await taken(book, WEB) == ["C3"]


async def test_a_workspace_that_leaves_takes_its_rules_along(database: Database) -> None:
    book = RuleRepository(database)
    for workspace in ("T1", "T2"):
        rules = replace(ChannelRules(workspace, "C1"), nudge=True)
        await book.save(Draft(rules, WorkspaceRules(workspace, 3)), "UANN")

    await forget_workspace(database, "T1")

    assert [rules.workspace for rules in await book.all()] == ["T2"]
    assert await book.workspace("T1") == WorkspaceRules("T1")
    assert await AuditTrail(database).latest("T1") == []
    assert len(await AuditTrail(database).latest("T2")) == 1
