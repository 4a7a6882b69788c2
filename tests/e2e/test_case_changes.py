"""Datadog says that cases have changed: set up with the alerts, one look for all that is told, undone at the end."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.cases.tables import case_follows
from bot.doctor.examination import examine
from bot.doctor.model import Finding
from bot.sandbox.datadog import FakeCase
from bot.sandbox.datadog.webhooks import Delivery
from bot.sandbox.slack import Message
from bot.sandbox.slack.visible import SeenView
from bot.storage.engine import wake
from tests.e2e.alert_town import AlertTown, Route
from tests.e2e.org_town import OrgTown
from tests.e2e.town import QUICK
from tests.test_doctor import setup_of

ADDRESS = "https://bits.example.com"
TAGS, CASES = "Monitors with all of these tags", "Changes to cases"
AT_ONCE = "Tell me at once when a case changes"
HOOK = "bits-bot-acme-id-cases"
RULES = "/api/v2/cases/projects/*/notification_rules"
SOON = replace(QUICK, gather=0.05)  # and without word from Datadog nobody looks in the middle of a story


class CaseTown(AlertTown, OrgTown):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, timing=SOON, bits_public_url=ADDRESS)
        self.project = self.datadog.add_project("CASEM", "Case Management", org=self.acme)
        self.other_project = self.datadog.add_project("OPS", "Operations", org=self.acme)

    @property
    def rules(self) -> dict[str, Any]:
        return self.acme.case_management.rules

    async def opens_window(self, word: str = "Set up alerts") -> SeenView:
        await self.eva.open_home()
        await self.eva.waits_for(lambda: self.eva.home is not None and word in self.eva.home.text)
        await self.eva.press(
            word, index=int(word == "Set up alerts")
        )  # that of the settings' organisation stands above
        return await self.eva.waits_for_modal(TAGS)

    async def sets_up(self, *, cases: bool = True, says: str = "are set up in Datadog") -> SeenView:
        await self.eva.fill({TAGS: "", CASES: [AT_ONCE] if cases else []})
        await self.eva.submit()
        view = await self.eva.waits_for_modal(says)
        await self.eva.close(everything=True)
        return view

    @property
    def bot_url(self) -> str:
        return f"http://127.0.0.1:{self.bot.port}"

    def lead_here(self) -> None:
        """The name of the bot's address, which nobody resolves in this town."""
        for webhook in self.acme.webhooks.values():
            webhook.url = webhook.url.replace(ADDRESS, self.bot_url)

    async def hears_of(self, case: FakeCase) -> Delivery:
        self.lead_here()
        (delivery,) = await self.datadog.notify_of_case(case)
        return delivery

    async def doctor(self, name: str) -> Finding | None:
        self.lead_here()
        findings = await examine(replace(setup_of(self), public_url=self.bot_url))
        return next((finding for finding in findings if finding.name.startswith(name)), None)

    async def shown(self, title: str, **members: Any) -> tuple[FakeCase, Message]:
        case = self.datadog.add_case(title, self.project, org=self.acme, **members)
        await self.ana.command("/bits", f"case {case.key}", in_=self.channel)

        def card() -> Message | None:
            return next((each for each in self.channel.messages if case.key in each.shown), None)

        return case, await self.slack.wait_for(card)

    def looks(self) -> int:
        asked = self.datadog.asked("GET", "/api/v2/cases")
        return len([seen for seen in asked if "-status" in seen.query.get("filter", "")])


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[CaseTown]:
    async with CaseTown(tmp_path) as town:
        await town.is_connected(town.acme)
        await town.decide(Route(rules={"org": "acme"}))
        yield town


async def test_what_happens_in_datadog_shows_at_once(town: CaseTown) -> None:
    asked = await town.opens_window()
    for word in (HOOK, "2 case projects", "Case Management", "Operations", "cases_write"):
        assert word in asked.text
    done = await town.sets_up()
    assert "2 case projects tell of changes at once" in done.text
    assert [rule.webhooks for rule in town.rules.values()] == [[HOOK], [HOOK]]
    assert town.acme.webhooks[HOOK].payload == '{"bits_bot": "case_changed"}'

    cases = [await town.shown(f"Number {number}") for number in range(3)]
    for case, _ in cases:
        town.datadog.change_case(case, priority="P1")
    before = town.looks()
    for case, _ in cases * 4:
        delivery = await town.hears_of(case)
        assert delivery.accepted
    await town.slack.wait_for(lambda: all("🔴 P1" in card.shown for _, card in cases))
    assert 1 <= town.looks() - before <= 2, "many words make one look"
    finding = await town.doctor("Case changes (acme")
    assert finding is not None
    assert finding.state == "ok"


async def test_word_from_elsewhere_is_nothing_and_a_stranger_gets_nowhere(town: CaseTown) -> None:
    await town.opens_window()
    await town.sets_up()
    case, _ = await town.shown("Alone")
    town.acme.variables.clear()  # the header is not filled any more
    delivery = await town.hears_of(case)
    assert delivery.attempts[-1] == 401


