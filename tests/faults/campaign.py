"""People go on working while their bots are killed, frozen and stopped at any moment, and calls to Slack and Datadog are spoiled.

Seeded: the same seed strikes the same bots after the same pauses; what they are doing at that moment is the machine's to say.
"""

import asyncio
import itertools
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.sandbox.slack.errors import NotAcknowledged
from bot.schema import metadata
from tests.faults.bots import BotProcess, as_it_is, named
from tests.faults.figures import Figures
from tests.faults.storm import Storm

T = TypeVar("T")
Deed = Callable[[], Awaitable[object]]

PATIENCE = 240.0  # seconds, for a busy machine
PAUSE = (0.2, 1.2)  # seconds between two strikes
MOST_DEEDS = 12  # at once
TRY_AGAIN_AFTER = 0.3  # seconds
LOOK_EVERY = 0.1  # seconds
SLACK_CALLS = (
    "chat.postMessage",
    "chat.update",
    "chat.postEphemeral",
    "conversations.replies",
    "conversations.history",
    "conversations.info",
    "users.info",
    "views.open",
    "views.update",
    "response_url",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How bad it gets."""

    seed: int = 0
    replicas: int = 1
    strikes: int = 0
    longest_freeze: float = 25.0  # seconds
    spoiled: float = 0.1  # of all calls
    prepare: Callable[[], None] = as_it_is
    deeds_every: float = 0.5  # seconds


@dataclass
class Slot:
    """Where one replica runs; who comes after it runs there too."""

    number: int
    environment: dict[str, str]
    bot: BotProcess
    owner: str
    is_free: bool = True  # to be struck


class Campaign:
    def __init__(self, storm: Storm, plan: Plan, trial: str) -> None:
        self.storm = storm
        self.plan = plan
        self.figures = Figures(trial)
        self.slots: list[Slot] = []
        self._chance = random.Random(plan.seed)
        self._spoiling = random.Random(plan.seed + 1)
        self._group: asyncio.TaskGroup
        self._deeds = 0  # under way
        self._births = itertools.count()
        self._over = False

    async def run(self, deeds: Iterator[Deed], *environments: dict[str, str], outage: Deed | None = None) -> Figures:
        """All strikes and the outage, while one deed follows the other; then the bots bring everything to its end."""
        for number in range(self.plan.replicas):
            environment = environments[number] if environments else {}
            self.slots.append(Slot(number, environment, *await self._born(environment)))
        await self._all_up()
        async with _take_overs(self.storm.database_url) as take_overs:
            self._spoil()
            async with asyncio.TaskGroup() as self._group:
                self._group.create_task(self._work(deeds))
                for _ in range(self.plan.strikes):
                    await asyncio.sleep(self._chance.uniform(*PAUSE))
                    self._strike(await self._a_free_slot(), take_overs)
                if outage is not None:
                    await outage()
                self._over = True
            await self._rest()  # calls still go wrong
            self._heal()
            await self._rest()
        self.figures.take_overs = take_overs.seconds
        await self._stop_all()
        return self.figures

    # -- people -----------------------------------------------------------------------------------------------------

    async def _work(self, deeds: Iterator[Deed]) -> None:
        while not self._over:
            if self._deeds < MOST_DEEDS:
                self._group.create_task(self._done(next(deeds)))
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * self.plan.deeds_every)

    async def _done(self, deed: Deed) -> None:
        self._deeds += 1
        await deed()
        self._deeds -= 1
        self.figures.asked += 1

    # -- misfortunes ------------------------------------------------------------------------------------------------

    async def _a_free_slot(self) -> Slot:
        while not (free := [slot for slot in self.slots if slot.is_free]):  # noqa: ASYNC110  slots are no event
            await asyncio.sleep(LOOK_EVERY)
        return self._chance.choice(free)

    def _strike(self, slot: Slot, take_overs: "TakeOvers") -> None:
        kind = self._chance.choices(["kill", "freeze", "stop"], weights=[15, 2, 1])[0]
        seconds = self._chance.uniform(0.3, self.plan.longest_freeze)
        slot.is_free = False
        if kind == "freeze":
            self._group.create_task(self._freeze(slot, seconds))
        elif kind == "stop":
            self._group.create_task(self._stop(slot))
        else:
            self._group.create_task(self._kill(slot, take_overs))

    async def _kill(self, slot: Slot, take_overs: "TakeOvers") -> None:
        at = time.monotonic()
        slot.bot.send(signal.SIGKILL)
        self.figures.kills += 1
        assert await slot.bot.end(PATIENCE) == -signal.SIGKILL
        await take_overs.died(slot.owner, at)
        await self._revive(slot)

    async def _freeze(self, slot: Slot, seconds: float) -> None:
        self.figures.freezes += 1
        slot.bot.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        slot.bot.send(signal.SIGCONT)
        slot.is_free = True

    async def _stop(self, slot: Slot) -> None:
        self.figures.stops += 1
        await self._ends_in_order(slot)
        await self._revive(slot)

    async def _ends_in_order(self, slot: Slot) -> None:
        at = time.monotonic()
        slot.bot.send(signal.SIGTERM)
        code = await slot.bot.end(PATIENCE)
        self.figures.exits.append(time.monotonic() - at)
        if code != 0:
            self.figures.stuck.append(f"{slot.bot.log.name} was asked to stop and ended with {code}")

    async def _revive(self, slot: Slot) -> None:
        slot.bot, slot.owner = await self._born(slot.environment)
        await self._is_up(slot)
        slot.is_free = True

    async def _born(self, environment: dict[str, str]) -> tuple[BotProcess, str]:
        owner = f"bot-{next(self._births)}"
        return await self.storm.launch(partial(named, owner, self.plan.prepare), **environment), owner

    async def _all_up(self) -> None:
        for slot in self.slots:
            await self._is_up(slot)

    async def _is_up(self, slot: Slot) -> None:
        """It says so in its log, after all else of its start."""
        async with asyncio.timeout(PATIENCE):
            while "Bits Bot is ready." not in slot.bot.said:
                assert slot.bot.is_alive, slot.bot.said[-2_000:]
                await asyncio.sleep(LOOK_EVERY)

    def _spoil(self) -> None:
        """A share of all calls fails before or after it takes effect, lands late, or is told to wait."""
        late, each = self.storm.settle * 0.5, self.plan.spoiled / 5
        alike: list[dict[str, Any]] = [{"drop": "before"}, {"drop": "after"}, {"lands_after": late}, {"status": 503}]
        for fate in [*alike, {"retry_after": 1}]:
            for method in SLACK_CALLS:
                self.storm.slack.break_next(method, times=10**9, when=partial(self._is_spoiled, each), **fate)
        for fate in [*alike, {"status": 429, "headers": {"X-RateLimit-Reset": "1", "Retry-After": "1"}}]:
            self.storm.datadog.break_next("*", "*", times=10**9, where=partial(self._is_spoiled, each), **fate)

    def _is_spoiled(self, share: float, _: object) -> bool:
        is_spoiled = self._spoiling.random() < share
        self.figures.spoiled += is_spoiled
        return is_spoiled

    # -- the end ----------------------------------------------------------------------------------------------------

    def _heal(self) -> None:
        self.storm.slack.heal()
        self.storm.datadog.heal()

    async def _rest(self) -> None:
        try:
            await self.storm.calm(PATIENCE)
        except TimeoutError:
            self.figures.stuck.append(await self.storm.unfinished())

    async def _stop_all(self) -> None:
        await asyncio.gather(*(self._ends_in_order(slot) for slot in self.slots))


async def insist(act: Callable[[], Awaitable[T]]) -> T:
    """Who gets no acknowledgement sees a warning, and tries again."""
    while True:
        try:
            return await act()
        except NotAcknowledged:
            await asyncio.sleep(TRY_AGAIN_AFTER)


# -- from the death of a replica to the first act on its work ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """A row as somebody held it."""

    id: int
    owner: str | None
    attempt: int
    state: str


class TakeOvers:
    """Looks into the database at what the dead held, until somebody else has taken it up or finished it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._tables = [
            table for table in metadata.sorted_tables if {"id", "owner", "attempt", "state"} <= set(table.c.keys())
        ]
        self._waiting: dict[tuple[str, int], tuple[float, Held]] = {}
        self.seconds: list[float] = []

    async def died(self, owner: str, at: float) -> None:
        async with self._engine.connect() as connection:
            for table in self._tables:
                held = select(table.c.id, table.c.owner, table.c.attempt, table.c.state).where(table.c.owner == owner)
                for row in await connection.execute(held):
                    self._waiting[table.name, row.id] = (at, Held(*row))

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._waiting:
                await self._look()

    async def _look(self) -> None:
        async with self._engine.connect() as connection:
            for table in self._tables:
                ids = [number for name, number in self._waiting if name == table.name]
                if not ids:
                    continue
                found = select(table.c.id, table.c.owner, table.c.attempt, table.c.state).where(table.c.id.in_(ids))
                now = {row.id: Held(*row) for row in await connection.execute(found)}
                for number in ids:
                    at, before = self._waiting[table.name, number]
                    if _is_taken_up(before, now.get(number)):
                        self.seconds.append(time.monotonic() - at)
                        del self._waiting[table.name, number]


def _is_taken_up(before: Held, now: Held | None) -> bool:
    if now is None or now.owner not in {None, before.owner}:
        return True
    return (now.attempt, now.state) != (before.attempt, before.state)


@asynccontextmanager
async def _take_overs(database_url: str) -> AsyncIterator[TakeOvers]:
    engine = create_async_engine(database_url)
    take_overs = TakeOvers(engine)
    watching = asyncio.create_task(take_overs.watch())
    try:
        yield take_overs
    finally:
        watching.cancel()
        await asyncio.wait({watching})
        await engine.dispose()
