"""Takes stored notices to the cycles they belong to and to the channels that want them, and notes which may start by themselves."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.case_decisions import is_meant
from bot.alerts.case_rows import RuleCases
from bot.alerts.model import KnownCycle, Notice, Transition, standing
from bot.alerts.repository import CycleRepository
from bot.alerts.starts import Starts
from bot.alerts.tables import NEW, SORTED, UNROUTED, alert_notices
from bot.model import Place
from bot.rules.model import ChannelRules
from bot.rules.org_choice import OrgChooser
from bot.rules.repository import taken_by
from bot.storage.leases import LeasedWorker
from bot.storage.troubles import troubles

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class AlertRouter(LeasedWorker):
    """One batch at a time: the order within it does not matter, the database is what takes the time."""

    table = alert_notices
    slots = 50
    due = alert_notices.c.state == NEW

    cycles: CycleRepository
    chooser: OrgChooser
    starts: Starts
    rule_cases: RuleCases

    def _room(self) -> int:
        return 0 if self._working else self.slots

    def _hand_out(self, rows: Sequence[Row[Any]]) -> None:
        if rows:
            self._working = {row.id for row in rows}
            self._tasks.spawn(self._sort_batch(rows), f"{len(rows)} notices")

    async def _sort_batch(self, rows: Sequence[Row[Any]]) -> None:
        """All in one transaction; should one of them spoil that, each in its own."""
        try:
            await self._sort(rows)
        except Exception as error:  # noqa: BLE001  whatever it was, it is logged with the notice it was about
            logger.warning("%s notices could not be sorted together (%s)", len(rows), type(error).__name__)
            await self._sort_singly(rows)
        finally:
            self._working.clear()
            if self._may_be_more:
                self.alarm.ring()

    async def _sort_singly(self, rows: Sequence[Row[Any]]) -> None:
        for row in rows:
            try:
                await self._sort([row])
            except Exception as error:  # noqa: BLE001  one must not hold up the others
                troubles.met("notices", error)
                logger.warning("notice %s: this try failed, it comes back by its lease", row.id)
                self.alarm.ring(self._timing.lease)

    async def _sort(self, rows: Sequence[Row[Any]]) -> None:
        channels = {org: await self.chooser.channels_of(org) for org in {row.org for row in rows}}
        async with self._database.transaction() as connection:
            # two replicas lock cycles in the same order
            for row in sorted(rows, key=lambda row: (row.org, row.content.identity)):
                await self._take_in(connection, row, channels[row.org])

    async def _take_in(self, connection: AsyncConnection, row: Row[Any], channels: list[ChannelRules]) -> None:
        notice: Notice = row.content
        routed = taken_by(channels, notice.facts)
        state = SORTED if routed else UNROUTED
        if not await self._leases.fence(row).write(connection, alert_notices, state=state, owner=None):
            return
        known = await self.cycles.join(connection, row.org, notice)
        for rules in await self._channels(connection, known, notice, routed):
            await self.cycles.owe_card(connection, known, rules.workspace, rules.channel)
            if _may_start(rules, known, notice):
                place = Place(rules.workspace, rules.channel)
                await self.starts.want(connection, known.org, place, notice.event, notice.facts, cycle_id=known.id)
            if _may_have_case(rules, known, notice):
                await self.rule_cases.want(connection, known, rules.workspace, rules.channel)
        if notice.transition is Transition.RECOVERED:
            await self.rule_cases.recovered(connection, known.id)
        if not routed:
            logger.info(
                "%s: no channel takes alerts of monitor %s, and none is the default", row.org, notice.monitor_id
            )

    async def _channels(
        self, connection: AsyncConnection, known: KnownCycle, notice: Notice, routed: list[ChannelRules]
    ) -> list[ChannelRules]:
        """The default channels take what nobody else has: not the end of an alert that stands elsewhere."""
        asked_for = [rules for rules in routed if rules.route is not None and rules.route.matches(notice.facts)]
        if asked_for or not await self.cycles.has_cards(connection, known.id):
            return routed
        return []


def _may_start(rules: ChannelRules, known: KnownCycle, notice: Notice) -> bool:
    """Never a test, never what has no event to investigate, never what is over by now."""
    if notice.test or not (notice.monitor_id and notice.event_id) or notice.transition is Transition.RECOVERED:
        return False
    is_over = standing(known.cycle).state is Transition.RECOVERED
    return not is_over and rules.auto is not None and rules.auto.matches(notice.facts)


def _may_have_case(rules: ChannelRules, known: KnownCycle, notice: Notice) -> bool:
    """When, is for the worker to say."""
    if rules.case.create is None or notice.transition is Transition.RECOVERED:
        return False
    now = standing(known.cycle)
    return now.state is not Transition.RECOVERED and is_meant(rules.case.create, known, now)
