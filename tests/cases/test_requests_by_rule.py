"""A case that a channel's rule wants: requested once by its key, made by nobody where a person has made one in the thread."""

import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select

from bot.cases.card import case_card
from bot.cases.creation import CaseMaker
from bot.cases.model import CaseAction, CaseActionKind, CaseRequest, CaseRequestState, CaseSource
from bot.cases.posts import CaseReplies
from bot.cases.repository import CaseRepository
from bot.cases.requests import BY_RULE, CaseRequests
from bot.cases.tables import case_orders
from bot.datadog.trouble import Trouble, TroubleKind
from bot.slack.replies import Replies
from bot.storage.engine import Database
from bot.storage.workers import Timing
from tests.cases.library import ELSEWHERE, THREAD, case, content

KEY = "rule:c1:1"


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    database = Database("sqlite+aiosqlite:///:memory:")
    await database.open()
    yield database
    await database.close()


class Datadog:
    """Plays the organisation, and who finds it."""

    def __init__(self) -> None:
        self.created = 0

    @property
    def cases(self) -> "Datadog":
        return self

    async def get(self, _org: str, _workspace: str) -> "Datadog":
        return self

    async def learn_names(self, _org: object) -> None: ...

    async def create(self, *_told: object, **_more: object) -> Any:
        self.created += 1
        return case(1)


class Room:
    def __init__(self, database: Database) -> None:
        self.cases = CaseRepository(database, lambda _org: None)
        self.requests = CaseRequests(database, self.cases)
        self.datadog = Datadog()
        nobody: Any = None  # whoever is told something here fails
        played: Any = self.datadog
        self.maker = CaseMaker(
            database, Timing(), self.requests, self.cases, played, played, cast(CaseReplies, nobody), owner="one"
        )
        self.heard = database.alarm(BY_RULE)

    async def ordered(self) -> CaseRequest:
        request = await self.requests.draft("default", THREAD, "", CaseSource(), key=KEY)
        await self.requests.remember_draft(request, wanted=content())
        async with self.requests.database.transaction() as connection:
            assert await self.requests.submit_in(connection, request)
        return request

    async def works(self) -> None:
        for _ in range(3):
            await self.requests.database.write(case_orders.update().values(due_at=0.0))
            await self.maker.step()
            await self.maker._tasks.finish(10)

    async def stands(self, request: CaseRequest) -> tuple[CaseRequestState, int | None, bool]:
        now = await self.requests.by_number(request.id)
        assert now is not None
        return now.state, now.case_row, now.told


@pytest.fixture
def room(database: Database) -> Room:
    return Room(database)


async def test_the_same_key_is_the_same_request_and_is_submitted_once(room: Room) -> None:
    request = await room.ordered()
    again = await room.requests.draft("default", THREAD, "", CaseSource(), key=KEY)
    assert again.id == request.id
    assert again.state is CaseRequestState.ORDERED
    async with room.requests.database.transaction() as connection:
        assert not await room.requests.submit_in(connection, again)
    assert await room.requests.get(KEY, "T1", "U1") is None


async def test_it_is_made_without_a_word_to_anybody(room: Room) -> None:
    request = await room.ordered()
    room.heard.at = float("inf")
    await room.works()
    state, case_row, told = await room.stands(request)
    assert (state, told) == (CaseRequestState.DONE, True)
    assert room.datadog.created == 1
    assert room.heard.at < float("inf")
    known = await room.cases.get(case_row or 0)
    assert known is not None
    assert "A channel's rule opened this case" in case_card(known, "https://app.datadoghq.com").text


async def test_one_made_by_hand_meanwhile_is_the_only_one(room: Room) -> None:
    request = await room.ordered()
    await room.cases.remember("default", case(7), place=THREAD, person="U1")
    await room.works()
    assert await room.stands(request) == (CaseRequestState.DONE, None, True)
    assert room.datadog.created == 0


async def test_while_one_is_being_made_by_hand_it_waits(room: Room) -> None:
    hers = await room.requests.draft("default", THREAD, "U1", CaseSource())
    request = await room.ordered()
    await room.requests.submit(hers, content(), "")
    table = case_orders.c
    await room.requests.database.write(
        case_orders.update().where(table.id == hers.id).values(owner="hers", due_at=time.time() + 600)
    )
    await room.requests.database.write(case_orders.update().where(table.id == request.id).values(due_at=0.0))
    await room.maker.step()
    await room.maker._tasks.finish(10)
    row = await room.requests.database.first(select(table.state, table.owner).where(table.id == request.id))
    assert row is not None
    assert (row.state, row.owner) == ("ordered", None)
    assert room.datadog.created == 0


async def test_nobodys_choice_is_a_rules_choice(room: Room) -> None:
    """A rule of another channel proposes nothing here, as no person asked for either."""
    request = await room.ordered()
    await room.works()
    elsewhere = await room.requests.draft("default", ELSEWHERE, "", CaseSource(), key="rule:c2:2")
    assert await room.requests.last_choice(elsewhere) is None
    same = await room.requests.draft("default", THREAD, "", CaseSource(), key="rule:c3:3")
    last = await room.requests.last_choice(same)
    assert last is not None
    assert last.project_id == "p1"
    assert request.by_rule


async def test_nobody_is_told_of_what_a_rule_could_not_do() -> None:
    nobody: Any = None
    told: list[object] = []
    replies = SimpleNamespace(tell=lambda *what: told.append(what))
    speaks = CaseReplies(nobody, nobody, cast(Replies, replies), nobody, lambda _org: "")
    action = CaseAction("close-by-rule:1", 1, THREAD, "", CaseActionKind.STATUS, "Closed")
    await speaks.action_failed(action, nobody, Trouble(TroubleKind.FORBIDDEN))
    assert told == []
