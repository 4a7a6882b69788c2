"""Muting a monitor's group for a while, and taking that back: written down at the click, carried out behind it.

A mute whose outcome is unknown is not sent again; the person is told to look.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts import views
from bot.alerts.model import KnownCycle
from bot.alerts.repository import CycleRepository
from bot.alerts.tables import alert_mutes
from bot.datadog.errors import DatadogError, NotFound
from bot.datadog.orgs import ConnectedOrg
from bot.investigations.failures import failure_of
from bot.investigations.model import Failure, FailureKind
from bot.model import Place
from bot.orgs.repository import OrgRepository
from bot.slack.interactions import Interaction
from bot.slack.replies import Replies
from bot.storage.leases import Leases
from bot.storage.timing import Timing
from bot.storage.workers import Tasks
from bot.wording import APP

logger = logging.getLogger(__name__)

FOR = 3600.0
AT_ONCE = 8


class MuteWork(StrEnum):
    MUTE = "mute"
    UNMUTE = "unmute"


class MuteState(StrEnum):
    ASKED = "asked"
    SENDING = "sending"  # from here on it may have happened
    DONE = "done"
    REFUSED = "refused"
    UNCLEAR = "unclear"


class Mutes:
    def __init__(
        self,
        book: CycleRepository,
        orgs: OrgRepository,
        replies: Replies,
        timing: Timing,
        *,
        owner: str,
        wake: Callable[[], None],
    ) -> None:
        self._book = book
        self._database = book.database
        self._orgs = orgs
        self._replies = replies
        self._timing = timing
        self._wake = wake
        self._leases = Leases(book.database, alert_mutes, owner=owner, lease=timing.lease)
        self._tasks = Tasks()

    async def ask(self, work: MuteWork, known: KnownCycle, click: Interaction) -> None:
        """In the database when this returns; the same click again changes nothing."""
        now, place = self._database.now, click.place
        async with self._database.transaction() as connection:
            await connection.execute(
                self._database.insert_new(alert_mutes).values(
                    key=click.key,
                    work=work,
                    cycle_id=known.id,
                    org=known.org,
                    workspace=place.workspace,
                    channel=place.channel,
                    thread_ts=place.thread_ts,
                    person=click.person,
                    person_name=click.person_name[:80],
                    monitor_id=(known.cycle.trouble or known.cycle.latest).monitor_id,
                    until=now + FOR if work is MuteWork.MUTE else None,
                    state=MuteState.ASKED,
                    created_at=now,
                    due_at=now,
                    attempt=0,
                )
            )
        self._wake()

    async def step(self) -> float | None:
        free = AT_ONCE - len(self._tasks)
        for row in await self._leases.claim(_next(), free) if free > 0 else ():
            self._tasks.spawn(self._carry_out(row), f"{row.work} {row.id}")
        return None

    async def recover(self) -> None:
        await self._leases.settle_old(alert_mutes.c.state == MuteState.SENDING, self._timing.settle)
        await self._leases.settle_old(alert_mutes.c.state == MuteState.ASKED, 0)

    async def close(self, within: float) -> None:
        await self._tasks.finish(within)
        await self._leases.hand_back(alert_mutes.c.state == MuteState.SENDING, self._timing.settle)

    async def _carry_out(self, row: Row[Any]) -> None:
        known = await self._book.get(row.cycle_id)
        org = await self._orgs.get(row.org)
        if row.state == MuteState.SENDING and row.work == MuteWork.MUTE:
            await self._unclear(row)  # whoever sent it never said what became of it
        elif known is None or org is None:
            await self._refused(row, Failure(FailureKind.NO_ORG))
        elif await self._write(row, state=MuteState.SENDING):
            await self._send(row, known, org)
        self._wake()

    async def _send(self, row: Row[Any], known: KnownCycle, org: ConnectedOrg) -> None:
        try:
            async with asyncio.timeout(self._timing.effect):
                if row.work == MuteWork.MUTE:
                    await self._mute(row, known, org)
                else:
                    await self._unmute(row, known, org)
        except (DatadogError, TimeoutError) as error:
            logger.warning("%s of monitor %s: %s", row.work, row.monitor_id, error or type(error).__name__)
            if row.work == MuteWork.MUTE and getattr(error, "may_have_happened", True):
                await self._unclear(row)
            else:
                await self._refused(row, failure_of(error))

    async def _mute(self, row: Row[Any], known: KnownCycle, org: ConnectedOrg) -> None:
        """Where somebody was faster, it is muted already and stays so."""
        if known.mute.downtime_id:
            await self._write(row, state=MuteState.DONE, owner=None)
            return
        downtime_id = await org.monitors.mute(
            row.monitor_id,
            until=datetime.fromtimestamp(row.until, UTC),
            scope=known.scope,
            message=f"Muted for an hour from Slack by {row.person_name or row.person}, with {APP}.",
        )
        async with self._database.transaction() as connection:
            if await self._finished(connection, row):
                muted = {"until": row.until, "by": row.person, "downtime_id": downtime_id}
                await self._book.muted(connection, row.cycle_id, **muted)

    async def _unmute(self, row: Row[Any], known: KnownCycle, org: ConnectedOrg) -> None:
        if known.mute.downtime_id:
            try:
                await org.monitors.unmute(known.mute.downtime_id)
            except NotFound:
                logger.info("the downtime of cycle %s was gone already", known.ref)
        async with self._database.transaction() as connection:
            if await self._finished(connection, row):
                await self._book.unmuted(connection, row.cycle_id, by=row.person)

    async def _finished(self, connection: AsyncConnection, row: Row[Any]) -> bool:
        holds = self._leases.fence(row).holds(alert_mutes)
        done = await connection.execute(update(alert_mutes).where(holds).values(state=MuteState.DONE, owner=None))
        return bool(done.rowcount)

    async def _unclear(self, row: Row[Any]) -> None:
        if await self._write(row, state=MuteState.UNCLEAR, owner=None):
            await self._replies.tell(_place(row), row.person, views.mute_unclear())

    async def _refused(self, row: Row[Any], failure: Failure) -> None:
        if await self._write(row, state=MuteState.REFUSED, owner=None):
            message = views.mute_refused(failure, unmute=row.work == MuteWork.UNMUTE)
            await self._replies.tell(_place(row), row.person, message)

    async def _write(self, row: Row[Any], **values: Any) -> bool:
        holds = self._leases.fence(row).holds(alert_mutes)
        async with self._database.transaction() as connection:
            changed = await connection.execute(update(alert_mutes).where(holds).values(**values))
        return bool(changed.rowcount)


def _place(row: Row[Any]) -> Place:
    return Place(row.workspace, row.channel, row.thread_ts)


def _next() -> ColumnElement[bool]:
    """Those of one cycle one after the other: two people pressing at once must not make two downtimes."""
    table, earlier = alert_mutes.c, alert_mutes.alias()
    unfinished = (MuteState.ASKED, MuteState.SENDING)
    waits = exists().where(
        earlier.c.cycle_id == table.cycle_id, earlier.c.id < table.id, earlier.c.state.in_(unfinished)
    )
    return and_(table.state.in_(unfinished), ~waits)
