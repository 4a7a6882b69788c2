"""What Slack told one of us to wait for, nobody calls before that: told by the calls that reach a local Slack."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import Channel, FakeSlack
from bot.slack.clients import PatientClient
from bot.slack.errors import RATE_LIMITED, trouble_of
from bot.slack.waits import CAREFUL, LONGEST, Waits
from bot.storage.engine import Database
from bot.storage.retention import forget_workspace
from bot.storage.tables import told_waits
from bot.storage.workers import FAR
from tests.clock import Clock
from tests.pg import database_url, ready, ready_postgres_url

__all__ = ["database_url", "ready_postgres_url"]

POST, EDIT, READ = "chat.postMessage", "chat.update", "conversations.replies"


@dataclass
class Replica:
    """One process: its memory of what Slack said, and its clients."""

    slack: FakeSlack
    session: ClientSession
    waits: Waits

    def client(self, workspace: str = "T1") -> PatientClient:
        client = PatientClient(
            self.slack.bot_token, base_url=self.slack.api_url, session=self.session, retry_handlers=[]
        )
        client.waits, client.workspace = self.waits, workspace
        return client

    async def posts(self, channel: Channel, workspace: str = "T1") -> float:
        """How long it has to wait; 0 when it stands."""
        return await self.calls(POST, workspace, channel=channel.id, text="hello")

    async def calls(self, method: str, workspace: str = "T1", **arguments: str) -> float:
        try:
            await self.client(workspace).api_call(method, json=arguments)
        except SlackApiError as error:
            return trouble_of(error).wait if trouble_of(error).code == RATE_LIMITED else 0.0
        return 0.0


class World:
    def __init__(self, slack: FakeSlack, session: ClientSession, database: Database, clock: Clock) -> None:
        self.slack, self.session, self.database, self.clock = slack, session, database, clock
        self.one, self.other = self.replica(), self.replica()
        self.here, self.there, self.third = (slack.workspace.add_channel(name) for name in ("one", "two", "three"))

    def replica(self) -> Replica:
        return Replica(self.slack, self.session, Waits(self.database, self.clock))

    def reached(self, method: str) -> int:
        return len(self.slack.calls_to(method))


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    clock = Clock()
    async with (
        ready(Database(database_url, clock=clock)) as database,
        FakeSlack() as slack,
        ClientSession() as session,
    ):
        yield World(slack, session, database, clock)


async def test_a_channel_that_was_told_to_wait_is_left_alone_until_then(world: World) -> None:
    world.slack.break_next(POST, retry_after=30)
    assert await world.one.posts(world.here) == 30
    world.clock.wind(29)
    assert await world.one.posts(world.here) == 1
    assert world.reached(POST) == 1
    assert await world.one.posts(world.there) == 0
    world.clock.wind(1)
    assert await world.one.posts(world.here) == 0
    assert world.reached(POST) == 3


@pytest.mark.parametrize("method", [EDIT, READ])
async def test_other_methods_are_limited_for_the_whole_workspace(world: World, method: str) -> None:
    world.slack.break_next(method, retry_after=30)
    assert await world.one.calls(method) == 30
    assert await world.one.calls(method) == 30
    assert world.reached(method) == 1
    assert await world.one.calls(method, "T2") == 0
    assert await world.one.posts(world.here) == 0


async def test_a_long_wait_in_a_second_channel_is_the_workspace_s(world: World) -> None:
    world.slack.break_next(POST, times=2, retry_after=30)
    await world.one.posts(world.here)
    await world.one.posts(world.there)
    assert await world.one.posts(world.third) == 30
    assert world.reached(POST) == 2
    assert await world.one.posts(world.third, "T2") == 0


async def test_short_waits_are_each_channel_s_own(world: World) -> None:
    world.slack.break_next(POST, times=2, retry_after=2)
    await world.one.posts(world.here)
    await world.one.posts(world.there)
    assert await world.one.posts(world.third) == 0


async def test_what_one_replica_was_told_holds_for_all_and_after_a_restart(world: World) -> None:
    world.slack.break_next(EDIT, retry_after=30)
    await world.one.calls(EDIT)
    for replica in (world.other, world.replica()):
        await replica.waits.learn()
        assert await replica.calls(EDIT) == 30
    assert world.reached(EDIT) == 1


async def test_the_sweep_finds_it_only_while_somebody_waits(world: World) -> None:
    assert await world.database.all(world.other.waits.unread()) == []
    world.slack.break_next(EDIT, retry_after=30)
    await world.one.calls(EDIT)
    assert len(await world.database.all(world.other.waits.unread())) == 1
    world.clock.wind(31)
    assert await world.database.all(world.other.waits.unread()) == []


async def test_after_a_wait_one_call_finds_out_whether_it_goes_on(world: World) -> None:
    world.slack.break_next(EDIT, times=100, retry_after=30)
    await world.one.calls(EDIT)
    for rounds in range(2, 5):
        world.clock.wind(30)
        waits = await asyncio.gather(*(world.one.calls(EDIT) for _ in range(30)))
        assert min(waits) >= 1
        assert world.reached(EDIT) == rounds


async def test_after_a_wait_of_the_workspace_one_post_finds_out_for_all_channels(world: World) -> None:
    world.slack.break_next(POST, times=100, retry_after=30)
    channels = (world.here, world.there, world.third)
    for channel in channels:
        await world.one.posts(channel)
    assert world.reached(POST) == 2
    for rounds in range(3, 6):
        world.clock.wind(30)
        await asyncio.gather(*(world.one.posts(channel) for channel in channels))
        assert world.reached(POST) == rounds


async def test_long_after_a_wait_calls_go_side_by_side_again(world: World) -> None:
    world.slack.break_next(EDIT, retry_after=30)
    await world.one.calls(EDIT)
    world.clock.wind(30 + CAREFUL)
    there, gate = asyncio.Semaphore(0), asyncio.Event()

    def arrives(_: object) -> bool:
        there.release()
        return True

    world.slack.break_next(EDIT, times=2, delay=gate, when=arrives)
    both = asyncio.gather(world.one.calls(EDIT), world.one.calls(EDIT))
    for _ in range(2):
        await there.acquire()
    gate.set()
    assert set(await both) == {0}


async def test_a_wait_of_days_and_one_of_a_clock_set_back_block_nobody_for_ever(world: World) -> None:
    world.slack.break_next(EDIT, retry_after=10**6)
    await world.one.calls(EDIT)
    assert await world.one.calls(EDIT) == LONGEST
    await world.database.write(told_waits.update().values(until=world.database.now + FAR + 1))
    await world.other.waits.learn()
    assert await world.other.calls(EDIT) == 0


async def test_what_was_told_goes_with_the_workspace(world: World) -> None:
    world.slack.break_next(EDIT, retry_after=30)
    await world.one.calls(EDIT)
    await forget_workspace(world.database, "T1")
    assert await world.database.all(told_waits.select()) == []