async def test_it_is_mended_not_made_twice_and_the_doctor_sees_what_is_gone(town: CaseTown) -> None:
    await town.opens_window()
    await town.sets_up()
    first = set(town.rules)
    one = next(iter(town.rules.values()))
    one.is_enabled = False
    finding = await town.doctor("Case changes (acme")
    assert finding is not None
    assert finding.told == f"no notification rule sends to {HOOK} in {one.project.name}"

    again = await town.opens_window("Change alerts")
    assert town.eva.home is not None
    assert "Its cases tell of changes" in town.eva.home.text
    assert CASES in again.text
    await town.sets_up()
    assert set(town.rules) == first
    assert one.is_enabled

    await town.opens_window("Change alerts")
    done = await town.sets_up(cases=False)
    assert "Changes to cases are not told any more" in done.text
    assert (town.rules, HOOK in town.acme.webhooks) == ({}, False)
    assert await town.doctor("Case changes (acme") is None


FAILURES: list[tuple[dict[str, Any], str]] = [
    ({"status": 403}, "cases_write"),
    ({"status": 404}, "can't find what this names"),
    ({"status": 409}, "at the same moment"),
    ({"status": 429, "headers": {"X-RateLimit-Reset": "600"}}, "limits how often"),
    ({"status": 503}, "stands there by then is not made twice"),
    ({"drop": "after"}, "stands there by then is not made twice"),
]


@pytest.mark.parametrize(("how", "says"), FAILURES)
async def test_what_keeps_it_from_being_set_up_is_told_and_nothing_is_made_twice(
    town: CaseTown, how: dict[str, Any], says: str
) -> None:
    town.datadog.break_next("POST", RULES, times=1, **how)
    await town.opens_window()
    told = await town.sets_up(says="Not all changes to cases are told at once")
    assert says in told.text
    assert "by looking once a minute" in told.text
    assert "The alerts of" in told.text

    await town.opens_window("Change alerts")
    await town.sets_up()
    assert sorted(rule.project.key for rule in town.rules.values()) == ["CASEM", "OPS"]


async def test_where_datadog_refuses_cases_the_window_says_so_and_alerts_can_be_set_up(town: CaseTown) -> None:
    town.acme.scopes.discard("cases_read")
    asked = await town.opens_window()
    assert "Changes to cases can't be set up" in asked.text
    assert "cases_read" in asked.text
    await town.eva.fill({TAGS: "team:sre"})
    await town.eva.submit()
    await town.eva.waits_for_modal("are set up in Datadog")
    assert HOOK not in town.acme.webhooks


async def test_disconnecting_takes_it_away_and_leaves_what_people_made(town: CaseTown) -> None:
    await town.opens_window()
    await town.sets_up()
    theirs = next(iter(town.rules.values()))
    theirs.recipients.append({"type": "EMAIL", "data": {"email": "a@example.com"}})
    await town.eva.open_home()
    await town.eva.press("Disconnect")
    await town.eva.waits_for(lambda: "is disconnected, and its keys are removed" in town.eva.sees)
    assert list(town.rules.values()) == [theirs]
    assert town.acme.webhooks == {}
    row = await town.row("acme")
    assert (row.cases_begun_at, row.case_projects) == (None, "[]")


async def test_with_the_rule_in_place_looks_of_our_own_are_only_a_net(town: CaseTown) -> None:
    await town.opens_window()
    await town.sets_up()
    case, card = await town.shown("Followed")
    town.datadog.change_case(case, priority="P1")
    await town.hears_of(case)
    await town.slack.wait_for(lambda: "🔴 P1" in card.shown)

    async def due_at() -> float:
        """Cases that wait equally long come due together, at the next whole multiple of it; 0 while one is looked at."""
        (row,) = await town.bot._database.all(select(case_follows.c.due_at, case_follows.c.owner))
        return 0.0 if row.owner else float(row.due_at)

    while not await due_at():
        pass
    assert await due_at() % (10 * SOON.follow) == 0


async def test_a_card_that_may_not_follow_says_so_once_and_the_doctor_too(town: CaseTown) -> None:
    case, card = await town.shown("Followed")
    town.acme.scopes.discard("cases_read")
    await _look_now(town)
    await town.slack.wait_for(lambda: "does not show here just now" in card.shown)
    assert "cases_read" in card.shown
    finding = await town.doctor("Case cards")
    assert finding is not None
    assert "1 card does not follow Datadog: cases_read is missing" in finding.told
    edits = card.edits
    asked = len(town.datadog.asked("GET", f"/api/v2/cases/{case.id}"))
    await _look_now(town)
    await town.datadog.wait_for(lambda: len(town.datadog.asked("GET", f"/api/v2/cases/{case.id}")) > asked)
    assert card.edits == edits

    town.acme.scopes.add("cases_read")
    await _look_now(town)
    await town.slack.wait_for(lambda: "does not show here" not in card.shown)
    assert await town.doctor("Case cards") is None


async def _look_now(town: CaseTown) -> None:
    await town.bot._database.write(update(case_follows).values(due_at=0.0))
    async with town.bot._database.transaction() as connection:
        wake(connection, case_follows)
