"""Where every wish arrives: button, shortcut, command, mention and modal all call `Desk.ask`, before they acknowledge.

An ask is in the database when this returns. Nothing here calls Datadog or Slack.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.investigations.ledger import Ledger, Started
from bot.investigations.model import AlertRef, Ask, ExistingRun, Investigation, Question
from bot.investigations.records import read_investigation, subject_record
from bot.storage.leases import Fence
from bot.storage.tables import asks, investigations


class Reception(StrEnum):
    STARTED = "started"  # this ask began an investigation
    FOLLOWING = "following"  # one was there already; this thread now waits for it too
    ALREADY_HERE = "already_here"  # one was there already, in this very thread
    LOOKING_UP = "looking_up"  # the alert is being looked for; the card follows
    REPEATED = "repeated"  # the same gesture again: its first arrival is being dealt with


@dataclass(frozen=True, slots=True)
class Outcome:
    reception: Reception
    investigation: Investigation | None = None


class Desk:
    def __init__(self, ledger: Ledger, wake: Callable[[], None]) -> None:
        self._ledger = ledger
        self._database = ledger.database
        self._wake = wake

    async def ask(self, ask: Ask) -> Outcome:
        async with self._database.transaction() as connection:
            row = await self._write_down(connection, ask)
            if row is None:
                return await self._repeated(connection, ask)
            outcome = await self._receive(connection, ask, row.id)
        self._wake()
        return outcome

    async def run_again(self, ask: Ask, after_run: int) -> Outcome:
        """A new run of something that was investigated before; two people asking for it make one."""
        async with self._database.transaction() as connection:
            row = await self._write_down(connection, ask)
            if row is None:
                return await self._repeated(connection, ask)
            assert isinstance(ask.subject, (AlertRef, Question))  # noqa: S101  the caller read it from a ledger row
            started = await self._ledger.begin(connection, ask, ask.subject, after=after_run)
            await self._done(connection, row.id, started)
        self._wake()
        return _outcome(started)

    async def _write_down(self, connection: AsyncConnection, ask: Ask) -> Row[Any] | None:
        now, place = self._database.now, ask.place
        inserted = await connection.execute(
            self._database.insert_new(asks)
            .values(
                key=ask.key,
                org=ask.org,
                workspace=place.workspace,
                channel=place.channel,
                thread_ts=place.thread_ts,
                requester=ask.requester,
                source=ask.source,
                subject=subject_record(ask.subject),
                state="waiting",
                created_at=now,
                due_at=now,
                attempt=0,
            )
            .returning(*asks.c)
        )
        return inserted.first()

    async def _repeated(self, connection: AsyncConnection, ask: Ask) -> Outcome:
        query = select(investigations).join(asks, asks.c.investigation_id == investigations.c.id)
        row = (await connection.execute(query.where(asks.c.key == ask.key))).first()
        return Outcome(Reception.REPEATED, read_investigation(row) if row else None)

    async def _receive(self, connection: AsyncConnection, ask: Ask, ask_id: int) -> Outcome:
        if not isinstance(ask.subject, (AlertRef, Question, ExistingRun)):
            return Outcome(Reception.LOOKING_UP)
        started = await self._ledger.begin(connection, ask, ask.subject)
        await self._done(connection, ask_id, started)
        return _outcome(started)

    async def _done(self, connection: AsyncConnection, ask_id: int, started: Started) -> None:
        await connection.execute(
            update(asks).where(asks.c.id == ask_id).values(state="done", investigation_id=started.investigation.id)
        )

    # -- asks whose alert had to be looked up first -------------------------------------------------------------

    async def found(self, fence: Fence, ask: Ask, alert: AlertRef | ExistingRun) -> Outcome | None:
        """The alert behind an ask is known now; None when somebody else took the ask over meanwhile."""
        async with self._database.transaction() as connection:
            ours = (await connection.execute(select(asks.c.id).where(fence.holds(asks)))).first()
            if ours is None:
                return None
            started = await self._ledger.begin(connection, ask, alert)
            await self._done(connection, fence.id, started)
        self._wake()
        return _outcome(started)

    async def not_found(self, fence: Fence, problem: str) -> bool:
        return await self._write(fence, state="refused", problem=problem, owner=None)

    async def later(self, fence: Fence, wait: float) -> bool:
        return await self._write(fence, due_at=self._database.now + wait, owner=None)

    async def _write(self, fence: Fence, **values: Any) -> bool:
        async with self._database.transaction() as connection:
            changed = await connection.execute(update(asks).where(fence.holds(asks)).values(**values))
        return bool(changed.rowcount)

    async def again(self, investigation_id: int) -> tuple[AlertRef | Question | None, Investigation | None]:
        """What "run again" on an investigation would ask for."""
        investigation = await self._ledger.get(investigation_id)
        if investigation is None:
            return None, None
        return investigation.alert or investigation.question, investigation


def _outcome(started: Started) -> Outcome:
    if started.is_new:
        return Outcome(Reception.STARTED, started.investigation)
    return Outcome(Reception.FOLLOWING if started.new_thread else Reception.ALREADY_HERE, started.investigation)
