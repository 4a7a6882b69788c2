"""Which organisations answer, as far as the bot's own calls tell."""

import httpx
import pytest

from bot.datadog.answers import FAILS_AFTER
from bot.datadog.client import Datadog
from bot.datadog.errors import DatadogError
from bot.datadog.orgs import ConnectedOrg
from bot.orgs.health import ASKED_EVERY, MOST_NAMED, OrgHealth
from bot.storage.workers import Tasks
from tests.clock import Clock
from tests.datadog.conftest import Scripted


class Used:
    """Organisations in use, each answering as a test says."""

    def __init__(self) -> None:
        self.status: dict[str, int] = {}
        self.asked: list[str] = []
        self.orgs: list[ConnectedOrg] = []

    def add(self, name: str, status: int = 200) -> ConnectedOrg:
        def answer(_: httpx.Request) -> httpx.Response:
            self.asked.append(name)
            return httpx.Response(self.status[name], json={"data": []})

        async def at_once(_: float) -> None:
            """No test waits for a retry."""

        self.status[name] = status
        client = Datadog("https://dd", "key", "key", app_url="", http=Scripted(answer), sleep=at_once, attempts=1)
        self.orgs.append(ConnectedOrg(name, client, ""))
        return self.orgs[-1]

    def in_use(self) -> list[ConnectedOrg]:
        return self.orgs


@pytest.fixture
def used() -> Used:
    return Used()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(used: Used, clock: Clock) -> OrgHealth:
    return OrgHealth(used, Tasks(), clock=clock)  # type: ignore[arg-type]  # all that is asked of it


async def asks(org: ConnectedOrg, times: int = 1) -> None:
    for _ in range(times):
        try:
            await org.bits.page(offset=0, limit=1)
        except DatadogError:
            continue


async def test_who_was_never_asked_is_no_trouble(used: Used, health: OrgHealth) -> None:
    assert health.told() == (True, "no organisation was asked yet")
    used.add("default")
    assert health.told() == (True, "no organisation was asked yet")


@pytest.mark.parametrize(("status", "fails"), [(401, True), (403, True), (503, True), (404, False), (429, False)])
async def test_three_failures_in_a_row_are_trouble(used: Used, health: OrgHealth, status: int, fails: bool) -> None:
    org = used.add("default", status)
    await asks(org, FAILS_AFTER - 1)
    assert health.told()[0]
    await asks(org)
    ok, sentence = health.told()
    assert (ok, "no good answer from 1 of 1 organisation: default: it has not answered yet" in sentence) == (
        not fails,
        fails,
    )
    used.status["default"] = 200
    await asks(org)
    assert health.told()[0]


async def test_one_that_works_is_enough_and_the_others_are_named(used: Used, health: OrgHealth) -> None:
    await asks(used.add("fine-org"))
    for number in range(MOST_NAMED + 2):
        await asks(used.add(f"bad-{number}", 403), FAILS_AFTER)
    ok, sentence = health.told()
    assert ok
    assert "bad-0" in sentence
    assert sentence.endswith("and 2 more")
    assert "fine-org" not in sentence


async def test_who_failed_is_asked_again_but_seldom(used: Used, health: OrgHealth, clock: Clock) -> None:
    await asks(used.add("fine-org"))
    await asks(used.add("bad", 401))
    used.asked.clear()
    for _ in range(5):
        health.told()
    await health.tasks.finish(5)
    assert used.asked == ["bad"]
    clock.now += ASKED_EVERY
    health.told()
    await health.tasks.finish(5)
    assert used.asked == ["bad", "bad"]
