"""Muting a monitor's group for a while, and taking that back: written down at the click, carried out behind it.

A mute whose outcome is unknown is not sent again; the person is told to look.
"""

import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts import views
from bot.alerts.model import KnownCycle
from bot.alerts.repository import CycleRepository
from bot.alerts.tables import alert_mutes
from bot.datadog.errors import DatadogError, NotFound
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, trouble_of
from bot.deadline import within
from bot.orgs.repository import OrgRepository
from bot.slack.interactions import Interaction
from bot.slack.replies import Replies
from bot.slack.text import utc
from bot.storage.engine import wake
from bot.storage.leases import Fence, LeasedWorker
from bot.storage.tables import newly_due, place_of
from bot.wording import APP

logger = logging.getLogger(__name__)

HOUR = 3600.0
MORNING = 8  # o'clock where the person is
SOON = 1.0  # hours: a mute until the morning that would be over so soon lasts until the next one


def next_morning(now: float, utc_offset: int) -> float:
    """Unix seconds; `utc_offset` in seconds, of where the person is."""
    here = timezone(timedelta(seconds=utc_offset))
    local = datetime.fromtimestamp(now, here)
    morning = local.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    if morning - local < timedelta(hours=SOON):
        morning += timedelta(days=1)
    return morning.timestamp()


class MuteWork(StrEnum):
    MUTE = "mute"
    UNMUTE = "unmute"


class MuteState(StrEnum):
    ASKED = "asked"
    SENDING = "sending"  # from here on it may have happened
    DONE = "done"
    REFUSED = "refused"
    UNCLEAR = "unclear"


def _next() -> ColumnElement[bool]:
    """Those of one cycle one after the other: two people pressing at once must not make two downtimes."""
    table, earlier = alert_mutes.c, alert_mutes.alias()
    unfinished = (MuteState.ASKED, MuteState.SENDING)
    waits = exists().where(
        earlier.c.cycle_id == table.cycle_id, earlier.c.id < table.id, earlier.c.state.in_(unfinished)
    )
    return and_(table.state.in_(unfinished), ~waits)


@dataclass(eq=False)
class Mutes(LeasedWorker):
    table = alert_mutes
    slots = 8
    due = _next()
    under_way = alert_mutes.c.state == MuteState.SENDING

    cycles: CycleRepository
    orgs: OrgRepository
    replies: Replies

    async def ask(
        self, work: MuteWork, known: KnownCycle, click: Interaction, *, seconds: float = HOUR, until: float = 0.0
    ) -> None:
        """In the database when this returns; the same click again changes nothing. `until` a time, or for so long."""
        now = self._database.now
        async with self._database.transaction() as connection:
            await connection.execute(
                self._database.insert_new(alert_mutes).values(
                    key=click.key,
                    **asdict(click.place),
                    work=work,
                    cycle_id=known.id,
                    org=known.org,
                    person=click.person,
                    person_name=click.person_name[:80],
                    monitor_id=(known.cycle.trouble or known.cycle.latest).monitor_id,
                    until=(until or now + seconds) if work is MuteWork.MUTE else None,
                    state=MuteState.ASKED,
                    **newly_due(now),
                )
            )
            wake(connection, alert_mutes)

    async def work(self, row: Row[Any], fence: Fence) -> None:
        known = await self.cycles.get(row.cycle_id)
        org = await self.orgs.get(row.org, row.workspace)
        if row.state == MuteState.SENDING and row.work == MuteWork.MUTE:
            await self._unclear(row, fence)  # whoever sent it never said what became of it
        elif known is None or org is None:
            await self._refused(row, fence, Trouble(TroubleKind.NO_ORG))
        elif await self.write(fence, state=MuteState.SENDING):
            await self._send(row, fence, known, org)

    async def _send(self, row: Row[Any], fence: Fence, known: KnownCycle, org: ConnectedOrg) -> None:
        try:
            async with within(self._timing.effect):
                if row.work == MuteWork.MUTE:
                    await self._mute(row, fence, known, org)
                else:
                    await self._unmute(row, fence, known, org)
        except (DatadogError, TimeoutError) as error:
            logger.warning("%s of monitor %s: %s", row.work, row.monitor_id, error or type(error).__name__)
            if row.work == MuteWork.MUTE and getattr(error, "may_have_happened", True):
                await self._unclear(row, fence)
            else:
                await self._refused(row, fence, trouble_of(error))

    async def _mute(self, row: Row[Any], fence: Fence, known: KnownCycle, org: ConnectedOrg) -> None:
        """Where somebody was faster, it is muted already and stays so."""
        if known.mute.downtime_id:
            await self._ended(fence, MuteState.DONE)
            return
        downtime_id = await org.monitors.mute(
            row.monitor_id,
            until=datetime.fromtimestamp(row.until, UTC),
            scope=known.scope,
            message=f"Muted until {utc(row.until)} from Slack by {row.person_name or row.person}, with {APP}.",
        )
        async with self._database.transaction() as connection:
            if await self._finished(connection, fence, MuteState.DONE):
                muted = {"until": row.until, "by": row.person, "place": row.workspace, "downtime_id": downtime_id}
                await self.cycles.muted(connection, row.cycle_id, **muted)

    async def _unmute(self, row: Row[Any], fence: Fence, known: KnownCycle, org: ConnectedOrg) -> None:
        if known.mute.downtime_id:
            try:
                await org.monitors.unmute(known.mute.downtime_id)
            except NotFound:
                logger.info("the downtime of cycle %s was gone already", known.ref)
        async with self._database.transaction() as connection:
            if await self._finished(connection, fence, MuteState.DONE):
                await self.cycles.unmuted(connection, row.cycle_id, by=row.person, place=row.workspace)

    async def _finished(self, connection: AsyncConnection, fence: Fence, state: MuteState) -> bool:
        wake(connection, alert_mutes)  # the next one of this cycle
        return await fence.write(connection, alert_mutes, state=state, owner=None)

    async def _ended(self, fence: Fence, state: MuteState) -> bool:
        async with self._database.transaction() as connection:
            return await self._finished(connection, fence, state)

    async def _unclear(self, row: Row[Any], fence: Fence) -> None:
        if await self._ended(fence, MuteState.UNCLEAR):
            await self.replies.tell(place_of(row), row.person, views.mute_unclear())

    async def _refused(self, row: Row[Any], fence: Fence, trouble: Trouble) -> None:
        if await self._ended(fence, MuteState.REFUSED):
            message = views.mute_refused(trouble, unmute=row.work == MuteWork.UNMUTE)
            await self.replies.tell(place_of(row), row.person, message)
