"""Starts that channels may want by themselves: written down with the alert, decided once there is a thread to answer in."""

import logging
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.not_started import NotStarted, start_key, used_up
from bot.alerts.tables import ALERT_CARD, alert_starts
from bot.datadog.errors import DatadogError, Refused
from bot.deadline import within
from bot.investigations.findings import Findings
from bot.investigations.requests import Outcome, Reception, Requests
from bot.model import AlertRef, Ask, ExistingRun, Place, Source
from bot.orgs.repository import OrgRepository
from bot.rules.budget import CoolingDown, Limits, OverBudget, Terms
from bot.rules.model import AlertFacts, ChannelRules
from bot.rules.org_choice import OrgChooser
from bot.rules.repository import Draft, RuleRepository
from bot.storage.engine import wake
from bot.storage.leases import Fence, LeasedWorker
from bot.storage.outbox import posted, shown_in
from bot.storage.tables import deliveries, newly_due

logger = logging.getLogger(__name__)

WANTED, DECIDED = "wanted", "decided"
TOO_LATE = 2 * 3600.0  # an investigation costs money; of an alert this old nobody waits for it
HEARD_SINCE = 30.0  # seconds: Bits takes minutes, and what it posts is heard where we heard the alert
MOST_LOOKS = 5  # at a monitor whose tags and priority the rule asks for
_NO_ORG = "which Datadog organisation it belongs to can't be told, or that one is not connected"
_TEST = "[test]"


@dataclass(frozen=True, slots=True)
class Automatic:
    """The channel's rule, the monitor's cooldown and the automatic share decide."""

    requests: Requests
    rules: RuleRepository

    async def consider(self, place: Place, alert: AlertRef, facts: AlertFacts, org: str) -> str | None:
        """Start it if the channel wants that. The reason when it does not start; None when it runs.

        May be called again for the same alert: it is decided once for each channel.
        """
        rules = await self.rules.known(place.workspace, place.channel)
        reason = _unwanted(rules.channel, alert, facts) or await self._ask(rules, place, alert, org)
        where = f"monitor {alert.monitor_id}, event {alert.event_id} in {place.channel}"
        if reason:
            logger.info("%s: not investigated by itself: %s", where, reason)
        else:
            logger.info("%s: investigated by itself", where)
        return reason or None

    async def _ask(self, rules: Draft, place: Place, alert: AlertRef, org: str) -> str:
        ask = Ask(
            key=f"auto:{place.workspace}:{place.channel}:{alert.monitor_id}:{alert.event_id}",
            subject=alert,
            place=place,
            requester="",
            source=Source.AUTOMATIC,
            org=org,
        )
        limits = Limits.of(rules.channel, rules.workspace)
        terms = Terms(limits, "automatic rule", cooldown=rules.channel.cooldown_minutes * 60.0)
        return _why_not(await self.requests.ask(ask, terms))


def _ripe() -> ColumnElement[bool]:
    table = alert_starts.c
    stands = exists().where(shown_in(ALERT_CARD, table.cycle_id, table), deliveries.c.ts.is_not(None))
    return and_(table.state == WANTED, or_(table.thread_ts != "", stands))


