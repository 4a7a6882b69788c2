"""Takes stored notices to the cycles they belong to and to the channels that want them, and notes which may start by themselves."""

import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.cycle import standing
from bot.alerts.model import KnownCycle, Notice, Transition
from bot.alerts.repository import CycleRepository
from bot.alerts.starts import Starts
from bot.alerts.tables import NEW, NOTICE, SORTED, UNROUTED, alert_notices
from bot.model import AlertRef, Place
from bot.rules.model import ChannelRules
from bot.rules.org_choice import OrgChooser
from bot.rules.repository import taken_by
from bot.storage.leases import Fence, Leases
from bot.storage.timing import Timing
from bot.storage.workers import Tasks

logger = logging.getLogger(__name__)

AT_ONCE = 50
KEPT_FOR = 14 * 24 * 3600.0


class AlertRouter:
    def __init__(
        self,
        book: CycleRepository,
        chooser: OrgChooser,
        starts: Starts,
        timing: Timing,
        *,
        owner: str,
        wake: Callable[[], None],
    ) -> None:
        self._book = book
        self._database = book.database
        self._chooser = chooser
        self._starts = starts
        self._leases = Leases(book.database, alert_notices, owner=owner, lease=timing.lease)
        self._wake = wake
        self._tasks = Tasks()

    async def step(self) -> float | None:
        """One batch at a time: the order within it does not matter, the database is what takes the time."""
        if len(self._tasks):
            return None
        rows = await self._leases.claim(alert_notices.c.state == NEW, AT_ONCE)
        if rows:
            self._tasks.spawn(self._sort_all(rows), f"{len(rows)} notices")
        return None

    async def recover(self) -> None:
        await self._leases.settle_old(alert_notices.c.state == NEW, 0)

    async def close(self, within: float) -> None:
        await self._tasks.finish(within)
        await self._leases.hand_back(alert_notices.c.state == NEW, 0)

    async def _sort_all(self, rows: list[Row[Any]]) -> None:
        """All in one transaction; should one of them spoil that, each in its own."""
        try:
            await self._sort(rows)
        except Exception as error:  # noqa: BLE001  whatever it was, it is logged with the notice it was about
            logger.warning("%s notices could not be sorted together (%s)", len(rows), type(error).__name__)
            await self._sort_singly(rows)
        self._wake()

    async def _sort_singly(self, rows: list[Row[Any]]) -> None:
        for row in rows:
            try:
                await self._sort([row])
            except Exception:
                logger.exception("notice %s: this try failed, it comes back by its lease", row.id)

    async def _sort(self, rows: list[Row[Any]]) -> None:
        told = [(row, NOTICE.validate_python(row.content)) for row in rows]
        channels = {org: await self._chooser.channels_of(org) for org in {row.org for row in rows}}
        told.sort(key=lambda each: (each[0].org, each[1].identity))  # two replicas lock cycles in the same order
        async with self._database.transaction() as connection:
            for row, notice in told:
                await self._take_in(connection, row, notice, channels[row.org])

    async def _take_in(
        self, connection: AsyncConnection, row: Row[Any], notice: Notice, channels: list[ChannelRules]
    ) -> None:
        routed = taken_by(channels, notice.facts)
        if not await self._done(connection, self._leases.fence(row), SORTED if routed else UNROUTED):
            return
        known = await self._book.join(connection, row.org, notice)
        for rules in await self._channels(connection, known, notice, routed):
            await self._book.owe_card(connection, known, rules.workspace, rules.channel)
            if _may_start(rules, known, notice):
                alert = AlertRef(notice.monitor_id, notice.event_id, notice.event_ts, notice.name, notice.group)
                place = Place(rules.workspace, rules.channel)
                await self._starts.want(connection, known.org, place, alert, notice.facts, cycle_id=known.id)
        if not routed:
            logger.info(
                "%s: no channel takes alerts of monitor %s, and none is the default", row.org, notice.monitor_id
            )

    async def _done(self, connection: AsyncConnection, fence: Fence, state: str) -> bool:
        written = update(alert_notices).where(fence.holds(alert_notices)).values(state=state, owner=None)
        return bool((await connection.execute(written)).rowcount)

    async def _channels(
        self, connection: AsyncConnection, known: KnownCycle, notice: Notice, routed: list[ChannelRules]
    ) -> list[ChannelRules]:
        """The default channels take what nobody else has: not the end of an alert that stands elsewhere."""
        asked_for = [rules for rules in routed if rules.route is not None and rules.route.matches(notice.facts)]
        if asked_for or not await self._book.has_cards(connection, known.id):
            return routed
        return []

    async def forget_old(self) -> None:
        old = alert_notices.c.received_at < self._database.now - KEPT_FOR
        async with self._database.transaction() as connection:
            await connection.execute(delete(alert_notices).where(old, alert_notices.c.state != NEW))


def _may_start(rules: ChannelRules, known: KnownCycle, notice: Notice) -> bool:
    """Never a test, never what has no event to investigate, never what is over by now."""
    if notice.test or not (notice.monitor_id and notice.event_id) or notice.transition is Transition.RECOVERED:
        return False
    is_over = standing(known.cycle).state is Transition.RECOVERED
    return not is_over and rules.auto is not None and rules.auto.matches(notice.facts)