@dataclass(eq=False)
class Starts(LeasedWorker):
    table = alert_starts
    woken_by = (alert_starts, posted(ALERT_CARD))
    slots = 8
    due = _ripe()  # deciding again is harmless: each start is known by its key

    rules: RuleRepository
    chooser: OrgChooser
    automatic: Automatic
    requests: Requests
    orgs: OrgRepository
    findings: Findings
    not_started: NotStarted

    async def want(
        self,
        connection: AsyncConnection,
        org: str,
        place: Place,
        alert: AlertRef,
        facts: AlertFacts,
        *,
        cycle_id: int | None = None,
    ) -> None:
        """In the transaction that keeps the alert. Without a thread it waits until the cycle's card stands.

        `org` is empty where it could not be told.
        """
        await connection.execute(
            self._database.insert_new(alert_starts).values(
                key=start_key(place, place.thread_ts or cycle_id, alert.event_id),
                **asdict(place),
                org=org,
                cycle_id=cycle_id,
                alert=alert,
                facts=facts,
                state=WANTED,
                decision="",
                **newly_due(self._database.now),
            )
        )
        wake(connection, alert_starts)

    async def work(self, row: Row[Any], fence: Fence) -> None:
        place = Place(row.workspace, row.channel, row.thread_ts or await self._card_of(row))
        alert: AlertRef = row.alert
        claimed_at = row.due_at - self._timing.lease
        if claimed_at - row.created_at > TOO_LATE:
            await self._decided(fence, "it was too late for it")
            return
        org = await self.chooser.choose(place, alert.host, chosen=row.org)
        if not isinstance(org, str):
            await self._decided(fence, _NO_ORG)
            return
        if run := await self.findings.heard(place):
            await self._decided(fence, await self._adopt(place, ExistingRun(run, alert), org))
            return
        known = await self._with_monitor(row, org, place, row.facts)
        if known is None:
            await self.put_off(fence, self._timing.backoff(row.attempt))
            return
        heard_all = row.cycle_id is not None or _is_young(place, claimed_at)
        subject = alert if heard_all else await self.findings.look(place, alert)
        if isinstance(subject, ExistingRun):
            await self._decided(fence, await self._adopt(place, subject, org))
            return
        decision = await self.automatic.consider(place, subject, known, org) or "started"
        async with self._database.transaction() as connection:
            if await fence.write(connection, alert_starts, **_as_decided(decision)):
                await self.not_started.decided(connection, decision, place, row.cycle_id)

    async def _adopt(self, place: Place, run: ExistingRun, org: str) -> str:
        """Datadog has investigated by itself: that one is followed, and costs nothing more."""
        key = f"adopt:{place.workspace}:{place.channel}:{place.thread_ts}"
        ask = Ask(key, run, place, "", Source.AUTOMATIC, org)
        outcome = await self.requests.ask(ask, Terms(Limits()))
        return "repeated" if outcome.reception is Reception.REPEATED else "followed the one in the thread"

    async def _with_monitor(self, row: Row[Any], org_id: str, place: Place, facts: AlertFacts) -> AlertFacts | None:
        """A message shows neither tags nor priority: where the rule asks for them, Datadog is asked. None: ask again later."""
        wanted = (await self.rules.of(place.workspace, place.channel)).auto
        if row.cycle_id is not None or wanted is None or not (wanted.tags or wanted.priorities):
            return facts
        org = await self.orgs.get(org_id, place.workspace)
        if org is None:
            return facts
        try:
            async with within(self._timing.effect):
                monitor = await org.monitors.get(facts.monitor_id)
        except (DatadogError, TimeoutError) as error:
            logger.warning("monitor %s can't be read now (%s)", facts.monitor_id, type(error).__name__)
            return facts if isinstance(error, Refused) or row.attempt >= MOST_LOOKS else None
        return replace(facts, priority=monitor.priority, tags=facts.tags | frozenset(monitor.tags))

    async def _card_of(self, row: Row[Any]) -> str:
        found = await self._database.first(select(deliveries.c.ts).where(shown_in(ALERT_CARD, row.cycle_id, row)))
        return (found.ts or "") if found else ""

    async def _decided(self, fence: Fence, decision: str) -> None:
        await self.write(fence, **_as_decided(decision))


def _as_decided(decision: str) -> dict[str, Any]:
    return {"state": DECIDED, "decision": decision[:200], "owner": None}


def _is_young(place: Place, now: float) -> bool:
    """What was posted in such a thread was posted while we listened: we had just heard of its alert."""
    return now - float(place.thread_ts) < HEARD_SINCE


def _unwanted(rules: ChannelRules, alert: AlertRef, facts: AlertFacts) -> str:
    if alert.monitor_name.casefold().startswith(_TEST):
        return "it is a test notification"
    if rules.auto is None:
        return "the channel has no rule for automatic starts"
    if facts.transition.casefold() == "recovered":
        return "it has recovered"
    return "" if rules.auto.matches(facts) else "the channel's rule does not match"


def _why_not(outcome: Outcome) -> str:
    if outcome.reception is Reception.REPEATED:
        return "" if outcome.investigation else "it was decided before"
    match outcome.refusal:
        case CoolingDown():
            return "its monitor and group were investigated by themselves a short while ago"
        case OverBudget() as over:
            return used_up(over)
        case None:
            return ""
        case _:
            return "it was refused"
